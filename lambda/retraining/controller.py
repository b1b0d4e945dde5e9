"""Crash-safe order of one event: read, reserve, start, notify, write.

- A run is reserved (written under a condition) before it is started, with the token that makes a second start the same
  execution. If the function dies in between, the next event finds a reservation without an execution and starts it.
- People are notified before the state records that they were: after a crash a message may come twice, but none is lost.
- If another invocation wrote the state since it was read, it is read again and decided again.
"""

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime

from plumbline.contract.retraining import ControllerAction, Obstacle, RetrainingMetric
from plumbline.functions.retraining.aws import GONE, AwsGatewayPort, NotStartedError
from plumbline.functions.retraining.decision import (
    ControllerDecision,
    FoundObstacle,
    RetrainingFacts,
    decide_start,
    labels_needed,
    last_rejection,
    may_start,
    same_evidence,
)
from plumbline.functions.retraining.events import AlarmChange, ExecutionChange, RetrainingEvent, RetrainingRequest
from plumbline.functions.retraining.messages import RetrainingMessages, ended
from plumbline.functions.retraining.runs import fresh_hours, new_run
from plumbline.functions.retraining.settings import RetrainingSettings
from plumbline.functions.retraining.state import NotifiedObstacle, RejectedRun, ReservedRun, RetrainingState
from plumbline.functions.retraining.triggers import (
    RetrainingTrigger,
    alarm_trigger,
    no_trigger,
    reconcile_trigger,
    request_trigger,
)
from plumbline.functions.shared.events import IgnoredEvent, Reconcile
from plumbline.functions.shared.notifications import NotifierPort, log
from plumbline.functions.shared.state_store import ConcurrentWriteError, StateStore

MAX_ATTEMPTS = 5
SUCCEEDED = "Succeeded"
ENDED = frozenset({SUCCEEDED, "Failed", "Stopped", "CompletedWithFailures", GONE})
"""Final statuses of an execution; with any other it is under way."""

_Actionable = AlarmChange | RetrainingRequest | Reconcile | ExecutionChange


class Controller:
    """Decides whether events start a retraining of one endpoint, and starts it."""

    def __init__(
        self,
        settings: RetrainingSettings,
        *,
        store: StateStore[RetrainingState],
        gateway: AwsGatewayPort,
        notifier: NotifierPort,
        clock: Callable[[], datetime],
    ) -> None:
        self._settings, self._policy = settings, settings.policy
        self._messages = RetrainingMessages(settings.environment, settings.endpoint)
        self._store, self._gateway, self._notifier, self._clock = store, gateway, notifier, clock

    def handle(self, event: RetrainingEvent) -> tuple[ControllerDecision, ...]:
        """Handle one event, log a line for each decision, and return them.

        Raises
        ------
        ConcurrentWriteError
            If other invocations wrote the state during every attempt.
        NotStartedError
            If SageMaker refuses to start the execution.
        StateError
            If the stored state cannot be read.
        """
        if isinstance(event, IgnoredEvent):
            return (_ignored(event.reason),)
        if isinstance(event, AlarmChange) and (reason := no_trigger(event, self._policy.alarm_names)):
            return (_ignored(reason),)
        if isinstance(event, ExecutionChange) and event.status not in ENDED:
            return (_ignored(f"the execution is {event.status}", event.execution),)
        for _ in range(MAX_ATTEMPTS - 1):
            try:
                return self._attempt(event)
            except ConcurrentWriteError as error:
                print(f"deciding again: {error}", flush=True)
        return self._attempt(event)

    def _attempt(self, event: _Actionable) -> tuple[ControllerDecision, ...]:
        facts = self._gateway.facts(self._clock())
        self._store.read()
        forced = isinstance(event, RetrainingRequest) and event.force
        decisions = [*self._resume(facts, forced=forced), *self._close(event)]
        if isinstance(event, ExecutionChange):
            return tuple(decisions) or (_ignored("it is not the run under way", event.execution),)
        trigger = self._trigger(event, facts.now)
        if trigger is None:
            if self._store.state.last_notified_obstacle and self._store.state.run is None:
                self._store.write(self._store.state.notified(None))
            return (*decisions, _ignored("no alarm that starts retraining is in ALARM"))
        return (*decisions, *self._decide(trigger, facts, resumed=bool(decisions)))

    def _trigger(self, event: AlarmChange | RetrainingRequest | Reconcile, now: datetime) -> RetrainingTrigger | None:
        match event:
            case AlarmChange():
                return alarm_trigger(event, now)
            case RetrainingRequest():
                return request_trigger(event, now)
            case Reconcile(request_id):
                return reconcile_trigger(self._gateway.alarms_on(), request_id, now)

    def _resume(self, facts: RetrainingFacts, *, forced: bool) -> list[ControllerDecision]:
        """Start a run that was reserved by an invocation that died before it started it or wrote that it did."""
        run = self._store.state.run
        if run is None or run.execution or not may_start(run, forced, facts):
            return []
        return [self._start(run, ())]

    def _close(self, event: _Actionable) -> list[ControllerDecision]:
        """Close the run under way if it has ended, whether or not its event arrived."""
        run = self._store.state.run
        if run is None or run.execution is None:
            return []
        status, reason = self._gateway.status(run.execution)
        if isinstance(event, ExecutionChange) and event.execution == run.execution:
            # SageMaker's answer may be from before the event.
            status = event.status
        if status not in ENDED:
            return []
        if status != SUCCEEDED:
            self._notifier.put_metric(RetrainingMetric.FAILED)
            self._notifier.publish(self._messages.failed(run, status, reason))
        self._store.write(self._judged(run, run.execution) if status == SUCCEEDED else self._store.state.closed())
        text = ended(run, status, reason)
        return [_logged(ControllerDecision(ControllerAction.CLOSED, text, cause=run.cause, execution=run.execution))]

    def _judged(self, run: ReservedRun, execution: str) -> RetrainingState:
        """Return the state after a run whose challenger came to the gate, with the evidence of a rejected one."""
        evaluation = self._gateway.evaluation(execution)
        if evaluation is None:
            return self._store.state.closed()
        if evaluation.accepted:
            return self._store.state.judged(None)
        alarms = {*run.alarms, *(change.alarm_name for change in self._gateway.alarms_on())}
        reason = "; ".join(evaluation.reasons)
        rejected = RejectedRun(execution, run.display_name, run.champion, run.rules, tuple(sorted(alarms)), reason)
        return self._store.state.judged(rejected)

    def _decide(self, trigger: RetrainingTrigger, facts: RetrainingFacts, *, resumed: bool) -> list[ControllerDecision]:
        decision = decide_start(trigger, self._store.state, facts, self._policy)
        overridden = [*decision.overridden]
        found = decision.obstacle or self._labels_needed(facts)
        if found is None:
            found = self._same_evidence(trigger, facts)
            if found and trigger.forced:
                overridden.append(found)
                found = None
        if found is None:
            run = new_run(trigger, facts, self._settings)
            self._store.write(self._store.state.reserved(run, trigger.event_key, facts.now))
            return [self._start(run, tuple(each.text for each in overridden))]
        if found.obstacle is Obstacle.ALREADY_STARTED and resumed:
            # The event was delivered again and found its own run reserved.
            return []
        return [self._skip(trigger, found)]

    def _labels_needed(self, facts: RetrainingFacts) -> FoundObstacle | None:
        fresh_from, fresh_until = fresh_hours(facts.now, self._policy.fresh_period)
        n_rows = self._gateway.fresh_rows(fresh_from, fresh_until, self._policy.min_fresh_rows)
        return labels_needed(n_rows, fresh_from, fresh_until, self._policy)

    def _same_evidence(self, trigger: RetrainingTrigger, facts: RetrainingFacts) -> FoundObstacle | None:
        rejected = last_rejection(self._store.state, facts, self._policy)
        if rejected is None:
            return None
        fresh_from, fresh_until = fresh_hours(facts.now, self._policy.fresh_period)
        n_new = self._gateway.new_rows(rejected.execution, fresh_from, fresh_until, self._policy.min_fresh_rows)
        return same_evidence(trigger, rejected, n_new, self._policy)

    def _start(self, run: ReservedRun, overridden: tuple[str, ...]) -> ControllerDecision:
        try:
            execution = self._gateway.start(run)
        except NotStartedError as error:
            self._report_refused_start(run, str(error))
            raise
        self._notifier.put_metric(RetrainingMetric.STARTED)
        self._notifier.publish(self._messages.started(run, execution, overridden))
        self._store.write(self._store.state.started(execution, self._clock()))
        started = ControllerDecision(
            ControllerAction.STARTED, run.display_name, cause=run.cause, execution=execution, overridden=overridden
        )
        return _logged(started)

    def _report_refused_start(self, run: ReservedRun, error: str) -> None:
        """Notify once for each error of SageMaker: the caller raises, and Lambda invokes the function again."""
        _logged(ControllerDecision(ControllerAction.NOT_STARTED, error, Obstacle.START_REFUSED, run.cause))
        refused = NotifiedObstacle(Obstacle.START_REFUSED, error)
        if self._store.state.last_notified_obstacle != refused:
            self._notifier.publish(self._messages.not_started(run, error))
            self._store.write(self._store.state.notified(refused))

    def _skip(self, trigger: RetrainingTrigger, found: FoundObstacle) -> ControllerDecision:
        # An hourly reconciliation during a run is no news: the message of its start was sent.
        expected = trigger.hourly and found.obstacle is Obstacle.IN_PROGRESS
        if not expected:
            self._notifier.put_metric(RetrainingMetric.SKIPPED)
        if not expected and found.obstacle is not Obstacle.ALREADY_STARTED:
            self._notify_once(trigger, found)
        return _logged(ControllerDecision(ControllerAction.SKIPPED, found.text, found.obstacle, trigger.cause))

    def _notify_once(self, trigger: RetrainingTrigger, found: FoundObstacle) -> None:
        """Notify of an obstacle, of which alarms bring no news once people know it; a person always gets an answer."""
        state = self._store.state
        known = state.last_notified_obstacle == NotifiedObstacle(found.obstacle)
        after = state.notified(NotifiedObstacle(found.obstacle))
        if found.obstacle is Obstacle.SAME_EVIDENCE and state.rejected:
            known = set(trigger.alarms) <= set(state.rejected.notified)
            after = after.notified_of_evidence(trigger.alarms)
        if trigger.alarms and known:
            return
        self._notifier.publish(self._messages.skipped(trigger, found))
        if after != state:
            self._store.write(after)


def _logged(decision: ControllerDecision) -> ControllerDecision:
    log(asdict(decision))
    return decision


def _ignored(reason: str, execution: str | None = None) -> ControllerDecision:
    return _logged(ControllerDecision(ControllerAction.IGNORED, reason, execution=execution))
