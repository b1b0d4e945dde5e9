"""The versions of one model package group in the registry: the only module that calls its API."""

from collections.abc import Mapping
from typing import Any

from plumbline.functions.promotion.facts import ApprovalStatus, PromotionReasonCode, RegistryVersion, UnusableVersion
from plumbline.functions.promotion.state import PromotionTarget
from plumbline.functions.shared.aws_client import AwsClients

MAX_DESCRIPTION_LENGTH = 1024
"""UpdateModelPackage: ApprovalDescription."""
COMPLETED = "Completed"


class ModelRegistry:
    """One model package group."""

    def __init__(self, group: str, clients: AwsClients) -> None:
        self._group = group
        self._clients = clients

    def versions(self) -> tuple[RegistryVersion, ...]:
        """Return the group's versions, oldest first."""
        pages = self._client.get_paginator("list_model_packages").paginate(
            ModelPackageGroupName=self._group, ModelPackageType="Versioned"
        )
        found = (
            RegistryVersion(
                entry["ModelPackageVersion"],
                entry["ModelPackageArn"],
                entry.get("ModelApprovalStatus", ""),
                entry["ModelPackageStatus"] == COMPLETED,
            )
            for page in pages
            for entry in page["ModelPackageSummaryList"]
        )
        return tuple(sorted(found, key=lambda version: version.number))

    def describe(self, arn: str) -> Mapping[str, Any]:
        """Return DescribeModelPackage of a version."""
        answer: Mapping[str, Any] = self._client.describe_model_package(ModelPackageName=arn)
        return answer

    def approve(self, arn: str, reason: str) -> None:
        """Set a version to Approved."""
        self._set(arn, ApprovalStatus.APPROVED, reason)

    def reject(self, arn: str, reason: str) -> None:
        """Set a version to Rejected."""
        self._set(arn, ApprovalStatus.REJECTED, reason)

    def _set(self, arn: str, status: ApprovalStatus, reason: str) -> None:
        self._client.update_model_package(
            ModelPackageArn=arn, ModelApprovalStatus=status.value, ApprovalDescription=reason[:MAX_DESCRIPTION_LENGTH]
        )

    @property
    def _client(self) -> Any:
        return self._clients["sagemaker"]


def target(
    version: RegistryVersion, package: Mapping[str, Any], cause: str, request: str | None = None
) -> PromotionTarget | UnusableVersion:
    """Return the version as a target, or what it lacks; `package` is DescribeModelPackage of it."""
    containers = package.get("InferenceSpecification", {}).get("Containers", [])
    artifact = containers[0].get("ModelDataUrl") if len(containers) == 1 else None
    if not artifact:
        return UnusableVersion(version, PromotionReasonCode.NO_ARTIFACT.reason(number=version.number))
    baseline = baseline_folder(package)
    if baseline is None:
        return UnusableVersion(version, PromotionReasonCode.NO_BASELINE.reason(number=version.number))
    return PromotionTarget(artifact, baseline, version.arn, version.number, cause, request)


def baseline_folder(package: Mapping[str, Any]) -> str | None:
    """Return the folder of a version's baseline (the registry names a file in it), or None."""
    uri = _statistics(package, "DriftCheckBaselines", "ModelDataQuality")
    return uri.rpartition("/")[0] if uri and "/" in uri.removeprefix("s3://") else None


def evaluation_uri(package: Mapping[str, Any]) -> str | None:
    """Return the URI of the gate's evaluation of a version, or None."""
    return _statistics(package, "ModelMetrics", "ModelQuality")


def _statistics(package: Mapping[str, Any], *path: str) -> str | None:
    value: Any = package
    for name in (*path, "Statistics"):
        value = value.get(name, {})
    uri = value.get("S3Uri")
    return uri if isinstance(uri, str) else None
