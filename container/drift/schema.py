"""Whether a column of the window is what the baseline says it is: there at all, and of its type."""

from dataclasses import dataclass

from contract.records import Violation
from contract.training import finite_number
from drift.counts import NumericCounts, ValueCounts

FEWEST_LABELS = 20
"""Fewer labels that all read as numbers say nothing: some labels of an ordinary column may."""


@dataclass(frozen=True)
class SchemaFinding:
    """A broken column: which check it fails, and why."""

    violation: Violation
    reason: str


def schema_finding(reference: ValueCounts, window: ValueCounts | None) -> SchemaFinding | None:
    """Return what is wrong with a column of the window, or None.

    It is missing when no row names it. Its type changed when more of its cells are unreadable than can be read, or
    when all labels (20 at least) are numbers and fewer than half of the reference's are.
    """
    if window is None or (window.n_rows and window.n_absent == window.n_rows):
        return SchemaFinding(Violation.MISSING_COLUMN, "no row of the window names it")
    if window.n_unreadable > window.n_present:
        share = window.n_unreadable / (window.n_unreadable + window.n_present)
        return SchemaFinding(Violation.DATA_TYPE, f"{100 * share:.0f} % of its values cannot be read")
    if isinstance(reference, NumericCounts) or window.n_present < FEWEST_LABELS or not reference.n_present:
        return None
    if _numeric_cells(window) < window.n_present or 2 * _numeric_cells(reference) >= reference.n_present:
        return None
    return SchemaFinding(Violation.DATA_TYPE, "all of its labels are numbers, and most of the reference's are not")


def _numeric_cells(labels: ValueCounts) -> int:
    """Return how many cells hold a label that reads as a number."""
    return sum(
        number
        for label, number in zip(labels.values.tolist(), labels.counts.tolist(), strict=True)
        if finite_number(label) is not None
    )
