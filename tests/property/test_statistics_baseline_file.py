"""Any baseline reads back as it was learned, whatever its cells hold."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from drift.baseline import learn, load, save
from drift.table import FeatureSpec, Table
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.records import FeatureType

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
    learned = learn(train=table, target_label=y, test=table, test_labels=labels, probabilities=np.array(probabilities))
    with TemporaryDirectory() as folder:
        save(learned, Path(folder) / "a")
        loaded = load(Path(folder) / "a")
        save(loaded, Path(folder) / "b")
        assert (Path(folder) / "a/baseline.json").read_bytes() == (Path(folder) / "b/baseline.json").read_bytes()
    assert loaded.test is not None and loaded.test.probabilities is not None
    assert loaded.test.probabilities.tolist() == list(probabilities)
    assert loaded.test.labels == labels
    np.testing.assert_array_equal(loaded.test.table.columns[specs[0].name], columns[specs[0].name])
    assert loaded.test.table.columns[specs[1].name].tolist() == list(texts)
    assert loaded.positive_label == learned.positive_label
