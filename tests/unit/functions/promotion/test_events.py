import pytest

from plumbline.functions.promotion.events import PromoteRequest, PromotionEvent, RollbackRequest, StateChange, parse
from plumbline.functions.shared.events import IgnoredEvent, Reconcile

PACKAGE = "SageMaker Model Package State Change"
ENDPOINT = "SageMaker Endpoint State Change"
TIME = "2026-03-01T05:20:00Z"
MOMENT = "2026-03-01T05:20:00+00:00"


def parsed(event: object) -> PromotionEvent:
    return parse(event, "r", endpoint="plumbline-dev", group="plumbline-dev")


def change(kind: str, **detail: object) -> dict[str, object]:
    return {"detail-type": kind, "time": TIME, "detail": detail}


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ({"reevaluate": True}, Reconcile("r")),
        ({"rollback": " bad "}, RollbackRequest("bad", "r")),
        ({"promote": 4, "reason": "good"}, PromoteRequest(4, "good", "r")),
        (
            change(ENDPOINT, EndpointName="plumbline-dev", EndpointStatus="IN_SERVICE"),
            StateChange("the endpoint is IN_SERVICE", MOMENT),
        ),
        (
            change(
                PACKAGE, ModelPackageGroupName="plumbline-dev", ModelPackageVersion=4, ModelApprovalStatus="Approved"
            ),
            StateChange("version 4 is Approved", MOMENT),
        ),
        (
            change(
                PACKAGE,
                ModelPackageGroupName="plumbline-dev",
                ModelPackageVersion=4,
                ModelApprovalStatus="Rejected",
                UpdatedModelPackageFields=["ModelApprovalStatus", "ApprovalDescription"],
            ),
            StateChange("version 4 is Rejected", MOMENT),
        ),
    ],
)
def test_event_is_understood(event: object, expected: PromotionEvent) -> None:
    assert parsed(event) == expected


@pytest.mark.parametrize(
    "event",
    [
        None,
        [],
        {},
        {"reevaluate": "yes"},
        {"rollback": ""},
        {"rollback": "x", "promote": 1},
        {"promote": True, "reason": "x"},
        {"promote": 0, "reason": "x"},
        {"promote": 1},
        {"detail-type": ENDPOINT, "detail": "x"},
        change(ENDPOINT, EndpointName="other"),
        change(PACKAGE, ModelPackageGroupName="other"),
        change(
            PACKAGE, ModelPackageGroupName="plumbline-dev", UpdatedModelPackageFields=["CustomerMetadataProperties"]
        ),
        change("something else"),
    ],
)
def test_event_that_is_not_for_the_function_is_ignored(event: object) -> None:
    found = parsed(event)
    assert isinstance(found, IgnoredEvent)
    assert found.reason


def test_time_that_is_none_is_left_out() -> None:
    event = change(ENDPOINT, EndpointName="plumbline-dev", EndpointStatus="UPDATING") | {"time": "noon"}
    assert parsed(event) == StateChange("the endpoint is UPDATING")
