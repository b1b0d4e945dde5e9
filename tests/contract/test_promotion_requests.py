"""The promotion function's requests and answers against botocore's own model of SageMaker."""

from datetime import UTC, datetime
from typing import Any

import boto3
import botocore.session
import pytest
from botocore.stub import Stubber
from botocore.validate import ParamValidator

from plumbline.contract.retraining import LoopVariable
from plumbline.functions.promotion.endpoint import BusyError, RefusedError, SageMakerEndpoint
from plumbline.functions.promotion.facts import RegistryVersion, UnusedResources
from plumbline.functions.promotion.registry import ModelRegistry, target
from plumbline.functions.promotion.sagemaker_requests import (
    CONFIG_MEMBERS,
    LiveConfiguration,
    config_request,
    container,
    model_request,
    update_request,
)
from plumbline.functions.promotion.settings import PromotionSettings
from plumbline.functions.promotion.state import PromotionTarget
from plumbline.functions.shared.aws_client import AwsClients
from plumbline.local.aws.sagemaker.validation import input_members, output_members
from tests.unit.functions.promotion.fakes import SETTINGS, FakeAccount, arn, environment, package

MODEL = botocore.session.get_session().get_service_model("sagemaker")
RETURNED_ONLY = {"EndpointConfigName", "EndpointConfigArn", "CreationTime"}
NEW = datetime(2026, 3, 1, tzinfo=UTC)


def valid(operation: str, request: dict[str, Any]) -> None:
    shape = MODEL.operation_model(operation).input_shape
    assert shape is not None
    report = ParamValidator().validate(request, shape)
    assert not report.has_errors(), report.generate_report()


def made(settings: PromotionSettings = SETTINGS) -> tuple[dict[str, Any], dict[str, Any]]:
    account = FakeAccount()
    before = account.live(account.config)
    vpc = {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"]}
    live = LiveConfiguration(before.config, {**before.model, "VpcConfig": vpc})
    wanted = target(RegistryVersion(3, arn(3), "Approved"), package(3, "Approved"), "drift")
    assert isinstance(wanted, PromotionTarget)
    model = model_request(settings, wanted, container(wanted, package(3, "Approved"), live), live)
    return model, config_request(settings, wanted, model["ModelName"], live)


def test_everything_of_a_configuration_is_copied_that_can_be() -> None:
    returned = set(output_members("DescribeEndpointConfig")) - RETURNED_ONLY
    accepted = set(input_members("CreateEndpointConfig"))
    assert set(CONFIG_MEMBERS) == returned & accepted


def test_requests_match_the_service_model_and_the_same_content_has_the_same_name() -> None:
    model, config = made()
    valid("CreateModel", model)
    valid("CreateEndpointConfig", config)
    assert model["VpcConfig"] == {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"]}
    assert (model, config) == made()


@pytest.mark.parametrize("traffic", ["canary", "all_at_once"])
@pytest.mark.parametrize("wait", [60, 3600])
def test_timeout_of_an_update_exceeds_all_its_waits(traffic: str, wait: int) -> None:
    variables = environment() | {LoopVariable.TRAFFIC: traffic, LoopVariable.WAIT_SECONDS: str(wait)}
    request = update_request(PromotionSettings.from_environment(variables), "config")
    valid("UpdateEndpoint", request)
    policy = request["DeploymentConfig"]["BlueGreenUpdatePolicy"]
    waits = policy["TrafficRoutingConfiguration"]["WaitIntervalInSeconds"] + policy["TerminationWaitInSeconds"]
    assert wait <= waits < policy["MaximumExecutionTimeoutInSeconds"] <= 28800
    assert request["RetainAllVariantProperties"] is True
    assert len(request["DeploymentConfig"]["AutoRollbackConfiguration"]["Alarms"]) == 2


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch) -> Stubber:
    client = boto3.client("sagemaker", region_name="eu-central-1", aws_access_key_id="x", aws_secret_access_key="x")
    monkeypatch.setattr(boto3, "client", lambda service, **options: client)
    stubber = Stubber(client)
    stubber.activate()
    return stubber


def endpoint() -> SageMakerEndpoint:
    return SageMakerEndpoint("plumbline-dev", SETTINGS.prefix, AwsClients("eu-central-1"))


def described(status: str = "InService") -> dict[str, Any]:
    return {
        "EndpointName": "plumbline-dev",
        "EndpointArn": "arn:aws:sagemaker:eu-central-1:000000000000:endpoint/plumbline-dev",
        "EndpointConfigName": "config-0",
        "EndpointStatus": status,
        "CreationTime": NEW,
        "LastModifiedTime": NEW,
    }


@pytest.mark.parametrize(("status", "error"), [("Updating", BusyError), ("InService", RefusedError)])
def test_refused_update_is_told_from_a_busy_endpoint(stub: Stubber, status: str, error: type[Exception]) -> None:
    stub.add_client_error("update_endpoint", "ValidationException", "no")
    stub.add_response("describe_endpoint", described(status))
    with pytest.raises(error):
        endpoint().update(update_request(SETTINGS, "config-1"))


def test_what_exists_under_its_digest_is_what_was_asked_for(stub: Stubber) -> None:
    model, config = made()
    model_arn = "arn:aws:sagemaker:eu-central-1:000000000000:model/it-is-there"
    config_arn = "arn:aws:sagemaker:eu-central-1:000000000000:endpoint-config/it-is-there"
    found = {**config, "EndpointConfigArn": config_arn, "CreationTime": NEW}
    del found["Tags"]
    stub.add_client_error("create_model", "ValidationException", "already existing")
    stub.add_response("describe_model", {"ModelName": "m", "ModelArn": model_arn, "CreationTime": NEW})
    stub.add_client_error("create_endpoint_config", "ValidationException", "already existing")
    for _ in range(2):
        stub.add_response("describe_endpoint_config", found)
    assert endpoint().create(model, config) == NEW


def test_model_that_is_not_taken_is_refused(stub: Stubber) -> None:
    stub.add_client_error("create_model", "ValidationException", "no such artifact")
    stub.add_client_error("describe_model", "ValidationException", "no such model")
    with pytest.raises(RefusedError, match="no such artifact"):
        endpoint().create(*made())


def test_only_names_of_this_function_are_unused_resources(stub: Stubber) -> None:
    names = [f"plumbline-dev-champion-{end}" for end in ("1-0123abcd", "2-0123abcd", "x-0123abcd", "1-0123abcd-more")]
    entry = {"CreationTime": NEW}
    of = "arn:aws:sagemaker:eu-central-1:000000000000"
    configs = [
        {**entry, "EndpointConfigName": name, "EndpointConfigArn": f"{of}:endpoint-config/{name}"} for name in names
    ]
    models = [{**entry, "ModelName": name, "ModelArn": f"{of}:model/{name}"} for name in names]
    stub.add_response("list_endpoint_configs", {"EndpointConfigs": configs})
    stub.add_response("list_models", {"Models": models})
    assert endpoint().unused(names[1], "other") == UnusedResources((names[0],), (names[0], names[1]))


def test_versions_are_sorted_and_the_reason_fits(stub: Stubber) -> None:
    def summary(number: int) -> dict[str, Any]:
        return {
            "ModelPackageArn": arn(number),
            "ModelPackageVersion": number,
            "ModelPackageStatus": "Completed",
            "ModelApprovalStatus": "Approved",
            "CreationTime": NEW,
        }

    stub.add_response("list_model_packages", {"ModelPackageSummaryList": [summary(2), summary(1)]})
    expected = {"ModelPackageArn": arn(1), "ModelApprovalStatus": "Rejected", "ApprovalDescription": "x" * 1024}
    stub.add_response("update_model_package", {"ModelPackageArn": arn(1)}, expected)
    registry = ModelRegistry("plumbline-dev", AwsClients("eu-central-1"))
    assert [version.number for version in registry.versions()] == [1, 2]
    registry.reject(arn(1), "x" * 2000)
    stub.assert_no_pending_responses()
