"""Requests against the slow reader: the same rows or the same reason, whatever they hold."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from plumbline.drift.read.kernel.payloads import Marker, Token
from plumbline.drift.read.kernel.records import CaptureSide, Encoding, Rejected, payload
from plumbline.drift.read.kernel.requests import decode_input
from tests.oracles.request_shapes import content_types
from tests.oracles.slow_requests import Absent, Reject, request_rows
from tests.property.test_kernel_oracle import payloads

encodings: st.SearchStrategy[Encoding] = st.sampled_from(["CSV", "JSON", "BASE64"])
names = st.sampled_from(
    [["age", "work"], ["age"], ["data"], ["work", "data", "age"], ["age", "work", "instances", "columns"]]
)


def comparable(token: Token) -> str:
    """Return a token of the kernel as a text that equal values of the slow reader have too."""
    found: dict[Token, str] = {Marker.TRUE: "True", Marker.FALSE: "False", "": "missing"}
    return found.get(token, "no value" if token is Marker.NOT_A_VALUE else str(token))


def slow(value: Any) -> str:
    if value is Absent:
        return str(Marker.ABSENT)
    return "no value" if isinstance(value, list | dict) else "missing" if value in (None, "") else str(value)


@settings(max_examples=500)
@given(text=payloads, encoding=encodings, content_type=content_types, names=names)
def test_requests_are_read_as_the_slow_reader_reads_them(
    text: str, encoding: Encoding, content_type: str | int | None, names: list[str]
) -> None:
    side = {"data": text, "encoding": encoding, "observedContentType": content_type}
    expected: Any
    try:
        expected = [[slow(value) for value in row] for row in request_rows(side, names)]
    except Reject as error:
        expected = str(error)
    named = content_type if isinstance(content_type, str) else None
    found: Any
    try:
        rows = decode_input(payload(CaptureSide(text, encoding, named)), names)
        found = [[comparable(token) for token in row] for row in rows]
    except Rejected as error:
        found = str(error.reason)
    assert found == expected
