"""Whatever arrives as labels, every record is accounted for, and no cut of files or order of lines changes a figure."""

import json
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plumbline.contract.accuracy import Measure
from plumbline.contract.records import RecordCounts
from plumbline.drift.compare.shift_tests import ExpectedVsObserved, conditional_shift
from plumbline.drift.data.counts import NumericCounts
from plumbline.drift.ground_truth.join import JoinedWindow, join
from plumbline.drift.ground_truth.labels import Classes, LabelBook
from plumbline.drift.ground_truth.measures import ScoredCounts, measures
from plumbline.drift.read.capture import capture_files, plan_of
from tests.property.test_kernel_oracle import BASELINE, json_values, lines

CLASSES = Classes(("no", "yes"))
KEYS = ["a", "b", "é", "c"]

data = st.sampled_from(["yes", "no", "yes\nno", "?", "", "maybe", '"no"', '"', "1"]) | json_values
label_records = st.fixed_dictionaries(
    {
        "groundTruthData": st.fixed_dictionaries(
            {"data": data}, optional={"encoding": st.sampled_from(["CSV", "JSON", "BASE64", None])}
        )
        | json_values,
        "eventMetadata": st.fixed_dictionaries({"eventId": st.sampled_from(KEYS) | json_values}),
    }
)
label_lines = st.lists(
    label_records.map(lambda record: json.dumps(record).encode())
    | json_values.map(lambda value: json.dumps(value).encode())
    | st.binary(max_size=12).filter(lambda line: b"\n" not in line and not line.startswith(b"\x1f\x8b")),
    max_size=8,
)


def write(folder: Path, files: Sequence[Sequence[bytes]]) -> Path:
    folder.mkdir()
    for number, content in enumerate(files):
        (folder / f"{number}.jsonl").write_bytes(b"\n".join(content))
    return folder


def joined(captures: Sequence[Sequence[bytes]], labels: Sequence[Sequence[bytes]]) -> tuple[JoinedWindow, RecordCounts]:
    with TemporaryDirectory() as name:
        book = LabelBook(CLASSES)
        book.read(capture_files(write(Path(name) / "labels", labels)))
        window = join(
            capture_files(write(Path(name) / "captures", captures)),
            plan_of(BASELINE, facet="work"),
            book,
        )
    return window.leading, book.account()


@settings(max_examples=60, deadline=None)
@given(captures=st.lists(lines(), max_size=6), labels=label_lines)
def test_every_label_record_is_used_or_rejected(captures: list[bytes], labels: list[bytes]) -> None:
    window, account = joined([captures], [labels])
    assert account.read == sum(bool(line.strip()) for line in labels)
    assert window.labelled.n_rows == sum(part.n_rows for part in window.by_label.values())
    assert set(window.by_label) <= {"no", "yes"}
    assert (window.labelled_fraction is None) == (window.n_rows == 0)
    without, _ = joined([captures], [[]])
    assert window.n_rows == without.n_rows == without.unlabelled.n_rows


@settings(max_examples=40, deadline=None)
@given(captures=st.lists(lines(), max_size=6), labels=label_lines, cut=st.integers(0, 6))
def test_cutting_files_changes_no_window(captures: list[bytes], labels: list[bytes], cut: int) -> None:
    def figures(window: JoinedWindow) -> list[Any]:
        return [
            (label, part.n_rows, part.columns["age"].values.tolist(), part.columns["age"].counts.tolist())
            for label, part in [*window.by_label.items(), ("none", window.unlabelled)]
        ]

    whole, account = joined([captures], [labels])
    parts, again = joined([captures[:cut], captures[cut:]], [labels[:cut], labels[cut:]])
    assert figures(whole) == figures(parts)
    assert (account.read, account.used, dict(account.rejected)) == (again.read, again.used, dict(again.rejected))


scores = st.lists(st.tuples(st.integers(0, 20), st.booleans()), min_size=4, max_size=60)


def counted(rows: list[tuple[int, bool]], transform: Any = lambda score: score) -> ScoredCounts:
    negatives, positives = (
        NumericCounts.of(np.array([transform(score / 20) for score, positive in rows if positive is side]))
        for side in (False, True)
    )
    return ScoredCounts.of(negatives, positives)


@given(rows=scores)
def test_figures_lie_in_their_range_with_their_interval_about_them(rows: list[tuple[int, bool]]) -> None:
    for report in measures(counted(rows), None, 0):
        if report.value is not None:
            assert report.lower is not None
            assert report.upper is not None
            assert 0 <= report.lower <= report.value + 1e-12
            assert report.value <= report.upper + 1e-12
            assert report.measure is Measure.LOG_LOSS or report.upper <= 1
        else:
            assert str(report.reason)


@given(rows=scores)
def test_the_area_depends_on_ranks_only(rows: list[tuple[int, bool]]) -> None:
    plain, bent = (
        next(one for one in measures(counted(rows, way), None, 0) if one.measure is Measure.AREA_UNDER_CURVE)
        for way in (lambda score: score, lambda score: score**3 / 2)
    )
    assert plain.value == pytest.approx(bent.value)


@given(rows=scores)
def test_turning_labels_and_scores_round_leaves_accuracy_and_area(rows: list[tuple[int, bool]]) -> None:
    # A score of one half is positive on both sides of the turn.
    rows = [(score, positive) for score, positive in rows if score != 10]
    if not rows:
        return
    turned = [(20 - score, not positive) for score, positive in rows]
    ours, theirs = ({one.measure: one.value for one in measures(counted(side), None, 0)} for side in (rows, turned))
    for measure in (Measure.ACCURACY, Measure.AREA_UNDER_CURVE):
        assert ours[measure] == pytest.approx(theirs[measure])


@given(st.lists(st.tuples(st.integers(1, 19), st.booleans()), min_size=20, max_size=200), st.randoms())
def test_the_test_of_labels_ignores_the_order_of_rows(rows: list[tuple[int, bool]], random: Any) -> None:
    def believed(some: list[tuple[int, bool]]) -> ExpectedVsObserved:
        ones = np.ones(len(some))
        return ExpectedVsObserved(
            np.array([score / 20 for score, _ in some]), np.array([float(label) for _, label in some]), ones, ones
        )

    reference = believed([(score, score > 10) for score in range(1, 20) for _ in range(20)])
    shuffled = random.sample(rows, len(rows))
    first, second = (conditional_shift(believed(side), reference) for side in (rows, shuffled))
    assert first.p_value == pytest.approx(second.p_value, abs=1e-9)
    assert first.effect == pytest.approx(second.effect, abs=1e-7)
    assert 0 <= first.p_value <= 1
    assert 0 <= first.effect <= 1
