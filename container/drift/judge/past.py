"""What the task's own past shows between its windows, as thresholds: no feature drifts that moves as it always did."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Self

import numpy as np
from numpy.typing import NDArray

from plumbline.contract.reasons import Reason, ReasonCode
from plumbline.contract.records import WindowBounds
from plumbline.contract.statistics import EffectMeasure, FeatureType
from plumbline.contract.thresholds import DEFAULT_EFFECT_THRESHOLDS
from plumbline.contract.training import PROBABILITY_COLUMN
from plumbline.drift.data.table import FeatureSpec
from plumbline.drift.data.times import DAY, HOUR, parse_time
from plumbline.drift.reference.baseline import Baseline
from plumbline.drift.reference.history import ENOUGH_WINDOWS, History, PastWindow
from plumbline.drift.settings.policy import Policy

LEVEL = 0.05
"""Fraction of windows like those of the past in which anything exceeds its threshold: windows, not features."""
SCALE_QUANTILE = 0.9
"""Of a feature's own changes between past windows: its scale. Not the median, which says little of the changes that
decide: of a feature with two values chance alone makes four times the median, of one with ten bins less than twice."""
MAX_RHYTHM_SPAN = 6 * HOUR
"""Longest windows that have an hour of the day."""
MAX_HOURS_APART = 3
"""Hours of the day that still count as one, where the nearer ones have too few windows."""
MAX_SPAN_RATIO = 2.0
"""A past window may be so many times as long as the one judged: a longer one evens out what a short one shows."""


MISSING = "missing fraction"
OUT_OF_RANGE = "out-of-range fraction"
SEPARABILITY = "area under the curve"


@dataclass(frozen=True, kw_only=True)
class PastThresholds:
    """Thresholds of one feature, or of the prediction: what is above them is more than its past shows.

    `changes` has one by effect measure, in its unit, and those of `MISSING` and `OUT_OF_RANGE`, 0 to 1; of a change
    that has none the past shows nothing. `windows` are those that set them, in words.
    """

    changes: Mapping[str, float]
    windows: Reason

    @property
    def note(self) -> Reason:
        """That a change exceeds them."""
        return ReasonCode.BEYOND_PAST.reason(windows=self.windows)

    def within(self, what: str, value: float) -> Reason | None:
        """Return the reason why a change is no news; None: it is."""
        threshold = self.changes.get(what)
        if threshold is None or value > threshold:
            return None
        return ReasonCode.WITHIN_PAST.reason(
            what=what.words if isinstance(what, EffectMeasure) else what,
            value=value,
            threshold=threshold,
            windows=self.windows,
        )


@dataclass(frozen=True, eq=False, kw_only=True)
class Past:
    """The windows of the past that one window is held against.

    `windows` are of one size, and of the window's hour of day and kind of day where those are enough; `rhythm` says so
    in words, and is empty where it is all of them. `are_as_large`: they have more than half of the window's rows,
    so that what chance makes of them is no change that the window could show.
    """

    windows: tuple[PastWindow, ...]
    rhythm: str = ""
    are_as_large: bool = False

    @classmethod
    def like(cls, history: History | None, n_rows: int, bounds: WindowBounds) -> Self | None:
        """Return the past of a window of `n_rows` rows; None where nothing is known of it.

        They are the largest windows that have no more rows, take no more than twice as long, and of which there are
        `ENOUGH_WINDOWS`; of no size enough, the smallest. Smaller windows differ more by chance, so that nothing is
        called new for want of rows.
        """
        known = {} if history is None else {size: some for size, some in history.windows.items() if some}
        if not known:
            return None
        span = _span(bounds.start, bounds.end)
        fitting = [
            size
            for size, windows in known.items()
            if size <= n_rows and len(windows) >= ENOUGH_WINDOWS and _is_short_enough(windows, span)
        ]
        windows = known[max(fitting)] if fitting else known[min(known)]
        chosen, rhythm = _of_same_rhythm(windows, bounds)
        return cls(windows=chosen, rhythm=rhythm, are_as_large=2 * chosen[0].n_rows > n_rows)

    @property
    def words(self) -> Reason:
        """Which windows set the thresholds."""
        return _words(self.windows, self.rhythm)

    def thresholds(self, specs: Sequence[FeatureSpec], policy: Policy) -> Mapping[str, PastThresholds]:
        """Return the thresholds of every feature that is judged, and of the prediction under `PROBABILITY_COLUMN`.

        Each change has a scale of its own: the 90 % quantile of those between past windows, half of the policy's
        threshold at least. Of a past window the largest change counts, in its scales, among those that reach the
        policy's thresholds; what does not reach them, or what chance reaches, drifts in no window, and is 0. The 95 %
        conformal quantile of that over the past windows, 1 at least, times a scale is the threshold: a further window
        like them exceeds any in at most one of 20, however many features there are. With fewer windows than that takes,
        it is the largest.
        """
        kinds = list(_kinds(specs, policy))
        changes = np.array(
            [[kind.change(window, beyond_chance=self.are_as_large) for kind in kinds] for window in self.windows]
        )
        reached = np.array([kind.threshold for kind in kinds])
        scales = np.maximum(np.quantile(changes, SCALE_QUANTILE, axis=0), reached / 2)
        ratios = np.where(changes >= reached, changes / scales, 0.0).max(axis=1, initial=0.0)
        limits = dict(zip(kinds, (max(conformal_quantile(ratios), 1.0) * scales).tolist(), strict=True))
        return {
            name: PastThresholds(
                changes={kind.what: limit for kind, limit in limits.items() if kind.name == name}, windows=self.words
            )
            for name in dict.fromkeys(kind.name for kind in kinds)
        }

    @property
    def of_rows(self) -> PastThresholds | None:
        """The threshold of `SEPARABILITY`; None where no window of the past has one."""
        separated = [window for window in self.windows if window.separability is not None]
        if not separated:
            return None
        limit = conformal_quantile(np.array([window.separability for window in separated]))
        return PastThresholds(changes={SEPARABILITY: limit}, windows=_words(separated, self.rhythm))


def _words(windows: Sequence[PastWindow], rhythm: str) -> Reason:
    code = ReasonCode.PAST_WINDOWS if len(windows) >= ENOUGH_WINDOWS else ReasonCode.PAST_TOO_SHORT
    return code.reason(n_windows=len(windows), n_rows=windows[0].n_rows, rhythm=rhythm, enough=ENOUGH_WINDOWS)


def past_thresholds(baseline: Baseline, n_rows: int, bounds: WindowBounds, policy: Policy) -> dict[str, PastThresholds]:
    """Return what changes of `n_rows` rows must exceed, by feature; empty where the baseline knows of no past."""
    past = Past.like(baseline.history, n_rows, bounds)
    return dict(past.thresholds(baseline.specs, policy)) if past else {}


@dataclass(frozen=True)
class _Kind:
    """One change of one feature, and the policy's threshold of it."""

    name: str
    what: str
    threshold: float

    def change(self, window: PastWindow, *, beyond_chance: bool) -> float:
        """Return the change between a window and the rest of the past; 0 where it has none, or where it is chance."""
        found = window.changes.get(self.name)
        if found is None:
            return 0.0
        if self.what in (MISSING, OUT_OF_RANGE):
            return found.missing_fraction if self.what == MISSING else found.out_of_range_fraction
        distance = found.effects.get(EffectMeasure.JENSEN_SHANNON_DISTANCE, 0.0)
        if beyond_chance and self.what != EffectMeasure.WASSERSTEIN_DISTANCE and distance < found.null_q99_distance:
            return 0.0
        return found.effects.get(EffectMeasure(self.what), 0.0)


def _kinds(specs: Sequence[FeatureSpec], policy: Policy) -> Iterator[_Kind]:
    prediction = FeatureSpec(PROBABILITY_COLUMN, FeatureType.NUMERIC)
    for spec in (*specs, prediction):
        rule = policy.rule(None if spec is prediction else spec.name, spec.type)
        if rule.unjudged:
            continue
        yield _Kind(spec.name, rule.effect_measure, rule.effect_threshold)
        if spec is not prediction:
            yield _Kind(spec.name, MISSING, policy.missing_values_threshold)
        if spec.type is FeatureType.NUMERIC:
            yield _Kind(spec.name, OUT_OF_RANGE, policy.out_of_range_threshold)
            if rule.effect_measure is not EffectMeasure.WASSERSTEIN_DISTANCE:
                measure = EffectMeasure.WASSERSTEIN_DISTANCE
                yield _Kind(spec.name, measure, DEFAULT_EFFECT_THRESHOLDS[measure])


def conformal_quantile(values: NDArray[np.float64]) -> float:
    """Return what one more value like these exceeds with a probability of `LEVEL` at most.

    It is their k-th smallest with ``k = ceil((n + 1) (1 - LEVEL))``; the largest where there are too few for that.

    References
    ----------
    V. Vovk, A. Gammerman, G. Shafer, "Algorithmic Learning in a Random World" (2005).

    Examples
    --------
    >>> conformal_quantile(np.arange(1.0, 40.0))
    38.0
    """
    rank = math.ceil((len(values) + 1) * (1 - LEVEL) * (1 - 1e-12))
    return float(np.sort(values)[min(rank, len(values)) - 1])


def _of_same_rhythm(windows: tuple[PastWindow, ...], bounds: WindowBounds) -> tuple[tuple[PastWindow, ...], str]:
    """Return the windows of the same hour and kind of day, or of as much of that as enough of them have."""
    span = _span(bounds.start, bounds.end)
    if span is None or span > DAY or not _is_short_enough(windows, DAY / MAX_SPAN_RATIO):
        return windows, ""
    hourly = max(span, _median_span(windows)) <= MAX_RHYTHM_SPAN
    own = _middle(bounds.start, bounds.end)
    middles = [_middle(window.start, window.end) for window in windows]
    for words, is_like in _rhythms(own, hourly=hourly):
        chosen = tuple(window for window, middle in zip(windows, middles, strict=True) if is_like(middle))
        if len(chosen) >= ENOUGH_WINDOWS:
            return chosen, words
    return windows, ""


def _rhythms(own: datetime, *, hourly: bool) -> Iterator[tuple[str, Callable[[datetime], bool]]]:
    kind = "weekends" if _is_weekend(own) else "weekdays"
    apart = range(MAX_HOURS_APART + 1 if hourly else 0)
    for hours in apart:
        near = f" within {hours} h of {own:%H} h UTC" if hours else f" at {own:%H} h UTC"
        yield f"{near} on {kind}", partial(_is_like, own=own, hours=hours, same_kind=True)
    for hours in apart:
        near = f" within {hours} h of {own:%H} h UTC" if hours else f" at {own:%H} h UTC"
        yield near, partial(_is_like, own=own, hours=hours, same_kind=False)
    yield f" on {kind}", partial(_is_like, own=own, hours=24, same_kind=True)


def _is_like(one: datetime, *, own: datetime, hours: int, same_kind: bool) -> bool:
    return _hours_apart(one, own) <= hours and (not same_kind or _is_weekend(one) == _is_weekend(own))


def _hours_apart(one: datetime, other: datetime) -> int:
    apart = abs(one.hour - other.hour)
    return min(apart, 24 - apart)


def _is_weekend(moment: datetime) -> bool:
    return moment.weekday() >= 5


def _span(start: str | None, end: str | None) -> timedelta | None:
    return None if start is None or end is None else parse_time(end) - parse_time(start)


def _middle(start: str | None, end: str | None) -> datetime:
    first = parse_time(start or "")
    return first + (parse_time(end or "") - first) / 2


def _median_span(windows: Sequence[PastWindow]) -> timedelta:
    spans = sorted(parse_time(window.end) - parse_time(window.start) for window in windows)
    return spans[len(spans) // 2]


def _is_short_enough(windows: Sequence[PastWindow], span: timedelta | None) -> bool:
    return span is None or _median_span(windows) <= MAX_SPAN_RATIO * span
