"""When a CloudWatch metric alarm changes state: the documented rules, as one pure function.

Source: CloudWatch User Guide, "Configuring how CloudWatch alarms treat missing data".
"""

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

ALARM: Final = "ALARM"
OK: Final = "OK"
INSUFFICIENT_DATA: Final = "INSUFFICIENT_DATA"

EXTRA_POINTS: Final = 2
"""CloudWatch reads more periods than EvaluationPeriods when points are missing. How many is not published;
the guide's only example reads 5 points for 3 periods."""

_OPERATORS: Final[dict[str, Callable[[float, float], bool]]] = {
    "GreaterThanThreshold": operator.gt,
    "GreaterThanOrEqualToThreshold": operator.ge,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}


@dataclass(frozen=True)
class EvaluationRule:
    """Comparison, threshold and number of points of one metric alarm.

    Parameters
    ----------
    comparison, threshold
        A point breaches when ``point <comparison> threshold``.
    evaluation_periods, datapoints_to_alarm
        N and M: M breaching points of the last N make an alarm.
    treat_missing
        ``breaching``, ``notBreaching``, ``ignore`` or ``missing``.
    """

    comparison: str
    threshold: float
    evaluation_periods: int
    datapoints_to_alarm: int
    treat_missing: str = "missing"

    @classmethod
    def of(cls, alarm: dict[str, Any]) -> "EvaluationRule":
        """Read the rule out of an alarm as PutMetricAlarm describes it."""
        periods = alarm.get("EvaluationPeriods") or 1
        return cls(
            comparison=alarm["ComparisonOperator"],
            threshold=alarm["Threshold"],
            evaluation_periods=periods,
            datapoints_to_alarm=alarm.get("DatapointsToAlarm") or periods,
            treat_missing=alarm.get("TreatMissingData") or "missing",
        )

    @property
    def evaluation_range(self) -> int:
        """How many periods are read."""
        return self.evaluation_periods + EXTRA_POINTS

    def breaches(self, point: float) -> bool:
        """Say whether one data point breaches the threshold."""
        return _OPERATORS[self.comparison](point, self.threshold)


@dataclass(frozen=True)
class AlarmDecision:
    """The state that an evaluation gives; `state` is None when the alarm keeps the state it has."""

    state: str | None
    reason: str = ""


def decide(rule: EvaluationRule, points: Sequence[float | None]) -> AlarmDecision:
    """Return the state that the points lead to.

    Parameters
    ----------
    points
        One per period of the evaluation range, newest first; None where a period has no data.
    """
    real = [point for point in points if point is not None][: rule.evaluation_periods]
    n_missing = rule.evaluation_periods - len(real)
    if not real and rule.treat_missing in ("ignore", "missing"):
        return _without_data(rule)
    n_breaching = sum(map(rule.breaches, real))
    if rule.treat_missing == "breaching":
        n_breaching += n_missing
    if n_breaching >= rule.datapoints_to_alarm:
        return AlarmDecision(ALARM, _reason(rule, real, n_breaching, n_missing))
    if n_missing and rule.treat_missing in ("ignore", "missing") and _is_premature(rule, points):
        # Fewer points than M, yet nothing but breaches for as long as M periods.
        state = ALARM if rule.treat_missing == "missing" else None
        return AlarmDecision(state, _reason(rule, real, n_breaching, n_missing))
    return AlarmDecision(OK, _reason(rule, real, n_breaching, n_missing))


def _without_data(rule: EvaluationRule) -> AlarmDecision:
    if rule.treat_missing == "ignore":
        return AlarmDecision(None)
    plural = "s were" if rule.evaluation_periods > 1 else " was"
    return AlarmDecision(INSUFFICIENT_DATA, f"Insufficient Data: {rule.evaluation_periods} datapoint{plural} unknown.")


def _is_premature(rule: EvaluationRule, points: Sequence[float | None]) -> bool:
    known = [(age, point) for age, point in enumerate(points, start=1) if point is not None]
    oldest_age = known[-1][0]
    return oldest_age >= rule.datapoints_to_alarm and all(rule.breaches(point) for _, point in known)


def _reason(rule: EvaluationRule, real: Sequence[float], n_breaching: int, n_missing: int) -> str:
    treated = f", {n_missing} missing datapoint(s) treated as [{rule.treat_missing}]" if n_missing else ""
    return (
        f"Threshold Crossed: {n_breaching} out of the last {rule.evaluation_periods} datapoints {list(real)} "
        f"was breaching ({rule.comparison} {rule.threshold}){treated}; "
        f"minimum {rule.datapoints_to_alarm} for ALARM."
    )
