"""Versions of a model package group: the one kind of resource that has no name of its own."""

from typing import Any, Final

from plumbline.local.aws.errors import ApiError, ValidationError
from plumbline.local.aws.events import iso
from plumbline.local.aws.sagemaker import listing
from plumbline.local.aws.sagemaker.control_plane import ControlPlane
from plumbline.local.aws.sagemaker.kinds import resource_name
from plumbline.local.aws.sagemaker.listing import Record
from plumbline.local.aws.sagemaker.validation import project

_EVENT: Final = "SageMaker Model Package State Change"
_EVENT_FIELDS: Final = {
    "ModelApprovalStatus": "ModelApprovalStatus",
    "ApprovalDescription": "ApprovalDescription",
    "CustomerMetadataProperties": "CustomerMetadataProperties",
    "InferenceSpecification": "InferenceSpecification",
    "ModelLifeCycle": "ModelLifeCycle",
    "SourceUri": "sourceUri",
}
"""Members whose change an event names, to their names there."""
_REMOVED: Final = "CustomerMetadataPropertiesToRemove"


class ModelPackages:
    """Model package versions by ARN; registers their operations with the control plane."""

    def __init__(self, plane: ControlPlane) -> None:
        self._plane = plane
        self._packages: dict[str, Record] = {}
        self._made: dict[str, str] = {}
        plane.hooks["ModelPackageGroup.delete"] = self._refuse_orphans
        plane.operations.update(
            CreateModelPackage=self._create,
            DescribeModelPackage=lambda params: project("DescribeModelPackage", self._get(params)),
            UpdateModelPackage=self._update,
            DeleteModelPackage=self._delete,
            ListModelPackages=self._list,
        )

    def _refuse_orphans(self, record: Record) -> None:
        """Refuse to delete a group that has versions."""
        group = record["ModelPackageGroupName"]
        if versions := self._versions(group):
            raise ApiError("ConflictException", f"Model package group {group} still contains versions {versions}.")

    def _versions(self, group: str) -> list[int]:
        rows = self._packages.values()
        return [row["ModelPackageVersion"] for row in rows if row["ModelPackageGroupName"] == group]

    def _get(self, params: Record) -> Record:
        arn = params.get("ModelPackageArn") or params["ModelPackageName"]
        if arn not in self._packages:
            raise ValidationError(f"ModelPackage {arn} does not exist.")
        return self._packages[arn]

    def _create(self, params: Record) -> Record:
        if "ModelPackageGroupName" not in params or "ModelPackageName" in params:
            raise ValidationError("the embedded AWS keeps versions of a group, which have no own name")
        token = params.get("ClientToken")
        arn = self._made.get(token) if token else None
        if arn is None:
            arn = self._register(params)
            if token:
                self._made[token] = arn
        return {"ModelPackageArn": arn}

    def _register(self, params: Record) -> str:
        group = self._plane.get("ModelPackageGroup", resource_name(params["ModelPackageGroupName"]))
        name = group["ModelPackageGroupName"]
        version = max(self._versions(name), default=0) + 1
        arn = package_arn(group["ModelPackageGroupArn"], version)
        self._packages[arn] = {
            "ModelApprovalStatus": "PendingManualApproval",
            **params,
            "ModelPackageArn": arn,
            "ModelPackageName": f"{name}/{version}",
            "ModelPackageGroupName": name,
            "ModelPackageVersion": version,
            "ModelPackageStatus": "Completed",
            "ModelPackageStatusDetails": {"ValidationStatuses": []},
            "CreationTime": self._plane.clock(),
        }
        self._emit(self._packages[arn])
        return arn

    def _update(self, params: Record) -> Record:
        record = self._get(params)
        before = dict(record)
        record.update(
            params, CustomerMetadataProperties=_metadata(record, params), LastModifiedTime=self._plane.clock()
        )
        changed = [field for name, field in _EVENT_FIELDS.items() if record.get(name) != before.get(name)]
        self._emit(record, UpdatedModelPackageFields=changed)
        return {"ModelPackageArn": record["ModelPackageArn"]}

    def _delete(self, params: Record) -> Record:
        del self._packages[self._get(params)["ModelPackageArn"]]
        return {}

    def _list(self, params: Record) -> Record:
        filters = dict(params)
        if "ModelPackageGroupName" in filters:
            filters["ModelPackageGroupName"] = resource_name(filters["ModelPackageGroupName"])
        return listing.page("ListModelPackages", self._packages.values(), filters, name_field="ModelPackageArn")

    def _emit(self, record: Record, **more: Any) -> None:
        """Emit an event with the members of DescribeModelPackage, times as texts."""
        described = project("DescribeModelPackage", record)
        detail = {name: iso(value) if name.endswith("Time") else value for name, value in described.items()}
        self._plane.emit_event(_EVENT, {**detail, **more}, [record["ModelPackageArn"]])


def package_arn(group_arn: str, version: int | str) -> str:
    """Return the ARN of a group's version; ``*`` for those of all versions."""
    return group_arn.replace(":model-package-group/", ":model-package/") + f"/{version}"


def _metadata(record: Record, params: Record) -> dict[str, str] | None:
    """Return the customer metadata after an update, which adds some keys and removes others."""
    merged = {**record.get("CustomerMetadataProperties", {}), **params.get("CustomerMetadataProperties", {})}
    return {key: value for key, value in merged.items() if key not in params.get(_REMOVED, [])} or None
