"""Partial counts add up: no order, no cut and no way through a file changes the window."""

import json
import random
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plumbline.drift.data.counts import OTHER_LABELS
from plumbline.drift.data.sketch import RELATIVE_ERROR, bucketed, representatives
from plumbline.drift.read.capture import count_folder, plan_of
from plumbline.drift.read.kernel import partial_counts as partial
from plumbline.drift.read.kernel.files import FileCounter
from plumbline.drift.read.kernel.partial_counts import KeyTally, LabelTally, PartialCounts, window_counts
from plumbline.drift.read.kernel.partial_counts_file import from_json, to_json
from plumbline.drift.read.kernel.plan import WindowPlan
from tests.property.test_kernel_oracle import BASELINE, good, lines

PLANS = [
    plan_of(BASELINE, segment=segment, variant=variant, facet=facet)
    for segment, variant, facet in ((None, None, None), ("work", None, "work"), (None, "A", "work"))
]


@pytest.fixture(autouse=True, scope="module")
def small_bounds() -> Any:
    """Bounds that small examples reach."""
    with patch.object(partial, "MAX_DISTINCT", 4), patch.object(partial, "SAMPLE_ROWS", 3):
        yield


def parts(contents: Sequence[Sequence[bytes]], plan: WindowPlan, folder: Path) -> list[PartialCounts]:
    counter, result = FileCounter(plan), []
    for number, content in enumerate(contents):
        file = folder / f"{number}.jsonl"
        file.write_bytes(b"\n".join(content))
        name = f"ep/{'AB'[number % 2]}/2026/11/22/12/{number}.jsonl"
        result.append(counter.count(file, name, lambda name, hashes, lines: None))
    return result


def total(pieces: Sequence[PartialCounts], plan: WindowPlan) -> bytes:
    counts = PartialCounts()
    for piece in pieces:
        counts.merge(from_json(to_json(piece), plan), plan)
    return to_json(counts)


files = st.lists(st.lists(lines(), max_size=5), min_size=1, max_size=4)


@given(contents=files, plan=st.sampled_from(PLANS), data=st.data())
def test_merging_is_associative_and_commutative(
    contents: list[list[bytes]], plan: WindowPlan, data: st.DataObject
) -> None:
    with TemporaryDirectory() as folder:
        pieces = parts(contents, plan, Path(folder))
    shuffled = data.draw(st.permutations(pieces))
    cut = data.draw(st.integers(0, len(pieces)))
    left, right = (from_json(total(side, plan), plan) for side in (shuffled[:cut], shuffled[cut:]))
    assert total([left, right], plan) == total(pieces, plan)


@given(
    numbers=st.lists(st.integers(0, 40), max_size=30),
    cuts=st.lists(st.integers(0, 30), max_size=3),
    block_bytes=st.sampled_from([1, 500, 4 << 20]),
)
def test_cutting_files_changes_nothing_but_the_places(numbers: list[int], cuts: list[int], block_bytes: int) -> None:
    content = [json.dumps(good(number)).encode() for number in numbers]
    bounds = [0, *sorted(cuts), len(content)]
    plan = PLANS[1]

    def counted(pieces: Sequence[Sequence[bytes]], block_bytes: int) -> dict[str, Any]:
        with TemporaryDirectory() as folder:
            for number, piece in enumerate(pieces):
                (Path(folder) / f"{number}.jsonl").write_bytes(b"\n".join(piece))
            counts: dict[str, Any] = json.loads(to_json(count_folder(Path(folder), plan, block_bytes)))
        del counts["examples"], counts["unreadable"]
        return counts

    pieces = [content[start:end] for start, end in zip(bounds, bounds[1:], strict=False)]
    assert counted(pieces, block_bytes) == counted([content], 4 << 20)
    assert counted([content], 4 << 20)["n_used"] == len(set(numbers))


def test_a_window_of_duplicates_alone_is_that_of_its_first_records() -> None:
    content = [json.dumps(good(number)).encode() for number in range(30)]
    once, twice = (window_of([content]), window_of([content, content[::-1], content]))
    assert twice.records.rejected == {"duplicate_event_id": 60}
    assert (twice.n_rows, twice.n_out_of_support) == (once.n_rows, once.n_out_of_support) == (30, 0)
    for name, column in once.columns.items():
        assert twice.columns[name].values.tolist() == column.values.tolist()
        assert twice.columns[name].counts.tolist() == column.counts.tolist()
    assert len(twice.sample.probabilities) <= len(once.sample.probabilities)


def window_of(contents: Sequence[Sequence[bytes]]) -> Any:
    with TemporaryDirectory() as folder:
        for number, content in enumerate(contents):
            (Path(folder) / f"{number}.jsonl").write_bytes(b"\n".join(content))
        return window_counts(count_folder(Path(folder), PLANS[0]), PLANS[0])


finite = st.floats(min_value=-1.79e308, max_value=1.79e308)


@given(values=st.lists(finite, min_size=1, max_size=40))
def test_a_representative_is_close_to_what_it_stands_for_and_its_own(values: list[float]) -> None:
    array = np.array(values)
    found = representatives(array)
    small = np.abs(array) < 2.3e-308
    assert (found[small] == 0).all()
    assert (np.abs(found - array)[~small] <= RELATIVE_ERROR * (1 + 1e-9) * np.abs(array)[~small]).all()
    assert representatives(found).tolist() == found.tolist()


@given(values=st.lists(st.sampled_from([1.0, 1.0004, 2.0, 3.0, -1.0, 0.0, 5.5, 7.0, 1e300]), max_size=30))
def test_numbers_collapse_to_buckets_beyond_the_bound_and_are_exact_below(values: list[float]) -> None:
    counted = KeyTally.of_numbers()
    for value in values:
        counted.add(np.array([value]), np.array([1]))
    counted.settle()
    exact = Counter(values)
    assert counted.is_collapsed == (len(exact) > 4)
    expected = Counter(representatives(np.array(values)).tolist()) if counted.is_collapsed else exact
    assert dict(zip(counted.keys.tolist(), counted.counts.tolist(), strict=True)) == expected


@given(labels=st.lists(st.sampled_from("abcdefgh"), max_size=30))
def test_unknown_labels_become_one_beyond_the_bound(labels: list[str]) -> None:
    counted = LabelTally(frozenset("ab"))
    for label in labels:
        counted.add({label: 1})
    unknown = set(labels) - {"a", "b"}
    expected = Counter(OTHER_LABELS if len(unknown) > 4 and label in unknown else label for label in labels)
    assert counted.counts == expected


def test_the_estimate_of_repetition_is_near_the_truth_beyond_the_bound() -> None:
    multiplicities = np.concatenate([np.ones(60_000, int), [1_000, 5_000]])
    hashes = np.random.default_rng(5).integers(0, 2**64, len(multiplicities), dtype=np.uint64)
    counted = KeyTally.of_hashes()
    counted.add(hashes, multiplicities)
    counted.settle()
    assert counted.is_collapsed
    truth = int((multiplicities**2).sum())
    # Four standard errors of the sketch: sqrt(2 / 65,536) of the second moment each.
    assert counted.second_moment() == pytest.approx(truth, rel=4 * (2 / 65_536) ** 0.5)


def test_the_sample_is_the_same_for_the_same_records_in_any_order() -> None:
    content = [json.dumps(good(number)).encode() for number in range(40)]
    random_numbers = random.Random(3)
    once = window_of([content]).sample
    shuffled = random_numbers.sample(content, len(content))
    again = window_of([shuffled[:13], shuffled[13:]]).sample
    assert len(once.probabilities) == 3
    assert once.probabilities.tolist() == again.probabilities.tolist()
    assert once.table.columns["age"].tolist() == again.table.columns["age"].tolist()


def test_bucketed_counts_keep_their_cells() -> None:
    counted = bucketed(BASELINE.counts["age"])  # type: ignore[arg-type]
    assert (counted.n_present, counted.n_missing, counted.relative_error) == (3, 0, RELATIVE_ERROR)
