from pathlib import Path

import pytest
from dataset import LabelledTable, TrainingDataError, read_channel


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / f"{name}.csv").write_text(text)
    return folder


def test_files_are_concatenated_in_sorted_order(tmp_path: Path) -> None:
    folder = write(tmp_path, b="age,income\n3,yes\n", a="age,income\n1,no\n2,yes\n")

    assert read_channel(folder, "income") == LabelledTable(("age",), (("1",), ("2",), ("3",)), ("no", "yes", "yes"))


def test_columns_may_come_in_another_order_in_another_file(tmp_path: Path) -> None:
    folder = write(tmp_path, a="age,sex,income\n1,m,no\n", b="income,sex,age\nyes,f,2\n")

    assert read_channel(folder, "income").rows == (("1", "m"), ("2", "f"))


def test_spaces_after_commas_quotes_and_blank_lines_are_read(tmp_path: Path) -> None:
    folder = write(tmp_path, a='age, job, income\n1, "clerk, senior", no\n\n')

    assert read_channel(folder, "income").rows == (("1", "clerk, senior"),)


def test_hidden_files_are_no_data(tmp_path: Path) -> None:
    (tmp_path / ".manifest").write_text("not a table")

    assert len(read_channel(write(tmp_path, a="age,income\n1,no\n"), "income").rows) == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("age,sex\n1,m\n", "must have one column 'income', got the header age, sex"),
        ("income,income\n1,m\n", "must have one column 'income'"),
        ("age,age,income\n1,2,no\n", "must name each column once"),
        ("age,income\n1,no\n2\n", "a.csv row 2 must have 2 fields, got 1"),
        ("age,income\n1,?\n", "row 1 must have a label in 'income', got '?'"),
        ("", "must start with a header row"),
    ],
)
def test_unusable_file_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(TrainingDataError, match=message):
        read_channel(write(tmp_path, a=text), "income")


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"age,income\n\xff\xfe,no\n")

    with pytest.raises(TrainingDataError, match="must be CSV text in UTF-8"):
        read_channel(tmp_path, "income")


def test_empty_channel_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TrainingDataError, match="must hold at least one CSV file"):
        read_channel(tmp_path, "income")


def test_files_with_other_columns_are_refused_by_name(tmp_path: Path) -> None:
    folder = write(tmp_path, a="age,income\n1,no\n", b="height,income\n1,no\n")

    with pytest.raises(TrainingDataError, match="got a difference in: age, height"):
        read_channel(folder, "income")
