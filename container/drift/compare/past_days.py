"""How far the days of the past lie from the reference, beyond chance: what the test over windows takes for no news."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from plumbline.contract.statistics import FeatureType
from plumbline.contract.training import PROBABILITY_COLUMN
from plumbline.drift.data.counts import NumericCounts, ValueCounts, count
from plumbline.drift.reference.baseline import Baseline
from plumbline.drift.reference.history import HistoryRows
from plumbline.drift.statistics.series import means_of, series_of

ENOUGH_DAYS = 14
"""Two weeks: with fewer, a weekend is no rhythm yet."""
MAX_DAYS = 400
"""The last ones, a year and more."""
_LEAST_FRACTION = 0.5
"""Of the rows of a day in the middle, which a day must have: the past may begin and end within a day."""
_DATE = len("2026-01-31")


def past_days(baseline: Baseline, rows: HistoryRows) -> dict[str, dict[str, float]]:
    """Return the variance of the days' means about the reference's, by feature and series, less what chance makes.

    The prediction is under `PROBABILITY_COLUMN`. A series whose days lie no farther off than by chance is left out, and
    so is everything of a past of fewer than `ENOUGH_DAYS` days (UTC).
    """
    days = _days(rows.times)
    if len(days) < ENOUGH_DAYS:
        return {}
    found = {
        name: _variances(reference, kind, column, days) for name, kind, reference, column in _columns(baseline, rows)
    }
    return {name: variances for name, variances in found.items() if variances}


def _days(times: Sequence[str]) -> list[slice]:
    """Return the rows of each day; times are in order."""
    numbers = list(Counter(time[:_DATE] for time in times).values())
    ends = list(accumulate(numbers))
    least = _LEAST_FRACTION * float(np.median(numbers))
    days = [slice(end - number, end) for number, end in zip(numbers, ends, strict=True) if number >= least]
    return days[-MAX_DAYS:]


def _columns(
    baseline: Baseline, rows: HistoryRows
) -> Iterator[tuple[str, FeatureType, ValueCounts, NDArray[np.float64] | NDArray[np.object_]]]:
    for spec in baseline.specs:
        if spec.unjudged is None:
            yield spec.name, spec.type, baseline.counts[spec.name], rows.table.columns[spec.name]
    test = baseline.test.probabilities if baseline.test else None
    if test is not None and np.isfinite(rows.probabilities).any():
        yield PROBABILITY_COLUMN, FeatureType.NUMERIC, NumericCounts.of(test), rows.probabilities


def _variances(
    reference: ValueCounts,
    kind: FeatureType,
    column: NDArray[np.float64] | NDArray[np.object_],
    days: Sequence[slice],
) -> dict[str, float]:
    series = series_of(reference)
    means = [means_of(reference, count(kind, column[day]), series) for day in days]
    variances = {}
    for one, of_days in zip(series, zip(*means, strict=True), strict=True):
        known = [day for day in of_days if day.n_rows]
        excess = [(day.mean - one.mean) ** 2 - one.deviation**2 / day.n_rows for day in known]
        if excess and (variance := float(np.mean(excess))) > 0:
            variances[one.name] = variance
    return variances
