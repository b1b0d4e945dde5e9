"""The interval with history and labels: what it covers, what it costs, and what it depends on."""

import math
from collections.abc import Callable

import numpy as np
import pytest

from plumbline.contract.accuracy import ProjectionEvidence
from plumbline.contract.quality import KnownMiss
from plumbline.contract.records import WindowBounds
from plumbline.drift.projection.refusals import Limits
from plumbline.drift.projection.wander import (
    KEPT_MISSES,
    LAST_MISSES,
    MIN_PAST_WINDOWS,
    NO_WANDER,
    Interval,
    Wander,
    interval_of,
    past_wander,
)
from plumbline.drift.reference.history import History, PastWindow
from plumbline.drift.statistics.proportion import NORMAL_QUANTILE
from tests.unit.drift.projection.worlds import Floats

DEVIATION = 0.009
ALONE = NORMAL_QUANTILE * DEVIATION


def known(misses: Floats) -> list[KnownMiss]:
    """Return misses of consecutive hours."""
    start = np.datetime64("2026-01-01T00:00:00")
    hours = [f"{start + np.timedelta64(hour, 'h')}Z" for hour in range(len(misses) + 1)]
    return [
        KnownMiss(window=WindowBounds(hours[place], hours[place + 1]), n_rows=2_000, miss=float(miss), half_width=ALONE)
        for place, miss in enumerate(misses)
    ]


def replayed(misses: Floats, late: int, past: Wander = NO_WANDER) -> tuple[float, float]:
    """Return coverage and mean half-width of windows whose labels come so many windows late."""
    windows, intervals = known(misses), []
    for place in range(len(windows)):
        before = windows[: max(place - late + 1, 0)][-KEPT_MISSES:]
        intervals.append(interval_of(DEVIATION**2, 0.0, past, before))
    covered = [
        abs(miss - one.correction) <= one.half_width for miss, one in zip(misses.tolist(), intervals, strict=True)
    ]
    return float(np.mean(covered)), float(np.mean([one.half_width for one in intervals]))


def history(misses: Floats, size: int = 1_000, half_width: float = ALONE) -> History:
    windows = tuple(
        PastWindow(start=str(place), end=str(place + 1), n_rows=size, miss=float(miss), half_width=half_width)
        for place, miss in enumerate(misses)
    )
    return History(time_column="t", start="0", end="1", n_rows=size * len(misses), windows={size: windows})


N, REPEATS = 60, 12
Course = Callable[[np.random.Generator], Floats]
COURSES: dict[str, Course] = {
    "noise": lambda random: random.normal(0, 0.03, N),
    "step": lambda random: np.where(np.arange(N) > N / 2, -0.08, 0.0),
    "walk": lambda random: np.cumsum(random.normal(0, 0.012, N)),
    "day": lambda random: 0.05 * np.sin(2 * np.pi * np.arange(N) / 24),
    "offset": lambda random: np.full(N, -0.06),
}


@pytest.mark.parametrize("course", COURSES)
def test_labels_one_window_late_keep_the_coverage_of_a_task_that_wanders(course: str) -> None:
    # 720 windows hang together; at 95 % about 3 points are three standard deviations of independent ones.
    found = []
    for repeat in range(REPEATS):
        random = np.random.default_rng([repeat, 3])
        found.append(replayed(COURSES[course](random) + random.normal(0, DEVIATION, N), late=1)[0])
    assert float(np.mean(found)) >= 0.92


@pytest.mark.parametrize("late", [1, 2])
def test_a_task_that_does_not_wander_keeps_coverage_and_half_width(late: int) -> None:
    # 1,440 independent windows: a fraction of 0.95 lies within 0.93 and 0.97 but once in 1,000 times.
    found = [
        replayed(np.random.default_rng([repeat, 5]).normal(0, DEVIATION, N), late) for repeat in range(2 * REPEATS)
    ]
    coverage, half_width = np.mean(np.array(found), axis=0)
    assert 0.93 <= coverage <= 0.97
    assert half_width / ALONE < 1.04


def test_what_the_past_wandered_widens_a_window_without_labels() -> None:
    # Twenty windows: the quantile is that of ten degrees of freedom, 2.23.
    past = past_wander(history(np.tile([0.05, -0.05], 10)), 2_000)
    beyond = 2.228 * math.sqrt(0.05**2 - DEVIATION**2)
    found = interval_of(DEVIATION**2, 0.0, past, [])
    assert found.half_width == pytest.approx(math.hypot(ALONE, beyond), rel=1e-3)
    assert found.half_widths.sampling == pytest.approx(ALONE)
    assert found.half_widths.history == pytest.approx(found.half_width - ALONE)
    assert (found.half_widths.feedback, found.correction) == (0.0, 0.0)


def test_a_past_that_did_not_wander_changes_no_interval() -> None:
    past = past_wander(history(np.random.default_rng(1).normal(0, DEVIATION, 40)), 2_000)
    assert past.is_known
    assert interval_of(DEVIATION**2, 0.004, past, []) == interval_of(DEVIATION**2, 0.004, NO_WANDER, [])


def test_the_error_of_the_rows_that_all_windows_are_projected_by_is_no_wandering() -> None:
    # Half of each miss's variance is one draw for all windows.
    random = np.random.default_rng(8)
    found = 0
    for _ in range(500):
        misses = (random.normal(0, 1) + random.normal(0, 1, 20)) * DEVIATION / math.sqrt(2)
        whole = history(misses, 1_000)
        assert whole.n_rows == 20_000
        found += past_wander(History(**{**vars(whole), "n_rows": 4_000}), 1_000).variance > 0
    # At a level of 1 %, 500 find more than 12 but once in 100 times.
    assert found <= 12


def test_the_sampling_of_small_windows_is_no_wandering_of_large_ones() -> None:
    random = np.random.default_rng(2)
    small = past_wander(history(random.normal(0, 5 * DEVIATION, 40), 200, 5 * ALONE), 20_000)
    assert interval_of(DEVIATION**2, 0.0, small, []).half_width == pytest.approx(ALONE)


def test_the_largest_windows_count_that_are_not_larger_and_of_which_there_are_enough() -> None:
    by_size = {
        200: history(np.full(30, 0.10), 200).windows[200],
        1_000: history(np.full(MIN_PAST_WINDOWS, 0.05), 1_000).windows[1_000],
        5_000: history(np.full(MIN_PAST_WINDOWS - 1, 0.01), 5_000).windows[5_000],
    }
    whole = History(time_column="t", start="0", end="1", n_rows=6_000, windows=by_size)
    for n_rows, expected in ((100, 0.10), (999, 0.10), (1_000, 0.05), (9_000, 0.05)):
        assert past_wander(whole, n_rows).variance == pytest.approx(expected**2 - DEVIATION**2)
    few = History(time_column="t", start="0", end="1", n_rows=6_000, windows={5_000: by_size[5_000]})
    assert past_wander(few, 9_000) == past_wander(None, 9_000) == NO_WANDER


def test_larger_misses_never_make_a_narrower_interval() -> None:
    widths = [
        interval_of(DEVIATION**2, 0.0, past_wander(history(size * np.tile([1.0, -1.0], 10)), 2_000), []).half_width
        for size in np.linspace(0, 0.2, 41)
    ]
    assert widths == sorted(widths)
    by_labels = [
        interval_of(DEVIATION**2, 0.0, NO_WANDER, known(size * np.tile([1.0, -1.0], 6))).half_width
        for size in np.linspace(0, 0.2, 41)
    ]
    assert by_labels == sorted(by_labels)


def test_misses_on_one_side_move_the_estimate_and_then_the_interval_is_narrower() -> None:
    past = past_wander(history(np.tile([0.08, -0.08], 10)), 2_000)
    without, found = (interval_of(DEVIATION**2, 0.0, past, misses) for misses in ([], known(np.full(12, -0.08))))
    assert -0.08 <= found.correction < -0.06
    assert found.half_widths.feedback < 0
    assert ALONE <= found.half_width < without.half_width
    assert found.half_widths.total == pytest.approx(found.half_width)


def test_misses_that_sampling_explains_move_nothing() -> None:
    found = interval_of(DEVIATION**2, 0.0, NO_WANDER, known(np.full(3, DEVIATION)))
    assert found == Interval(half_widths=found.half_widths, n_misses=3)
    assert found.half_width == pytest.approx(ALONE)


def test_a_window_that_was_missed_lowers_the_level() -> None:
    # The same last twelve misses; a jump before them was missed by the interval of its time.
    calm = np.tile([0.03, -0.03], 12)
    jump = calm.copy()
    jump[6:10] = [0.3, -0.3, 0.3, -0.3]
    without, after = (interval_of(DEVIATION**2, 0.0, NO_WANDER, known(misses)) for misses in (calm, jump))
    assert len(calm) - 10 > LAST_MISSES
    assert after.half_width > without.half_width


def test_nothing_but_the_misses_decides() -> None:
    misses = known(np.random.default_rng(4).normal(0, 0.04, KEPT_MISSES))
    first = interval_of(DEVIATION**2, 0.01, Wander(0.02**2, 8), misses)
    assert interval_of(DEVIATION**2, 0.01, Wander(0.02**2, 8), list(misses)) == first


NEAR, FAR = (
    ProjectionEvidence(separability=area, over_represented_fraction=part, out_of_support_fraction=part)
    for area, part in ((0.6, 0.0), (0.99, 0.6))
)


def test_distances_that_the_past_had_as_well_are_no_reason_to_refuse() -> None:
    limits = Limits()
    lifted = limits.covering([FAR], [])
    assert lifted.separability == lifted.over_represented_fraction == lifted.out_of_support_fraction == math.inf
    assert lifted.half_width == limits.half_width
    near = limits.covering([NEAR], [])
    assert (near.separability, near.over_represented_fraction) == (0.95, 0.2)
    assert near.calibration_error == math.inf
    assert limits.covering([], []) == limits


def test_three_windows_with_labels_cover_their_distance_and_two_do_not() -> None:
    limits = Limits()
    assert limits.covering([], [FAR, NEAR, FAR, NEAR]).separability == limits.separability
    assert limits.covering([], [FAR, NEAR, FAR, FAR]).separability == math.inf
    assert limits.covering([], [FAR, FAR]) == limits
