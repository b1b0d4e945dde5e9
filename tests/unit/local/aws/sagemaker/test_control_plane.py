import json
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest

from plumbline.local.aws import sagemaker_api
from plumbline.local.aws.clock import Clock
from plumbline.local.aws.errors import ApiError
from plumbline.local.aws.sagemaker.control_plane import ControlPlane
from plumbline.local.aws.sagemaker.model_packages import ModelPackages

ROLE = "arn:aws:iam::000000000000:role/r"


def _ticking() -> Iterator[float]:
    return (float(tick) for tick in count())


@pytest.fixture
def plane() -> ControlPlane:
    """A plane whose clock moves one second with each reading."""
    ticks = _ticking()
    return ControlPlane("000000000000", "us-east-1", Clock(start=1000.0, real=lambda: next(ticks)))


def _job(name: str, **more: Any) -> dict[str, Any]:
    return {
        "TrainingJobName": name,
        "RoleArn": ROLE,
        "OutputDataConfig": {"S3OutputPath": "s3://bucket/models"},
        **more,
    }


def _endpoint(plane: ControlPlane) -> None:
    plane.call("CreateModel", {"ModelName": "m", "ExecutionRoleArn": ROLE})
    variant = {"VariantName": "AllTraffic", "ModelName": "m", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    plane.call("CreateEndpointConfig", {"EndpointConfigName": "c", "ProductionVariants": [variant]})
    plane.call("CreateEndpoint", {"EndpointName": "e", "EndpointConfigName": "c"})


def _schedule(name: str = "s") -> dict[str, Any]:
    definition = {
        "MonitoringInputs": [{"EndpointInput": {"EndpointName": "e", "LocalPath": "/opt/ml/processing/input"}}],
        "MonitoringOutputConfig": {
            "MonitoringOutputs": [{"S3Output": {"S3Uri": "s3://b/reports", "LocalPath": "/opt/ml/processing/output"}}]
        },
        "MonitoringResources": {
            "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 20}
        },
        "MonitoringAppSpecification": {"ImageUri": "000000000000.dkr.ecr.us-east-1.amazonaws.com/i:t"},
        "RoleArn": ROLE,
    }
    return {
        "MonitoringScheduleName": name,
        "MonitoringScheduleConfig": {
            "ScheduleConfig": {"ScheduleExpression": "cron(0 * ? * * *)"},
            "MonitoringJobDefinition": definition,
        },
    }


def _refused(plane: ControlPlane, operation: str, params: dict[str, Any]) -> ApiError:
    with pytest.raises(ApiError) as caught:
        plane.call(operation, params)
    return caught.value


def test_describe_shows_what_create_stored(plane: ControlPlane) -> None:
    plane.call("CreateTrainingJob", _job("j", HyperParameters={"max_depth": "5"}))
    described = plane.call("DescribeTrainingJob", {"TrainingJobName": "j"})
    assert described["HyperParameters"] == {"max_depth": "5"}
    assert described["TrainingJobStatus"] == "InProgress"
    assert described["TrainingJobArn"] == "arn:aws:sagemaker:us-east-1:000000000000:training-job/j"


def test_job_name_can_be_used_once(plane: ControlPlane) -> None:
    plane.call("CreateTrainingJob", _job("j"))
    assert _refused(plane, "CreateTrainingJob", _job("j")).code == "ResourceInUse"


def test_missing_things_have_the_services_codes(plane: ControlPlane) -> None:
    assert _refused(plane, "DescribeEndpoint", {"EndpointName": "no"}).code == "ValidationException"
    missing = _refused(plane, "DescribeMonitoringSchedule", {"MonitoringScheduleName": "no"})
    assert missing.code == "ResourceNotFound"


@pytest.mark.parametrize(
    ("params", "complaint"),
    [
        ({"TrainingJobName": "bad_name!"}, "'trainingJobName' failed to satisfy constraint"),
        ({"TrainingJobName": "a" * 64}, "length less than or equal to 63"),
        ({"HyperParameters": {f"k{n}": "v" for n in range(101)}}, "length less than or equal to 100"),
        ({"RoleArn": 5}, "Invalid type for parameter RoleArn"),
        ({"Bogus": 5}, "Unknown parameter in input"),
        ({"ResourceConfig": {"InstanceType": "ml.none", "InstanceCount": 1, "VolumeSizeInGB": 1}}, "enum value set"),
    ],
)
def test_create_refuses_what_the_service_model_refuses(
    plane: ControlPlane, params: dict[str, Any], complaint: str
) -> None:
    error = _refused(plane, "CreateTrainingJob", {**_job("j"), **params})
    assert error.code == "ValidationException"
    assert complaint in str(error)


def test_unknown_and_unsupported_operations_are_told_apart(plane: ControlPlane) -> None:
    assert "no operation" in str(_refused(plane, "CreateNonsense", {}))
    assert "does not implement" in str(_refused(plane, "ListDomains", {}))


def test_endpoint_config_needs_its_model(plane: ControlPlane) -> None:
    variant = {"VariantName": "v", "ModelName": "no", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    error = _refused(plane, "CreateEndpointConfig", {"EndpointConfigName": "c", "ProductionVariants": [variant]})
    assert 'Could not find model "arn:aws:sagemaker:us-east-1:000000000000:model/no"' in str(error)


def test_schedule_needs_its_endpoint(plane: ControlPlane) -> None:
    assert "Could not find endpoint" in str(_refused(plane, "CreateMonitoringSchedule", _schedule()))


def test_schedule_tells_which_endpoint_it_monitors(plane: ControlPlane) -> None:
    _endpoint(plane)
    plane.call("CreateMonitoringSchedule", _schedule())
    described = plane.call("DescribeMonitoringSchedule", {"MonitoringScheduleName": "s"})
    assert described["EndpointName"] == "e"


def test_endpoint_cannot_go_before_its_schedule(plane: ControlPlane) -> None:
    _endpoint(plane)
    plane.call("CreateMonitoringSchedule", _schedule())
    assert "associated monitoring schedules" in str(_refused(plane, "DeleteEndpoint", {"EndpointName": "e"}))
    plane.call("DeleteMonitoringSchedule", {"MonitoringScheduleName": "s"})
    plane.call("DeleteEndpoint", {"EndpointName": "e"})
    assert plane.records("Endpoint") == []


def test_refused_create_leaves_nothing(plane: ControlPlane) -> None:
    def refuse(record: dict[str, Any]) -> None:
        raise ApiError("ResourceLimitExceeded", "too many")

    plane.hooks["TrainingJob.create"] = refuse
    assert _refused(plane, "CreateTrainingJob", _job("j")).code == "ResourceLimitExceeded"
    assert plane.records("TrainingJob") == []


def test_refused_update_is_undone(plane: ControlPlane) -> None:
    _endpoint(plane)
    plane.call("CreateEndpointConfig", {
        "EndpointConfigName": "other",
        "ProductionVariants": plane.get("EndpointConfig", "c")["ProductionVariants"],
    })  # fmt: skip

    def refuse(record: dict[str, Any], before: dict[str, Any]) -> None:
        assert (before["EndpointConfigName"], record["EndpointConfigName"]) == ("c", "other")
        raise ApiError("ValidationException", "not now")

    plane.hooks["Endpoint.update"] = refuse
    _refused(plane, "UpdateEndpoint", {"EndpointName": "e", "EndpointConfigName": "other"})
    assert plane.get("Endpoint", "e")["EndpointConfigName"] == "c"


def test_list_is_newest_first_in_pages_of_ten(plane: ControlPlane) -> None:
    for number in range(12):
        plane.call("CreateTrainingJob", _job(f"j{number:02d}"))
    first = plane.call("ListTrainingJobs", {})
    second = plane.call("ListTrainingJobs", {"NextToken": first["NextToken"]})
    names = [[row["TrainingJobName"] for row in page["TrainingJobSummaries"]] for page in (first, second)]
    assert names == [[f"j{number:02d}" for number in range(11, 1, -1)], ["j01", "j00"]]
    assert "NextToken" not in second


def test_page_is_not_shifted_by_a_new_job(plane: ControlPlane) -> None:
    for number in range(3):
        plane.call("CreateTrainingJob", _job(f"j{number}"))
    first = plane.call("ListTrainingJobs", {"MaxResults": 2})
    plane.call("CreateTrainingJob", _job("later"))
    second = plane.call("ListTrainingJobs", {"MaxResults": 2, "NextToken": first["NextToken"]})
    assert [row["TrainingJobName"] for row in second["TrainingJobSummaries"]] == ["j0"]


def test_list_filters_by_name_status_and_time(plane: ControlPlane) -> None:
    for name in ("plumbline-dev-train-a", "plumbline-dev-train-b", "other"):
        plane.call("CreateTrainingJob", _job(name))
    plane.change("TrainingJob", "plumbline-dev-train-a", TrainingJobStatus="Completed")
    created = plane.get("TrainingJob", "plumbline-dev-train-a")["CreationTime"]

    def names(**filters: Any) -> list[str]:
        rows = plane.call("ListTrainingJobs", filters)["TrainingJobSummaries"]
        return [row["TrainingJobName"] for row in rows]

    assert names(NameContains="plumbline-dev", StatusEquals="InProgress") == ["plumbline-dev-train-b"]
    assert names(CreationTimeAfter=created) == ["other", "plumbline-dev-train-b"]
    assert names(CreationTimeBefore=created) == []
    assert names(SortBy="Name", SortOrder="Ascending")[0] == "other"


def test_token_of_someone_else_is_refused(plane: ControlPlane) -> None:
    assert "NextToken must come from" in str(_refused(plane, "ListTrainingJobs", {"NextToken": "zzz"}))


def test_stop_only_takes_a_running_job(plane: ControlPlane) -> None:
    plane.call("CreateTrainingJob", _job("j"))
    plane.call("StopTrainingJob", {"TrainingJobName": "j"})
    assert plane.get("TrainingJob", "j")["TrainingJobStatus"] == "Stopping"
    assert _refused(plane, "StopTrainingJob", {"TrainingJobName": "j"}).code == "ValidationException"


def test_schedule_can_be_stopped_and_started(plane: ControlPlane) -> None:
    _endpoint(plane)
    plane.call("CreateMonitoringSchedule", _schedule())
    plane.call("StopMonitoringSchedule", {"MonitoringScheduleName": "s"})
    assert plane.get("MonitoringSchedule", "s")["MonitoringScheduleStatus"] == "Stopped"
    plane.call("StartMonitoringSchedule", {"MonitoringScheduleName": "s"})
    assert plane.get("MonitoringSchedule", "s")["MonitoringScheduleStatus"] == "Scheduled"


def test_tags_are_kept_by_arn(plane: ControlPlane) -> None:
    plane.call("CreateModel", {"ModelName": "m", "Tags": [{"Key": "a", "Value": "1"}]})
    arn = plane.arn("Model", "m")
    plane.call("AddTags", {"ResourceArn": arn, "Tags": [{"Key": "b", "Value": "2"}]})
    plane.call("DeleteTags", {"ResourceArn": arn, "TagKeys": ["a"]})
    assert plane.call("ListTags", {"ResourceArn": arn})["Tags"] == [{"Key": "b", "Value": "2"}]


def test_model_packages_are_numbered_within_their_group(plane: ControlPlane) -> None:
    ModelPackages(plane)
    plane.call("CreateModelPackageGroup", {"ModelPackageGroupName": "g"})
    made = [plane.call("CreateModelPackage", {"ModelPackageGroupName": "g"})["ModelPackageArn"] for _ in range(2)]
    assert made[1].endswith(":model-package/g/2")
    plane.call("UpdateModelPackage", {"ModelPackageArn": made[0], "ModelApprovalStatus": "Approved"})
    described = plane.call("DescribeModelPackage", {"ModelPackageName": made[0]})
    assert described["ModelApprovalStatus"] == "Approved"
    listed = plane.call("ListModelPackages", {"ModelPackageGroupName": "g"})["ModelPackageSummaryList"]
    assert [row["ModelPackageVersion"] for row in listed] == [2, 1]
    plane.call("DeleteModelPackage", {"ModelPackageName": made[0]})
    assert "does not exist" in str(_refused(plane, "DescribeModelPackage", {"ModelPackageName": made[0]}))


def test_client_token_registers_one_package(plane: ControlPlane, monkeypatch: pytest.MonkeyPatch) -> None:
    events: list[dict[str, Any]] = []
    monkeypatch.setattr(plane, "emit_event", lambda kind, detail, resources: events.append(detail))
    ModelPackages(plane)
    plane.call("CreateModelPackageGroup", {"ModelPackageGroupName": "g"})
    request = {"ModelPackageGroupName": "g", "ClientToken": "t", "CustomerMetadataProperties": {"a": "1", "b": "2"}}
    arns = {plane.call("CreateModelPackage", request)["ModelPackageArn"] for _ in range(2)}
    assert len(arns) == len(events) == 1
    change = {"CustomerMetadataProperties": {"c": "3"}, "CustomerMetadataPropertiesToRemove": ["a"]}
    plane.call("UpdateModelPackage", {"ModelPackageArn": arns.pop(), **change})
    assert events[1]["CustomerMetadataProperties"] == {"b": "2", "c": "3"}
    assert events[1]["UpdatedModelPackageFields"] == ["CustomerMetadataProperties"]
    assert _refused(plane, "CreateModelPackage", {"ModelPackageName": "own"}).code == "ValidationException"


def test_group_with_versions_stays(plane: ControlPlane, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plane, "emit_event", lambda *event: None)
    ModelPackages(plane)
    plane.call("CreateModelPackageGroup", {"ModelPackageGroupName": "g"})
    plane.call("CreateModelPackage", {"ModelPackageGroupName": "g"})
    assert _refused(plane, "DeleteModelPackageGroup", {"ModelPackageGroupName": "g"}).code == "ConflictException"
    assert len(plane.call("ListModelPackageGroups", {})["ModelPackageGroupSummaryList"]) == 1


def test_http_answers_are_json(plane: ControlPlane) -> None:
    status, headers, body = sagemaker_api.respond(plane, "ListModels", b"{}")
    assert (status, headers["Content-Type"], json.loads(body)) == (200, "application/x-amz-json-1.1", {"Models": []})


@pytest.mark.parametrize(
    ("body", "code"), [(b"{", "SerializationException"), (b'{"ModelName": "no"}', "ValidationException")]
)
def test_http_refusals_carry_the_code(plane: ControlPlane, body: bytes, code: str) -> None:
    status, _, answer = sagemaker_api.respond(plane, "DescribeModel", body)
    assert (status, json.loads(answer)["__type"]) == (400, code)


def test_http_failure_of_ours_is_an_internal_failure(plane: ControlPlane) -> None:
    def fail(record: dict[str, Any]) -> None:
        raise RuntimeError("broken hook")

    plane.hooks["Model.create"] = fail
    status, _, answer = sagemaker_api.respond(plane, "CreateModel", b'{"ModelName": "m"}')
    assert (status, json.loads(answer)["__type"]) == (500, "InternalFailure")


@pytest.mark.parametrize(
    ("path", "target", "body", "arn"),
    [
        ("/endpoints/plumbline-dev/invocations", "", b"\xff", "endpoint/plumbline-dev"),
        ("/", "SageMaker.CreateTrainingJob", b'{"TrainingJobName": "j"}', "training-job/j"),
        ("/", "SageMaker.DescribeMonitoringSchedule", b'{"MonitoringScheduleName": "s"}', "monitoring-schedule/s"),
    ],
)
def test_requests_are_authorized_on_their_resource(
    plane: ControlPlane, path: str, target: str, body: bytes, arn: str
) -> None:
    found = sagemaker_api.resource_arn(plane, path, {"x-amz-target": target}, body)
    assert found == f"arn:aws:sagemaker:us-east-1:000000000000:{arn}"


def test_list_requests_are_authorized_on_everything(plane: ControlPlane) -> None:
    assert sagemaker_api.resource_arn(plane, "/", {"x-amz-target": "SageMaker.ListTrainingJobs"}, b"") == "*"
