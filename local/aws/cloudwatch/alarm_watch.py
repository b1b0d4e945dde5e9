"""Evaluate every alarm promptly: on a short tick, after each PutMetricData and after each jump of the clock."""

import json
import logging
import threading
import uuid
from collections.abc import Callable
from typing import Any, Final

from plumbline.local.aws import events
from plumbline.local.aws.clock import Clock, TimeModule
from plumbline.local.aws.cloudwatch import alarm_messages, warm_up
from plumbline.local.aws.cloudwatch.alarms import INSUFFICIENT_DATA, OK, AlarmDecision, EvaluationRule, decide
from plumbline.local.aws.cloudwatch.service_metrics import QueueMetrics
from plumbline.local.aws.cloudwatch.warm_up import WarmUps
from plumbline.local.aws.seams import Seam

TICK_SECONDS: Final = 0.5
"""Real seconds between evaluations; CloudWatch takes about a minute."""
MINUTE: Final = 60

_ACTIONS: Final = {"ALARM": "AlarmActions", OK: "OKActions", INSUFFICIENT_DATA: "InsufficientDataActions"}
_log = logging.getLogger(__name__)


class AlarmWatch:
    """The thread that moves alarms between their states.

    `publish` is called before each evaluation, so that alarms see the metrics of other services.
    """

    def __init__(self, clock: Clock, *publish: Callable[[], None]) -> None:
        self._clock = clock
        self._publish = publish
        self._wake = threading.Event()
        self._lock = threading.Lock()
        self._queue_metrics = QueueMetrics(clock)
        self._warm_ups = WarmUps()

    def install(self) -> None:
        """Replace MiniStack's evaluation of alarms, and start."""
        Seam.CW_TIME.replace(TimeModule(self._clock))
        warm_up.install(self._lock)
        # Called inside requests, on the event loop: actions may call the server back, so only wake the thread.
        Seam.CW_EVALUATE.replace(lambda _alarm: self._wake.set())
        Seam.CW_EVALUATE_ALL.replace(self._wake.set)
        Seam.CW_DISPATCH.replace(lambda alarm, old, _new, _reason: self._act(alarm, old))
        threading.Thread(target=self._run, daemon=True, name="alarm-watch").start()
        threading.Thread(target=self._follow_clock, daemon=True, name="alarm-clock").start()

    def _follow_clock(self) -> None:
        while True:
            self._clock.wait(TICK_SECONDS)
            self._wake.set()

    def _run(self) -> None:
        while True:
            self._wake.wait()
            self._wake.clear()
            self.publish_and_evaluate()

    def publish_and_evaluate(self) -> None:
        """Publish services' own metrics and evaluate. A failure is logged: without this thread no alarm moves again."""
        try:
            self._queue_metrics.publish()
            for publish in self._publish:
                publish()
            self.evaluate_all()
        except Exception:
            _log.exception("alarms could not be evaluated")

    def evaluate_all(self) -> None:
        """Evaluate the alarms of every account and Region; one that fails does not stop the others."""
        alarms = list(Seam.CW_ALARMS.take()._data.items())
        self._warm_ups.keep(alarm["AlarmArn"] for _, alarm in alarms)
        for (account, region, _), alarm in alarms:
            with Seam.REQUEST_SCOPE.take()(account, region):
                try:
                    self._evaluate(alarm, account, region)
                except Exception:
                    _log.exception("alarm %s could not be evaluated", alarm.get("AlarmName"))

    def _evaluate(self, alarm: dict[str, Any], account: str, region: str) -> None:
        if not alarm.get("MetricName"):
            return
        with self._lock:
            now = self._clock()
            decision = self._decide(alarm, now)
            if decision.state is None or decision.state == alarm["StateValue"]:
                return
            previous = {name: alarm[name] for name in ("StateValue", "StateReason", "StateUpdatedTimestamp")}
            alarm.update(StateValue=decision.state, StateReason=decision.reason, StateUpdatedTimestamp=int(now))
        _log.info("alarm %s: %s -> %s", alarm["AlarmName"], previous["StateValue"], decision.state)
        Seam.CW_HISTORY.take()(alarm["AlarmName"], previous["StateValue"], decision.state, decision.reason)
        self._act(alarm, previous["StateValue"])
        detail = alarm_messages.event_detail(alarm, previous, now)
        events.put(account, region, "aws.cloudwatch", "CloudWatch Alarm State Change", detail, [alarm["AlarmArn"]])
        Seam.CW_PARENTS.take()(alarm)

    def _decide(self, alarm: dict[str, Any], now: float) -> AlarmDecision:
        rule = EvaluationRule.of(alarm)
        points = _points(alarm, rule.evaluation_range, now)
        return AlarmDecision(None) if self._warm_ups.holds(alarm, points, now) else decide(rule, points)

    def _act(self, alarm: dict[str, Any], old_state: str) -> None:
        """Run the actions of the alarm's new state. Only topics: our alarms have no other action."""
        if not alarm.get("ActionsEnabled", True):
            return
        _, _, _, region, account, _ = alarm["AlarmArn"].split(":", 5)
        message = alarm_messages.notification(alarm, old_state, account, region, self._clock())
        subject = f'{alarm["StateValue"]}: "{alarm["AlarmName"]}" in {message["Region"]}'[:100]
        for action in alarm.get(_ACTIONS[alarm["StateValue"]]) or []:
            if action.startswith("arn:aws:sns:"):
                Seam.SNS_FANOUT.take()(action, str(uuid.uuid4()), json.dumps(message), subject)
            else:
                _log.warning("alarm %s: the action %s is not emulated", alarm["AlarmName"], action)


def _points(alarm: dict[str, Any], n_periods: int, now: float) -> list[float | None]:
    """Return one value per period, newest first, of the metric with exactly the alarm's dimensions."""
    dimensions = {item["Name"]: item["Value"] for item in alarm.get("Dimensions") or []}
    key = (alarm["Namespace"], alarm["MetricName"], Seam.CW_DIMENSIONS.take()(dimensions))
    stored = list(Seam.CW_METRICS.take().get(key) or [])
    period = alarm.get("Period") or MINUTE
    step = min(period, MINUTE)
    end = now // step * step + step  # windows move by the minute; the running one counts
    return [_value(alarm, stored, end - (age + 1) * period, end - age * period) for age in range(n_periods)]


def _value(alarm: dict[str, Any], stored: list[dict[str, Any]], start: float, end: float) -> float | None:
    inside = [point for point in stored if start <= point["Timestamp"] < end]
    if not inside:
        return None
    statistic = alarm.get("ExtendedStatistic") or alarm.get("Statistic") or "Average"
    value = Seam.CW_STATISTIC.take()(Seam.CW_STATISTICS.take()(inside), statistic, inside)
    return None if value is None else float(value)
