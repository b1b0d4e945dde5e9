"""Figures over many windows."""

from collections.abc import Callable, Collection, Iterable, Sequence

import numpy as np
from scipy.stats import spearmanr

from contract.verdicts import Verdict
from studies.accuracy.cases import Family
from studies.accuracy.methods import Method
from studies.accuracy.outcomes import Bounded, Outcome

FAR_OFF = 0.03
"""An estimate that is off by more misleads."""
CLEAR_DROP = 0.03
"""A drop that an alarm is wanted for."""
VALID = (Family.NONE, Family.COVARIATE)
"""Where the assumption of the projection holds."""

Outcomes = Sequence[Outcome]


def of(
    outcomes: Iterable[Outcome],
    *,
    families: Collection[Family] = tuple(Family),
    subjects: Collection[str] | None = None,
    n_rows: int | None = None,
) -> list[Outcome]:
    """Return the windows of some families, subjects and sizes; None: of all."""
    return [
        outcome
        for outcome in outcomes
        if outcome.family in families
        and (subjects is None or outcome.subject in subjects)
        and n_rows in (None, outcome.n_rows)
    ]


def kept(outcomes: Iterable[Outcome]) -> list[Outcome]:
    """Return the windows that the product does not refuse."""
    return [outcome for outcome in outcomes if not outcome.refused]


def refused(outcomes: Iterable[Outcome]) -> list[Outcome]:
    """Return the windows that the product refuses."""
    return [outcome for outcome in outcomes if outcome.refused]


def mean(values: Iterable[float | None]) -> float | None:
    """Return the mean of the values that are there; None where none is."""
    present = [value for value in values if value is not None]
    return float(np.mean(present)) if present else None


def error(outcomes: Iterable[Outcome], method: Method) -> float | None:
    """Return a method's mean absolute error, 0..1."""
    return mean(outcome.error(method) for outcome in outcomes)


def covered(figures: Iterable[Bounded]) -> tuple[int, int]:
    """Return how many intervals hold what the labels say, and how many there are."""
    found = [figure.is_covered for figure in figures if figure.is_covered is not None]
    return sum(found), len(found)


def half_width(outcomes: Iterable[Outcome]) -> float | None:
    """Return the mean half-width of the accuracy's interval, 0..1."""
    figures = [outcome.accuracy for outcome in outcomes]
    return mean(
        (figure.upper - figure.lower) / 2 for figure in figures if figure.upper is not None and figure.lower is not None
    )


def counted(outcomes: Iterable[Outcome], holds: Callable[[Outcome], bool]) -> tuple[int, int]:
    """Return of how many windows something holds, and how many there are."""
    found = [holds(outcome) for outcome in outcomes]
    return sum(found), len(found)


def alarms(outcomes: Iterable[Outcome]) -> tuple[int, int]:
    """Return in how many windows the product says that the accuracy dropped, and how many there are."""
    return counted(outcomes, lambda outcome: outcome.verdict is Verdict.DRIFT)


def is_far_off(outcome: Outcome) -> bool:
    """Return whether the product's estimate, refused or not, misleads."""
    found = outcome.error(Method.PLUMBLINE)
    return found is not None and found > FAR_OFF


def is_named_by_labels(outcome: Outcome) -> bool:
    """Return whether labels show a label shift or a concept shift."""
    return Verdict.DRIFT in outcome.after.values()


def rank_correlation(outcomes: Outcomes, method: Method) -> float | None:
    """Return Spearman's rank correlation of a method's estimates with what the labels say; None where it has none."""
    pairs = [(outcome.estimate(method), outcome.realised) for outcome in outcomes]
    known = [(estimate, realised) for estimate, realised in pairs if estimate is not None]
    if len({estimate for estimate, _ in known}) < 2:
        return None
    return float(spearmanr(*zip(*known, strict=True)).statistic)
