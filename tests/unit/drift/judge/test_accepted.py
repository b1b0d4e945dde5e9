"""The accepted windows' counts as a reference, and which of the windows below a folder they are."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from plumbline.contract.accepted import Acceptance
from plumbline.contract.records import FeatureType, RecordCounts, WindowBounds
from plumbline.contract.training import PROBABILITY_COLUMN
from plumbline.drift.data.counts import NumericCounts, count
from plumbline.drift.data.table import FeatureSpec, Table
from plumbline.drift.judge.accepted import take, window_from, with_accepted
from plumbline.drift.judge.comparison import Sample
from plumbline.drift.judge.window_counts import window_counts_text
from plumbline.drift.reference.accepted import NOTHING_ACCEPTED, Accepted, AcceptedWindows, accepted_text, read_record
from plumbline.drift.reference.blocks import Blocks
from plumbline.drift.reference.learn import learn
from plumbline.drift.settings.policy import Policy
from tests.oracles.counted_rows import CapturedWindow, count_rows

SPECS = (FeatureSpec("age", FeatureType.NUMERIC), FeatureSpec("day", FeatureType.CATEGORICAL))


def rows(n: int, n_days: int = 100) -> Table:
    random = np.random.default_rng(n)
    days = np.array([f"d{one % n_days}" for one in range(n)], dtype=object)
    return Table(SPECS, {"age": random.normal(40, 10, n).round(), "day": days})


BASELINE = learn(train=rows(1000), target_label="y")


def leave(folder: Path, name: str, start: str, end: str, n: int = 300) -> None:
    table = rows(n)
    window = CapturedWindow(WindowBounds(start, end), table, np.linspace(0, 1, n), RecordCounts(n, n))
    file = folder / name / "window_counts.json"
    file.parent.mkdir(parents=True)
    file.write_text(window_counts_text(BASELINE, count_rows(BASELINE, window)))


def at(hour: int) -> str:
    return f"2026-03-01T{hour:02}:00:00Z"


def acceptance(*hours: tuple[int, int], **changes: tuple[str, ...]) -> Acceptance:
    windows = tuple(WindowBounds(at(start), at(end)) for start, end in hours)
    return replace(Acceptance(windows=windows, at="2026-03-02", by="Ada", reason="new").checked(), **changes)  # type: ignore[arg-type]


def test_windows_that_overlap_are_taken_once(tmp_path: Path) -> None:
    for name, start, end in (("a", 8, 10), ("b", 9, 11), ("c", 10, 12), ("again", 8, 10), ("longer", 8, 11)):
        leave(tmp_path, name, at(start), at(end))
    found = take(tmp_path, acceptance((8, 12)), BASELINE, Policy())
    assert (found.n_windows, found.n_rows) == (2, 600)
    assert {counts.n_rows for counts in found.columns.values()} == {600}


def test_several_times_are_one_reference(tmp_path: Path) -> None:
    for hour in (8, 9, 12):
        leave(tmp_path, str(hour), at(hour), at(hour + 1))
    found = take(tmp_path, acceptance((12, 13), (8, 10)), BASELINE, Policy())
    assert (found.n_windows, found.acceptance.end) == (3, at(13))


def test_a_window_is_named_by_its_start_alone_where_one_begins_then(tmp_path: Path) -> None:
    leave(tmp_path, "a", at(8), at(9))
    assert window_from(tmp_path, "2026-03-01T09:00:00+01:00") == WindowBounds(at(8), at(9))
    leave(tmp_path, "b", at(8), at(10))
    with pytest.raises(ValueError, match="got some that end at 2026-03-01T09:00:00Z, 2026-03-01T10:00:00Z"):
        window_from(tmp_path, at(8))


def test_a_record_survives_its_file(tmp_path: Path) -> None:
    leave(tmp_path, "a", at(8), at(9))
    windows = replace(
        take(tmp_path, acceptance((8, 9), features=("age",)), BASELINE, Policy()), model="s3://a/m.tar.gz"
    )
    text = accepted_text(windows)
    found = read_record(text)
    assert isinstance(found, AcceptedWindows)
    assert accepted_text(found) == text
    assert (sorted(found.names), found.probabilities, found.model) == (["age"], None, "s3://a/m.tar.gz")


def test_without_accepted_windows_the_reference_is_what_it_was() -> None:
    reference = Sample(columns=BASELINE.counts)
    assert with_accepted(reference, NOTHING_ACCEPTED, None) is reference


@pytest.mark.parametrize(("features", "predicted"), [((), True), (("age",), False)])
def test_blocks_of_accepted_windows_have_their_own_size(
    tmp_path: Path, features: tuple[str, ...], predicted: bool
) -> None:
    leave(tmp_path, "a", at(8), at(9))
    windows = take(tmp_path, acceptance((8, 9), features=features), BASELINE, Policy())
    blocks = Blocks(column="day", size=50.0, correlations={"age": 0.5, PROBABILITY_COLUMN: 0.5})
    training = Sample(columns=BASELINE.counts, design_effects={"age": 25.5, "day": 1.0, PROBABILITY_COLUMN: 25.5})
    found = with_accepted(training, Accepted(windows=windows), blocks)
    of_windows = blocks.design_effect("age", 300, 3.0 if not features else None)
    assert found.clumps("age") == of_windows
    assert found.clumps(PROBABILITY_COLUMN) == (of_windows if predicted else 25.5)
    assert (found.probabilities is not None) is predicted
    assert isinstance(found.columns["age"], NumericCounts)
    assert found.columns["age"].n_rows == 300
    assert found.columns["day"].n_rows == (1000 if features else 300)
    assert count(FeatureType.NUMERIC, rows(300).columns["age"]).counts.tolist() == found.columns["age"].counts.tolist()
