from typing import Any

import pytest

from plumbline.local.aws.errors import ApiError
from plumbline.local.aws.hosting.deployments import DeploymentPlan, Stage, plan


def _variants(*counts: int) -> list[dict[str, Any]]:
    return [{"VariantName": f"v{number}", "InitialInstanceCount": count} for number, count in enumerate(counts)]


def _config(kind: str, *, wait: int = 60, limit: int | None = None, **size: Any) -> dict[str, Any]:
    routing = {"Type": kind, "WaitIntervalInSeconds": wait, **size}
    policy: dict[str, Any] = {"TrafficRoutingConfiguration": routing, "TerminationWaitInSeconds": 300}
    if limit is not None:
        policy["MaximumExecutionTimeoutInSeconds"] = limit
    return {"BlueGreenUpdatePolicy": policy}


def _percent(value: int) -> dict[str, Any]:
    return {"Type": "CAPACITY_PERCENT", "Value": value}


def _instances(value: int) -> dict[str, Any]:
    return {"Type": "INSTANCE_COUNT", "Value": value}


def test_update_without_a_plan_moves_all_at_once_and_waits_for_nothing() -> None:
    assert plan(None, _variants(2)) == DeploymentPlan((Stage(1.0, 2, 0),))


def test_all_at_once_is_watched_for_the_termination_wait() -> None:
    assert plan(_config("ALL_AT_ONCE"), _variants(3)).stages == (Stage(1.0, 3, 300),)


@pytest.mark.parametrize(
    ("size", "counts", "fraction", "n_instances"),
    [
        (_percent(50), [2], 0.5, 1),
        (_percent(25), [4], 0.25, 1),
        # Whole instances, and at least one: so little as a tenth of two does not exist.
        (_percent(10), [2], 0.5, 1),
        (_percent(50), [3], 1 / 3, 1),
        (_instances(2), [5], 0.4, 2),
        (_percent(50), [2, 4], 0.5, 3),
    ],
)
def test_canary_is_its_share_of_whole_instances(
    size: dict[str, Any], counts: list[int], fraction: float, n_instances: int
) -> None:
    first, last = plan(_config("CANARY", CanarySize=size), _variants(*counts)).stages
    assert first.fraction == pytest.approx(fraction)
    assert (first.n_instances, first.wait_seconds) == (n_instances, 60)
    assert last.fraction == 1
    assert (last.n_instances, last.wait_seconds) == (sum(counts), 300)


def test_linear_goes_up_by_equal_steps() -> None:
    stages = plan(_config("LINEAR", LinearStepSize=_instances(2)), _variants(5)).stages
    assert [(stage.n_instances, stage.wait_seconds) for stage in stages] == [(2, 60), (4, 60), (5, 300)]


def test_alarms_are_those_of_the_rollback_configuration() -> None:
    config = {"AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "a"}, {"AlarmName": "b"}]}}
    assert plan(config, _variants(1)).alarms == ("a", "b")


@pytest.mark.parametrize(
    ("config", "count", "words"),
    [
        (_config("CANARY", CanarySize=_percent(51)), 4, "0 to 50 percent of the instances"),
        (_config("CANARY", CanarySize=_instances(2)), 3, "0 to 50 percent of the instances"),
        (_config("CANARY", CanarySize=_percent(10)), 1, "at most half of the instances, got 1 of 1"),
        (_config("CANARY"), 2, "CanarySize must be given"),
        (_config("ALL_AT_ONCE", CanarySize=_percent(10)), 2, "CanarySize must be given for traffic routing CANARY"),
        (_config("LINEAR", LinearStepSize=_percent(9)), 20, "10 to 50 percent"),
        (_config("CANARY", CanarySize=_percent(50), wait=400, limit=700), 2, "larger than the total.*700, got 700"),
        ({"RollingUpdatePolicy": {}}, 2, "BlueGreenUpdatePolicy only"),
    ],
    ids=lambda value: "" if isinstance(value, dict) else None,
)
def test_plan_that_aws_refuses_is_refused(config: dict[str, Any], count: int, words: str) -> None:
    with pytest.raises(ApiError, match=words):
        plan(config, _variants(count))


def test_timeout_above_the_waits_is_enough() -> None:
    config = _config("CANARY", CanarySize=_percent(50), wait=400, limit=701)
    assert plan(config, _variants(2)).wait_seconds == 700
