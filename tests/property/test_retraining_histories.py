"""Ten thousand histories of alarms, deliveries, deaths and clocks: the controller's promises hold in every one of them.

Events are delivered late, again, in any order or never; a function is killed before or after any of its calls, or
another one runs to its end between two of them; executions end with or without their event; SageMaker refuses.
"""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from plumbline.contract.retraining import SwitchPosition
from plumbline.functions.retraining import controller
from plumbline.functions.retraining.aws import NotStartedError
from plumbline.functions.retraining.decision import DAY
from plumbline.functions.retraining.events import (
    AlarmChange,
    AlarmState,
    ExecutionChange,
    RetrainingEvent,
    RetrainingRequest,
)
from plumbline.functions.retraining.state import ReservedRun, RetrainingState
from plumbline.functions.shared.events import Reconcile
from plumbline.functions.shared.state_store import Document
from tests.unit.functions.retraining.builders import ALARM, QUALITY_ALARM
from tests.unit.functions.retraining.builders import change as alarm_change
from tests.unit.functions.retraining.fakes import NOW, POLICY, FakeAws

# Their number takes a minute; what they cover, the unit tests do too.
pytestmark = pytest.mark.no_cover

# A cap that a short history can reach.
OFTEN = replace(POLICY, runs_per_day=2)
RECONCILE_LATER = POLICY.cooldown + DAY
# More calls than any invocation makes: no death.
CALLS = 48
HOURS = (0.01, 5, 6, 6, 25)
AWS_CHANGES = [
    ("switch", SwitchPosition.ON),
    ("switch", SwitchPosition.OFF),
    ("switch", None),
    ("rows", 1000),
    ("rows", POLICY.min_fresh_rows - 1),
    ("new", 0),
    ("new", 1),
    ("new", POLICY.min_fresh_rows),
    ("refusal", None),
    ("refusal", "AccessDenied"),
    ("champion", "s3://artifacts/models/2/model.tar.gz"),
    ("champion", "s3://artifacts/models/3/model.tar.gz"),
    ("changing_from", None),
    ("changing_from", "2026-03-01T00:00:00Z"),
]
ENDS = ("Succeeded", "Failed", "Stopped")


class Killed(BaseException):
    """The function dies."""


@dataclass
class WatchedAws(FakeAws):
    """AWS that holds the controller to its promises at the moment at which they would be broken.

    `forced`: a person who may override is asking.
    """

    forced: bool = False
    event_keys: set[str] = field(default_factory=set)
    started_at: list[datetime] = field(default_factory=list)

    def write(self, document_id: str, text: str, expected: int) -> None:
        before = self.state.run
        super().write(document_id, text, expected)
        # What is written here: an event that came between may have written again.
        run = RetrainingState.from_json(text).run
        if run and (before is None or before.token != run.token):
            assert before is None, "a run is reserved while another is under way"
            assert self.rows >= POLICY.min_fresh_rows
            assert self.changing_from is None
            assert run.champion == self.champion
            rejected = self.state.rejected
            if rejected and rejected.champion == run.champion and not run.forced:
                assert rejected.rules == run.rules == POLICY.rules
                another = set(run.alarms) - set(rejected.alarms)
                assert self.new >= (1 if another else POLICY.min_fresh_rows), "tried again on the same evidence"

    def creates(self, run: ReservedRun) -> None:
        reserved = self.state.run
        assert reserved, "started without being written down"
        assert reserved.token == run.token, "started without being written down"
        assert "Executing" not in self.executions.values(), "two at a time"
        assert self.switch is SwitchPosition.ON or run.forced or self.forced
        event_key = self.state.starts[-1].event_key
        assert event_key not in self.event_keys, "one event has started two"
        if not run.forced:
            assert not self.started_at or self.now - self.started_at[-1] >= POLICY.cooldown
            assert sum(self.now - moment < DAY for moment in self.started_at) < OFTEN.runs_per_day
        self.event_keys.add(event_key)
        self.started_at.append(self.now)


class Histories(RuleBasedStateMachine):
    """One endpoint's history."""

    def __init__(self) -> None:
        super().__init__()
        self.aws = WatchedAws(OFTEN)
        self.sent: list[RetrainingEvent] = []
        self.requests = 0

    @rule(hours=st.sampled_from(HOURS), name=st.sampled_from((ALARM, QUALITY_ALARM)), death=st.integers(-4, CALLS))
    def an_alarm_goes_on(self, hours: float, name: str, death: int) -> None:
        event = self._alarm(hours, name, AlarmState.ALARM)
        if death >= 0:
            self._deliver(event, death, None)

    @rule(hours=st.sampled_from(HOURS), name=st.sampled_from((ALARM, QUALITY_ALARM)))
    def an_alarm_goes_off(self, hours: float, name: str) -> None:
        self._alarm(hours, name, AlarmState.OK)

    def _alarm(self, hours: float, name: str, state: AlarmState) -> AlarmChange:
        self.aws.now += timedelta(hours=hours)
        event = alarm_change(name, hours=(self.aws.now - NOW) / timedelta(hours=1) + 1 / 6, state=state)
        assert event.changed_at == self.aws.now
        self.aws.alarms.pop(name, None)
        if state is AlarmState.ALARM:
            self.aws.alarms[name] = event
        self.sent.append(event)
        return event

    @rule(force=st.booleans())
    def a_person_asks(self, force: bool) -> None:
        self.sent.append(RetrainingRequest("new labels", self._request(), force))

    @rule(hours=st.sampled_from(HOURS), death=st.integers(0, CALLS))
    def the_hour_strikes(self, hours: float, death: int) -> None:
        self.aws.now += timedelta(hours=hours)
        look = Reconcile(self._request())
        self.sent.append(look)
        self._deliver(look, death, None)

    @rule(which=st.integers(0, 7), death=st.integers(0, CALLS), between=st.none() | st.integers(0, 7))
    def an_event_comes(self, which: int, death: int, between: int | None) -> None:
        # Counted from the newest: events come again, late, in another order, or never.
        if self.sent:
            inner = None if between is None else self.sent[-1 - between % len(self.sent)]
            self._deliver(self.sent[-1 - which % len(self.sent)], death, inner)

    @rule(status=st.sampled_from(ENDS), hours=st.sampled_from(HOURS))
    def the_execution_ends(self, status: str, hours: float) -> None:
        self.aws.now += timedelta(hours=hours)
        for execution, known in self.aws.executions.items():
            if known == "Executing":
                self.aws.end(execution, status)
                self.sent.append(ExecutionChange(execution, status))

    @rule(accepted=st.booleans(), hours=st.sampled_from(HOURS))
    def the_gate_judges(self, accepted: bool, hours: float) -> None:
        self.aws.now += timedelta(hours=hours)
        for execution, known in self.aws.executions.items():
            if known == "Executing":
                self.aws.judge(execution, accepted=accepted)
                self.sent.append(ExecutionChange(execution, "Succeeded"))

    @rule(change=st.sampled_from(AWS_CHANGES))
    def aws_changes(self, change: tuple[str, object]) -> None:
        setattr(self.aws, *change)
        if change[0] == "champion":
            self.aws.live_from = self.aws.now

    def teardown(self) -> None:
        """Whatever happened, the loop is alive: once all is well and labels come, an alarm that stays on starts one."""
        self.aws.switch, self.aws.refusal, self.aws.changing_from, self.aws.rows = SwitchPosition.ON, None, None, 1000
        self.aws.new = POLICY.min_fresh_rows
        self.aws.alarms = {ALARM: alarm_change()}
        self._deliver(Reconcile(self._request()), CALLS, None)
        for execution in self.aws.executions:
            self.aws.end(execution, "Succeeded")
        self.aws.now += RECONCILE_LATER
        self._deliver(Reconcile(self._request()), CALLS, None)
        assert list(self.aws.executions.values()).count("Executing") == 1
        texts = "".join(message.text for message in self.aws.messages)
        assert all(f"Execution: {execution}\n" in texts for execution in self.aws.executions), (
            "a start was not notified"
        )

    def _request(self) -> str:
        self.requests += 1
        return f"request-{self.requests}"

    def _deliver(self, event: RetrainingEvent, death: int, between: RetrainingEvent | None) -> None:
        """Run the function on an event; at its call number `death` it dies, or `between` is handled first."""
        self.aws.forced = getattr(event, "force", False) or getattr(between, "force", False)
        self.aws.step = self._interruption(death, between)
        with contextlib.suppress(Killed, NotStartedError):
            self.aws.handle(event)

    def _interruption(self, number: int, between: RetrainingEvent | None) -> Callable[[str], None]:
        left = number

        def step(_: str) -> None:
            nonlocal left
            left -= 1
            if left != -1:
                return
            if between is None:
                raise Killed
            with contextlib.suppress(NotStartedError):
                self.aws.handle(between)

        return step


TestHistories = Histories.TestCase
TestHistories.settings = settings(
    max_examples=10_000,
    stateful_step_count=8,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)


def test_a_run_on_the_evidence_of_a_rejected_one_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    aws = WatchedAws()
    aws.handle(alarm_change())
    aws.judge("arn:execution/1", accepted=False)
    aws.handle(Reconcile("r"))
    aws.now += POLICY.cooldown
    monkeypatch.setattr(controller, "same_evidence", lambda *_: None)
    with pytest.raises(AssertionError, match="tried again on the same evidence"):
        aws.handle(alarm_change(hours=7))


def test_promises_are_watched() -> None:
    """A controller that forgot what it wrote would be seen at the second alarm."""
    aws = WatchedAws()
    aws.handle(alarm_change())
    aws.document = Document(aws.document.revision, RetrainingState().to_json())
    with pytest.raises(AssertionError, match="two at a time"):
        aws.handle(alarm_change(hours=0.1))
