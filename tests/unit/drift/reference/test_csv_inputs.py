import gzip
from pathlib import Path

import numpy as np
import pytest

from plumbline.contract.records import FeatureType
from plumbline.contract.training import Task
from plumbline.drift.data.table import FeatureSpec
from plumbline.drift.errors import BaselineError
from plumbline.drift.reference.csv_inputs import read_labelled, read_predictions, read_training


def csv(folder: Path, text: str | bytes, name: str = "train.csv") -> Path:
    file = folder / name
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


def test_columns_are_typed_by_their_present_values(tmp_path: Path) -> None:
    file = csv(tmp_path, "age, work, code, empty, income\n41, Private, 1, ?, no\n?, , x7, , yes\n")
    table, labels = read_training(file, "income")
    assert {spec.name: spec.type for spec in table.specs} == {
        "age": FeatureType.NUMERIC,
        "work": FeatureType.CATEGORICAL,
        "code": FeatureType.CATEGORICAL,
        "empty": FeatureType.CATEGORICAL,
    }
    assert np.isnan(table.columns["age"]).tolist() == [False, True]
    assert table.columns["work"].tolist() == ["Private", None]
    assert labels == ["no", "yes"]


@pytest.mark.parametrize("text", ["many", "inf", "1e400", "1_000"])
def test_a_column_with_what_is_no_finite_number_is_categorical(tmp_path: Path, text: str) -> None:
    table, _ = read_training(csv(tmp_path, f"a,y\n1,no\n{text},yes\n"), "y")
    assert table.specs[0].type is FeatureType.CATEGORICAL


def test_a_column_of_numbers_that_few_values_make_categorical_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    read_training(csv(tmp_path, "a,b,c,y\n1,x,?,no\n2,7,?,yes\nmany,z,?,yes\n"), "y")
    (entry,) = caplog.records
    assert entry.getMessage() == (
        "column 'a' is categorical: 1 of its 3 values are no finite numbers, for example 'many'; "
        "if that means missing, leave the cell empty, or name it: --missing-value"
    )


def test_byte_order_mark_quotes_and_blank_lines_do_not_matter(tmp_path: Path) -> None:
    file = csv(tmp_path, b'\xef\xbb\xbf"a", "y"\r\n"x, ""z""", no\r\n\r\n')
    table, _ = read_training(file, "y")
    assert table.columns["a"].tolist() == ['x, "z"']


def test_a_folder_is_all_its_files_in_order(tmp_path: Path) -> None:
    csv(tmp_path, "a,y\n2,no\n", "b.csv")
    csv(tmp_path, "a,y\n1,yes\n", "a.csv")
    table, labels = read_training(tmp_path, "y")
    assert table.columns["a"].tolist() == [1.0, 2.0]
    assert labels == ["yes", "no"]


def test_the_test_set_is_read_with_the_training_types_in_any_column_order(tmp_path: Path) -> None:
    specs = (FeatureSpec("a", FeatureType.CATEGORICAL), FeatureSpec("b", FeatureType.NUMERIC))
    table, labels = read_labelled(csv(tmp_path, "b,y,a\n1,no,7\n"), specs, "y")
    assert table.columns["a"].tolist() == ["7"]
    assert table.columns["b"].tolist() == [1.0]
    assert labels == ["no"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "must have a header row and rows below it, got no row"),
        ("a,y\n", "must have a header row and rows below it, got no row"),
        ("a,y\n1,no\n1\n", "train.csv, line 3: a row must have 2 fields as the header, got 1"),
        ("a,y\n1,no\n1,no,2\n", "line 3: a row must have 2 fields as the header, got 3"),
        ("a,a,y\n1,1,no\n", "the header must name each column once"),
        ("a,,y\n1,1,no\n", "the header must name each column once"),
        ("a,b\n1,no\n", "must have the target column 'y', got ['a', 'b']"),
        ("y\nno\n", "must have a feature beside the target"),
        ("a,y\n1,?\n", "line 2: the target 'y' must not be missing"),
        ('a,y\n1,"no\n', "must be CSV, got unexpected end of data"),
        (b"a,y\n\xff,no\n", "must be UTF-8 text"),
        (gzip.compress(b"a,y\n1,no\n", mtime=0), "unpack it if it is compressed"),
    ],
)
def test_a_bad_training_file_is_refused_with_its_place(tmp_path: Path, text: str | bytes, message: str) -> None:
    with pytest.raises(BaselineError) as error:
        read_training(csv(tmp_path, text), "y")
    assert message in str(error.value)


def test_files_of_one_folder_must_agree(tmp_path: Path) -> None:
    csv(tmp_path, "a,y\n1,no\n", "a.csv")
    csv(tmp_path, "b,y\n1,no\n", "b.csv")
    with pytest.raises(BaselineError, match=r"b\.csv: the header must be that of a\.csv"):
        read_training(tmp_path, "y")


def test_a_missing_file_and_an_empty_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BaselineError, match="must be readable, got No such file"):
        read_training(tmp_path / "none.csv", "y")
    with pytest.raises(BaselineError, match=r"must hold \*\.csv files, got none"):
        read_training(tmp_path, "y")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("b,y\n1,no\n", "got ['b'] too many and ['a'] too few"),
        ("a,b,y\n1,1,no\n", "got ['b'] too many and [] too few"),
        ("a,y\nx,no\n", "line 2: a column that is numeric in training must hold finite numbers, got 'x'"),
        ("a\n1\n", "must have the target column"),
    ],
)
def test_a_test_set_that_does_not_fit_training_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(BaselineError) as error:
        read_labelled(csv(tmp_path, text), (FeatureSpec("a", FeatureType.NUMERIC),), "y")
    assert message in str(error.value)


YES = ["no", "yes"]
COLOURS = ["blue", "green", "red"]


def test_probabilities_are_read_row_for_row(tmp_path: Path) -> None:
    file = csv(tmp_path, "probability\n0.25\n1\n0\n")
    assert read_predictions(file, Task.BINARY, YES)[0].tolist() == [0.25, 1.0, 0.0]


@pytest.mark.parametrize(
    ("text", "task", "labels", "expected"),
    [
        ("log_odds\n0\n-1000\n", Task.BINARY, YES, ([0.5, 0.0], None)),
        ("label\nyes\nno\n", Task.BINARY, YES, ([1.0, 0.0], None)),
        ("predicted\n1.0\n0\n", Task.BINARY, ["0", "1"], ([1.0, 0.0], None)),
        ("probability,predicted\n0.7,yes\n0.2,no\n", Task.BINARY, YES, ([0.7, 0.2], None)),
        ("probability,predicted\n0.7,red\n0.4,blue\n", Task.MULTICLASS, COLOURS, ([0.7, 0.4], ["red", "blue"])),
        ("label\nred\nblue\n", Task.MULTICLASS, COLOURS, ([1.0, 1.0], ["red", "blue"])),
        ("value\n-3.5\n1e9\n", Task.REGRESSION, [], ([-3.5, 1e9], None)),
        ("probability\n-3.5\n1e9\n", Task.REGRESSION, [], ([-3.5, 1e9], None)),
    ],
)
def test_a_column_of_predictions_says_by_its_name_what_it_holds(
    tmp_path: Path, text: str, task: Task, labels: list[str], expected: tuple[list[float], list[str] | None]
) -> None:
    numbers, called = read_predictions(csv(tmp_path, text), task, labels)
    assert (numbers.tolist(), called) == expected


def test_the_stated_positive_label_is_that_of_the_predictions(tmp_path: Path) -> None:
    assert read_predictions(csv(tmp_path, "label\nyes\nno\n"), Task.BINARY, YES, "no")[0].tolist() == [0.0, 1.0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("score\n0.5\n", "must have one column 'probability' or 'log_odds', got ['score']"),
        ("probability,log_odds\n0.5,0\n", "must have one column 'probability' or 'log_odds'"),
        ("probability\n0.5\n1.5\n", "line 3: a probability must lie in 0 to 1, got '1.5'; name the column 'log_odds'"),
        ("probability\nnan\n", "line 2: a prediction must be a number, got 'nan'"),
        ("probability\n?\n", "line 2: a prediction must be a number, got '?'"),
    ],
)
def test_what_is_no_probability_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(BaselineError) as error:
        read_predictions(csv(tmp_path, text), Task.BINARY, YES)
    assert message in str(error.value)
