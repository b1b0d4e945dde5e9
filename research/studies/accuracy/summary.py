"""Figures over many windows."""

from collections.abc import Callable, Collection, Iterable, Sequence

import numpy as np
from scipy.stats import spearmanr

from plumbline.contract.verdicts import Verdict
from research.studies.accuracy.cases import Family
from research.studies.accuracy.outcomes import IntervalEstimate, Method, WindowOutcome

FAR_OFF = 0.03
"""An estimate that is off by more misleads."""
CLEAR_DROP = 0.03
"""A drop that an alarm is wanted for."""
VALID = (Family.NONE, Family.COVARIATE)
"""Where the assumption of the projection holds."""

Outcomes = Sequence[WindowOutcome]


def of(
    outcomes: Iterable[WindowOutcome],
    *,
    families: Collection[Family] = tuple(Family),
    subjects: Collection[str] | None = None,
    n_rows: int | None = None,
) -> list[WindowOutcome]:
    """Return the windows of some families, subjects and sizes; None: of all."""
    return [
        outcome
        for outcome in outcomes
        if outcome.family in families
        and (subjects is None or outcome.subject in subjects)
        and n_rows in (None, outcome.n_rows)
    ]


def kept(outcomes: Iterable[WindowOutcome]) -> list[WindowOutcome]:
    """Return the windows that the product does not refuse."""
    return [outcome for outcome in outcomes if not outcome.refusal_reason]


def refused(outcomes: Iterable[WindowOutcome]) -> list[WindowOutcome]:
    """Return the windows that the product refuses."""
    return [outcome for outcome in outcomes if outcome.refusal_reason]


def mean(values: Iterable[float | None]) -> float | None:
    """Return the mean of the values that are there; None where none is."""
    present = [value for value in values if value is not None]
    return float(np.mean(present)) if present else None


def error(outcomes: Iterable[WindowOutcome], method: Method) -> float | None:
    """Return a method's mean absolute error, 0..1."""
    return mean(outcome.error(method) for outcome in outcomes)


def covered(figures: Iterable[IntervalEstimate]) -> tuple[int, int]:
    """Return how many intervals hold the figure by the labels, and how many there are."""
    found = [figure.is_covered for figure in figures if figure.is_covered is not None]
    return sum(found), len(found)


def half_width(outcomes: Iterable[WindowOutcome]) -> float | None:
    """Return the mean half-width of the accuracy's interval, 0..1."""
    figures = [outcome.accuracy for outcome in outcomes]
    return mean(
        (figure.upper - figure.lower) / 2 for figure in figures if figure.upper is not None and figure.lower is not None
    )


def counted(outcomes: Iterable[WindowOutcome], holds: Callable[[WindowOutcome], bool]) -> tuple[int, int]:
    """Return of how many windows something holds, and how many there are."""
    found = [holds(outcome) for outcome in outcomes]
    return sum(found), len(found)


def alarms(outcomes: Iterable[WindowOutcome]) -> tuple[int, int]:
    """Return in how many windows the product reports a drop of the accuracy, and how many there are."""
    return counted(outcomes, lambda outcome: outcome.verdict is Verdict.DRIFT)


def is_far_off(outcome: WindowOutcome) -> bool:
    """Return whether the product's estimate, refused or not, misleads."""
    found = outcome.error(Method.PLUMBLINE)
    return found is not None and found > FAR_OFF


def is_named_by_labels(outcome: WindowOutcome) -> bool:
    """Return whether labels show a label shift or a concept shift."""
    return Verdict.DRIFT in outcome.after.values()


def rank_correlation(outcomes: Outcomes, method: Method) -> float | None:
    """Return Spearman's rank correlation of a method's estimates with the accuracy by the labels; None without one."""
    pairs = [(outcome.estimate(method), outcome.realised) for outcome in outcomes]
    known = [(estimate, realised) for estimate, realised in pairs if estimate is not None]
    if len({estimate for estimate, _ in known}) < 2:
        return None
    return float(spearmanr(*zip(*known, strict=True)).statistic)
