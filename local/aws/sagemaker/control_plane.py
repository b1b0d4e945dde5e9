"""The local SageMaker's control plane: botocore's service model defines requests and answers.

Create stores the validated request, Describe shows the members of the stored record that the output has.
"""

import threading
from collections.abc import Callable
from typing import Any, Final

from plumbline.local.aws import events
from plumbline.local.aws.clock import Clock
from plumbline.local.aws.errors import ApiError, ValidationError
from plumbline.local.aws.sagemaker import listing
from plumbline.local.aws.sagemaker.kinds import KINDS, ResourceKind, named_resources, resource_name
from plumbline.local.aws.sagemaker.listing import Record
from plumbline.local.aws.sagemaker.validation import MODEL, project, validate

_VERBS: Final = ("Create", "Describe", "Update", "Delete", "Stop", "Start", "List")

Operation = Callable[[Record], Record]
"""From an operation's validated parameters to its answer."""


class ControlPlane:
    """SageMaker resources of one account and Region.

    Attributes
    ----------
    hooks
        ``"<Kind>.<verb>"`` (create, update, delete, stop, start) to a function of the stored record; update also
        gets the record as it was before. It runs on the caller's thread with `lock` held, after a create, update,
        stop or start is stored and before a delete: it must not wait. An error from it undoes the create or update,
        or refuses the delete.
    operations
        Name of an API operation to what answers it, with `lock` held: the tags, and what other parts of the service
        register, such as model packages, pipeline executions and monitoring executions. All other operations create,
        describe, update, delete, stop, start or list a resource of `KINDS`.
    """

    def __init__(self, account: str, region: str, clock: Clock) -> None:
        self.account = account
        self.region = region
        self.clock = clock
        self.lock = threading.RLock()
        self.hooks: dict[str, Callable[..., None]] = {}
        self._store: dict[str, dict[str, Record]] = {name: {} for name in KINDS}
        self._tags: dict[str, dict[str, str]] = {}
        self.operations: dict[str, Operation] = {
            "AddTags": self._add_tags,
            "ListTags": self._list_tags,
            "DeleteTags": self._delete_tags,
        }

    def call(self, operation: str, params: Record) -> dict[str, Any]:
        """Answer one API operation.

        Raises
        ------
        ApiError
            As the service would refuse it, or ``UnknownOperationException`` for what is not emulated.
        """
        if operation not in MODEL.operation_names:
            raise ApiError("UnknownOperationException", f"SageMaker has no operation {operation!r}")
        with self.lock:
            typed = validate(operation, params)
            if operation in self.operations:
                return self.operations[operation](typed)
            verb, kind = _split(operation)
            if verb == "List":
                return self._list(kind, operation, typed)
            if verb == "Create":
                return self._create(kind, typed)
            # Some operations take an ARN where others take a name.
            record = self.get(kind.name, resource_name(typed[kind.name_field]))
            if verb == "Describe":
                return project(operation, record)
            change: Callable[[ResourceKind, Record, Record], Record] = {
                "Update": self._update,
                "Delete": self._delete,
                "Stop": self._stop,
                "Start": self._start,
            }[verb]
            return change(kind, record, typed)

    def arn(self, kind: str, name: str) -> str:
        """Return the ARN that a resource of this kind and name has."""
        return f"arn:aws:sagemaker:{self.region}:{self.account}:{KINDS[kind].arn_type}/{name}"

    def get(self, kind: str, name: str) -> Record:
        """Return the live record: change it through `change`, or while holding `lock`.

        Raises
        ------
        ApiError
            If there is none, with the code that SageMaker uses for this kind.
        """
        try:
            return self._store[kind][name]
        except KeyError:
            spec = KINDS[kind]
            raise ApiError(spec.missing, f'Could not find {spec.arn_type} "{self.arn(kind, name)}".') from None

    def records(self, kind: str) -> list[Record]:
        """Return the live records of one kind, oldest first."""
        with self.lock:
            return list(self._store[kind].values())

    def change(self, kind: str, name: str, **members: Any) -> Record:
        """Set members of a record, stamp LastModifiedTime and return the record."""
        with self.lock:
            record = self.get(kind, name)
            record.update(members, LastModifiedTime=self.clock())
            return record

    def emit_event(self, detail_type: str, detail: Record, resources: list[str]) -> None:
        """Put an ``aws.sagemaker`` event on the default bus of this account and Region."""
        events.put(self.account, self.region, "aws.sagemaker", detail_type, detail, resources)

    def run_hook(self, event: str, *args: Record) -> None:
        """Call the hook of `event`, if there is one."""
        if event in self.hooks:
            self.hooks[event](*args)

    def _create(self, kind: ResourceKind, params: Record) -> Record:
        name = params[kind.name_field]
        arn = self.arn(kind.name, name)
        if name in self._store[kind.name]:
            raise ApiError(kind.taken, f'Cannot create already existing {kind.arn_type} "{arn}".')
        self._check_references(kind, params)
        now = self.clock()
        record = {**params, kind.arn_field: arn, "CreationTime": now, "LastModifiedTime": now, **_derived(params)}
        if kind.status_field:
            record[kind.status_field] = kind.initial_status
        self._store[kind.name][name] = record
        self._tags[arn] = {tag["Key"]: tag["Value"] for tag in params.get("Tags", [])}
        try:
            self.run_hook(f"{kind.name}.create", record)
        except Exception:
            del self._store[kind.name][name]
            del self._tags[arn]
            raise
        return {kind.arn_field: arn}

    def _update(self, kind: ResourceKind, record: Record, params: Record) -> Record:
        before = dict(record)
        self._check_references(kind, params)
        record.update(params, LastModifiedTime=self.clock(), **_derived(params))
        try:
            self.run_hook(f"{kind.name}.update", record, before)
        except Exception:
            record.clear()
            record.update(before)
            raise
        return {kind.arn_field: record[kind.arn_field]}

    def _delete(self, kind: ResourceKind, record: Record, _: Record) -> Record:
        self._refuse_orphans(kind, record)
        self.run_hook(f"{kind.name}.delete", record)
        del self._store[kind.name][record[kind.name_field]]
        self._tags.pop(record[kind.arn_field], None)
        return {}

    def _check_references(self, kind: ResourceKind, params: Record) -> None:
        """Raise the service's error when a resource that a request refers to does not exist."""
        for target, name in named_resources(kind.name, params):
            self.get(target, name)

    def _refuse_orphans(self, kind: ResourceKind, record: Record) -> None:
        """Refuse to delete an endpoint before its monitoring schedules."""
        if kind.name != "Endpoint":
            return
        name = record["EndpointName"]
        schedules = self.records("MonitoringSchedule")
        left = [row["MonitoringScheduleName"] for row in schedules if row.get("EndpointName") == name]
        if left:
            raise ValidationError(f"Endpoint {name} has associated monitoring schedules: {left}")

    def _stop(self, kind: ResourceKind, record: Record, _: Record) -> Record:
        if kind.name.endswith("Job"):
            if record[kind.status_field] != kind.initial_status:
                raise ValidationError(f"The job is in status {record[kind.status_field]}.")
            record[kind.status_field] = "Stopping"
        else:
            record[kind.status_field] = "Stopped"
        record["LastModifiedTime"] = self.clock()
        self.run_hook(f"{kind.name}.stop", record)
        return {}

    def _start(self, kind: ResourceKind, record: Record, _: Record) -> Record:
        record.update({kind.status_field: kind.initial_status, "LastModifiedTime": self.clock()})
        self.run_hook(f"{kind.name}.start", record)
        return {}

    def _list(self, kind: ResourceKind, operation: str, params: Record) -> Record:
        rows = self.records(kind.name)
        return listing.page(operation, rows, params, name_field=kind.name_field, status_field=kind.status_field)

    def _add_tags(self, params: Record) -> Record:
        added = {tag["Key"]: tag["Value"] for tag in params["Tags"]}
        self._tags.setdefault(params["ResourceArn"], {}).update(added)
        return {"Tags": params["Tags"]}

    def _list_tags(self, params: Record) -> Record:
        found = self._tags.get(params["ResourceArn"], {})
        return {"Tags": [{"Key": key, "Value": value} for key, value in found.items()]}

    def _delete_tags(self, params: Record) -> Record:
        found = self._tags.get(params["ResourceArn"], {})
        for key in params["TagKeys"]:
            found.pop(key, None)
        return {}


def _derived(params: Record) -> Record:
    """Return members that the service reads out of a request: the endpoint that a schedule monitors."""
    endpoints = named_resources("MonitoringSchedule", params)
    return {"EndpointName": endpoints[0][1]} if endpoints else {}


def _split(operation: str) -> tuple[str, ResourceKind]:
    for verb in _VERBS:
        subject = operation.removeprefix(verb)
        if verb == "List":
            subject = subject.removesuffix("s")
        if subject != operation and subject in KINDS:
            return verb, KINDS[subject]
    raise ApiError("UnknownOperationException", f"the local SageMaker does not implement {operation}")
