import json
from dataclasses import replace
from datetime import timedelta

import pytest

from plumbline.contract.retraining import ControllerAction, Obstacle, RetrainingMetric, SwitchPosition
from plumbline.functions.retraining.aws import NotStartedError
from plumbline.functions.retraining.events import AlarmState, ExecutionChange, RetrainingEvent, RetrainingRequest
from plumbline.functions.retraining.state import NotifiedObstacle, RejectedRun
from plumbline.functions.shared.events import IgnoredEvent, Reconcile
from plumbline.functions.shared.state_store import ConcurrentWriteError, Document
from tests.unit.functions.retraining.builders import ALARM, QUALITY_ALARM, change
from tests.unit.functions.retraining.fakes import POLICY, FakeAws

STARTED, SKIPPED, FAILED = RetrainingMetric.STARTED, RetrainingMetric.SKIPPED, RetrainingMetric.FAILED
FIRST = "arn:execution/1"


class KilledError(Exception):
    """The function dies."""


def die_at(call: str) -> FakeAws:
    """Return an AWS at whose first call of that name the function dies."""
    aws = FakeAws()

    def step(name: str) -> None:
        if name == call:
            aws.step = lambda _: None
            raise KilledError

    aws.step = step
    return aws


def with_run() -> FakeAws:
    aws = FakeAws()
    aws.handle(change())
    aws.messages.clear()
    aws.counted.clear()
    return aws


def test_alarm_starts_one_execution_counts_notifies_and_logs(capsys: pytest.CaptureFixture[str]) -> None:
    aws = FakeAws()
    (outcome,) = aws.handle(change())
    assert (outcome.action, outcome.execution) == (ControllerAction.STARTED, FIRST)
    assert (aws.counted, aws.subjects) == ([STARTED], ["Retraining started: plumbline-dev"])
    assert aws.state.run == replace(aws.runs[0], execution=FIRST)
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line) == {
        "action": "started",
        "reason": aws.runs[0].display_name,
        "obstacle": None,
        "cause": "plumbline-dev-drift went to ALARM at 2026-03-01 05:20 UTC: Threshold Crossed",
        "execution": FIRST,
        "overridden": [],
    }


def test_same_alarm_again_starts_nothing_and_is_not_notified() -> None:
    aws = with_run()
    (outcome,) = aws.handle(change())
    assert (outcome.action, outcome.obstacle) == (ControllerAction.SKIPPED, Obstacle.ALREADY_STARTED)
    assert (len(aws.runs), aws.counted, aws.messages) == (1, [SKIPPED], [])


def test_second_alarm_of_one_drift_is_skipped_as_in_progress() -> None:
    aws = with_run()
    (outcome,) = aws.handle(change(QUALITY_ALARM))
    assert (outcome.obstacle, len(aws.runs)) == (Obstacle.IN_PROGRESS, 1)
    assert aws.subjects == ["Retraining not started, in progress: plumbline-dev"]


@pytest.mark.parametrize(
    "event",
    [
        IgnoredEvent("the SNS message is not JSON"),
        change(state=AlarmState.OK),
        change(state=AlarmState.INSUFFICIENT_DATA),
        change("plumbline-dev-monitor-failed"),
        ExecutionChange(FIRST, "Executing"),
    ],
)
def test_event_without_trigger_is_logged_and_changes_nothing(event: RetrainingEvent) -> None:
    aws = FakeAws()

    def step(name: str) -> None:
        raise AssertionError(name)

    aws.step = step
    (outcome,) = aws.handle(event)
    assert outcome.action is ControllerAction.IGNORED
    assert outcome.reason


@pytest.mark.parametrize("call", ["written", "start", "started", "metric", "publish", "published"])
def test_reservation_of_a_dead_function_is_started_once_by_the_retried_event(call: str) -> None:
    aws = die_at(call)
    with pytest.raises(KilledError):
        aws.handle(change())
    assert aws.state.run is not None
    assert aws.state.run.execution is None
    (outcome,) = aws.handle(change())
    assert (outcome.action, len(aws.runs), len(aws.executions)) == (ControllerAction.STARTED, 1, 1)
    assert "Retraining started: plumbline-dev" in aws.subjects


@pytest.mark.parametrize("event", [Reconcile("r"), change(QUALITY_ALARM), ExecutionChange("arn:other", "Failed")])
def test_reservation_of_a_dead_function_is_started_by_whatever_comes_next(event: RetrainingEvent) -> None:
    aws = die_at("written")
    with pytest.raises(KilledError):
        aws.handle(change())
    assert aws.handle(event)[0].action is ControllerAction.STARTED
    assert len(aws.runs) == 1


def test_reservation_waits_while_the_switch_is_off() -> None:
    aws = die_at("written")
    with pytest.raises(KilledError):
        aws.handle(change())
    aws.switch, aws.alarms = SwitchPosition.OFF, {ALARM: change()}
    (outcome,) = aws.handle(Reconcile("r"))
    assert (outcome.obstacle, aws.runs) == (Obstacle.SWITCHED_OFF, [])
    aws.switch = SwitchPosition.ON
    assert aws.handle(Reconcile("s"))[0].action is ControllerAction.STARTED


def test_two_functions_side_by_side_start_one() -> None:
    aws = FakeAws()

    def overtake(name: str) -> None:
        if name == "rows":
            aws.step = lambda _: None
            aws.handle(change())

    aws.step = overtake
    outcomes = aws.handle(change())
    assert [outcome.obstacle for outcome in outcomes] == [Obstacle.ALREADY_STARTED]
    assert len(aws.runs) == 1


def test_document_that_never_holds_still_is_a_fault() -> None:
    class Restless(FakeAws):
        def write(self, document_id: str, text: str, expected: int) -> None:
            raise ConcurrentWriteError(document_id)

    aws = Restless()
    with pytest.raises(ConcurrentWriteError):
        aws.handle(change())
    assert aws.runs == []


def test_success_is_closed_quietly() -> None:
    aws = with_run()
    aws.end(FIRST, "Succeeded")
    (outcome,) = aws.handle(ExecutionChange(FIRST, "Succeeded"))
    assert outcome.action is ControllerAction.CLOSED
    assert (aws.state.run, aws.messages, aws.counted) == (None, [], [])


@pytest.mark.parametrize("status", ["Failed", "Stopped", "CompletedWithFailures"])
def test_failure_is_counted_and_notified_with_its_reason(status: str) -> None:
    aws = with_run()
    aws.end(FIRST, status)
    aws.handle(ExecutionChange(FIRST, status))
    assert (aws.state.run, aws.counted) == (None, [FAILED])
    (message,) = aws.messages
    assert message.subject == f"Retraining {status.lower()}: plumbline-dev"
    assert ("the step Train failed" in message.text) is (status == "Failed")


def test_event_of_another_execution_closes_nothing() -> None:
    aws = with_run()
    (outcome,) = aws.handle(ExecutionChange("arn:other", "Succeeded"))
    assert outcome.action is ControllerAction.IGNORED
    assert aws.state.run is not None


def test_end_that_comes_before_the_answer_knows_of_it_counts() -> None:
    aws = with_run()
    aws.handle(ExecutionChange(FIRST, "Succeeded"))
    assert aws.state.run is None


def test_reconciliation_closes_a_run_whose_end_event_was_lost() -> None:
    aws = with_run()
    aws.end(FIRST, "Succeeded")
    closed, quiet = aws.handle(Reconcile("r"))
    assert (closed.action, quiet.action) == (ControllerAction.CLOSED, ControllerAction.IGNORED)
    assert aws.state.run is None


def test_execution_that_sagemaker_no_longer_knows_is_closed_as_failed() -> None:
    aws = with_run()
    aws.executions.clear()
    aws.handle(Reconcile("r"))
    assert (aws.state.run, aws.counted) == (None, [FAILED])


def test_alarm_that_stays_on_is_retrained_on_after_the_cool_down() -> None:
    aws = with_run()
    aws.alarms[ALARM] = change()
    aws.end(FIRST, "Succeeded")
    aws.now += POLICY.cooldown - timedelta(minutes=1)
    assert aws.handle(Reconcile("early"))[-1].obstacle is Obstacle.COOLDOWN
    aws.now += timedelta(minutes=1)
    assert aws.handle(Reconcile("late"))[-1].action is ControllerAction.STARTED
    assert aws.runs[1].cause == f"{ALARM} is still in ALARM, since 2026-03-01 05:20 UTC: Threshold Crossed"


def test_reconciliation_notifies_an_obstacle_once_and_another_one_again() -> None:
    aws = FakeAws(rows=17, alarms={ALARM: change()})
    for number in range(3):
        aws.handle(Reconcile(f"{number}"))
    aws.switch = None
    aws.handle(Reconcile("switch"))
    assert aws.subjects == [
        "Retraining not started, labels needed: plumbline-dev",
        "Retraining not started, switch unknown: plumbline-dev",
    ]
    assert aws.counted == [SKIPPED] * 4


def test_obstacle_is_notified_again_after_the_alarms_were_quiet() -> None:
    aws = FakeAws(rows=17, alarms={ALARM: change()})
    aws.handle(Reconcile("1"))
    alarms, aws.alarms = aws.alarms, {}
    aws.handle(Reconcile("2"))
    aws.alarms = alarms
    aws.handle(Reconcile("3"))
    assert len(aws.messages) == 2


def test_obstacle_of_two_alarms_is_notified_once() -> None:
    aws = FakeAws(rows=17)
    aws.handle(change())
    aws.handle(change(QUALITY_ALARM))
    aws.handle(change(hours=0.1))
    assert (len(aws.messages), aws.counted) == (1, [SKIPPED] * 3)
    assert "17 labelled rows" in aws.messages[0].text


def test_person_always_gets_an_answer() -> None:
    aws = FakeAws(rows=17)
    aws.handle(change())
    aws.handle(RetrainingRequest("now", "r"))
    aws.handle(RetrainingRequest("now", "s"))
    assert len(aws.messages) == 3


# A challenger that was rejected


def rejected(**given: object) -> FakeAws:
    """Return an AWS whose first run, started by `ALARM`, was rejected; the alarm is still on after the cool-down."""
    aws = with_run()
    aws.alarms[ALARM] = change()
    aws.judge(FIRST, accepted=False)
    aws.handle(ExecutionChange(FIRST, "Succeeded"))
    aws.now += POLICY.cooldown
    for name, value in given.items():
        setattr(aws, name, value)
    return aws


def test_rejected_run_is_remembered_with_what_it_was_to_answer() -> None:
    aws = with_run()
    aws.alarms = {QUALITY_ALARM: change(QUALITY_ALARM)}
    aws.judge(FIRST, accepted=False)
    aws.handle(Reconcile("r"))
    name, champion = aws.runs[0].display_name, aws.runs[0].champion
    rules = POLICY.rules
    assert aws.state.rejected == RejectedRun(FIRST, name, champion, rules, (ALARM, QUALITY_ALARM), "holdout: a loss")


def test_same_evidence_is_not_tried_again_and_said_once() -> None:
    aws = rejected(new=POLICY.min_fresh_rows - 1)
    for number in range(30):
        outcome = aws.handle(Reconcile(f"{number}"))[-1]
        assert outcome.obstacle is Obstacle.SAME_EVIDENCE
        aws.now += timedelta(hours=1)
    for hours in (7, 8, 40):
        assert aws.handle(change(hours=hours))[-1].obstacle is Obstacle.SAME_EVIDENCE
    assert (len(aws.runs), aws.subjects) == (1, ["Retraining not started, same evidence: plumbline-dev"])
    assert "was rejected (holdout: a loss), and since it read them 499 labelled rows are new, of 500" in (
        aws.messages[0].text
    )


def test_same_evidence_is_said_once_also_where_alarms_were_quiet_or_another_obstacle_came_between() -> None:
    aws = rejected()
    aws.handle(Reconcile("1"))
    alarms, aws.alarms = aws.alarms, {}
    aws.handle(Reconcile("2"))
    aws.alarms, aws.switch = alarms, SwitchPosition.OFF
    aws.handle(Reconcile("3"))
    aws.switch = SwitchPosition.ON
    aws.handle(Reconcile("4"))
    assert [message.obstacle for message in aws.messages] == [Obstacle.SAME_EVIDENCE, Obstacle.SWITCHED_OFF]


def test_so_many_new_rows_as_a_first_run_needs_start_another() -> None:
    aws = rejected(new=POLICY.min_fresh_rows)
    assert aws.handle(Reconcile("r"))[-1].action is ControllerAction.STARTED


def test_alarm_of_another_kind_starts_another_with_any_new_row_and_none_without() -> None:
    assert rejected(new=1).handle(change(QUALITY_ALARM, hours=7))[-1].action is ControllerAction.STARTED
    aws = rejected()
    assert aws.handle(change(QUALITY_ALARM, hours=7))[-1].obstacle is Obstacle.SAME_EVIDENCE
    aws.handle(change(hours=7))
    assert len(aws.messages) == 2, "of each kind of alarm people are told once"


def test_person_with_force_overrides_the_same_evidence_and_without_it_does_not() -> None:
    aws = rejected()
    assert aws.handle(RetrainingRequest("try", "r"))[-1].obstacle is Obstacle.SAME_EVIDENCE
    assert '--reason "..." --force' in aws.messages[-1].text
    outcome = aws.handle(RetrainingRequest("try", "s", force=True))[-1]
    assert outcome.action is ControllerAction.STARTED
    assert "of 500 that are worth another run" in outcome.overridden[-1]


def test_another_champion_is_another_question() -> None:
    aws = rejected(champion="s3://artifacts/models/2/model.tar.gz")
    assert aws.handle(Reconcile("r"))[-1].action is ControllerAction.STARTED


def test_other_settings_of_training_or_gate_are_another_question() -> None:
    aws = rejected(policy=replace(POLICY, rules="other"))
    assert aws.handle(Reconcile("r"))[-1].action is ControllerAction.STARTED


def test_second_rejection_is_held_to_its_own_evidence_and_said_again() -> None:
    aws = rejected()
    aws.handle(Reconcile("1"))
    aws.new = POLICY.min_fresh_rows
    aws.handle(Reconcile("2"))
    aws.judge("arn:execution/2", accepted=False)
    aws.now += POLICY.cooldown
    aws.new = 0
    assert aws.handle(Reconcile("3"))[-1].obstacle is Obstacle.SAME_EVIDENCE
    assert aws.state.rejected is not None
    assert aws.state.rejected.execution == "arn:execution/2"
    assert [message.obstacle for message in aws.messages] == [Obstacle.SAME_EVIDENCE, None, Obstacle.SAME_EVIDENCE]


@pytest.mark.parametrize("accepted", [True, None])
def test_run_that_was_not_rejected_holds_back_none(accepted: bool | None) -> None:
    aws = with_run()
    aws.alarms[ALARM] = change()
    if accepted:
        aws.judge(FIRST, accepted=True)
    else:
        aws.end(FIRST, "Succeeded")
    aws.now += POLICY.cooldown
    assert aws.handle(Reconcile("r"))[-1].action is ControllerAction.STARTED


def test_acceptance_forgets_an_earlier_rejection() -> None:
    aws = rejected(new=POLICY.min_fresh_rows)
    aws.handle(Reconcile("1"))
    aws.judge("arn:execution/2", accepted=True)
    aws.handle(Reconcile("2"))
    assert aws.state.rejected is None


def test_failed_run_says_nothing_of_the_evidence() -> None:
    aws = rejected(new=POLICY.min_fresh_rows)
    before = aws.state.rejected
    aws.handle(Reconcile("1"))
    aws.end("arn:execution/2", "Failed")
    aws.handle(Reconcile("2"))
    assert aws.state.rejected == before


@pytest.mark.parametrize("call", ["evaluation", "alarms", "write"])
def test_rejection_is_found_by_the_next_event_after_a_death(call: str) -> None:
    aws = with_run()
    aws.judge(FIRST, accepted=False)

    def step(name: str) -> None:
        if name == call:
            aws.step = lambda _: None
            raise KilledError

    aws.step = step
    with pytest.raises(KilledError):
        aws.handle(ExecutionChange(FIRST, "Succeeded"))
    aws.handle(Reconcile("r"))
    assert aws.state.rejected is not None


def test_reconciliation_during_a_run_notifies_nothing() -> None:
    aws = with_run()
    aws.alarms[ALARM] = change()
    aws.handle(Reconcile("r"))
    assert (aws.messages, aws.counted) == ([], [])


def test_person_with_force_overrides_and_the_message_names_what() -> None:
    aws = with_run()
    aws.end(FIRST, "Succeeded")
    aws.switch = SwitchPosition.OFF
    assert aws.handle(RetrainingRequest("labels came", "r"))[-1].obstacle is Obstacle.SWITCHED_OFF
    outcome = aws.handle(RetrainingRequest("labels came", "s", force=True))[-1]
    assert outcome.action is ControllerAction.STARTED
    assert outcome.overridden[0] == "the switch is off"
    assert "Overridden, as requested: the switch is off." in aws.messages[-1].text
    assert "the cool-down is 6 hours" in outcome.overridden[1]


def test_person_with_force_waits_for_a_run_and_for_labels() -> None:
    assert with_run().handle(RetrainingRequest("now", "r", force=True))[-1].obstacle is Obstacle.IN_PROGRESS
    assert FakeAws(rows=1).handle(RetrainingRequest("now", "r", force=True))[-1].obstacle is Obstacle.LABELS_NEEDED


def test_refused_start_is_notified_once_kept_and_tried_again() -> None:
    aws = FakeAws(refusal="AccessDenied")
    for _ in range(3):
        with pytest.raises(NotStartedError, match="AccessDenied"):
            aws.handle(change())
    assert aws.subjects == ["Retraining could not be started: plumbline-dev"]
    notified = aws.state.last_notified_obstacle
    assert notified == NotifiedObstacle(Obstacle.START_REFUSED, "AccessDenied")
    aws.refusal = None
    assert aws.handle(Reconcile("r"))[0].action is ControllerAction.STARTED
    assert aws.state.last_notified_obstacle is None


def test_document_of_another_version_is_a_fault() -> None:
    aws = FakeAws(document=Document(1, "{}"))
    with pytest.raises(Exception, match="delete the item"):
        aws.handle(change())
    assert aws.runs == []
