from pathlib import Path

import pytest

from plumbline.data.rows import LabelledRows

ROWS = LabelledRows(("age", "job"), (("20", "clerk"), ("30", "a, b"), ("40", "?")), ("no", "yes", "no"))


def test_file_brings_back_the_same_rows(tmp_path: Path) -> None:
    ROWS.write_csv(tmp_path / "new" / "rows.csv", "income")

    assert LabelledRows.read_csv(tmp_path / "new" / "rows.csv", "income") == ROWS


def test_target_may_stand_anywhere(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("age, income, job\n20, no, clerk\n")

    found = LabelledRows.read_csv(tmp_path / "rows.csv", "income")

    assert found == LabelledRows(("age", "job"), (("20", "clerk"),), ("no",))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"age,job\n1,2\n", "must have one column 'income'"),
        (b"age,income\n1\n", "row 1 must have 2 fields, got 1"),
        (b"", "must start with a header row"),
        (b"\xff\xfe", "must be CSV text in UTF-8"),
    ],
)
def test_unusable_file_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "rows.csv").write_bytes(content)

    with pytest.raises(ValueError, match=message):
        LabelledRows.read_csv(tmp_path / "rows.csv", "income")


def test_taking_keeps_rows_and_labels_together() -> None:
    assert ROWS.take([2, 0, 2]) == LabelledRows(
        ROWS.header, (ROWS.rows[2], ROWS.rows[0], ROWS.rows[2]), ("no", "no", "no")
    )


def test_column_is_read_and_replaced_by_name() -> None:
    changed = ROWS.with_column("age", ["1", "2", "3"])

    assert changed.column("age") == ("1", "2", "3")
    assert changed.column("job") == ROWS.column("job")
    assert changed.labels == ROWS.labels


def test_unknown_column_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="column must be one of age, job, got 'height'"):
        ROWS.column("height")


def test_rows_without_labels_are_refused() -> None:
    with pytest.raises(ValueError, match="equally many, got 1 and 0"):
        LabelledRows(("age",), (("1",),), ())
