"""Each kind of request that real endpoints are sent, from the baseline to the report."""

import base64
import json
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from plumbline.cli import main
from plumbline.contract.reasons import ReasonCode
from plumbline.contract.records import DriftReport, Verdict

NAMES = ("age", "colour", "hours")
Rows = Sequence[tuple[float, str, int]]
Side = tuple[str, str, str | None]
"""Data, encoding and content type, as captured."""
N_RECORDS = 150
ROWS_A_RECORD = 4


def rows(n: int, seed: int, age: float = 40.0) -> list[tuple[float, str, int]]:
    rng = random.Random(seed)
    return [(round(rng.gauss(age, 10), 1), rng.choice(["red", "blue"]), rng.randrange(20, 60)) for _ in range(n)]


def in_base64(text: str | bytes, content_type: str | None = None) -> Side:
    body = text.encode() if isinstance(text, str) else text
    return base64.b64encode(body).decode(), "BASE64", content_type


def in_json(document: Any) -> Side:
    return json.dumps(document), "JSON", "application/json"


def lines(some: Rows, delimiter: str = ",") -> str:
    return "".join(delimiter.join(map(str, row)) + "\n" for row in some)


def objects(some: Rows) -> list[dict[str, Any]]:
    return [dict(zip(NAMES, row, strict=True)) for row in some]


def json_lines(documents: Sequence[Any]) -> str:
    return "\n".join(map(json.dumps, documents))


def columns(some: Rows) -> dict[str, list[Any]]:
    return {name: list(column) for name, column in zip(NAMES, zip(*some, strict=True), strict=True)}


def backwards(some: Rows) -> dict[str, Any]:
    return {"columns": [*reversed(NAMES)], "index": [*range(len(some))], "data": [[*reversed(row)] for row in some]}


READABLE: dict[str, Callable[[Rows], Side]] = {
    "CSV of many lines": lambda some: (lines(some), "CSV", "text/csv"),
    "CSV in BASE64": lambda some: in_base64(lines(some), "text/csv"),
    "CSV without a content type": lambda some: in_base64(lines(some)),
    "CSV with a byte order mark": lambda some: in_base64("\ufeff" + lines(some), "text/csv; charset=utf-8"),
    "CSV in UTF-16": lambda some: in_base64(lines(some).encode("utf-16"), "text/csv; charset=utf-16"),
    "CSV with a header row": lambda some: (",".join(NAMES) + "\n" + lines(some), "CSV", "text/csv"),
    "CSV with an index": lambda some: (
        "," + ",".join(NAMES) + "\n" + "".join(f"{i},{line}\n" for i, line in enumerate(lines(some).split())),
        "CSV",
        "text/csv",
    ),
    "CSV divided by tabs": lambda some: (lines(some, "\t"), "CSV", "text/tab-separated-values"),
    "CSV divided by semicolons": lambda some: in_base64(lines(some, ";"), 'text/csv; delimiter=";"'),
    "JSON Lines of objects": lambda some: in_base64(json_lines(objects(some)), "application/jsonlines"),
    "JSON Lines of lists": lambda some: in_base64(json_lines(some), "application/x-ndjson"),
    "JSON Lines of features": lambda some: in_base64(json_lines([{"features": row} for row in some])),
    "JSON Lines captured as JSON": lambda some: (json_lines(objects(some)), "JSON", "application/jsonlines"),
    "a list of lists": in_json,
    "a list of objects": lambda some: in_json(objects(some)),
    "columns": lambda some: in_json(columns(some)),
    "columns of lists of one": lambda some: in_json({k: [[v] for v in column] for k, column in columns(some).items()}),
    "columns by row number": lambda some: in_json({k: dict(enumerate(v)) for k, v in columns(some).items()}),
    "rows by row number": lambda some: in_json(dict(enumerate(objects(some)))),
    "a split": lambda some: in_json(backwards(some)),
    "dataframe_split": lambda some: in_json({"dataframe_split": backwards(some)}),
    "dataframe_records": lambda some: in_json({"dataframe_records": objects(some)}),
    "instances": lambda some: in_json({"instances": some}),
    "instances with features": lambda some: in_json({"instances": [{"features": row} for row in some]}),
    "instances with data.features.values": lambda some: in_json(
        {"instances": [{"data": {"features": {"values": row}}} for row in some]}
    ),
    "instances of named tensors": lambda some: in_json(
        {"instances": [{name: [value] for name, value in row.items()} for row in objects(some)]}
    ),
    "inputs": lambda some: in_json({"inputs": some}),
    "inputs of columns": lambda some: in_json({"inputs": columns(some)}),
    "inputs of tensors": lambda some: in_json(
        {"inputs": [{"name": k, "shape": [len(v), 1], "data": v} for k, v in columns(some).items()]}
    ),
    "data": lambda some: in_json({"data": some}),
    "data in BASE64, unstated": lambda some: in_base64(json.dumps({"data": objects(some)})),
}
UNREADABLE: dict[str, tuple[Side, str]] = {
    "npy": (
        in_base64(b"\x93NUMPY\x01\x00v\x00", "application/x-npy"),
        "unsupported_content_type (application/x-npy); let",
    ),
    "npy, unstated": (in_base64(b"\x93NUMPY\x01\x00v\x00"), "unsupported_content_type (application/x-npy by its first"),
    "image": (in_base64(b"\xff\xd8\xff\xe0", "image/jpeg"), "unsupported_content_type (image/jpeg); let"),
    "bytes": (
        in_base64(b"\x00\x01", "application/octet-stream"),
        "unsupported_content_type (application/octet-stream)",
    ),
    "libsvm": (in_base64("1:41 3:40", "text/x-libsvm"), "unsupported_content_type (text/x-libsvm); let"),
    "two readings": (
        in_json({"data": [[1]], "inputs": [[2]]}),
        "input_not_rows (rows below each of inputs, data); send",
    ),
    "uneven columns": (in_json({"age": [1, 2], "hours": [1]}), "input_not_rows (columns of 1 and 2 values); send"),
}


@pytest.fixture(scope="module")
def baseline(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("baseline")
    (folder / "train.csv").write_text(",".join(NAMES) + "\n" + lines(rows(2000, seed=1)))
    assert main(["baseline", "--train", str(folder / "train.csv"), "--output", str(folder / "learned")]) == 0
    return folder / "learned"


def judged(baseline: Path, folder: Path, sides: Sequence[Side]) -> DriftReport:
    """Return the report on a window whose requests these are."""
    source = folder / "captures"
    source.mkdir()
    records = [
        {
            "captureData": {
                "endpointInput": {"data": data, "encoding": encoding, "observedContentType": named, "mode": "INPUT"}
            },
            "eventMetadata": {"eventId": f"event-{number}", "inferenceTime": "2026-03-01T00:30:00Z"},
            "eventVersion": "0",
        }
        for number, (data, encoding, named) in enumerate(sides)
    ]
    (source / "30-00-000-capture.jsonl").write_text(json_lines(records) + "\n")
    paths = ("--dataset-source", str(source), "--baseline", str(baseline), "--output", str(folder / "out"))
    assert main(["monitor", *paths]) == 0
    return DriftReport.from_json((folder / "out" / "drift_report.json").read_text())


def requests(shape: Callable[[Rows], Side], age: float) -> list[Side]:
    some = rows(N_RECORDS * ROWS_A_RECORD, seed=2, age=age)
    return [shape(some[first : first + ROWS_A_RECORD]) for first in range(0, len(some), ROWS_A_RECORD)]


@pytest.fixture(scope="module")
def expected(baseline: Path, tmp_path_factory: pytest.TempPathFactory) -> DriftReport:
    """The report on the same rows, a request each, as CSV."""
    some = rows(N_RECORDS * ROWS_A_RECORD, seed=2, age=55.0)
    sides: list[Side] = [(lines([row]), "CSV", "text/csv") for row in some]
    return judged(baseline, tmp_path_factory.mktemp("expected"), sides)


@pytest.mark.parametrize("kind", READABLE)
def test_requests_of_every_kind_are_judged_as_the_same_rows_of_csv(
    kind: str, baseline: Path, expected: DriftReport, tmp_path: Path
) -> None:
    report = judged(baseline, tmp_path, requests(READABLE[kind], age=55.0))
    assert (report.records.read, report.records.used, report.n_rows) == (N_RECORDS, N_RECORDS, expected.n_rows)
    assert report.verdict is Verdict.DRIFT
    assert str(report.reason) == "drift in age"
    assert report.features == expected.features


@pytest.mark.parametrize("kind", UNREADABLE)
def test_requests_that_hold_no_rows_are_named_with_what_to_do(kind: str, baseline: Path, tmp_path: Path) -> None:
    side, told = UNREADABLE[kind]
    report = judged(baseline, tmp_path, [side] * N_RECORDS)
    assert report.verdict is Verdict.NOT_JUDGED
    assert report.reason is not None
    assert report.reason.code is ReasonCode.NO_USABLE_RECORD
    assert f": {N_RECORDS} as {told}" in report.reason.text
    assert report.records.read == N_RECORDS == sum(report.records.rejected.values())


def test_a_folder_of_a_batch_transform_is_no_empty_window(
    baseline: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest = tmp_path / "input/2023/01/19/06/fb6e1338-3d5c-4268-9f33-3fde11467816.json"
    manifest.parent.mkdir(parents=True)
    manifest.write_text('[\n    {"prefix": "s3://bucket/rows.csv"},\n    ""\n]')
    paths = ("--dataset-source", str(tmp_path), "--baseline", str(baseline), "--output", str(tmp_path / "out"))
    assert main(["monitor", *paths]) == 2
    assert "got 1 manifests of a batch transform below" in capsys.readouterr().err
