"""The order in which things are read, written, told and started, so that a death between any two of them does no harm.

- A run is *reserved* (written under a condition) before it is started, with the token that makes a second start the
  same one. Whoever comes next and finds a reservation without an execution starts it.
- People are told before the document says that they were: a message may come twice, and never not at all.
- Who wrote on a document that changed meanwhile reads it again and decides again.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from shared.documents import ChangedMeanwhileError, Document

from contract.retraining import RetrainingMetric
from retraining.decision import Facts, Obstacle, Refusal, Rule, judge, labels_needed, may_start
from retraining.occurrences import AlarmChange, ExecutionChange, Foreign, Look, ManualRequest, Occurrence
from retraining.outcome import Action, Outcome
from retraining.reservation import fresh_hours, new_run
from retraining.state import Run, State
from retraining.surroundings import GONE, NotStartedError
from retraining.triggers import Trigger, alarm_trigger, look_trigger, no_trigger, request_trigger
from retraining.words import Words

ATTEMPTS = 5
SUCCEEDED = "Succeeded"
ENDED = frozenset({SUCCEEDED, "Failed", "Stopped", "CompletedWithFailures", GONE})
"""Statuses that an execution keeps; any other is one that is under way."""
NOT_STARTED = "not started: "
"""Before SageMaker's reason in what was told last."""


class Store(Protocol):
    """Where the state is; `shared.documents.Documents` is the real one."""

    def read(self, document_id: str) -> Document:
        """Return the document."""

    def write(self, document_id: str, text: str, expected: int) -> None:
        """Write it, or raise `ChangedMeanwhileError`."""


class World(Protocol):
    """What is looked up and started; `retraining.surroundings.Surroundings` is the real one."""

    def facts(self, now: datetime) -> Facts:
        """Return the switch and what serves."""

    def alarms_on(self) -> tuple[AlarmChange, ...]:
        """Return the alarms of the rule that are in ALARM."""

    def fresh_rows(self, fresh_from: str, fresh_until: str, enough: int) -> int:
        """Return the number of labelled rows, `enough` at most."""

    def start(self, run: Run) -> str:
        """Start the run or find its execution, or raise `NotStartedError`."""

    def status(self, execution: str) -> tuple[str, str]:
        """Return an execution's status, and why it failed."""


class Voice(Protocol):
    """How people are told; `shared.telling.Announcer` is the real one."""

    def tell(self, subject: str, text: str) -> None:
        """Send a message."""

    def count(self, metric: RetrainingMetric) -> None:
        """Count an occasion."""


class Controller:
    """The controller of one endpoint."""

    def __init__(
        self, rule: Rule, words: Words, *, store: Store, world: World, voice: Voice, clock: Callable[[], datetime]
    ) -> None:
        self._rule, self._words = rule, words
        self._store, self._world, self._voice, self._clock = store, world, voice, clock

    def handle(self, occurrence: Occurrence) -> tuple[Outcome, ...]:
        """Do what one occurrence asks for, log a line for each decision, and return them.

        Raises
        ------
        ChangedMeanwhileError
            If others wrote the document at each attempt.
        NotStartedError
            If SageMaker refuses to start the execution.
        """
        if isinstance(occurrence, Foreign):
            return (_logged(Outcome(Action.IGNORED, occurrence.why)),)
        if isinstance(occurrence, AlarmChange) and (why := no_trigger(occurrence, self._rule.alarm_names)):
            return (_logged(Outcome(Action.IGNORED, why)),)
        if isinstance(occurrence, ExecutionChange) and occurrence.status not in ENDED:
            ignored = Outcome(Action.IGNORED, f"the execution is {occurrence.status}", execution=occurrence.execution)
            return (_logged(ignored),)
        for _ in range(ATTEMPTS - 1):
            try:
                return self._attempt(occurrence)
            except ChangedMeanwhileError as change:
                print(f"deciding again: {change}", flush=True)
        return self._attempt(occurrence)

    def _attempt(self, occurrence: AlarmChange | ManualRequest | Look | ExecutionChange) -> tuple[Outcome, ...]:
        facts = self._world.facts(self._clock())
        page = _Page(self._store, self._rule.endpoint)
        forced = isinstance(occurrence, ManualRequest) and occurrence.force
        outcomes = [*self._resume(page, facts, forced=forced), *self._close(page, occurrence)]
        if isinstance(occurrence, ExecutionChange):
            ignored = Outcome(Action.IGNORED, "it is not the run under way", execution=occurrence.execution)
            return tuple(outcomes) or (_logged(ignored),)
        trigger = self._trigger(occurrence, facts.now)
        if trigger is None:
            if page.state.told and page.state.run is None:
                page.write(_told(page.state, ""))
            return (*outcomes, _logged(Outcome(Action.IGNORED, "no alarm that starts retraining is on")))
        return (*outcomes, *self._decide(page, trigger, facts, resumed=bool(outcomes)))

    def _trigger(self, occurrence: AlarmChange | ManualRequest | Look, now: datetime) -> Trigger | None:
        match occurrence:
            case AlarmChange():
                return alarm_trigger(occurrence, now)
            case ManualRequest():
                return request_trigger(occurrence, now)
            case Look(request_id):
                return look_trigger(self._world.alarms_on(), request_id, now)

    def _resume(self, page: "_Page", facts: Facts, *, forced: bool) -> list[Outcome]:
        """Start a run that a function reserved and did not live to start, or to write down."""
        run = page.state.run
        if run is None or run.execution or not may_start(run, forced, facts):
            return []
        return [self._start(page, run, ())]

    def _close(self, page: "_Page", occurrence: Occurrence) -> list[Outcome]:
        """Close the run under way if it has ended, whether its event came or not."""
        run = page.state.run
        if run is None or run.execution is None:
            return []
        status, why = self._world.status(run.execution)
        if isinstance(occurrence, ExecutionChange) and occurrence.execution == run.execution:
            # The event is not older than an answer that may come of a copy.
            status = occurrence.status
        if status not in ENDED:
            return []
        if status != SUCCEEDED:
            self._voice.count(RetrainingMetric.FAILED)
            self._voice.tell(*self._words.failed(run, status, why))
        page.write(page.state.closed())
        said = f"{run.display_name} ended as {status}{f': {why}' if why else ''}"
        return [_logged(Outcome(Action.CLOSED, said, cause=run.cause, execution=run.execution))]

    def _decide(self, page: "_Page", trigger: Trigger, facts: Facts, *, resumed: bool) -> list[Outcome]:
        judgement = judge(trigger, page.state, facts, self._rule)
        refusal = judgement.refusal or self._labels_needed(facts)
        if refusal is None:
            run = new_run(trigger, facts, self._rule)
            page.write(page.state.reserved(run, trigger.episode, facts.now))
            return [self._start(page, run, tuple(refusal.why for refusal in judgement.overridden))]
        if refusal.obstacle is Obstacle.ALREADY_STARTED and resumed:
            # The event that comes again found its own run reserved.
            return []
        return [self._skip(page, trigger, refusal)]

    def _labels_needed(self, facts: Facts) -> Refusal | None:
        fresh_from, fresh_until = fresh_hours(facts.now, self._rule)
        n_rows = self._world.fresh_rows(fresh_from, fresh_until, self._rule.minimum_fresh_rows)
        return labels_needed(n_rows, fresh_from, fresh_until, self._rule)

    def _start(self, page: "_Page", run: Run, overridden: tuple[str, ...]) -> Outcome:
        try:
            execution = self._world.start(run)
        except NotStartedError as error:
            self._not_started(page, run, str(error))
            raise
        self._voice.count(RetrainingMetric.STARTED)
        self._voice.tell(*self._words.started(run, execution, overridden))
        page.write(page.state.started(execution, self._clock()))
        return _logged(
            Outcome(Action.STARTED, run.display_name, cause=run.cause, execution=execution, overridden=overridden)
        )

    def _not_started(self, page: "_Page", run: Run, why: str) -> None:
        """Say that SageMaker refuses, once for each reason: the caller raises, and Lambda comes again."""
        _logged(Outcome(Action.NOT_STARTED, why, cause=run.cause))
        if page.state.told != NOT_STARTED + why:
            self._voice.tell(*self._words.not_started(run, why))
            page.write(_told(page.state, NOT_STARTED + why))

    def _skip(self, page: "_Page", trigger: Trigger, refusal: Refusal) -> Outcome:
        # A look during a run says nothing new: that the run was started has been told.
        expected = trigger.routine and refusal.obstacle is Obstacle.IN_PROGRESS
        repeated = refusal.obstacle is Obstacle.ALREADY_STARTED or (
            trigger.routine and page.state.told == refusal.obstacle
        )
        if not expected:
            self._voice.count(RetrainingMetric.SKIPPED)
        if not expected and not repeated:
            self._voice.tell(*self._words.skipped(trigger, refusal))
            if page.state.told != refusal.obstacle:
                page.write(_told(page.state, refusal.obstacle))
        return _logged(Outcome(Action.SKIPPED, refusal.why, obstacle=refusal.obstacle, cause=trigger.cause))


class _Page:
    """The document as this attempt knows it."""

    def __init__(self, store: Store, document_id: str) -> None:
        self._store, self._id = store, document_id
        document = store.read(document_id)
        self._revision = document.revision
        self.state = State.from_json(document.text)

    def write(self, state: State) -> None:
        self._store.write(self._id, state.to_json(), self._revision)
        self._revision += 1
        self.state = state


def _logged(outcome: Outcome) -> Outcome:
    """Print the decision as a line of JSON: standard output is the function's log."""
    print(outcome.to_json(), flush=True)
    return outcome


def _told(state: State, told: str) -> State:
    return State(state.run, state.starts, told)
