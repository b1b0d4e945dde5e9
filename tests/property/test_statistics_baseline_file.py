"""Any baseline reads back as it was learned, whatever its cells hold."""

from collections.abc import Mapping
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from unittest.mock import patch

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from plumbline.contract.records import FeatureType
from plumbline.drift.data.counts import ValueCounts
from plumbline.drift.data.table import FeatureSpec, Table
from plumbline.drift.reference import learn as learning
from plumbline.drift.reference.baseline import Baseline, load, save
from plumbline.drift.reference.learn import learn

text = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=8)
label = text.filter(lambda value: value.strip() not in {"", "?"})
number = st.one_of(st.floats(allow_infinity=False), st.just(float("nan")))
row = st.tuples(number, st.one_of(st.none(), text), label, st.floats(0, 1))


@settings(max_examples=60)
@given(st.lists(row, min_size=1, max_size=12), text, st.sampled_from(["income", 'the "label", é']))
def test_a_saved_baseline_loads_as_it_was(rows: list[tuple[float, str | None, str, float]], name: str, y: str) -> None:
    numbers, texts, labels, probabilities = zip(*rows, strict=True)
    specs = (FeatureSpec(f"n{name}", FeatureType.NUMERIC), FeatureSpec(f"c{name}", FeatureType.CATEGORICAL))
    columns = {specs[0].name: np.array(numbers, dtype=np.float64), specs[1].name: np.array(texts, dtype=object)}
    table = Table(specs, columns)
    predicted = labels[::-1] if len(set(labels)) > 2 else None
    learned = learn(
        train=table,
        target_label=y,
        test=table,
        test_labels=labels,
        probabilities=np.array(probabilities),
        predicted=predicted,
    )
    with TemporaryDirectory() as folder:
        save(learned, Path(folder) / "a")
        loaded = load(Path(folder) / "a")
        save(loaded, Path(folder) / "b")
        assert (Path(folder) / "a/baseline.json").read_bytes() == (Path(folder) / "b/baseline.json").read_bytes()
    assert loaded.test is not None and loaded.test.probabilities is not None
    assert loaded.test.probabilities.tolist() == list(probabilities)
    assert (loaded.test.labels, loaded.test.predicted) == (labels, predicted)
    np.testing.assert_array_equal(loaded.test.table.columns[specs[0].name], columns[specs[0].name])
    assert loaded.test.table.columns[specs[1].name].tolist() == list(texts)
    assert loaded.positive_label == learned.positive_label


def same(ours: Mapping[str, ValueCounts], theirs: Mapping[str, ValueCounts]) -> bool:
    return ours.keys() == theirs.keys() and all(
        type(counts) is type(theirs[name])
        and counts.values.tolist() == theirs[name].values.tolist()
        and counts.counts.tolist() == theirs[name].counts.tolist()
        and (counts.n_missing, getattr(counts, "relative_error", None))
        == (theirs[name].n_missing, getattr(theirs[name], "relative_error", None))
        for name, counts in ours.items()
    )


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.floats(-1e9, 1e9), text, st.sampled_from(["a", "b", None])), min_size=1, max_size=40),
    st.integers(2, 10),
    st.randoms(use_true_random=False),
)
def test_counts_segments_and_sample_survive_the_files_and_any_order_of_rows(
    rows: list[tuple[float, str, str | None]], bound: int, random: Random
) -> None:
    specs = (
        FeatureSpec("x", FeatureType.NUMERIC),
        FeatureSpec("y", FeatureType.CATEGORICAL),
        FeatureSpec("z", FeatureType.CATEGORICAL),
    )
    rows = [*rows, (0.0, "y", "a")]

    def learned(some: list[tuple[float, str, str | None]]) -> Baseline:
        columns = zip(specs, zip(*some, strict=True), strict=True)
        table = Table(
            specs,
            {
                spec.name: np.array(cells, dtype=np.float64 if spec.type is FeatureType.NUMERIC else object)
                for spec, cells in columns
            },
        )
        return learn(train=table, target_label=None, segment_column="z")

    with patch.object(learning, "MAX_DISTINCT", bound), TemporaryDirectory() as folder:
        baseline = learned(rows)
        save(baseline, Path(folder) / "a")
        save(learned(random.sample(rows, len(rows))), Path(folder) / "b")
        loaded = load(Path(folder) / "a")
        for name in ("baseline.json", "sample.csv"):
            assert (Path(folder) / "a" / name).read_bytes() == (Path(folder) / "b" / name).read_bytes()
    assert same(loaded.counts, baseline.counts)
    assert loaded.segments.keys() == baseline.segments.keys()
    assert all(same(loaded.segments[value], counts) for value, counts in baseline.segments.items())
    assert all(len(counts.values) <= bound for name, counts in loaded.counts.items() if name != "x")
    # Segments are parts of the whole, but for the rows without a value there.
    in_segments = sum(counts["x"].n_rows for counts in loaded.segments.values())
    assert in_segments + loaded.counts["z"].n_missing == loaded.n_rows
