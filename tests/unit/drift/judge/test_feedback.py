"""Known misses from run to run: each window once, and never its own."""

from dataclasses import replace

import pytest

from plumbline.contract.quality import KnownMiss, QualityReport, WindowQuality
from plumbline.contract.records import WindowBounds
from plumbline.drift.judge.feedback import kept_misses, misses_before
from plumbline.drift.projection.wander import KEPT_MISSES


def hour(number: int, miss: float = 0.0) -> KnownMiss:
    day, of_day = divmod(number, 24)
    start, end = (f"2026-01-{day + 1:02}T{of_day:02}:{minutes}:00Z" for minutes in ("00", "59"))
    return KnownMiss(window=WindowBounds(start, end), n_rows=500, miss=miss, half_width=0.02)


def judged(*misses: KnownMiss | None) -> QualityReport:
    nothing = WindowQuality(window=WindowBounds(), n_rows=0, n_labelled=0, labelled_fraction=None, is_final=False)
    return QualityReport(reason=None, windows=tuple(replace(nothing, miss=miss) for miss in misses))


def test_a_window_that_is_judged_again_counts_once_with_its_latest_figure() -> None:
    found = kept_misses([hour(1, 0.1), hour(2, 0.2)], judged(hour(2, 0.3), None, hour(3, 0.4)))
    assert [one.miss for one in found] == [0.1, 0.3, 0.4]


def test_misses_are_in_order_of_time_and_the_oldest_go() -> None:
    found = kept_misses([hour(number) for number in range(KEPT_MISSES + 5, 0, -1)], judged(hour(0)))
    assert [*found] == [hour(number) for number in range(6, KEPT_MISSES + 6)]


@pytest.mark.parametrize(("number", "n_known"), [(0, 0), (1, 1), (2, 2), (9, 3)])
def test_a_window_is_projected_with_what_ended_before_it(number: int, n_known: int) -> None:
    known = kept_misses([], judged(hour(0), hour(1), hour(2)))
    assert misses_before(known, hour(number).window) == known[:n_known]


def test_of_a_window_without_times_every_other_one_is_before() -> None:
    known = kept_misses([], judged(hour(0), hour(1)))
    assert misses_before(known, WindowBounds()) == known
