from typing import Any

import pytest

from plumbline.local.aws.ministack.authorization import deployed_configs, metric_namespace, passed_roles


@pytest.mark.parametrize(
    ("body", "params"),
    [
        (b'{"Namespace": "Plumbline"}', {}),
        (b"Action=PutMetricData&Namespace=Plumbline", {"Namespace": ["Plumbline"]}),
        (b"Action=PutMetricData&Namespace=Plumbline", {"Namespace": "Plumbline"}),
    ],
)
def test_namespace_is_read_from_json_and_forms(body: bytes, params: dict[str, Any]) -> None:
    assert metric_namespace(body, params) == "Plumbline"


@pytest.mark.parametrize("body", [b"\xa1", b"{", b""])
def test_unreadable_namespace_is_none_that_a_policy_allows(body: bytes) -> None:
    assert metric_namespace(body, {}) == ""


def test_roles_that_a_request_passes() -> None:
    nested = {"MonitoringScheduleConfig": {"MonitoringJobDefinition": {"RoleArn": "monitor"}}}
    assert passed_roles("CreateMonitoringSchedule", nested) == ["monitor"]
    assert passed_roles("CreateModel", {"ExecutionRoleArn": "serve"}) == ["serve"]
    assert passed_roles("CreateTrainingJob", {"RoleArn": "train"}) == ["train"]
    assert passed_roles("DescribeModel", {"RoleArn": "train"}) == []


def test_configs_that_a_request_deploys() -> None:
    params = {"EndpointConfigName": "c"}
    assert deployed_configs("UpdateEndpoint", params) == deployed_configs("CreateEndpoint", params) == ["c"]
    assert deployed_configs("DescribeEndpointConfig", params) == deployed_configs("CreateEndpoint", {}) == []
