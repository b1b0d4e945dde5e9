"""The versions of one model package group in the registry; the only place that calls their API."""

from collections.abc import Mapping
from typing import Any

from promotion.facts import ApprovalStatus, Unusable, Version
from promotion.state import Target

DESCRIPTION_MAX = 1024
"""UpdateModelPackage: ApprovalDescription."""
COMPLETED = "Completed"


class Packages:
    """One group; the client is made on first use."""

    def __init__(self, group: str, region: str) -> None:
        self._group = group
        self._region = region
        self._made: Any = None

    def versions(self) -> tuple[Version, ...]:
        """Return the group's versions, oldest first."""
        pages = self._client.get_paginator("list_model_packages").paginate(
            ModelPackageGroupName=self._group, ModelPackageType="Versioned"
        )
        found = (
            Version(
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

    def approve(self, arn: str, why: str) -> None:
        """Set a version to Approved."""
        self._set(arn, ApprovalStatus.APPROVED, why)

    def reject(self, arn: str, why: str) -> None:
        """Set a version to Rejected."""
        self._set(arn, ApprovalStatus.REJECTED, why)

    def _set(self, arn: str, status: ApprovalStatus, why: str) -> None:
        self._client.update_model_package(
            ModelPackageArn=arn, ModelApprovalStatus=status.value, ApprovalDescription=why[:DESCRIPTION_MAX]
        )

    @property
    def _client(self) -> Any:
        if self._made is None:
            import boto3

            self._made = boto3.client("sagemaker", region_name=self._region)
        return self._made


def target(version: Version, package: Mapping[str, Any], cause: str, request: str | None = None) -> Target | Unusable:
    """Return the version as a target, or what it lacks."""
    containers = package.get("InferenceSpecification", {}).get("Containers", [])
    artifact = containers[0].get("ModelDataUrl") if len(containers) == 1 else None
    if not artifact:
        return Unusable(version, f"version {version.number} must have one container with an artifact, and has not")
    baseline = baseline_folder(package)
    if baseline is None:
        return Unusable(version, f"version {version.number} must name its baseline in DriftCheckBaselines, got none")
    return Target(artifact, baseline, version.arn, version.number, cause, request)


def baseline_folder(package: Mapping[str, Any]) -> str | None:
    """Return the folder of the baseline that a version was accepted on; the registry names a file in it."""
    uri = _statistics(package, "DriftCheckBaselines", "ModelDataQuality")
    return uri.rpartition("/")[0] if uri and "/" in uri.removeprefix("s3://") else None


def evaluation_uri(package: Mapping[str, Any]) -> str | None:
    """Return where the gate's evaluation of a version is."""
    return _statistics(package, "ModelMetrics", "ModelQuality")


def _statistics(package: Mapping[str, Any], *path: str) -> str | None:
    value: Any = package
    for name in (*path, "Statistics"):
        value = value.get(name, {})
    uri = value.get("S3Uri")
    return uri if isinstance(uri, str) else None
