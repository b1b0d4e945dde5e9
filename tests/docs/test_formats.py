"""Every row of the tables of formats is read as the page says, in each encoding that it can be captured in."""

import base64
import re
from collections.abc import Iterator, Mapping

import pytest
from inference import PayloadError, read_request

from plumbline.drift.read.kernel.payloads import Marker, Token
from plumbline.drift.read.kernel.records import CaptureSide, Encoding, Rejected, payload
from plumbline.drift.read.kernel.requests import decode_input, is_header
from tests.docs.pages import FORMATS, rows, section

FEATURES, ONE = ["age", "workclass", "hours"], ["text"]
REQUESTS = {
    "CSV": ("text/csv", FEATURES),
    "JSON": ("application/json", FEATURES),
    "JSON Lines": ("application/jsonlines", FEATURES),
    "One column": ("application/json", ONE),
}
NAMED = {"": "(missing)", Marker.ABSENT: "(absent)", Marker.NOT_A_VALUE: "(no value)", Marker.TRUE: "(true)"}
SIGNS = str.maketrans({"⏎": "\n", "⇥": "\t", "␀": "\0", "␁": "\1"})


def spans(cell: str) -> list[str]:
    """Return the code spans of a table's cell."""
    return [span.translate(SIGNS) for span in re.findall(r"`([^`]+)`", cell)]


def request_rows() -> Iterator[tuple[str, list[str], list[str]]]:
    """Yield content type, features and the cells of each row of the tables of requests."""
    for title, (content_type, names) in REQUESTS.items():
        for row in rows(section(FORMATS, title)):
            yield content_type, names, row
    for row in rows(section(FORMATS, "Content types")):
        yield spans(row[0])[0], FEATURES, row


def captured(text: str, content_type: str) -> Iterator[CaptureSide]:
    """Yield the ways in which SageMaker captures a body."""
    charset = content_type.partition("charset=")[2]
    body = base64.b64encode(text.encode("latin-1" if charset == "iso-8859-1" else "utf-8")).decode()
    yield CaptureSide(body, "BASE64", content_type)
    encoding: Encoding = "JSON" if "json" in content_type else "CSV"
    if "\0" not in text:  # what no configuration lists is captured in BASE64 alone
        yield CaptureSide(text, encoding, content_type)
    # Where the content type says no more than the text shows, none has to be stated.
    if content_type in {"text/csv", "application/json", "application/jsonlines"} and text.startswith(("[", "{")) == (
        encoding == "JSON"
    ):
        yield CaptureSide(body, "BASE64", None)


def shown(row: list[Token]) -> str:
    return ", ".join(NAMED.get(token, str(token)) for token in row)


def refused(cell: str) -> list[tuple[str, str]]:
    """Return example and reason of each entry of a cell ``example → reason; ...``."""
    found = re.findall(r"`([^`]+)` → `(\w+)`", cell)
    assert len(found) == cell.count("→")
    return [(example.translate(SIGNS), reason) for example, reason in found]


ROWS = [*request_rows()]
READ = [(spans(row[1])[0], content_type, names, spans(row[2])) for content_type, names, row in ROWS if spans(row[1])]
REFUSED = [
    (example, content_type, names, reason) for content_type, names, row in ROWS for example, reason in refused(row[3])
]


def test_the_tables_are_found() -> None:
    assert len(ROWS) > 50
    assert len(READ) > 45
    assert len(REFUSED) > 45
    assert all(bool(spans(row[1])) == bool(spans(row[2])) for _, _, row in ROWS)
    assert all(spans(row[1]) or spans(row[3]) for _, _, row in ROWS)


@pytest.mark.parametrize(("example", "content_type", "names", "expected"), READ)
def test_a_request_is_read_as_the_page_says(
    example: str, content_type: str, names: list[str], expected: list[str]
) -> None:
    for side in captured(example, content_type):
        assert [shown(row) for row in decode_input(payload(side), names)] == expected, side


def test_our_own_model_reads_no_request_otherwise() -> None:
    accepted = []
    for example, content_type, names, expected in READ:
        try:
            request = read_request(example, content_type)
        except PayloadError:
            continue
        rows: list[list[Token]] = [
            [row.get(name, Marker.ABSENT) for name in names] if isinstance(row, Mapping) else [*row]
            for row in request.rows
        ]
        if all(len(row) == len(names) for row in rows) and not is_header([*map(str, rows[0])], names, len(rows)):
            assert [shown(row) for row in rows] == expected
            accepted.append(example)
    assert len(accepted) > 8


@pytest.mark.parametrize(("example", "content_type", "names", "reason"), REFUSED)
def test_a_request_is_refused_as_the_page_says(example: str, content_type: str, names: list[str], reason: str) -> None:
    for side in captured(example, content_type):
        with pytest.raises(Rejected) as error:
            decode_input(payload(side), names)
        assert error.value.reason == reason, side
