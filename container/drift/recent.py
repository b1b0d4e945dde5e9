"""The windows before this one as a second reference: what changed since then, whatever training looked like."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce

import numpy as np

from contract.reasons import Reason, ReasonCode, failure, joined
from contract.records import SWITCHED_OFF, RecentReport, WindowBounds
from drift.counts import NumericCounts, ValueCounts, summed
from drift.judgement import RunContext, Sample, judge
from drift.policy import Policy
from drift.sketch import bucketed
from drift.table import FeatureSpec
from drift.verdict import too_few


@dataclass(frozen=True, eq=False, kw_only=True)
class StoredWindow:
    """What a run leaves of its window for later ones: value counts, no rows.

    `same_model`: the model that answered it also answered the window that is judged; only then its probabilities are a
    reference.
    """

    bounds: WindowBounds
    n_rows: int
    specs: tuple[FeatureSpec, ...]
    columns: dict[str, ValueCounts]
    probabilities: ValueCounts
    same_model: bool = True


@dataclass(frozen=True, eq=False, kw_only=True)
class EarlierWindows:
    """The windows before this one that were found, of the `n_wanted` that were searched for; 0: no search.

    `skipped` has each file that could not be used, with why.
    """

    n_wanted: int = 0
    windows: tuple[StoredWindow, ...] = ()
    skipped: tuple[str, ...] = ()

    @property
    def n_rows(self) -> int:
        """Rows of all windows."""
        return sum(window.n_rows for window in self.windows)

    @property
    def notes(self) -> tuple[Reason, ...]:
        """What was not found."""
        missing = ReasonCode.EARLIER_WINDOWS_MISSING.reason(n_found=len(self.windows), n_wanted=self.n_wanted)
        found_all = len(self.windows) >= self.n_wanted
        skipped = (ReasonCode.EARLIER_FILE_SKIPPED.reason(file=file) for file in self.skipped)
        return (*(() if found_all else (missing,)), *skipped)


def judge_recent(
    specs: Sequence[FeatureSpec], earlier: EarlierWindows, window: Sample, context: RunContext
) -> RecentReport:
    """Judge the window against the earlier windows' counts, added up. It is a family of tests of its own."""
    if not earlier.n_wanted:
        return RecentReport(reason=SWITCHED_OFF)
    try:
        return _judged(specs, earlier, window, context)
    except Exception as error:
        # The verdict against training stands without this one.
        return RecentReport(reason=failure(error), n_windows=len(earlier.windows), n_rows=earlier.n_rows)


def _judged(specs: Sequence[FeatureSpec], earlier: EarlierWindows, window: Sample, context: RunContext) -> RecentReport:
    not_judged = context.not_judged or _refusal(earlier, context.policy)
    if not earlier.windows:
        return RecentReport(reason=joined(not_judged, *earlier.notes))
    of_model = [stored for stored in earlier.windows if stored.same_model]
    probabilities = merged([stored.probabilities for stored in of_model]) if of_model else None
    reference = Sample(
        columns={spec.name: merged([stored.columns[spec.name] for stored in earlier.windows]) for spec in specs},
        probabilities=probabilities if probabilities and probabilities.n_present else None,
        no_probabilities=(ReasonCode.NO_EARLIER_PREDICTIONS if of_model else ReasonCode.EARLIER_MODEL_DIFFERS).reason(),
    )
    outcome = judge(specs, reference, window, replace(context, not_judged=not_judged))
    return RecentReport(
        verdict=outcome.verdict,
        reason=joined(outcome.reason, *earlier.notes),
        n_windows=len(earlier.windows),
        n_rows=earlier.n_rows,
        features=outcome.features,
        prediction=outcome.prediction,
    )


def _refusal(earlier: EarlierWindows, policy: Policy) -> Reason | None:
    if not earlier.windows:
        return ReasonCode.NO_EARLIER_WINDOW.reason()
    few = too_few(earlier.n_rows, policy)
    return ReasonCode.EARLIER_WINDOWS_TOO_SMALL.reason(rows=few) if few else None


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
