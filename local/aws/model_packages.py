"""Versions of a model package group: the one kind of resource that has no name of its own."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from local.aws import listing
from local.aws.errors import ApiError
from local.aws.listing import Record
from local.aws.validation import project

if TYPE_CHECKING:
    from local.aws.control_plane import ControlPlane


class ModelPackages:
    """Model package versions by ARN; `operations` is what the control plane adds to its own."""

    def __init__(self, plane: "ControlPlane") -> None:
        self._plane = plane
        self._packages: dict[str, Record] = {}
        self.operations: dict[str, Callable[[Record], Record]] = {
            "CreateModelPackage": self._create,
            "DescribeModelPackage": lambda params: project("DescribeModelPackage", self._get(params)),
            "UpdateModelPackage": self._update,
            "DeleteModelPackage": self._delete,
            "ListModelPackages": self._list,
        }

    def _get(self, params: Record) -> Record:
        arn = params.get("ModelPackageArn") or params["ModelPackageName"]
        if arn not in self._packages:
            raise ApiError("ValidationException", f"ModelPackage {arn} does not exist.")
        return self._packages[arn]

    def _create(self, params: Record) -> Record:
        group = self._plane.get("ModelPackageGroup", params["ModelPackageGroupName"].rsplit("/", 1)[-1])
        name = group["ModelPackageGroupName"]
        taken = [row["ModelPackageVersion"] for row in self._packages.values() if row["ModelPackageGroupName"] == name]
        version = max(taken, default=0) + 1
        arn = group["ModelPackageGroupArn"].replace(":model-package-group/", ":model-package/") + f"/{version}"
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
        return {"ModelPackageArn": arn}

    def _update(self, params: Record) -> Record:
        record = self._get(params)
        record.update(params, LastModifiedTime=self._plane.clock())
        return {"ModelPackageArn": record["ModelPackageArn"]}

    def _delete(self, params: Record) -> Record:
        del self._packages[self._get(params)["ModelPackageArn"]]
        return {}

    def _list(self, params: Record) -> Record:
        rows = self._packages.values()
        return listing.page("ListModelPackages", rows, params, name_field="ModelPackageArn")
