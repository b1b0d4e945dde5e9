"""Descriptions of an endpoint: members of DescribeEndpoint, and the detail of its event."""

import re
from collections.abc import Mapping
from typing import Any

from plumbline.local.aws.events import in_milliseconds
from plumbline.local.aws.sagemaker.validation import project

Record = Mapping[str, Any]


def in_service(config: Record) -> dict[str, Any]:
    """Return the members of DescribeEndpoint for a configuration in service; None where it has no such part."""
    return {
        "EndpointConfigName": config["EndpointConfigName"],
        "ProductionVariants": [_summary(entry) for entry in config["ProductionVariants"]],
        "DataCaptureConfig": _capture(config.get("DataCaptureConfig")),
        "PendingDeploymentSummary": None,
    }


def pending(config: Record, start: float, status: Record) -> dict[str, Any]:
    """Return the PendingDeploymentSummary of a configuration that comes up.

    Parameters
    ----------
    start
        Since when, in seconds since the epoch.
    status
        A ProductionVariantStatus, of every variant.
    """
    variants = [
        {**_summary(entry), "InstanceType": entry.get("InstanceType"), "VariantStatus": [dict(status)]}
        for entry in config["ProductionVariants"]
    ]
    return {"EndpointConfigName": config["EndpointConfigName"], "ProductionVariants": variants, "StartTime": start}


def event_detail(record: Record) -> dict[str, Any]:
    """Return the detail of ``SageMaker Endpoint State Change``, which writes statuses and times unlike the API."""
    detail: dict[str, Any] = in_milliseconds(project("DescribeEndpoint", record))
    words = re.findall(r"[A-Z][a-z]+", record["EndpointStatus"])
    return {**detail, "EndpointStatus": "_".join(words).upper()}


def _capture(config: Record | None) -> dict[str, Any] | None:
    if not config:
        return None
    enabled = config.get("EnableCapture", True)
    return {
        "EnableCapture": enabled,
        "CaptureStatus": "Started" if enabled else "Stopped",
        "CurrentSamplingPercentage": config["InitialSamplingPercentage"],
        "DestinationS3Uri": config["DestinationS3Uri"],
        "KmsKeyId": config.get("KmsKeyId", ""),
    }


def _summary(variant: Record) -> dict[str, Any]:
    weight, count = variant.get("InitialVariantWeight", 1.0), variant.get("InitialInstanceCount", 1)
    return {
        "VariantName": variant["VariantName"],
        "CurrentWeight": weight,
        "DesiredWeight": weight,
        "CurrentInstanceCount": count,
        "DesiredInstanceCount": count,
    }
