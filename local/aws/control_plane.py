"""The local SageMaker's control plane: botocore's service model decides what a request and an answer look like.

Create stores the validated request, Describe shows the members of the stored record that the output has.
"""

import threading
from collections.abc import Callable
from typing import Any, Final

from local.aws import events, listing
from local.aws.clock import Clock
from local.aws.errors import ApiError
from local.aws.kinds import KINDS, Kind
from local.aws.listing import Record
from local.aws.model_packages import ModelPackages
from local.aws.pipeline_executions import PipelineExecutions
from local.aws.references import check_references, references
from local.aws.tags import Tags
from local.aws.validation import MODEL, project, validate

_VERBS: Final = ("Create", "Describe", "Update", "Delete", "Stop", "Start", "List")


class ControlPlane:
    """SageMaker resources of one account and Region.

    Attributes
    ----------
    hooks
        ``"<Kind>.<verb>"`` (create, update, delete, stop, start) to a function of the stored record; update also
        gets the record as it was before. It runs on the caller's thread with `lock` held, after a create, update,
        stop or start is stored and before a delete: it must not wait. An error from it undoes the create or update,
        or refuses the delete.
    executions
        Monitoring executions by an id of the runner's choice; rows have the members of MonitoringExecutionSummary.
    pipeline_executions
        Executions of pipelines, whose runner reports there.
    """

    def __init__(self, account: str, region: str, clock: Clock) -> None:
        self.account = account
        self.region = region
        self.clock = clock
        self.lock = threading.RLock()
        self.hooks: dict[str, Callable[..., None]] = {}
        self.executions: dict[str, Record] = {}
        self._store: dict[str, dict[str, Record]] = {name: {} for name in KINDS}
        self._tags = Tags()
        self.pipeline_executions = PipelineExecutions(self)
        self._model_packages = ModelPackages(self)
        self._special: dict[str, Callable[[Record], Record]] = {
            "ListMonitoringExecutions": self._list_executions,
            **self._tags.operations,
            **self._model_packages.operations,
            **self.pipeline_executions.operations,
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
            if operation in self._special:
                return self._special[operation](typed)
            verb, kind = _split(operation)
            if verb == "List":
                return self._list(kind, operation, typed)
            if verb == "Create":
                return self._create(kind, typed)
            # Some operations take an ARN where others take a name.
            record = self.get(kind.name, typed[kind.name_field].rsplit("/", 1)[-1])
            if verb == "Describe":
                return project(operation, record)
            change: Callable[[Kind, Record, Record], Record] = {
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
        """Call the function that someone registered for `event`, if any."""
        if event in self.hooks:
            self.hooks[event](*args)

    def _create(self, kind: Kind, params: Record) -> Record:
        name = params[kind.name_field]
        arn = self.arn(kind.name, name)
        if name in self._store[kind.name]:
            raise ApiError(kind.taken, f'Cannot create already existing {kind.arn_type} "{arn}".')
        check_references(self, kind.name, params)
        now = self.clock()
        record = {**params, kind.arn_field: arn, "CreationTime": now, "LastModifiedTime": now, **_derived(params)}
        if kind.status_field:
            record[kind.status_field] = kind.initial_status
        self._store[kind.name][name] = record
        self._tags.set(arn, params.get("Tags", []))
        try:
            self.run_hook(f"{kind.name}.create", record)
        except Exception:
            del self._store[kind.name][name]
            self._tags.forget(arn)
            raise
        return {kind.arn_field: arn}

    def _update(self, kind: Kind, record: Record, params: Record) -> Record:
        before = dict(record)
        check_references(self, kind.name, params)
        record.update(params, LastModifiedTime=self.clock(), **_derived(params))
        try:
            self.run_hook(f"{kind.name}.update", record, before)
        except Exception:
            record.clear()
            record.update(before)
            raise
        return {kind.arn_field: record[kind.arn_field]}

    def _delete(self, kind: Kind, record: Record, _: Record) -> Record:
        self._refuse_orphans(kind, record)
        self.run_hook(f"{kind.name}.delete", record)
        del self._store[kind.name][record[kind.name_field]]
        self._tags.forget(record[kind.arn_field])
        return {}

    def _refuse_orphans(self, kind: Kind, record: Record) -> None:
        """Refuse to delete an endpoint before its monitoring schedules, and a group before its versions."""
        if kind.name == "ModelPackageGroup":
            self._model_packages.refuse_orphans(record["ModelPackageGroupName"])
        if kind.name != "Endpoint":
            return
        name = record["EndpointName"]
        schedules = self.records("MonitoringSchedule")
        left = [row["MonitoringScheduleName"] for row in schedules if row.get("EndpointName") == name]
        if left:
            raise ApiError("ValidationException", f"Endpoint {name} has associated monitoring schedules: {left}")

    def _stop(self, kind: Kind, record: Record, _: Record) -> Record:
        if kind.name.endswith("Job"):
            if record[kind.status_field] != kind.initial_status:
                raise ApiError("ValidationException", f"The job is in status {record[kind.status_field]}.")
            record[kind.status_field] = "Stopping"
        else:
            record[kind.status_field] = "Stopped"
        record["LastModifiedTime"] = self.clock()
        self.run_hook(f"{kind.name}.stop", record)
        return {}

    def _start(self, kind: Kind, record: Record, _: Record) -> Record:
        record.update({kind.status_field: kind.initial_status, "LastModifiedTime": self.clock()})
        self.run_hook(f"{kind.name}.start", record)
        return {}

    def _list(self, kind: Kind, operation: str, params: Record) -> Record:
        rows = self.records(kind.name)
        return listing.page(operation, rows, params, name_field=kind.name_field, status_field=kind.status_field)

    def _list_executions(self, params: Record) -> Record:
        return listing.page(
            "ListMonitoringExecutions",
            list(self.executions.values()),
            {"SortBy": "ScheduledTime", **params},
            name_field="MonitoringScheduleName",
            status_field="MonitoringExecutionStatus",
        )


def _derived(params: Record) -> Record:
    """Return members that the service reads out of a request: the endpoint that a schedule monitors."""
    endpoints = [name for kind, name in references("MonitoringSchedule", params) if kind == "Endpoint"]
    return {"EndpointName": endpoints[0]} if endpoints else {}


def _split(operation: str) -> tuple[str, Kind]:
    for verb in _VERBS:
        subject = operation.removeprefix(verb)
        if verb == "List":
            subject = subject.removesuffix("s")
        if subject != operation and subject in KINDS:
            return verb, KINDS[subject]
    raise ApiError("UnknownOperationException", f"the local SageMaker does not implement {operation}")
