"""Windows of worlds that did not change: clumps of rows, nights and weekends, judged with and without their past.

Each bound is exceeded with a probability below 1 in 100 by verdicts that are drift in 5 % of windows (binomial).
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from numpy.typing import NDArray

from plumbline.contract.records import Verdict, WindowBounds
from plumbline.contract.statistics import FeatureType
from plumbline.drift.compare import past
from plumbline.drift.compare.past import past_changes
from plumbline.drift.data.counts import NumericCounts
from plumbline.drift.data.table import FeatureSpec, Table
from plumbline.drift.data.times import format_time
from plumbline.drift.judge.comparison import RunContext, Sample, judge
from plumbline.drift.judge.past import Past
from plumbline.drift.reference.baseline import Baseline
from plumbline.drift.reference.history import History, HistoryRows, PastWindow, window_bounds_of
from plumbline.drift.settings.policy import Policy

SPECS = tuple(FeatureSpec(name, FeatureType.NUMERIC) for name in ("age", "pay", "hours"))
MONDAY = datetime(2026, 1, 5, tzinfo=UTC)
SIZE = 200
"""Rows of a window."""
Rows = NDArray[np.float64]
Draw = Callable[[np.random.Generator, int], Rows]


def clump(random: np.random.Generator, _: int) -> Rows:
    """Return a day whose rows are alike: nothing tells how its successor is."""
    return random.normal(size=(SIZE, 3)) + 0.4 * random.normal(size=3)


def hour(random: np.random.Generator, number: int, shift: float = 0.0) -> Rows:
    """Return an hour of a town that is old at noon and young at night."""
    rows = random.normal(size=(SIZE, 3))
    rows[:, 0] += 0.5 * np.sin(2 * np.pi * number / 24) + shift
    return rows


def day(random: np.random.Generator, number: int) -> Rows:
    """Return a day that is otherwise at weekends."""
    rows = random.normal(size=(SIZE, 3))
    rows[:, 1] += 0.5 * (number % 7 in (5, 6))
    return rows


def columns(rows: Rows) -> dict[str, Rows]:
    return {spec.name: rows[:, place] for place, spec in enumerate(SPECS)}


def counts(rows: Rows) -> dict[str, NumericCounts]:
    return {name: NumericCounts.of(column) for name, column in columns(rows).items()}


def bounds(number: int, hours: int) -> WindowBounds:
    start = MONDAY + number * timedelta(hours=hours)
    return WindowBounds(format_time(start), format_time(start + timedelta(hours=hours)))


def learned(windows: Sequence[Rows], hours: int) -> tuple[Baseline, History]:
    rows = np.concatenate(windows)
    known = Baseline(target_label="y", positive_label="1", n_rows=len(rows), specs=SPECS, counts=counts(rows))
    times = [str(bounds(number, hours).start) for number in range(len(windows)) for _ in range(SIZE)]
    kept = HistoryRows(
        table=Table(SPECS, columns(rows)),
        times=times,
        labels=("0",) * len(rows),
        probabilities=np.full(len(rows), np.nan),
    )
    places = window_bounds_of(len(rows), SIZE)
    found = tuple(
        PastWindow(
            start=times[one.start],
            end=str(bounds(one.start // SIZE, hours).end),
            n_rows=SIZE,
            changes=changes,
        )
        for one, (changes, _) in zip(places, past_changes(known, kept, places, seed=0), strict=True)
    )
    return known, History(time_column="t", start=times[0], end=times[-1], n_rows=len(rows), windows={SIZE: found})


def drifts(known: Baseline, history: History | None, rows: Rows, times: WindowBounds) -> bool:
    held = Past.like(history, SIZE, times)
    thresholds = held.thresholds(SPECS, Policy()) if held else {}
    sides = Sample(columns=known.counts, past=thresholds), Sample(columns=counts(rows))
    return judge(SPECS, *sides, RunContext(policy=Policy())).verdict is Verdict.DRIFT


def studied(
    draw: Draw, n_past: int, hours: int, chosen: Callable[[int], bool] = lambda _: True
) -> tuple[int, int, int]:
    """Return the alarms without and with the past, and of how many windows."""
    without = within = n_windows = 0
    for seed in range(2):
        random = np.random.default_rng(seed)
        known, history = learned([draw(random, number) for number in range(n_past)], hours)
        for number in filter(chosen, range(n_past, n_past + 70)):
            rows, times = draw(random, number), bounds(number, hours)
            without += drifts(known, None, rows, times)
            within += drifts(known, history, rows, times)
            n_windows += 1
            if n_windows % 25 == 0:
                break
    return without, within, n_windows


@pytest.fixture(autouse=True)
def no_classifier(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(past, "MAX_SEPARATED", 0)


@pytest.mark.parametrize(
    ("draw", "n_past", "hours", "chosen"),
    [
        (clump, 40, 24, lambda _: True),
        (hour, 24 * 10, 1, lambda _: True),
        (day, 7 * 15, 24, lambda number: number % 7 in (5, 6)),
    ],
    ids=["clumps", "day and night", "weekends"],
)
def test_what_the_past_shows_alarms_in_few_windows(
    draw: Draw, n_past: int, hours: int, chosen: Callable[[int], bool]
) -> None:
    without, within, n_windows = studied(draw, n_past, hours, chosen)
    assert without > n_windows / 3
    # Of 40 to 50 windows 8 or more are drift with a probability of 0.1 to 0.4 %, were 5 % so.
    assert within <= 7


def test_shift_beyond_the_rhythm_is_found() -> None:
    random = np.random.default_rng(9)
    known, history = learned([hour(random, number) for number in range(24 * 10)], 1)
    moved = [drifts(known, history, hour(random, number, 1.0), bounds(number, 1)) for number in range(240, 264)]
    # At the hours that are always younger, a shift to the middle is none.
    assert sum(moved) >= 12
