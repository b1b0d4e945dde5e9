from datetime import UTC, datetime, timedelta

import pytest
from retraining.alarm_event import AlarmChange, AlarmState, Foreign, ManualRequest, Occurrence
from retraining.decision import Action, Decision, Job, Rule, admit, settle

NOW = datetime(2026, 3, 1, 5, 20, 12, tzinfo=UTC)
DRIFT_ALARM = "plumbline-dev-drift"
QUALITY_ALARM = "plumbline-dev-quality"
RULE = Rule((DRIFT_ALARM, QUALITY_ALARM), "plumbline-dev-train", timedelta(hours=24))
DRIFT = AlarmChange(DRIFT_ALARM, AlarmState.ALARM, NOW, "Threshold Crossed")
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
        (AlarmChange("plumbline-dev-monitor-failed", AlarmState.ALARM, NOW, ""), "only plumbline-dev-drift and"),
        (AlarmChange(QUALITY_ALARM, AlarmState.OK, NOW, ""), "went to OK"),
        (AlarmChange(DRIFT_ALARM, AlarmState.INSUFFICIENT_DATA, NOW, ""), "went to INSUFFICIENT_DATA"),
    ],
)
def test_only_an_alarm_of_the_rule_going_to_alarm_is_admitted(occurrence: Occurrence, why: str) -> None:
    decision = admit(occurrence, RULE)
    assert decision.action is Action.SKIPPED
    assert decision.job_name is None
    assert why in decision.why


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("a-drift",), "only a-drift starts training"),
        (("a-drift", "a-quality"), "only a-drift and a-quality start training"),
        (("a-drift", "a-quality", "a-shift"), "only a-drift, a-quality and a-shift start training"),
    ],
)
def test_refused_alarm_is_told_which_ones_count(names: tuple[str, ...], said: str) -> None:
    rule = Rule(names, RULE.job_prefix, RULE.cooldown)
    assert admit(AlarmChange("a-schema", AlarmState.ALARM, NOW, ""), rule).why == said


@pytest.mark.parametrize("name", RULE.alarm_names)
def test_every_alarm_of_the_rule_starts_a_job_and_is_named(name: str) -> None:
    decision = decide(AlarmChange(name, AlarmState.ALARM, NOW, "Threshold Crossed"))
    assert (decision.action, decision.alarm, decision.why) == (Action.START, name, f"{name}: Threshold Crossed")


def test_two_alarms_of_one_moment_start_one_job() -> None:
    first = decide(DRIFT).job_name
    assert first is not None
    second = decide(AlarmChange(QUALITY_ALARM, AlarmState.ALARM, NOW, ""), Job(first, True, NOW))
    assert (second.action, second.why) == (Action.SKIPPED, f"{first} is in progress")


def test_first_drift_starts_a_job() -> None:
    decision = decide(DRIFT)
    assert decision.action is Action.START
    assert decision.alarm == DRIFT_ALARM
    assert decision.job_name is not None
    assert decision.job_name.startswith("plumbline-dev-train-20260301-052012-")


def test_second_delivery_finds_its_job() -> None:
    name = decide(DRIFT).job_name
    assert name is not None
    again = decide(DRIFT, Job(name, True, NOW))
    assert (again.action, again.job_name) == (Action.ALREADY_STARTED, name)


def test_another_change_has_another_job() -> None:
    later = AlarmChange(DRIFT_ALARM, AlarmState.ALARM, NOW + timedelta(milliseconds=1), "")
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
