from datetime import UTC, datetime, timedelta

import pytest
from retraining.alarm_event import AlarmChange, AlarmState, Foreign, ManualRequest, Occurrence
from retraining.decision import Action, Decision, Job, Rule, admit, settle

NOW = datetime(2026, 3, 1, 5, 20, 12, tzinfo=UTC)
RULE = Rule("plumbline-dev-drift", "plumbline-dev-train", timedelta(hours=24))
DRIFT = AlarmChange(RULE.alarm_name, AlarmState.ALARM, NOW, "Threshold Crossed")
BY_HAND = ManualRequest("new labels", "request-1")


def job(*, hours_ago: float, in_progress: bool = False) -> Job:
    return Job(f"{RULE.job_prefix}-other", in_progress, NOW - timedelta(hours=hours_ago))


def decide(occurrence: Occurrence, *jobs: Job) -> Decision:
    decision = admit(occurrence, RULE)
    assert decision.action is Action.START
    return settle(decision, occurrence, RULE, jobs)


@pytest.mark.parametrize(
    ("occurrence", "why"),
    [
        (Foreign("the SNS message is not JSON"), "the SNS message is not JSON"),
        (AlarmChange("plumbline-dev-monitor-failed", AlarmState.ALARM, NOW, ""), "only plumbline-dev-drift starts"),
        (AlarmChange(RULE.alarm_name, AlarmState.OK, NOW, ""), "went to OK"),
        (AlarmChange(RULE.alarm_name, AlarmState.INSUFFICIENT_DATA, NOW, ""), "went to INSUFFICIENT_DATA"),
    ],
)
def test_only_the_drift_alarm_going_to_alarm_is_admitted(occurrence: Occurrence, why: str) -> None:
    decision = admit(occurrence, RULE)
    assert decision.action is Action.SKIPPED
    assert decision.job_name is None
    assert why in decision.why


def test_first_drift_starts_a_job() -> None:
    decision = decide(DRIFT)
    assert decision.action is Action.START
    assert decision.alarm == RULE.alarm_name
    assert decision.job_name is not None
    assert decision.job_name.startswith("plumbline-dev-train-20260301-052012-")


def test_second_delivery_finds_its_job() -> None:
    name = decide(DRIFT).job_name
    assert name is not None
    again = decide(DRIFT, Job(name, True, NOW))
    assert (again.action, again.job_name) == (Action.ALREADY_STARTED, name)


def test_another_change_has_another_job() -> None:
    later = AlarmChange(RULE.alarm_name, AlarmState.ALARM, NOW + timedelta(milliseconds=1), "")
    assert decide(later).job_name != decide(DRIFT).job_name


@pytest.mark.parametrize(
    ("jobs", "action"),
    [
        ([], Action.START),
        ([job(hours_ago=25)], Action.START),
        ([job(hours_ago=24)], Action.START),
        ([job(hours_ago=23.99)], Action.SKIPPED),
        ([job(hours_ago=-1)], Action.SKIPPED),
        ([job(hours_ago=100, in_progress=True)], Action.SKIPPED),
        ([job(hours_ago=30), job(hours_ago=1)], Action.SKIPPED),
    ],
    ids=["none", "old", "at the edge", "recent", "younger than the change", "long running", "one of two recent"],
)
def test_running_and_recent_jobs_keep_the_alarm_from_starting_one(jobs: list[Job], action: Action) -> None:
    assert decide(DRIFT, *jobs).action is action


def test_skip_names_the_job_that_stands_in_the_way() -> None:
    assert decide(DRIFT, job(hours_ago=1)).why == (
        "plumbline-dev-train-other was created within the cool-down of 24 hours"
    )
    assert decide(DRIFT, job(hours_ago=1, in_progress=True)).why == "plumbline-dev-train-other is in progress"


def test_a_person_is_not_bound_by_the_cool_down() -> None:
    decision = decide(BY_HAND, job(hours_ago=1))
    assert decision.action is Action.START
    assert decision.why == "asked by hand: new labels"


def test_a_person_waits_for_a_running_job() -> None:
    assert decide(BY_HAND, job(hours_ago=1, in_progress=True)).action is Action.SKIPPED


def test_a_retried_invocation_by_hand_finds_its_job() -> None:
    name = decide(BY_HAND).job_name
    assert name is not None
    assert decide(BY_HAND, Job(name, False, NOW)).action is Action.ALREADY_STARTED
    assert decide(ManualRequest("new labels", "request-2")).job_name != name
