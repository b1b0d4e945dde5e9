from datetime import timedelta

import pytest

from plumbline.functions.retraining.events import AlarmState, RetrainingRequest
from plumbline.functions.retraining.triggers import alarm_trigger, no_trigger, reconcile_trigger, request_trigger
from tests.unit.functions.retraining.builders import ALARM, QUALITY_ALARM, change
from tests.unit.functions.retraining.fakes import NOW


@pytest.mark.parametrize(
    ("name", "state", "why"),
    [
        (ALARM, AlarmState.ALARM, None),
        ("other", AlarmState.ALARM, f"only {ALARM} starts retraining"),
        (ALARM, AlarmState.OK, "the alarm went to OK, not to ALARM"),
        (ALARM, AlarmState.INSUFFICIENT_DATA, "the alarm went to INSUFFICIENT_DATA, not to ALARM"),
    ],
)
def test_only_a_trigger_alarm_in_alarm_is_a_trigger(name: str, state: AlarmState, why: str | None) -> None:
    assert no_trigger(change(name, state=state), (ALARM,)) == why


def test_without_trigger_alarms_none_is_a_trigger() -> None:
    assert no_trigger(change(), ()) == "no alarm starts retraining: retraining.triggers is empty"


@pytest.mark.parametrize(
    ("names", "said"),
    [(("a", "b"), "only a and b start retraining"), (("a", "b", "c"), "only a, b and c start retraining")],
)
def test_reason_for_another_alarm_names_the_trigger_alarms(names: tuple[str, ...], said: str) -> None:
    assert no_trigger(change(), names) == said


def test_alarm_is_judged_at_its_own_time_and_never_later_than_now() -> None:
    assert alarm_trigger(change(), NOW).moment == change().changed_at
    assert alarm_trigger(change(hours=5), NOW).moment == NOW


def test_event_key_is_one_for_all_deliveries_of_one_event() -> None:
    first = alarm_trigger(change(), NOW)
    assert alarm_trigger(change(), NOW + timedelta(hours=9)).event_key == first.event_key
    others = (change(hours=0.1), change(QUALITY_ALARM))
    assert first.event_key not in {alarm_trigger(other, NOW).event_key for other in others}


def test_person_is_named_as_the_cause_with_force() -> None:
    assert request_trigger(RetrainingRequest("new labels", "r"), NOW).cause == "requested by hand: new labels"
    assert (
        request_trigger(RetrainingRequest("new labels", "r", True), NOW).cause
        == "requested by hand, with force: new labels"
    )


def test_reconciliation_is_a_trigger_while_alarms_are_in_alarm() -> None:
    assert reconcile_trigger((), "r", NOW) is None
    trigger = reconcile_trigger((change(QUALITY_ALARM, hours=0.1), change()), "r", NOW)
    assert trigger is not None
    assert trigger.cause == (
        f"{ALARM} and {QUALITY_ALARM} are still in ALARM, since 2026-03-01 05:20 UTC: Threshold Crossed"
    )
    assert (trigger.name, trigger.moment, trigger.hourly) == (ALARM, NOW, True)
