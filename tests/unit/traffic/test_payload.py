import json

import pytest

from plumbline.traffic.choices import Format
from plumbline.traffic.payload import decode_probabilities, encode

ROWS = [("39", "State-gov", "?"), ("-4", "a, b", "007")]


def test_csv_has_a_line_per_row_and_no_final_newline() -> None:
    assert encode(ROWS, "text/csv") == b'39,State-gov,?\n-4,"a, b",007'


def test_json_writes_whole_numbers_as_numbers_and_missing_as_null() -> None:
    assert json.loads(encode(ROWS, "application/json")) == {"instances": [[39, "State-gov", None], [-4, "a, b", "007"]]}


@pytest.mark.parametrize(
    ("choice", "types"),
    [
        (Format.CSV, ["text/csv", "text/csv"]),
        (Format.JSON, ["application/json", "application/json"]),
        (Format.ALTERNATE, ["text/csv", "application/json"]),
    ],
)
def test_format_decides_the_content_type_of_each_request(choice: Format, types: list[str]) -> None:
    assert [choice.content_type(request) for request in range(2)] == types


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"0.25\n0.5\n", "text/csv; charset=utf-8"),
        (b'{"predictions": [{"probability": 0.25}, {"probability": 0.5}]}', "application/json"),
    ],
)
def test_probabilities_are_read_from_either_response(body: bytes, content_type: str) -> None:
    assert decode_probabilities(body, content_type) == [0.25, 0.5]


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"oops", "text/csv"),
        (b"\xff", "text/csv"),
        (b"{}", "application/json"),
        (b"[1]", "application/json"),
        (b'{"predictions": [{"probability": null}]}', "application/json"),
    ],
)
def test_other_responses_are_refused(body: bytes, content_type: str) -> None:
    with pytest.raises(ValueError, match="response must hold one probability per row"):
        decode_probabilities(body, content_type)
