import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest

from plumbline.local.aws.errors import ApiError
from plumbline.local.aws.hosting.endpoints import EndpointHosting
from plumbline.local.aws.hosting.rollouts import Guardrails
from plumbline.local.aws.hosting.serving import HostingError
from tests.unit.local.aws.fakes import RecordingPlane

IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:3.0-5-cpu-py3"
ROLE = "arn:aws:iam::000000000000:role/endpoint"


class FakeLauncher:
    """Brings up the name of the model; models named in `broken` do not come up."""

    def __init__(self) -> None:
        self.broken: set[str] = set()
        self.running: list[str] = []
        self.gate = threading.Event()
        self.gate.set()

    def launch(self, model: Any, variant: Any, folder: Path) -> Any:
        self.gate.wait(10)
        if model["ModelName"] in self.broken:
            raise HostingError(f"{model['ModelName']} did not pass the ping health check")
        self.running.append(model["ModelName"])
        return model["ModelName"]

    def end(self, container: Any) -> None:
        self.running.remove(container)


class FakeGuardrails(Guardrails):
    """Alarms by name to their state; the role may describe all of them."""

    def __init__(self) -> None:
        self.states: dict[str, str] = {"errors": "OK"}

    def check(self, alarms: Sequence[str], roles: Iterable[str]) -> None:
        assert list(roles) == [ROLE]
        if not self.states.keys() >= set(alarms):
            raise ApiError("ValidationException", f"Alarm {alarms} does not exist.")

    def tripped(self, alarms: Sequence[str]) -> str | None:
        return next((f"alarm {alarm} is in ALARM" for alarm in alarms if self.states[alarm] == "ALARM"), None)


@pytest.fixture
def launcher() -> FakeLauncher:
    return FakeLauncher()


@pytest.fixture
def guardrails() -> FakeGuardrails:
    return FakeGuardrails()


@pytest.fixture
def hosting(
    plane: RecordingPlane,
    launcher: FakeLauncher,
    guardrails: FakeGuardrails,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> EndpointHosting:
    monkeypatch.setattr("plumbline.local.aws.hosting.rollouts._DRAIN_SECONDS", 0.0)
    monkeypatch.setattr("plumbline.local.aws.hosting.rollouts._LAST_CHECK_SECONDS", 0.0)
    hosting = EndpointHosting(plane, launcher, guardrails, folder)  # type: ignore[arg-type]
    for name, models in (("one", ["a"]), ("two", ["b"]), ("both", ["a", "b"])):
        for model in models:
            if model not in {row["ModelName"] for row in plane.records("Model")}:
                plane.call(
                    "CreateModel",
                    {"ModelName": model, "ExecutionRoleArn": ROLE, "PrimaryContainer": {"Image": IMAGE}},
                )
        plane.call("CreateEndpointConfig", {"EndpointConfigName": name, "ProductionVariants": variants(models)})
    return hosting


def variants(models: list[str]) -> list[dict[str, Any]]:
    return [
        {"VariantName": f"v-{model}", "ModelName": model, "InstanceType": "ml.m5.large", "InitialInstanceCount": 2}
        for model in models
    ]


def create(plane: RecordingPlane, hosting: EndpointHosting, config: str = "one") -> None:
    plane.call("CreateEndpoint", {"EndpointName": "e", "EndpointConfigName": config})
    hosting.wait("e")


def describe(plane: RecordingPlane) -> dict[str, Any]:
    return plane.call("DescribeEndpoint", {"EndpointName": "e"})


def eventually(condition: Callable[[], bool]) -> None:
    waiting = threading.Event()
    for _ in range(500):
        if condition():
            return
        waiting.wait(0.01)
    raise AssertionError("the condition never held")


def test_endpoint_is_created_in_the_background(
    plane: RecordingPlane, hosting: EndpointHosting, launcher: FakeLauncher
) -> None:
    launcher.gate.clear()
    plane.call("CreateEndpoint", {"EndpointName": "e", "EndpointConfigName": "one"})
    assert describe(plane)["EndpointStatus"] == "Creating"
    assert hosting.variant("e") is None

    launcher.gate.set()
    hosting.wait("e")
    assert describe(plane)["EndpointStatus"] == "InService"
    assert [variant["VariantName"] for variant in describe(plane)["ProductionVariants"]] == ["v-a"]


def test_failed_creation_tells_the_reason(
    plane: RecordingPlane, hosting: EndpointHosting, launcher: FakeLauncher
) -> None:
    launcher.broken.add("b")

    with pytest.raises(HostingError, match="b did not pass"):
        create(plane, hosting, "both")

    assert describe(plane)["EndpointStatus"] == "Failed"
    eventually(lambda: launcher.running == [])


def test_update_brings_the_new_up_before_the_old_goes(
    plane: RecordingPlane, hosting: EndpointHosting, launcher: FakeLauncher
) -> None:
    create(plane, hosting)
    launcher.gate.clear()
    plane.call("UpdateEndpoint", {"EndpointName": "e", "EndpointConfigName": "two"})
    assert describe(plane)["EndpointStatus"] == "Updating"
    serving = hosting.variant("e")
    assert serving is not None and serving.name == "v-a"

    launcher.gate.set()
    hosting.wait("e")
    serving = hosting.variant("e")
    assert serving is not None and serving.name == "v-b"
    eventually(lambda: launcher.running == ["b"])


def test_broken_update_leaves_the_old_configuration_in_service(
    plane: RecordingPlane, hosting: EndpointHosting, launcher: FakeLauncher
) -> None:
    create(plane, hosting)
    launcher.broken.add("b")
    plane.call("UpdateEndpoint", {"EndpointName": "e", "EndpointConfigName": "two"})

    with pytest.raises(HostingError):
        hosting.wait("e")

    endpoint = describe(plane)
    assert (endpoint["EndpointStatus"], endpoint["EndpointConfigName"]) == ("InService", "one")
    assert "b did not pass" in endpoint["FailureReason"]
    assert launcher.running == ["a"]


def test_next_good_update_clears_the_reason(
    plane: RecordingPlane, hosting: EndpointHosting, launcher: FakeLauncher
) -> None:
    create(plane, hosting)
    launcher.broken.add("b")
    plane.call("UpdateEndpoint", {"EndpointName": "e", "EndpointConfigName": "two"})
    with pytest.raises(HostingError):
        hosting.wait("e")

    launcher.broken.clear()
    plane.call("UpdateEndpoint", {"EndpointName": "e", "EndpointConfigName": "two"})
    hosting.wait("e")

    assert "FailureReason" not in describe(plane)


def test_fails_to_update_an_endpoint_in_progress(
    plane: RecordingPlane, hosting: EndpointHosting, launcher: FakeLauncher
) -> None:
    launcher.gate.clear()
    plane.call("CreateEndpoint", {"EndpointName": "e", "EndpointConfigName": "one"})

    with pytest.raises(ApiError, match="Cannot update in-progress endpoint"):
        plane.call("UpdateEndpoint", {"EndpointName": "e", "EndpointConfigName": "two"})

    assert describe(plane)["EndpointConfigName"] == "one"
    launcher.gate.set()
    hosting.wait("e")


@pytest.mark.parametrize("while_creating", [False, True])
def test_deleted_endpoint_leaves_no_container(
    plane: RecordingPlane, hosting: EndpointHosting, launcher: FakeLauncher, while_creating: bool
) -> None:
    if while_creating:
        launcher.gate.clear()
        plane.call("CreateEndpoint", {"EndpointName": "e", "EndpointConfigName": "one"})
    else:
        create(plane, hosting)

    plane.call("DeleteEndpoint", {"EndpointName": "e"})
    launcher.gate.set()

    eventually(lambda: launcher.running == [] and hosting.variant("e") is None)


def test_delete_waits_until_a_deployment_has_settled(
    plane: RecordingPlane, hosting: EndpointHosting, launcher: FakeLauncher, monkeypatch: pytest.MonkeyPatch
) -> None:
    change = plane.change
    deletion = threading.Thread(target=plane.call, args=("DeleteEndpoint", {"EndpointName": "e"}))

    def change_while_deleted(kind: str, name: str, **members: Any) -> dict[str, Any]:
        deletion.start()
        deletion.join(0.05)  # time enough to come between, if it could
        return change(kind, name, **members)

    monkeypatch.setattr(plane, "change", change_while_deleted)
    create(plane, hosting)
    deletion.join()

    assert plane.records("Endpoint") == []
    eventually(lambda: launcher.running == [] and hosting.variant("e") is None)


def test_requests_are_spread_by_weight_and_can_be_targeted(plane: RecordingPlane, hosting: EndpointHosting) -> None:
    create(plane, hosting, "both")

    seen = [hosting.variant("e") for _ in range(400)]
    share = sum(variant is not None and variant.name == "v-a" for variant in seen) / 400
    # Binomial(400, 0.5): standard deviation 0.025 of the share; five of them on either side.
    assert 0.375 < share < 0.625
    targeted = hosting.variant("e", "v-b")
    assert targeted is not None and targeted.name == "v-b"
    assert hosting.variant("e", "absent") is None


CANARY = {
    "BlueGreenUpdatePolicy": {
        "TrafficRoutingConfiguration": {
            "Type": "CANARY",
            "CanarySize": {"Type": "INSTANCE_COUNT", "Value": 1},
            "WaitIntervalInSeconds": 600,
        },
        "TerminationWaitInSeconds": 300,
    },
    "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "errors"}]},
}


def update(plane: RecordingPlane, config: str = "two", **more: Any) -> None:
    plane.call("UpdateEndpoint", {"EndpointName": "e", "EndpointConfigName": config, **more})


def share_of(hosting: EndpointHosting, name: str) -> float:
    answering = [hosting.variant("e") for _ in range(400)]
    return sum(variant is not None and variant.name == name for variant in answering) / 400


def pending_message(plane: RecordingPlane) -> str:
    summary = describe(plane).get("PendingDeploymentSummary", {"ProductionVariants": [{"VariantStatus": [{}]}]})
    return str(summary["ProductionVariants"][0]["VariantStatus"][0].get("StatusMessage"))


def statuses(plane: RecordingPlane) -> list[str]:
    return [detail["EndpointStatus"] for kind, detail in plane.events if kind == "SageMaker Endpoint State Change"]


def test_canary_moves_the_traffic_in_two_watched_steps(plane: RecordingPlane, hosting: EndpointHosting) -> None:
    create(plane, hosting)
    update(plane, DeploymentConfig=CANARY)
    eventually(lambda: "canary capacity of 1 instance(s)" in pending_message(plane))
    # Binomial(400, 0.5): standard deviation 0.025 of the share; five of them on either side.
    assert 0.375 < share_of(hosting, "v-b") < 0.625
    during = describe(plane)
    assert (during["EndpointStatus"], during["EndpointConfigName"]) == ("Updating", "one")
    assert during["PendingDeploymentSummary"]["EndpointConfigName"] == "two"

    plane.clock.advance(600)
    eventually(lambda: "full capacity of 2 instance(s)" in pending_message(plane))
    assert share_of(hosting, "v-b") == 1
    assert describe(plane)["EndpointConfigName"] == "one"

    plane.clock.advance(300)
    hosting.wait("e")
    after = describe(plane)
    assert (after["EndpointStatus"], after["EndpointConfigName"]) == ("InService", "two")
    assert after["LastDeploymentConfig"] == CANARY
    assert "PendingDeploymentSummary" not in after
    assert statuses(plane) == ["CREATING", "IN_SERVICE", "UPDATING", "IN_SERVICE"]


@pytest.mark.parametrize("advance", [0, 600])
def test_alarm_gives_the_traffic_back(
    plane: RecordingPlane, hosting: EndpointHosting, launcher: FakeLauncher, guardrails: FakeGuardrails, advance: int
) -> None:
    create(plane, hosting)
    update(plane, DeploymentConfig=CANARY)
    eventually(lambda: "canary" in pending_message(plane))
    if advance:
        plane.clock.advance(advance)
        eventually(lambda: "full" in pending_message(plane))

    guardrails.states["errors"] = "ALARM"
    with pytest.raises(HostingError, match="alarm errors is in ALARM"):
        hosting.wait("e")

    after = describe(plane)
    assert (after["EndpointStatus"], after["EndpointConfigName"]) == ("InService", "one")
    assert "alarm errors is in ALARM" in after["FailureReason"]
    assert share_of(hosting, "v-a") == 1
    eventually(lambda: launcher.running == ["a"])
    assert statuses(plane)[2:] == ["UPDATING", "ROLLING_BACK", "IN_SERVICE"]


def test_update_under_an_alarm_brings_nothing_up(
    plane: RecordingPlane, hosting: EndpointHosting, launcher: FakeLauncher, guardrails: FakeGuardrails
) -> None:
    create(plane, hosting)
    guardrails.states["errors"] = "ALARM"
    update(plane, DeploymentConfig=CANARY)
    with pytest.raises(HostingError, match="errors"):
        hosting.wait("e")
    assert launcher.running == ["a"]


def test_refused_alarm_leaves_the_endpoint_as_it_was(plane: RecordingPlane, hosting: EndpointHosting) -> None:
    create(plane, hosting)
    before = describe(plane)
    with pytest.raises(ApiError, match="does not exist"):
        update(plane, DeploymentConfig={"AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "absent"}]}})
    assert describe(plane) == before


def test_endpoint_can_be_deleted_while_two_fleets_answer(
    plane: RecordingPlane, hosting: EndpointHosting, launcher: FakeLauncher
) -> None:
    create(plane, hosting)
    update(plane, DeploymentConfig=CANARY)
    eventually(lambda: "canary" in pending_message(plane))

    plane.call("DeleteEndpoint", {"EndpointName": "e"})

    eventually(lambda: launcher.running == [])
    eventually(lambda: statuses(plane)[-1] == "DELETING")


def test_deployment_config_is_reused_on_request(plane: RecordingPlane, hosting: EndpointHosting) -> None:
    create(plane, hosting)
    update(plane, DeploymentConfig={"BlueGreenUpdatePolicy": {**ALL_AT_ONCE, "TerminationWaitInSeconds": 0}})
    hosting.wait("e")
    config = {"BlueGreenUpdatePolicy": {**ALL_AT_ONCE, "TerminationWaitInSeconds": 300}}
    update(plane, "one", DeploymentConfig=config)
    eventually(lambda: "full" in pending_message(plane))
    plane.clock.advance(300)
    hosting.wait("e")

    update(plane, "two", RetainDeploymentConfig=True)
    eventually(lambda: "Baking for 300 seconds" in pending_message(plane))
    assert share_of(hosting, "v-b") == 1
    plane.clock.advance(300)
    hosting.wait("e")
    assert describe(plane)["EndpointConfigName"] == "two"


ALL_AT_ONCE = {"TrafficRoutingConfiguration": {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 0}}


def test_instance_count_is_retained_or_not(plane: RecordingPlane, hosting: EndpointHosting) -> None:
    create(plane, hosting)
    fewer = [{**variants(["a"])[0], "InitialInstanceCount": 1}]
    plane.call("CreateEndpointConfig", {"EndpointConfigName": "fewer", "ProductionVariants": fewer})

    update(plane, "fewer", RetainAllVariantProperties=True)
    hosting.wait("e")
    assert describe(plane)["ProductionVariants"][0]["DesiredInstanceCount"] == 2

    excluded = [{"VariantPropertyType": "DesiredInstanceCount"}]
    update(plane, "fewer", RetainAllVariantProperties=True, ExcludeRetainedVariantProperties=excluded)
    hosting.wait("e")
    assert describe(plane)["ProductionVariants"][0]["DesiredInstanceCount"] == 1
