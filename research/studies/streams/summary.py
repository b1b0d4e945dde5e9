"""Figures over many windows of streams."""

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol, TypeVar

import numpy as np

from plumbline.contract.reasons import ReasonCode
from plumbline.contract.verdicts import Verdict
from research.studies.streams.outcomes import CLEAR_DROP, SMALL_DROP, Bounded, RunMode, StreamOutcome


class Judged(Protocol):
    """A window whose truth is known."""

    @property
    def loss(self) -> float:
        """By how much the accuracy fell below that of the test set."""


J = TypeVar("J", bound=Judged)
Outcomes = Sequence[StreamOutcome]
Counted = tuple[int, int]
"""Of how many windows something holds, and how many there are."""


def in_mode(outcomes: Outcomes, mode: RunMode) -> list[StreamOutcome]:
    """Return the windows as judged in one mode."""
    return [one for one in outcomes if one.mode == mode]


def stands(outcomes: Iterable[J]) -> list[J]:
    """Return the windows whose accuracy stands: it fell by less than `SMALL_DROP`, or rose."""
    return [one for one in outcomes if one.loss < SMALL_DROP]


def fell(outcomes: Iterable[J]) -> list[J]:
    """Return the windows whose accuracy fell by `CLEAR_DROP` or more."""
    return [one for one in outcomes if one.loss >= CLEAR_DROP]


def between(outcomes: Iterable[J]) -> list[J]:
    """Return the windows that are neither."""
    return [one for one in outcomes if SMALL_DROP <= one.loss < CLEAR_DROP]


def counted(outcomes: Iterable[J], holds: Callable[[J], bool]) -> Counted:
    """Return of how many windows something holds, and how many there are."""
    found = [holds(one) for one in outcomes]
    return sum(found), len(found)


def drifts(outcomes: Iterable[StreamOutcome], what: Callable[[StreamOutcome], Verdict]) -> Counted:
    """Return of how many windows a verdict is drift, and how many there are."""
    return counted(outcomes, lambda one: what(one) is Verdict.DRIFT)


def estimated(outcomes: Iterable[StreamOutcome]) -> list[StreamOutcome]:
    """Return the windows whose accuracy was projected."""
    return [one for one in outcomes if one.figure.value is not None]


def refused(outcomes: Iterable[StreamOutcome]) -> list[StreamOutcome]:
    """Return the windows whose projection was refused."""
    return [one for one in outcomes if one.figure.value is None]


def covered(figures: Iterable[tuple[Bounded, float]]) -> Counted:
    """Return how many intervals hold the realised accuracy that comes with them, and how many there are."""
    found = [figure.holds(realised) for figure, realised in figures if figure.lower is not None]
    return sum(found), len(found)


def mean(values: Iterable[float | None]) -> float | None:
    """Return the mean of the values that are there; None where none is."""
    present = [value for value in values if value is not None]
    return float(np.mean(present)) if present else None


def is_rightly_refused(outcome: StreamOutcome) -> bool:
    """Return whether the interval that the refusal withheld would not have held the realised accuracy."""
    withheld = outcome.withheld
    return withheld is None or withheld.lower is None or not withheld.holds(outcome.realised)


def is_unexplained(outcome: StreamOutcome) -> bool:
    """Return whether labels showed a loss whose cause the product does not name, and said so."""
    return outcome.concept_code == ReasonCode.CAUSE_NOT_IDENTIFIED
