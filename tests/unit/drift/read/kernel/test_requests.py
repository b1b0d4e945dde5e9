"""What the tables of docs/formats.md do not show: what a refusal names, and that no shortcut reads otherwise."""

import base64
import json
from typing import Any

import pytest

from plumbline.contract.records import WindowBounds
from plumbline.contract.rejection import RejectionReason
from plumbline.drift.data.table import table
from plumbline.drift.read.capture import plan_of
from plumbline.drift.read.kernel.batches import batches
from plumbline.drift.read.kernel.payloads import Marker
from plumbline.drift.read.kernel.records import CaptureRecords, CaptureSide, Payload, Rejected
from plumbline.drift.read.kernel.requests import decode_input
from plumbline.drift.reference.learn import learn
from tests.unit.drift.builders import SPECS

NAMES = [spec.name for spec in SPECS]
PLAN = plan_of(
    learn(train=table(SPECS, [(17.0, "Private", 1.0), (90.0, "age", 99.0)]), target_label="income"), WindowBounds()
)


def of_json(document: Any) -> Payload:
    return CaptureSide(json.dumps(document), "JSON", "application/json")


def of_bytes(body: bytes, content_type: str | None) -> Payload:
    return CaptureSide(base64.b64encode(body).decode(), "BASE64", content_type)


def refusal(side: Payload, names: list[str] = NAMES) -> Rejected:
    with pytest.raises(Rejected) as error:
        decode_input(side, names)
    return error.value


@pytest.mark.parametrize(
    ("side", "shape"),
    [
        ("41,Private", "2 fields"),
        ("41;Private;40", "1 field, 3 if ';' divided them, which the content type has to say"),
        ("41\tPrivate\t40", "1 field, 3 if '\\t' divided them, which the content type has to say"),
        ("age,hours\n41", "1 field below 2 columns"),
        ("[41, 30]", "2 fields of text that begins like JSON"),
        ('{"age": 41, "hours": 40}', "text that begins like JSON"),
        (CaptureSide("41,Private,40\n30,Self,20", "JSON", "application/json"), "text that begins like CSV"),
        (
            CaptureSide("41,Private,40\n30,Self,20", "CSV", "text/csv; header=present"),
            "a header row of 3 fields, none a feature",
        ),
        (of_json([[]]), "0 fields"),
        (of_json([[None]]), "1 field"),
        (of_json({"request": {"age": 41}}), "the keys request"),
        (of_json({"columns": ["alter", "stunden"], "data": [[41, 40]]}), "the columns alter, stunden"),
        (of_json({"inputs": [{"name": "b", "data": [1]}, {"name": "a", "data": [2]}]}), "the tensors a, b"),
        (of_json({"inputs": [[41]], "instances": [[30]]}), "rows below each of instances, inputs"),
        (of_json({"age": [1, 2], "hours": [3]}), "columns of 1 and 2 values"),
        (of_bytes(b"\x93NUMPY\x01\x00v\x00", "application/x-npy"), "application/x-npy"),
        (of_bytes(b"\x93NUMPY\x01\x00v\x00", None), "application/x-npy by its first bytes"),
        (of_bytes(b"\xff\xd8\xff\xe0", "application/octet-stream"), "image/jpeg by its first bytes"),
        (of_bytes(b"\x00\xff", "application/octet-stream"), "application/octet-stream"),
        (of_bytes(b"41,Private,40", "image/png"), "image/png"),
        (of_bytes(b"41,Private,40", "Multipart/Form-Data; boundary=x"), "Multipart/Form-Data; boundary=x"),
        (of_bytes(b"41,Private,40", "text/csv; charset=rot13"), "text/csv; charset=rot13"),
        (of_bytes(b"41,Private,40", "text/csv; charset=\ud800"), "text/csv; charset=\\ud800"),
    ],
)
def test_a_refusal_names_what_was_seen(side: Payload, shape: str) -> None:
    assert refusal(side).shape == shape


def test_what_a_refusal_names_has_an_end() -> None:
    assert len(refusal(of_bytes(b"", "image/" + "x" * 10_000)).shape) == 200
    assert len(refusal(of_json({f"key_{number}": 1 for number in range(1000)})).shape) < 300


def test_bytes_that_are_no_text_of_their_character_set_are_no_text() -> None:
    assert refusal(of_bytes("41,é,40".encode("latin-1"), "text/csv")).reason is RejectionReason.NOT_UTF8
    assert refusal(of_bytes("41,é,40".encode(), "text/csv; charset=us-ascii")).reason is RejectionReason.NOT_UTF8
    assert refusal(of_bytes(b"\xff\xff", None)).reason is RejectionReason.NOT_UTF8


@pytest.mark.parametrize("charset", ["utf-16", "UTF-16LE", "windows-1252", '"ISO-8859-15"', "cp437"])
def test_a_character_set_is_read_by_its_name(charset: str) -> None:
    body = "41,é,40".encode(charset.strip('"'))
    assert decode_input(of_bytes(body, f"text/csv; charset={charset}"), NAMES) == [["41", "é", "40"]]


def test_rows_nested_too_deeply_are_no_rows() -> None:
    document: Any = [[41, "Private", 40]]
    for _ in range(6):
        document = {"data": document}
    assert decode_input(of_json(document), NAMES) == [[41, "Private", 40]]
    for _ in range(300):
        document = {"data": document}
    assert refusal(of_json(document)).reason is RejectionReason.INPUT_NOT_ROWS
    for _ in range(300):
        document = {"0": document}
    assert refusal(of_json(document)).reason is RejectionReason.INPUT_NOT_ROWS


@pytest.mark.parametrize(
    ("names", "document", "expected"),
    [
        (["data", "age"], {"data": "x", "age": 41}, [["x", 41]]),
        (["data", "age"], {"data": ["x", "y"], "age": [41, 30]}, [["x", 41], ["y", 30]]),
        (["data", "age"], {"data": [["x", 41]]}, [["x", 41]]),
        (["data", "age"], {"data": {"data": "x", "age": 41}}, [["x", 41]]),
        (["inputs"], {"inputs": ["x", "y"]}, [["x"], ["y"]]),
        (["age", "hours"], {"age": 41, "data": [[1, 2]], "instances": [[3, 4]]}, [[41, Marker.ABSENT]]),
    ],
)
def test_a_feature_called_as_a_key_of_rows_is_a_feature(names: list[str], document: Any, expected: Any) -> None:
    assert decode_input(of_json(document), names) == expected


def ages(sides: list[Payload]) -> tuple[list[str], list[RejectionReason]]:
    """The ages of some requests as the kernel reads them in bulk, and why others are rejected."""
    reasons: list[RejectionReason] = []
    nothing: list[Any] = [None] * len(sides)
    records = CaptureRecords([*range(len(sides))], sides, nothing, nothing, nothing, nothing)
    found: list[str] = []
    for batch in batches(records, PLAN, lambda error, _: reasons.append(error.reason)):
        distinct = batch.columns[0].distinct
        texts = distinct if isinstance(distinct, list) else distinct.to_pylist()  # type: ignore[union-attr]
        found += [str(texts[code]) for code in batch.columns[0].codes]
    return sorted(found), reasons


@pytest.mark.parametrize(
    ("sides", "expected"),
    [
        (["41,age,40", "30,Self,20"], (["30", "41"], [])),
        (["age,workclass,hours\n41,age,40", "30,Self,20"], (["30", "41"], [])),
        (["hours,workclass,age\n40,age,41"], (["41"], [])),
        (["age,workclass,hours", "30,Self,20"], (["30"], [RejectionReason.NO_INPUT])),
        (["age,other,hours\n41,x,40", "30,Self,20\n31,age,20"], (["30", "31", "41"], [])),
        (["41,age,40", of_bytes(b"40\tx\t30", "text/tab-separated-values")], (["40", "41"], [])),
        (["41,age,40", CaptureSide("30;Self;20", "CSV", 'text/csv; delimiter=";"')], (["30", "41"], [])),
        (["41,age,40", of_bytes(b'{"age": 30}\n{"age": 31}', "application/jsonlines")], (["30", "31", "41"], [])),
    ],
)
def test_requests_are_read_alike_alone_and_among_others(
    sides: list[Payload], expected: tuple[list[str], list[RejectionReason]]
) -> None:
    assert ages(sides) == expected
    alone = [ages([side]) for side in sides]
    assert (sorted(age for some, _ in alone for age in some), [r for _, some in alone for r in some]) == expected
