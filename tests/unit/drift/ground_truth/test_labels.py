import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from plumbline.drift.ground_truth.labels import NO_LABEL, Classes, LabelBook, UnknownLabelError
from plumbline.drift.read.capture import capture_files
from tests.unit.drift.ground_truth.builders import label, write_labels

INCOME = Classes(("<=50K", ">50K"))


def book(folder: Path, classes: Classes = INCOME) -> LabelBook:
    found = LabelBook(classes)
    found.read(capture_files(folder))
    return found


def one(tmp_path: Path, record: Any, n_rows: int = 1, classes: Classes = INCOME) -> tuple[int, ...] | None:
    return book(write_labels(tmp_path, [record]), classes).codes_of(["a"], n_rows)


@pytest.mark.parametrize(
    ("data", "encoding", "codes"),
    [
        (">50K", "CSV", (1,)),
        (" >50K\n", "CSV", (1,)),
        ("<=50K\n>50K\n", "CSV", (0, 1)),
        ("<=50K,>50K", "CSV", (0, 1)),
        ("<=50K\n\n>50K", "CSV", (0, NO_LABEL, 1)),
        ("?\n>50K", "CSV", (NO_LABEL, 1)),
        ('[">50K", null, "<=50K"]', "JSON", (1, NO_LABEL, 0)),
        ('">50K"', "JSON", (1,)),
        (">50K", "JSON", (1,)),
        ([">50K", "<=50K"], "JSON", (1, 0)),
        ("PjUwSw==", "BASE64", (1,)),
        ("eyJsYWJlbCI6ICI+NTBLIn0=", "BASE64", (1,)),
        ('{"label": ">50K"}', "JSON", (1,)),
        ('{"label": ">50K"}\n', "json", (1,)),
        ('{"features": [1, 2], "label": "<=50K"}', "JSON", (0,)),
        ('{"income": ">50K"}', "JSON", (1,)),
        ('{"instances": [{"label": "<=50K"}, {"label": ">50K"}]}', "JSON", (0, 1)),
        ('{"instances": [{"features": [1], "label": "<=50K"}, {"label": null}]}', "JSON", (0, NO_LABEL)),
        ('{"instances": [[">50K"], ["<=50K"]]}', "JSON", (1, 0)),
        ('{"labels": [">50K", "<=50K"]}', "JSON", (1, 0)),
        ('{"label": [">50K", "<=50K"]}', "JSON", (1, 0)),
        ('{"label": ">50K"}\n{"label": "<=50K"}\n', "JSON", (1, 0)),
        ('">50K"\n"<=50K"', "JSON", (1, 0)),
        ('[{"label": ">50K"}, {"label": "<=50K"}]', "JSON", (1, 0)),
        ({"label": ">50K"}, "JSON", (1,)),
        ({"instances": [{"label": ">50K"}]}, "JSON", (1,)),
    ],
)
def test_labels_are_read_row_for_row(tmp_path: Path, data: Any, encoding: str, codes: tuple[int, ...]) -> None:
    assert one(tmp_path, label("a", data, encoding), len(codes)) == codes


@pytest.mark.parametrize("data", ["1", "1.0", 1, 1.0, True, "true", " 1 "])
def test_numbered_classes_are_found_whatever_their_form(tmp_path: Path, data: Any) -> None:
    assert one(tmp_path, label("a", data), classes=Classes(("0", "1"))) == (1,)


@pytest.mark.parametrize(
    ("classes", "data"),
    [
        (("Genf", "Zürich"), "Zu\u0308rich"),
        (("False", "True"), "1"),
        (("False", "True"), "TRUE"),
        (("1", "1000"), "1e3"),
        (("1", "02"), "2"),
    ],
)
def test_classes_are_found_however_they_are_spelled(tmp_path: Path, classes: tuple[str, ...], data: str) -> None:
    assert one(tmp_path, label("a", data), classes=Classes(classes)) == (1,)


@pytest.mark.parametrize(
    "data",
    [
        '{"label": 1}',
        '{"label": 1.0}',
        '{"label": true}',
        '{"label": "1"}',
        '{"instances": [{"label": 1}]}',
        "[1]",
        "1",
    ],
)
def test_labels_of_json_datasets_are_numbers_booleans_and_texts(tmp_path: Path, data: str) -> None:
    assert one(tmp_path, label("a", data, "JSON"), classes=Classes(("0", "1"))) == (1,)


@pytest.mark.parametrize(
    "data", ['{"label": {"a": 1}}', '{"a": 1, "b": 2}', '{"label": [[1, 2]]}', "{}", '[{"a": []}]']
)
def test_a_document_without_a_label_is_counted(tmp_path: Path, data: str) -> None:
    found = book(write_labels(tmp_path, [label("a", data, "JSON")]))
    assert found.codes_of(["a"], 1) is None
    assert found.account().rejected == {"not_a_label_record": 1}


def test_a_record_with_another_number_of_labels_does_not_cost_the_request_the_one_before_it(tmp_path: Path) -> None:
    found = book(write_labels(tmp_path, [label("a", "<=50K"), label("a", ">50K"), label("a", ">50K\n>50K")]))
    assert found.codes_of(["a"], 1) == (1,)
    account = found.account()
    assert (account.read, account.used) == (3, 1)
    assert account.rejected == {"contradicted_label": 1, "row_count_mismatch": 1}


def test_why_a_request_has_no_label_though_one_came_is_known(tmp_path: Path) -> None:
    found = book(write_labels(tmp_path, [label("u", "lots"), label("m", ">50K\n>50K"), label("d", {"x": 1, "y": 2})]))
    for key in ("u", "m", "d", "never"):
        assert found.codes_of([None, key], 1) is None
    assert found.unusable([None, "u"]) == "unknown_label"
    assert found.unusable(["m"]) == "row_count_mismatch"
    assert found.unusable(["never", None]) is None


def test_classes_that_differ_in_spelling_alone_keep_apart() -> None:
    classes = Classes(("1", "1.0", "x"))
    assert [classes.code(text) for text in ("1", "1.0", "1.00", "x", "?")] == [0, 1, 0, 2, NO_LABEL]
    with pytest.raises(UnknownLabelError):
        classes.code("y")


def test_every_record_is_used_or_rejected_under_its_reason(tmp_path: Path) -> None:
    records: list[Any] = [
        label("used", ">50K"),
        label("other rows", ">50K\n>50K"),
        label("unknown", "lots"),
        label("nothing", ""),
        label("orphan", ">50K"),
        label(7, ">50K"),
        label("deep", [[1, 2]], "JSON"),
        label("quotes", '"a'),
        label("base", "%", "BASE64"),
        {"groundTruthData": {"data": "1"}},
        b"{cut off",
        b"\xff",
        b"[]",
        b"   ",
        json.dumps(label("bom", ">50K")).encode().join([b"\xef\xbb\xbf", b""]),
    ]
    folder = write_labels(tmp_path, records)
    (tmp_path / "2026/11/22/14/z.jsonl").write_bytes(gzip.compress(b"{}"))
    found = book(folder)
    assert found.codes_of(["used"], 1) == (1,)
    assert found.codes_of([None, "bom"], 1) == (1,)
    assert found.codes_of(["other rows", "nobody"], 1) is None
    account = found.account()
    assert account.used == 2
    assert account.read == 15
    assert account.rejected == {
        "compressed_file": 1,
        "no_captured_record": 1,
        "no_label": 1,
        "not_a_label_record": 6,
        "not_json": 1,
        "not_utf8": 1,
        "row_count_mismatch": 1,
        "unknown_label": 1,
    }
    assert account.examples["no_captured_record"] == ("2026/11/22/14/a.jsonl:5",)
    assert account.examples["compressed_file"] == ("2026/11/22/14/z.jsonl",)


def test_a_line_that_no_label_needs_is_passed_over(tmp_path: Path) -> None:
    found = book(write_labels(tmp_path, [b"x" * 10_000_001, label("a", ">50K")]))
    assert found.codes_of(["a"], 1) == (1,)
    assert found.account().rejected == {"line_too_long": 1}


def test_the_last_label_wins_and_the_earlier_ones_are_counted(tmp_path: Path) -> None:
    write_labels(tmp_path, [label("a", ">50K"), label("b", ">50K")], "2026/11/22/15/x.jsonl")
    write_labels(tmp_path, [label("a", "<=50K"), label("b", ">50K")], "2026/11/22/14/y.jsonl")
    found = book(tmp_path)
    assert (found.codes_of(["a"], 1), found.codes_of(["b"], 1)) == ((1,), (1,))
    account = found.account()
    assert (account.read, account.used) == (4, 2)
    assert account.rejected == {"contradicted_label": 1, "duplicate_label": 1}
    assert account.examples["contradicted_label"] == ("2026/11/22/14/y.jsonl:1",)


def test_the_inference_id_goes_before_the_event_id(tmp_path: Path) -> None:
    found = book(write_labels(tmp_path, [label("inference", ">50K"), label("event", "<=50K")]))
    assert found.codes_of(["inference", "event"], 1) == (1,)
    assert found.codes_of(["another", "event"], 1) == (0,)
