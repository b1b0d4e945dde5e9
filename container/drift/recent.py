"""The windows before this one as a second reference: what changed since then, whatever training looked like."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce

import numpy as np

from contract.records import SWITCHED_OFF, RecentReport, WindowBounds
from drift.counts import NumericCounts, ValueCounts, summed
from drift.judgement import RunContext, Side, failure, judge
from drift.policy import Policy
from drift.sketch import bucketed
from drift.table import FeatureSpec
from drift.verdict import too_few


@dataclass(frozen=True, eq=False, kw_only=True)
class StoredWindow:
    """What a run leaves of its window for later ones: value counts, no rows.

    `same_model` says that the model which answered it also answered the window that is judged: only then its
    probabilities are a reference.
    """

    bounds: WindowBounds
    n_rows: int
    specs: tuple[FeatureSpec, ...]
    columns: dict[str, ValueCounts]
    probabilities: ValueCounts
    same_model: bool = True


@dataclass(frozen=True, eq=False, kw_only=True)
class EarlierWindows:
    """The windows before this one that were found, of the `n_wanted` that were looked for; 0: none were.

    `skipped` says of each file that could not be used which it was, and why.
    """

    n_wanted: int = 0
    windows: tuple[StoredWindow, ...] = ()
    skipped: tuple[str, ...] = ()

    @property
    def n_rows(self) -> int:
        """Rows of all windows."""
        return sum(window.n_rows for window in self.windows)

    @property
    def note(self) -> str:
        """What was not found, or an empty text."""
        parts = [f"{len(self.windows)} of {self.n_wanted} earlier windows"] * (len(self.windows) < self.n_wanted)
        return "; ".join([*parts, *(f"skipped {file}" for file in self.skipped)])


def judge_recent(
    specs: Sequence[FeatureSpec], earlier: EarlierWindows, window: Side, context: RunContext
) -> RecentReport:
    """Judge the window against the earlier windows' counts, added up. It is a family of tests of its own."""
    if not earlier.n_wanted:
        return RecentReport(reason=SWITCHED_OFF)
    try:
        return _judged(specs, earlier, window, context)
    except Exception as error:
        # The verdict against training stands without this one.
        return RecentReport(reason=failure(error), n_windows=len(earlier.windows), n_rows=earlier.n_rows)


def _judged(specs: Sequence[FeatureSpec], earlier: EarlierWindows, window: Side, context: RunContext) -> RecentReport:
    refused = context.not_judged or _refusal(earlier, context.policy)
    if not earlier.windows:
        return RecentReport(reason="; ".join(text for text in (refused, earlier.note) if text))
    of_model = [stored for stored in earlier.windows if stored.same_model]
    probabilities = merged([stored.probabilities for stored in of_model]) if of_model else None
    reference = Side(
        columns={spec.name: merged([stored.columns[spec.name] for stored in earlier.windows]) for spec in specs},
        probabilities=probabilities if probabilities and probabilities.n_present else None,
        why_not=(
            "no predictions were captured in the earlier windows"
            if of_model
            else "another model answered the earlier windows"
        ),
    )
    outcome = judge(specs, reference, window, replace(context, not_judged=refused or None))
    return RecentReport(
        verdict=outcome.verdict,
        reason="; ".join(text for text in (outcome.reason, earlier.note) if text),
        n_windows=len(earlier.windows),
        n_rows=earlier.n_rows,
        features=outcome.features,
        prediction=outcome.prediction,
    )


def _refusal(earlier: EarlierWindows, policy: Policy) -> str:
    if not earlier.windows:
        return "no earlier window left its counts"
    few = too_few(earlier.n_rows, policy)
    return f"the earlier windows have {few}" if few else ""


def merged(parts: Sequence[ValueCounts]) -> ValueCounts:
    """Return the counts of all parts together, in whatever order they come.

    Where one part has its numbers in buckets, the others' go into the same buckets.

    Raises
    ------
    ValueError
        If there is no part.
    """
    if not parts:
        raise ValueError("counts to merge must be at least one, got none")
    if any(isinstance(part, NumericCounts) and part.relative_error is not None for part in parts):
        parts = [bucketed(part) if isinstance(part, NumericCounts) else part for part in parts]
    return reduce(_sum, parts)


def _sum(one: ValueCounts, other: ValueCounts) -> ValueCounts:
    values, counts = summed(np.concatenate([one.values, other.values]), np.concatenate([one.counts, other.counts]))
    unreadable = {
        reason: one.unreadable.get(reason, 0) + other.unreadable.get(reason, 0)
        for reason in sorted({*one.unreadable, *other.unreadable})
    }
    return replace(
        one,
        values=values,
        counts=counts,
        n_missing=one.n_missing + other.n_missing,
        unreadable=unreadable,
        n_absent=one.n_absent + other.n_absent,
    )
