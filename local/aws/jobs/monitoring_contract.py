"""What Model Monitor hands to a container of our own: the processing job that one execution of a schedule is."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from plumbline.contract.names import MonitorVariable, Switch, report_prefix
from plumbline.local.aws.errors import ValidationError
from plumbline.local.aws.events import iso
from plumbline.local.aws.objects import S3Location

HOURLY: Final = "cron(0 * ? * * *)"
HOUR_SECONDS: Final = 3600

_CAPTURE_PREFIX_VARIABLE: Final = "sagemaker_endpoint_datacapture_prefix"
_DATASET_FORMAT: Final = {"sagemakerCaptureJson": {"captureIndexNames": ["endpointInput", "endpointOutput"]}}

Record = Mapping[str, Any]


def check_supported(schedule: Record) -> None:
    """Refuse what this platform does not run.

    Raises
    ------
    ApiError
        Naming the member.
    """
    config = schedule["MonitoringScheduleConfig"]
    expression = config.get("ScheduleConfig", {}).get("ScheduleExpression", HOURLY)
    definition = config.get("MonitoringJobDefinition")
    if expression != HOURLY:
        reason = f"ScheduleExpression must be {HOURLY} on the embedded AWS, got {expression}"
    elif definition is None or "EndpointInput" not in definition["MonitoringInputs"][0]:
        reason = "MonitoringJobDefinition must be inline and have an EndpointInput on the embedded AWS"
    elif "BaselineConfig" in definition:
        reason = "BaselineConfig is not supported by the embedded AWS; hand the baseline over as an argument"
    else:
        return
    raise ValidationError(reason)


def definition_of(schedule: Record) -> dict[str, Any]:
    """Return a schedule's inline job definition."""
    definition: dict[str, Any] = schedule["MonitoringScheduleConfig"]["MonitoringJobDefinition"]
    return definition


def job_request(name: str, schedule: Record, due: int, source: S3Location, variants: Sequence[str]) -> dict[str, Any]:
    """Return the CreateProcessingJob request for the hour that ends at `due`.

    Parameters
    ----------
    name
        Of the processing job.
    due
        When the execution is due, seconds since the epoch; a full hour.
    source
        Where the endpoint's captured data is.
    variants
        Variants whose capture becomes an input each.
    """
    definition = definition_of(schedule)
    return {
        "ProcessingJobName": name,
        "RoleArn": definition["RoleArn"],
        "AppSpecification": _chosen(
            definition["MonitoringAppSpecification"], "ImageUri", "ContainerEntrypoint", "ContainerArguments"
        ),
        "Environment": {
            **contract_environment(schedule, due),
            _CAPTURE_PREFIX_VARIABLE: str(source),
            **definition.get("Environment", {}),
        },
        "ProcessingInputs": [_input(n, schedule, due, source, variant) for n, variant in enumerate(variants, 1)],
        "ProcessingOutputConfig": _output_config(schedule, due),
        "ProcessingResources": definition["MonitoringResources"],
        "StoppingCondition": definition.get("StoppingCondition", {"MaxRuntimeInSeconds": HOUR_SECONDS}),
        **_chosen(definition, "NetworkConfig"),
    }


def contract_environment(schedule: Record, due: int) -> dict[str, str]:
    """Return the variables of the container contract for the hour that ends at `due`."""
    definition = definition_of(schedule)
    return {
        MonitorVariable.DATASET_FORMAT: json.dumps(_DATASET_FORMAT),
        MonitorVariable.DATASET_SOURCE: _endpoint_input(definition)["LocalPath"],
        MonitorVariable.OUTPUT_PATH: output_of(definition)["LocalPath"],
        MonitorVariable.PUBLISH_CLOUDWATCH_METRICS: Switch.ENABLED,
        MonitorVariable.ENDPOINT_NAME: schedule["EndpointName"],
        MonitorVariable.SCHEDULE_NAME: schedule["MonitoringScheduleName"],
        MonitorVariable.START_TIME: iso(due - HOUR_SECONDS),
        MonitorVariable.END_TIME: iso(due),
    }


def hour_prefix(source: S3Location, variant: str, due: int) -> S3Location:
    """Return where one variant's capture of the hour that ends at `due` is."""
    return source.joined(variant, _hour_path(due))


def output_of(definition: Record) -> dict[str, Any]:
    """Return the one S3 output of a job definition."""
    output: dict[str, Any] = definition["MonitoringOutputConfig"]["MonitoringOutputs"][0]["S3Output"]
    return output


def _chosen(record: Record, *names: str) -> dict[str, Any]:
    return {name: record[name] for name in names if name in record}


def _endpoint_input(definition: Record) -> dict[str, Any]:
    entry: dict[str, Any] = definition["MonitoringInputs"][0]["EndpointInput"]
    return entry


def _hour_path(due: int) -> str:
    return f"{datetime.fromtimestamp(due - HOUR_SECONDS, UTC):%Y/%m/%d/%H}"


def _input(number: int, schedule: Record, due: int, source: S3Location, variant: str) -> dict[str, Any]:
    local = _endpoint_input(definition_of(schedule))["LocalPath"]
    return {
        "InputName": f"endpoint_input_{number}",
        "S3Input": {
            "S3Uri": str(hour_prefix(source, variant, due)),
            "LocalPath": f"{local}/{schedule['EndpointName']}/{variant}/{_hour_path(due)}",
            "S3DataType": "S3Prefix",
            "S3InputMode": "File",
            "S3DataDistributionType": "FullyReplicated",
        },
    }


def _output_config(schedule: Record, due: int) -> dict[str, Any]:
    definition = definition_of(schedule)
    output = output_of(definition)
    below = report_prefix(schedule["EndpointName"], schedule["MonitoringScheduleName"], _hour_path(due))
    target = {
        "S3Uri": str(S3Location.parse(output["S3Uri"]).joined(below)),
        "LocalPath": output["LocalPath"],
        "S3UploadMode": output.get("S3UploadMode", "Continuous"),
    }
    return {
        "Outputs": [{"OutputName": "monitoring_output", "S3Output": target}],
        **_chosen(definition["MonitoringOutputConfig"], "KmsKeyId"),
    }
