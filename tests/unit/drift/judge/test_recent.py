import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from plumbline.contract.records import FeatureType, RecordCounts, Verdict, WindowBounds
from plumbline.drift.data.counts import CategoricalCounts, NumericCounts
from plumbline.drift.data.documents import signed
from plumbline.drift.data.sketch import bucketed
from plumbline.drift.data.table import FeatureSpec, Table
from plumbline.drift.data.window import WindowCounts
from plumbline.drift.judge.comparison import RunContext, Sample
from plumbline.drift.judge.recent import (
    EarlierFiles,
    EarlierWindows,
    StoredWindow,
    judge_recent,
    merged,
    read_earlier,
    read_window_counts,
    window_counts_text,
)
from plumbline.drift.reference.baseline import Baseline
from plumbline.drift.reference.learn import learn
from plumbline.drift.settings.policy import Policy
from tests.oracles.counted_rows import CapturedWindow, count_rows
from tests.reports import because

SPECS = (FeatureSpec("age", FeatureType.NUMERIC), FeatureSpec("job", FeatureType.CATEGORICAL))
CONTEXT = RunContext(policy=Policy(minimum_rows=200))


def rows(n: int, seed: int, shift: float = 0.0) -> Table:
    random = np.random.default_rng(seed)
    jobs = np.array(random.choice(["clerk", "nurse"], n), dtype=object)
    return Table(SPECS, {"age": random.normal(40 + shift, 10, n).round(1), "job": jobs})


BASELINE: Baseline = learn(train=rows(3000, 0), target_label="y")


def bounds(hour: int) -> WindowBounds:
    return WindowBounds(f"2026-01-01T{hour:02}:00:00Z", f"2026-01-01T{hour + 1:02}:00:00Z")


def window(hour: int, table: Table, scores: NDArray[np.float64] | None = None) -> WindowCounts:
    n = table.n_rows
    scores = np.linspace(0, 1, n) if scores is None else scores
    return count_rows(BASELINE, CapturedWindow(bounds(hour), table, scores, RecordCounts(n, n)))


def side(table: Table) -> Sample:
    found = window(3, table)
    return Sample(columns=found.columns, probabilities=found.probabilities)


def stored(found: WindowCounts) -> StoredWindow:
    return read_window_counts(window_counts_text(BASELINE, found))


def left(folder: Path, hour: int, found: WindowCounts | None = None) -> Path:
    """Leave the counts of one hour's window as a run does."""
    path = folder / f"2026/01/01/{hour:02}" / "window_counts.json"
    path.parent.mkdir(parents=True)
    path.write_bytes(window_counts_text(BASELINE, found or window(hour, rows(20, hour))).encode())
    return path


def test_merged_counts_are_the_counts_of_all_rows_together() -> None:
    one, other = np.array([1.0, 2.0, np.nan, 2.0]), np.array([2.0, 3.0])
    parts = [NumericCounts.of(one), NumericCounts.of(other)]
    whole = NumericCounts.of(np.concatenate([one, other]))
    found = merged(parts)
    assert (found.values.tolist(), found.counts.tolist(), found.n_missing) == (
        whole.values.tolist(),
        whole.counts.tolist(),
        whole.n_missing,
    )


def test_merging_adds_labels_and_cells_of_every_kind() -> None:
    one = replace(
        CategoricalCounts.of(np.array(["b", "a", None], dtype=object)), unreadable={"not_a_value": 2}, n_absent=1
    )
    other = replace(CategoricalCounts.of(np.array(["c", "b"], dtype=object)), unreadable={"x": 1, "not_a_value": 3})
    found = merged([one, other])
    assert (found.values.tolist(), found.counts.tolist()) == (["a", "b", "c"], [1, 2, 1])
    assert (found.n_missing, found.n_absent, dict(found.unreadable)) == (1, 1, {"not_a_value": 5, "x": 1})


def test_buckets_of_one_part_are_those_of_all() -> None:
    values = np.array([1.0, 1.0001, 500.0])
    one, other = NumericCounts.of(values), bucketed(NumericCounts.of(values))
    found, expected = merged([one, other]), bucketed(NumericCounts.of(np.repeat(values, 2)))
    assert isinstance(found, NumericCounts)
    assert found.relative_error == expected.relative_error
    assert (found.values.tolist(), found.counts.tolist()) == (expected.values.tolist(), expected.counts.tolist())


def test_nothing_to_merge_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one, got none"):
        merged([])


def test_a_window_survives_its_file() -> None:
    table = Table(SPECS, {"age": np.array([1.5, np.nan, 2.0]), "job": np.array(["é", None, "b"], dtype=object)})
    found = window(3, table, np.array([0.25, np.nan, 0.5]))
    columns = {
        "age": replace(found.columns["age"], unreadable={"not_a_number": 4}, n_absent=1),
        "job": found.columns["job"],
    }
    read = stored(replace(found, columns=columns))
    assert (read.bounds, read.n_rows, read.specs) == (bounds(3), 3, SPECS)
    assert read.columns["age"].values.tolist() == [1.5, 2.0]
    assert (read.columns["age"].n_missing, read.columns["age"].n_absent) == (1, 1)
    assert read.columns["age"].unreadable == {"not_a_number": 4}
    assert read.columns["job"].values.tolist() == ["b", "é"]
    assert (read.probabilities.values.tolist(), read.probabilities.n_missing) == ([0.25, 0.5], 1)


def test_equal_windows_leave_equal_bytes_and_no_rows() -> None:
    one, other = (window_counts_text(BASELINE, window(3, rows(50, 1))) for _ in range(2))
    assert one == other
    assert "sample" not in json.loads(one)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda text: text.replace('"version": 1', '"version": 2'), "must be of version 1, got 2"),
        (lambda text: text.replace('"n_rows": 20', '"n_rows": 21'), "another checksum"),
        (lambda _: "[]", "must be of version 1, got None"),
        (lambda text: text[:100], "Expecting|Unterminated"),
    ],
)
def test_a_damaged_file_is_skipped_and_told(tmp_path: Path, change: object, why: str) -> None:
    left(tmp_path, 1)
    broken = left(tmp_path, 2)
    broken.write_text(change(broken.read_text()))  # type: ignore[operator]
    found = read_earlier(EarlierFiles(tmp_path, 5), bounds(9), SPECS, besides=tmp_path / "own")
    assert [one.bounds for one in found.windows] == [bounds(1)]
    (told,) = found.skipped
    assert told.startswith("2026/01/01/02/window_counts.json: ")
    assert re.search(why, told)


def test_counts_of_another_baseline_are_skipped_and_told(tmp_path: Path) -> None:
    left(tmp_path, 1)
    found = read_earlier(EarlierFiles(tmp_path, 5), bounds(9), SPECS[:1], besides=tmp_path / "own")
    assert found.windows == ()
    assert found.skipped == ("2026/01/01/01/window_counts.json: its features are not the baseline's",)


def test_the_last_windows_that_ended_before_this_one_are_taken(tmp_path: Path) -> None:
    for hour in (1, 2, 4, 5, 7):
        left(tmp_path, hour)
    found = read_earlier(EarlierFiles(tmp_path, 2), bounds(5), SPECS, besides=tmp_path / "own")
    assert [one.bounds for one in found.windows] == [bounds(2), bounds(4)]
    assert found.notes == ()


def test_of_windows_that_overlap_the_later_is_taken(tmp_path: Path) -> None:
    """Each window looked back two hours, so that it has the rows of two before it."""
    for hour in range(2, 9):
        looked_back = WindowBounds(bounds(hour - 2).start, bounds(hour).end)
        left(tmp_path, hour, replace(window(hour, rows(20, hour)), bounds=looked_back))
    this = WindowBounds(bounds(8).start, bounds(9).end)
    found = read_earlier(EarlierFiles(tmp_path, 5), this, SPECS, besides=tmp_path / "own")
    assert [(one.bounds.start, one.bounds.end) for one in found.windows] == [
        (bounds(2).start, bounds(4).end),
        (bounds(5).start, bounds(7).end),
    ]
    assert [one.text for one in found.notes] == ["2 of 5 earlier windows"]


def test_windows_that_do_not_exist_are_told(tmp_path: Path) -> None:
    left(tmp_path, 1)
    found = read_earlier(EarlierFiles(tmp_path, 24), bounds(5), SPECS, besides=tmp_path / "own")
    assert [one.text for one in found.notes] == ["1 of 24 earlier windows"]
    none = read_earlier(EarlierFiles(tmp_path / "absent", 3, "denied"), bounds(5), SPECS, besides=tmp_path)
    assert none.windows == ()
    assert [one.text for one in none.notes] == ["0 of 3 earlier windows", "skipped denied"]


def test_a_windows_own_earlier_counts_are_not_before_it(tmp_path: Path) -> None:
    path = left(tmp_path, 1, replace(window(1, rows(20, 1)), bounds=WindowBounds()))
    files = EarlierFiles(tmp_path, 5)
    assert read_earlier(files, WindowBounds(), SPECS, besides=path.parent).windows == ()
    assert len(read_earlier(files, WindowBounds(), SPECS, besides=tmp_path).windows) == 1


def earlier(*windows: WindowCounts, n_wanted: int | None = None) -> EarlierWindows:
    return EarlierWindows(n_wanted=n_wanted or len(windows), windows=tuple(map(stored, windows)))


def test_a_window_like_those_before_it_has_not_drifted_since_whatever_training_was() -> None:
    before = [window(hour, rows(400, hour, shift=30)) for hour in range(3)]
    found = judge_recent(SPECS, earlier(*before), side(rows(800, 9, shift=30)), CONTEXT)
    assert (found.verdict, found.n_windows, found.n_rows) == (Verdict.NO_DRIFT, 3, 1200)
    assert [feature.name for feature in found.features] == ["age", "job"]
    assert found.prediction is not None
    assert found.prediction.verdict is Verdict.NO_DRIFT


def test_a_window_unlike_those_before_it_has_drifted_since() -> None:
    before = [window(hour, rows(400, hour, shift=30)) for hour in range(3)]
    found = judge_recent(SPECS, earlier(*before, n_wanted=4), side(rows(800, 9)), CONTEXT)
    assert (found.verdict, str(found.reason)) == (Verdict.DRIFT, "drift in age; 3 of 4 earlier windows")


def test_earlier_windows_without_predictions_say_so() -> None:
    before = [window(hour, rows(400, hour), scores=np.full(400, np.nan)) for hour in range(3)]
    found = judge_recent(SPECS, earlier(*before), side(rows(800, 9)), CONTEXT)
    assert found.verdict is Verdict.NO_DRIFT
    assert found.prediction is not None
    assert str(found.prediction.reason) == "no predictions were captured in the earlier windows"


def test_without_earlier_windows_nothing_is_judged() -> None:
    this = side(rows(800, 9))
    assert str(judge_recent(SPECS, EarlierWindows(), this, CONTEXT).reason) == "switched off"
    found = judge_recent(SPECS, EarlierWindows(n_wanted=24), this, CONTEXT)
    assert (found.verdict, found.features) == (Verdict.NOT_JUDGED, ())
    assert str(found.reason) == "no earlier window left its counts; 0 of 24 earlier windows"


def test_few_earlier_rows_or_a_refused_window_are_not_judged() -> None:
    this = side(rows(800, 9))
    few = judge_recent(SPECS, earlier(window(0, rows(50, 1))), this, CONTEXT)
    assert few.verdict is Verdict.NOT_JUDGED
    assert str(few.reason) == "the earlier windows have 50 rows, fewer than the minimum of 200"
    refused = judge_recent(
        SPECS, earlier(window(0, rows(500, 1))), this, replace(CONTEXT, not_judged=because("12 rows"))
    )
    assert (refused.verdict, str(refused.reason)) == (Verdict.NOT_JUDGED, "12 rows")


def test_a_failure_leaves_the_report_standing() -> None:
    broken = earlier(window(0, rows(500, 1)))
    (one,) = broken.windows
    found = judge_recent(SPECS, replace(broken, windows=(replace(one, columns={}),)), side(rows(800, 9)), CONTEXT)
    assert found.verdict is Verdict.NOT_JUDGED
    assert str(found.reason).startswith("internal fault: KeyError")


def test_a_mostly_rejected_window_is_no_reference_for_later_ones() -> None:
    selected = replace(window(0, rows(500, 1, shift=30.0)), records=RecordCounts(1000, 500, {"not_json": 500}))
    assert stored(selected).rejected_fraction == 0.5
    found = judge_recent(SPECS, earlier(selected, window(1, rows(500, 2))), side(rows(800, 9)), CONTEXT)
    assert (found.verdict, found.n_windows, found.n_rows) == (Verdict.NO_DRIFT, 1, 500)
    assert str(found.reason).endswith("skipped window 2026-01-01T00:00:00Z: 50.0 % of its records rejected")
    alone = judge_recent(SPECS, earlier(selected), side(rows(800, 9)), CONTEXT)
    assert (alone.verdict, alone.n_windows) == (Verdict.NOT_JUDGED, 0)


def test_counts_of_a_version_before_say_nothing_of_rejected_records() -> None:
    found = window(0, rows(50, 1))
    document = json.loads(window_counts_text(BASELINE, found))
    del document["rejected_fraction"], document["checksum"]
    assert read_window_counts(signed(document, before="features")).rejected_fraction == 0.0
