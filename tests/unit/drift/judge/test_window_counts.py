import json
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from plumbline.contract.records import FeatureType, RecordCounts, WindowBounds
from plumbline.drift.data.counts import CategoricalCounts, NumericCounts
from plumbline.drift.data.documents import signed
from plumbline.drift.data.sketch import bucketed
from plumbline.drift.data.table import FeatureSpec, Table
from plumbline.drift.data.window import WindowCounts
from plumbline.drift.judge.window_counts import (
    StoredWindow,
    merged,
    read_window_counts,
    window_counts_text,
)
from plumbline.drift.reference.baseline import Baseline
from plumbline.drift.reference.learn import learn
from tests.oracles.counted_rows import CapturedWindow, count_rows

SPECS = (FeatureSpec("age", FeatureType.NUMERIC), FeatureSpec("job", FeatureType.CATEGORICAL))


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


def stored(found: WindowCounts) -> StoredWindow:
    return read_window_counts(window_counts_text(BASELINE, found))


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
def test_a_damaged_file_is_refused(change: Callable[[str], str], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        read_window_counts(change(window_counts_text(BASELINE, window(2, rows(20, 2)))))


def test_a_file_says_how_many_records_were_rejected() -> None:
    selected = replace(window(0, rows(500, 1)), records=RecordCounts(1000, 500, {"not_json": 500}))
    assert stored(selected).rejected_fraction == 0.5


def test_counts_of_a_version_before_say_nothing_of_rejected_records() -> None:
    found = window(0, rows(50, 1))
    document = json.loads(window_counts_text(BASELINE, found))
    del document["rejected_fraction"], document["checksum"]
    assert read_window_counts(signed(document, before="features")).rejected_fraction == 0.0
