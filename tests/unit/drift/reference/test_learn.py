import json
import subprocess
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from plumbline.contract.records import FeatureType
from plumbline.contract.training import Task
from plumbline.drift.data.table import FeatureSpec, Table
from plumbline.drift.errors import BaselineError
from plumbline.drift.reference.baseline import Baseline, load, parse_test, save
from plumbline.drift.reference.learn import learn

MISSING = frozenset({"", "?"})
SPECS = (FeatureSpec("age", FeatureType.NUMERIC, MISSING), FeatureSpec("job", FeatureType.CATEGORICAL, MISSING))


def table(ages: list[float], jobs: list[str | None], specs: tuple[FeatureSpec, ...] = SPECS) -> Table:
    return Table(specs, {"age": np.array(ages, dtype=np.float64), "job": np.array(jobs, dtype=object)})


TRAIN = table([39.0, np.nan, 0.1, 39.0], ["clerk", None, 'says "hi", twice\nand é', "clerk"])
TEST = table([25.0, np.nan, 1e-300], [None, "clerk", "never seen"])


def full(**changes: Any) -> Baseline:
    arguments: dict[str, Any] = {
        "train": TRAIN,
        "target_label": "income",
        "test": TEST,
        "test_labels": ["<=50K", ">50K", "<=50K"],
        "probabilities": np.array([0.1, 1 / 3, 1.0]),
    }
    return learn(**{**arguments, **changes})


def rewritten(folder: Path, **changes: Any) -> None:
    """Write the file with other content, signed as its docstring tells."""
    path = folder / "baseline.json"
    document = {**json.loads(path.read_text()), **changes}
    del document["checksum"]
    lines = ["{\n", *(f'  "{key}": {json.dumps(value)},\n' for key, value in document.items())]
    lines[-1] = lines[-1].removesuffix(",\n") + "\n"
    unsigned = "".join([*lines, "}\n"])
    before = next(number for number, line in enumerate(lines) if line.startswith('  "files"'))
    lines.insert(before, f'  "checksum": "{sha256(unsigned.encode()).hexdigest()}",\n')
    path.write_text("".join([*lines, "}\n"]))


def test_learns_the_value_counts_of_every_feature() -> None:
    baseline = full()
    assert baseline.specs == SPECS
    assert (baseline.target_label, baseline.positive_label, baseline.n_rows) == ("income", ">50K", 4)
    assert baseline.counts["age"].values.tolist() == [0.1, 39.0]
    assert baseline.counts["age"].counts.tolist() == [1, 2]
    assert baseline.counts["job"].n_missing == 1


def test_loads_what_was_learned(tmp_path: Path) -> None:
    learned = full()
    save(learned, tmp_path / "new" / "folder")
    loaded = load(tmp_path / "new" / "folder")
    assert (loaded.target_label, loaded.positive_label, loaded.n_rows) == ("income", ">50K", 4)
    assert loaded.specs == learned.specs
    for name, counts in learned.counts.items():
        assert type(loaded.counts[name]) is type(counts)
        assert loaded.counts[name].values.tolist() == counts.values.tolist()
        assert loaded.counts[name].counts.tolist() == counts.counts.tolist()
        assert loaded.counts[name].n_missing == counts.n_missing
    assert loaded.test is not None
    assert loaded.test.labels == ("<=50K", ">50K", "<=50K")
    np.testing.assert_array_equal(loaded.test.table.columns["age"], TEST.columns["age"])
    assert loaded.test.table.columns["job"].tolist() == [None, "clerk", "never seen"]
    assert loaded.test.probabilities is not None
    assert loaded.test.probabilities.tolist() == [0.1, 1 / 3, 1.0]


def test_saving_a_loaded_baseline_gives_the_same_bytes(tmp_path: Path) -> None:
    save(full(), tmp_path / "a")
    save(load(tmp_path / "a"), tmp_path / "b")
    for name in ("baseline.json", "test.csv", "predictions.csv", "sample.csv"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_the_files_read_as_a_person_expects(tmp_path: Path) -> None:
    save(full(), tmp_path)
    head = (tmp_path / "baseline.json").read_text().splitlines()[:12]
    assert head[:11] == [
        "{",
        '  "version": 3,',
        '  "target_label": "income",',
        '  "positive_label": ">50K",',
        '  "n_rows": 4,',
        '  "segment_column": null,',
        '  "missing_values": ["", "?"],',
        '  "features": [',
        '    {"name": "age", "type": "numeric"},',
        '    {"name": "job", "type": "categorical"}',
        "  ],",
    ]
    assert head[11].startswith('  "checksum": "')
    assert (tmp_path / "test.csv").read_text().splitlines()[:2] == ["age,job,income", "25.0,,<=50K"]
    assert (tmp_path / "predictions.csv").read_text() == "probability\n0.1\n0.3333333333333333\n1.0\n"


def test_a_baseline_without_test_set_leaves_none_of_an_earlier_one(tmp_path: Path) -> None:
    save(full(), tmp_path)
    save(learn(train=TRAIN, target_label="income"), tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["baseline.json", "sample.csv"]
    loaded = load(tmp_path)
    assert loaded.test is None
    assert loaded.positive_label is None


def test_a_test_set_may_come_without_predictions(tmp_path: Path) -> None:
    save(full(probabilities=None), tmp_path)
    loaded = load(tmp_path)
    assert loaded.test is not None
    assert loaded.test.probabilities is None


def test_a_target_of_three_classes_has_predicted_labels_and_no_positive_one(tmp_path: Path) -> None:
    learned = full(test_labels=["a", "b", "c"], predicted=["b", "b", "c"])
    assert learned.positive_label is None
    assert learned.task is Task.MULTICLASS
    save(learned, tmp_path)
    loaded = load(tmp_path)
    assert loaded.test is not None
    assert loaded.test.predicted == ("b", "b", "c")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"test_labels": ["a", "b", "c"]}, "got none for 3 classes; write a column 'predicted'"),
        ({"predicted": ["yes", "no", "yes"]}, "got labels for 2 classes"),
        ({"test_labels": ["a", "b", "c"], "predicted": ["a"]}, "one label per test row, got 1 for 3 rows"),
        ({"test_labels": ["a", "b", "c"], "predicted": ["a", "b", "d"]}, "among the test set's, got 'd'"),
    ],
)
def test_predicted_labels_that_do_not_fit_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(BaselineError) as error:
        full(**changes)
    assert message in str(error.value)


def test_a_numeric_target_is_predicted_by_numbers_of_any_size() -> None:
    n = 30
    rows = table([float(number) for number in range(n)], ["a"] * n)
    labels, predicted = [str(number) for number in range(n)], np.linspace(-5.0, 900.0, n)
    learned = learn(train=rows, target_label="income", test=rows, test_labels=labels, probabilities=predicted)
    assert learned.task is Task.REGRESSION
    with pytest.raises(BaselineError, match="0 to 1, got nan"):
        learn(train=rows, target_label="income", test=rows, test_labels=labels, probabilities=np.full(n, np.nan))


def test_the_test_columns_are_put_into_the_order_of_train() -> None:
    test = full(test=table([1.0, 2.0, 3.0], ["a", "b", "c"], specs=SPECS[::-1])).test
    assert test is not None
    assert test.table.specs == SPECS
    assert list(test.table.columns) == ["age", "job"]


OTHER = (FeatureSpec("age", FeatureType.CATEGORICAL), FeatureSpec("pay", FeatureType.NUMERIC))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"train": table([], [])}, "train must have rows"),
        ({"train": Table((), {})}, "train must have rows"),
        ({"target_label": "job"}, "train must hold the features only, got the target column 'job'"),
        ({"train": Table(SPECS, {"age": np.array([1.0])})}, "one column per name"),
        ({"train": table([1.0], ["a", "b"])}, r"columns of one length, got \[1, 2\]"),
        ({"train": table([np.inf], ["a"])}, "column 'age' must be finite"),
        ({"test": table([], []), "test_labels": [], "probabilities": None}, "test must have rows"),
        ({"test": Table(OTHER, {})}, "lacks 'job', has 'pay' besides, has 'age' as categorical, not numeric"),
        ({"test": None}, "only part of them"),
        ({"test_labels": None}, "only part of them"),
        ({"test": None, "test_labels": None}, "only part of them"),
        ({"test_labels": ["<=50K"]}, "got 1 labels for 3 rows"),
        ({"test_labels": ["a", " ? ", "b"]}, "got ' \\? ' in row 2"),
        ({"probabilities": np.array([0.1, 0.2])}, "got 2 for 3 rows"),
        ({"probabilities": np.array([0.1, 1.5, 0.2])}, "0 to 1, got 1.5 in row 2"),
        ({"probabilities": np.array([0.1, 0.2, np.nan])}, "0 to 1, got nan in row 3"),
    ],
)
def test_refuses_what_does_not_fit(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(BaselineError, match=message):
        full(**changes)


def test_learning_leaves_its_inputs_alone() -> None:
    before = [column.copy() for column in (*TRAIN.columns.values(), *TEST.columns.values())]
    full()
    for column, copy in zip((*TRAIN.columns.values(), *TEST.columns.values()), before, strict=True):
        np.testing.assert_array_equal(column, copy)


def test_a_folder_without_baseline_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BaselineError, match=r"must hold a readable baseline\.json.*plumbline baseline"):
        load(tmp_path)


def test_a_file_that_is_not_json_is_refused(tmp_path: Path) -> None:
    (tmp_path / "baseline.json").write_text("{")
    with pytest.raises(BaselineError, match="must be JSON"):
        load(tmp_path)


@pytest.mark.parametrize("text", ["[]", "{}", '{"version": 1}', '{"version": 4}'])
def test_another_version_is_refused_with_what_to_do(tmp_path: Path, text: str) -> None:
    (tmp_path / "baseline.json").write_text(text)
    with pytest.raises(BaselineError, match="must be of version 2 or 3, got .*; learn the baseline again with `pl"):
        load(tmp_path)


@pytest.mark.parametrize(("old", "new"), [("income", "wage"), ("[1, 2]", "[2, 1]"), ('  "n_rows"', ' "n_rows"')])
def test_an_edited_baseline_is_refused(tmp_path: Path, old: str, new: str) -> None:
    save(full(), tmp_path)
    path = tmp_path / "baseline.json"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(BaselineError, match="another checksum"):
        load(tmp_path)


def test_a_baseline_without_checksum_is_refused(tmp_path: Path) -> None:
    save(full(), tmp_path)
    path = tmp_path / "baseline.json"
    path.write_text("".join(line for line in path.read_text().splitlines(keepends=True) if "checksum" not in line))
    with pytest.raises(BaselineError, match="another checksum"):
        load(tmp_path)


def test_a_person_can_check_the_checksum_with_two_commands(tmp_path: Path) -> None:
    save(full(), tmp_path)
    command = """grep -v '^  "checksum"' baseline.json | sha256sum"""
    shown = subprocess.run(command, shell=True, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert shown.stdout.split()[0] == json.loads((tmp_path / "baseline.json").read_text())["checksum"]


@pytest.mark.parametrize("name", ["test.csv", "predictions.csv", "sample.csv"])
def test_another_test_set_beside_the_baseline_is_refused(tmp_path: Path, name: str) -> None:
    save(full(), tmp_path)
    with (tmp_path / name).open("a") as file:
        file.write("0.5\n")
    with pytest.raises(BaselineError, match=f"{name} must be the file"):
        load(tmp_path)


def test_a_lost_test_set_is_refused(tmp_path: Path) -> None:
    save(full(), tmp_path)
    (tmp_path / "test.csv").unlink()
    with pytest.raises(BaselineError, match=r"must hold a readable test\.csv"):
        load(tmp_path)


def test_a_test_set_with_other_columns_is_refused() -> None:
    with pytest.raises(ValueError, match=r"test columns must be \['age', 'job', 'income'\], got \['age', 'income'\]"):
        parse_test("age,income\n1.0,>50K\n", SPECS, "income")


def test_a_folder_that_cannot_be_written_is_an_error_of_the_operator(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BaselineError, match="must be writable"):
        save(full(), tmp_path / "file")


@pytest.mark.parametrize(
    "changes",
    [
        {"counts": []},
        {"n_rows": 5},
        {"features": [{"name": "age"}, {"name": "job"}]},
        {"files": {"test.csv": 1}},
        {"segments": [{}]},
        {
            "counts": [{"n_missing": 3, "values": [1.0], "counts": [1]}] * 2,
            "features": [{"name": "a", "type": "text"}] * 2,
        },
    ],
)
def test_a_document_of_another_shape_is_refused(tmp_path: Path, changes: dict[str, Any]) -> None:
    # Such a file comes from another program that signs alike.
    save(full(), tmp_path)
    rewritten(tmp_path, **changes)
    with pytest.raises(BaselineError, match="must fit its schema|must be the file"):
        load(tmp_path)


def test_a_signed_document_is_accepted(tmp_path: Path) -> None:
    save(full(), tmp_path)
    rewritten(tmp_path)
    assert load(tmp_path).n_rows == 4


def test_without_a_target_every_column_is_a_feature(tmp_path: Path) -> None:
    save(learn(train=TRAIN, target_label=None), tmp_path)
    loaded = load(tmp_path)
    assert (loaded.target_label, loaded.positive_label) == (None, None)
    assert loaded.specs == SPECS


def test_a_test_set_needs_a_target() -> None:
    with pytest.raises(BaselineError, match="a test set must have a target"):
        full(target_label=None)


def test_segments_are_counted_apart(tmp_path: Path) -> None:
    save(full(segment_column="job"), tmp_path)
    loaded = load(tmp_path)
    assert loaded.segment_column == "job"
    # The row without a job is in no segment.
    assert list(loaded.segments) == ["clerk", TRAIN.columns["job"][2]]
    clerks, other = loaded.segments.values()
    assert (clerks["age"].values.tolist(), clerks["age"].counts.tolist()) == ([39.0], [2])
    assert clerks["job"].values.tolist() == ["clerk"]
    assert (other["age"].values.tolist(), other["age"].n_rows) == ([0.1], 1)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("age", "must be a categorical feature, got the numeric column 'age'; choose one of .*: job$"),
        ("town", "must be a categorical feature, got 'town'"),
    ],
)
def test_a_segment_column_that_divides_nothing_is_refused(name: str, message: str) -> None:
    with pytest.raises(BaselineError, match=message):
        full(segment_column=name)


@pytest.mark.parametrize(("labels", "n"), [([f"job {n}" for n in range(51)], 51), ([None] * 3, 0)])
def test_a_segment_column_with_too_many_or_no_values_is_refused(labels: list[str | None], n: int) -> None:
    with pytest.raises(BaselineError, match=f"must have 1 to 50 values, got {n} in 'job'"):
        learn(train=table([1.0] * len(labels), labels), target_label="income", segment_column="job")


def test_a_column_of_missing_cells_keeps_its_rows_in_the_sample(tmp_path: Path) -> None:
    specs = (FeatureSpec("job", FeatureType.CATEGORICAL),)
    column = np.array([None, "clerk", None], dtype=object)
    save(learn(train=Table(specs, {"job": column}), target_label=None), tmp_path)
    sample = load(tmp_path).sample
    assert sample is not None
    assert sorted(sample.columns["job"].tolist(), key=str) == [None, None, "clerk"]
