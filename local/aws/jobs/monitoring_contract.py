"""What Model Monitor hands to a container of our own: the processing job that one execution of a schedule is."""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from plumbline.contract.names import MonitorVariable, Switch, report_prefix
from plumbline.local.aws.errors import ValidationError
from plumbline.local.aws.events import iso
from plumbline.local.aws.objects import S3Location

HOURLY: Final = "cron(0 * ? * * *)"
HOUR_SECONDS: Final = 3600
_DAY_HOURS: Final = 24
_FORM: Final = re.compile(r"cron\(0 (?:\*|0/(?P<spacing>\d{1,2})|(?P<hour>\d{1,2})) \? \* \* \*\)")
"""Forms of the API reference: each hour, every so many hours from midnight on, or at one hour of the day."""

_CAPTURE_PREFIX_VARIABLE: Final = "sagemaker_endpoint_datacapture_prefix"
_DATASET_FORMAT: Final = {"sagemakerCaptureJson": {"captureIndexNames": ["endpointInput", "endpointOutput"]}}

Record = Mapping[str, Any]


class Timing(NamedTuple):
    """When executions are due: every `hours`, which is the length of a window, at hours of the day like `first`."""

    hours: int
    first: int

    def next_due(self, moment: float) -> int:
        """Return the first time after a moment, both in seconds since the epoch, that is due."""
        period, offset = self.hours * HOUR_SECONDS, self.first * HOUR_SECONDS
        return int((moment - offset) // period + 1) * period + offset

    def start(self, due: int) -> int:
        """Return when the window began that ends at `due`."""
        return due - self.hours * HOUR_SECONDS


def timing_of(schedule: Record) -> Timing:
    """Return when a schedule's executions are due.

    Raises
    ------
    ApiError
        If the expression is none that this platform runs.
    """
    expression = schedule["MonitoringScheduleConfig"].get("ScheduleConfig", {}).get("ScheduleExpression", HOURLY)
    found = _FORM.fullmatch(expression)
    spacing = int(found["spacing"] or (_DAY_HOURS if found["hour"] else 1)) if found else 0
    first = int(found["hour"] or 0) if found else 0
    if not 1 <= spacing <= _DAY_HOURS or _DAY_HOURS % spacing or first >= _DAY_HOURS:
        raise ValidationError(
            f"ScheduleExpression must be {HOURLY}, cron(0 0/N ? * * *) with an N that divides 24 or "
            f"cron(0 H ? * * *) on the embedded AWS, got {expression}"
        )
    return Timing(spacing, first)


def check_supported(schedule: Record) -> None:
    """Refuse what this platform does not run.

    Raises
    ------
    ApiError
        Naming the member.
    """
    timing_of(schedule)
    definition = schedule["MonitoringScheduleConfig"].get("MonitoringJobDefinition")
    if definition is None or "EndpointInput" not in definition["MonitoringInputs"][0]:
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


def job_request(name: str, schedule: Record, due: int, source: S3Location, folders: Sequence[str]) -> dict[str, Any]:
    """Return the CreateProcessingJob request for the window that ends at `due`.

    Parameters
    ----------
    name
        Of the processing job.
    due
        When the execution is due, seconds since the epoch; a full hour.
    source
        Where the endpoint's captured data is.
    folders
        Folders below it that become an input each.
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
        "ProcessingInputs": [_input(n, schedule, source, folder) for n, folder in enumerate(folders, 1)],
        "ProcessingOutputConfig": _output_config(schedule, due),
        "ProcessingResources": definition["MonitoringResources"],
        "StoppingCondition": definition.get("StoppingCondition", {"MaxRuntimeInSeconds": HOUR_SECONDS}),
        **_chosen(definition, "NetworkConfig"),
    }


def contract_environment(schedule: Record, due: int) -> dict[str, str]:
    """Return the variables of the container contract for the window that ends at `due`."""
    definition = definition_of(schedule)
    return {
        MonitorVariable.DATASET_FORMAT: json.dumps(_DATASET_FORMAT),
        MonitorVariable.DATASET_SOURCE: _endpoint_input(definition)["LocalPath"],
        MonitorVariable.OUTPUT_PATH: output_of(definition)["LocalPath"],
        MonitorVariable.PUBLISH_CLOUDWATCH_METRICS: Switch.ENABLED,
        MonitorVariable.ENDPOINT_NAME: schedule["EndpointName"],
        MonitorVariable.SCHEDULE_NAME: schedule["MonitoringScheduleName"],
        MonitorVariable.START_TIME: iso(timing_of(schedule).start(due)),
        MonitorVariable.END_TIME: iso(due),
    }


def capture_folders(schedule: Record, variants: Sequence[str], due: int) -> dict[str, list[str]]:
    """Return the folders that a window's job may get, below the endpoint's, and the hours of the window in each.

    A window of one hour gets that hour of each variant; a longer one its days, which is more than the window, as AWS
    warns of.
    """
    hours = [_hour_path(hour) for hour in range(timing_of(schedule).start(due), due, HOUR_SECONDS)]
    folders: dict[str, list[str]] = {}
    for variant in variants:
        for hour in hours:
            folder = hour if len(hours) == 1 else hour.rpartition("/")[0]
            folders.setdefault(f"{variant}/{folder}", []).append(f"{variant}/{hour}")
    return folders


def output_of(definition: Record) -> dict[str, Any]:
    """Return the one S3 output of a job definition."""
    output: dict[str, Any] = definition["MonitoringOutputConfig"]["MonitoringOutputs"][0]["S3Output"]
    return output


def _chosen(record: Record, *names: str) -> dict[str, Any]:
    return {name: record[name] for name in names if name in record}


def _endpoint_input(definition: Record) -> dict[str, Any]:
    entry: dict[str, Any] = definition["MonitoringInputs"][0]["EndpointInput"]
    return entry


def _hour_path(moment: int) -> str:
    return f"{datetime.fromtimestamp(moment, UTC):%Y/%m/%d/%H}"


def _input(number: int, schedule: Record, source: S3Location, folder: str) -> dict[str, Any]:
    local = _endpoint_input(definition_of(schedule))["LocalPath"]
    return {
        "InputName": f"endpoint_input_{number}",
        "S3Input": {
            "S3Uri": str(source.joined(folder)),
            "LocalPath": f"{local}/{schedule['EndpointName']}/{folder}",
            "S3DataType": "S3Prefix",
            "S3InputMode": "File",
            "S3DataDistributionType": "FullyReplicated",
        },
    }


def _output_config(schedule: Record, due: int) -> dict[str, Any]:
    definition = definition_of(schedule)
    output = output_of(definition)
    start = timing_of(schedule).start(due)
    below = report_prefix(schedule["EndpointName"], schedule["MonitoringScheduleName"], _hour_path(start))
    target = {
        "S3Uri": str(S3Location.parse(output["S3Uri"]).joined(below)),
        "LocalPath": output["LocalPath"],
        "S3UploadMode": output.get("S3UploadMode", "Continuous"),
    }
    return {
        "Outputs": [{"OutputName": "monitoring_output", "S3Output": target}],
        **_chosen(definition["MonitoringOutputConfig"], "KmsKeyId"),
    }
