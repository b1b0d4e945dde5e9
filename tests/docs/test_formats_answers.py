"""Every row of the tables of answers is read as the page says, in each encoding that it can be captured in."""

import base64
import re
from collections.abc import Iterator
from typing import Any

import pytest

from plumbline.contract.predictions import PredictionFormat, PredictionKind
from plumbline.contract.training import Task
from plumbline.drift.read.kernel.answers import decode_output
from plumbline.drift.read.kernel.predictions import NO_CLASS, Outputs, RowPrediction, Unreadable
from plumbline.drift.read.kernel.records import CaptureSide, payload
from tests.docs.pages import FORMATS, rows, section
from tests.docs.test_formats import refused, spans

TWO = ("no", "yes")
OUTPUTS = {
    "Two classes": Outputs(Task.BINARY, TWO, "yes"),
    "Two classes that are numbers": Outputs(Task.BINARY, ("1", "2"), "2"),
    "Several classes": Outputs(Task.MULTICLASS, ("blue", "green", "red")),
    "A quantity": Outputs(Task.REGRESSION),
    "Nothing is known of the target": Outputs(None),
}


def stated(cell: str) -> PredictionFormat:
    """Return what a cell like ``kind = "log_odds"`` states."""
    found: dict[str, Any] = dict(re.findall(r'(\w+) = "([^"]*)"', spans(cell)[0]))
    if "kind" in found:
        found["kind"] = PredictionKind(found["kind"])
    return PredictionFormat(**found)


def answer_rows() -> Iterator[tuple[Outputs, list[str]]]:
    """Yield the outputs and the cells of each row of the tables of answers."""
    for title, outputs in OUTPUTS.items():
        for row in rows(section(FORMATS, title)):
            yield outputs, row
    for row in rows(section(FORMATS, "Two classes, stated")):
        yield Outputs(Task.BINARY, TWO, "yes", stated(row[0])), row


def captured(text: str) -> Iterator[CaptureSide]:
    """Yield the ways in which SageMaker captures an answer."""
    body = base64.b64encode(text.encode()).decode()
    is_json = text.startswith(("[", "{"))
    content_type = "application/json" if is_json else "text/csv; charset=utf-8"
    yield CaptureSide(text, "JSON" if is_json else "CSV", content_type)
    yield CaptureSide(body, "BASE64", content_type)
    # Model servers that state no content type, and those of web frameworks that call every text HTML.
    yield CaptureSide(body, "BASE64", None)
    yield CaptureSide(body, "BASE64", "text/html; charset=utf-8")
    if is_json:
        yield CaptureSide(text, "CSV", "text/csv")


def shown(found: RowPrediction, outputs: Outputs) -> str:
    number = f"{round(found.number, 9):g}"
    return number if found.predicted == NO_CLASS else f"{outputs.classes[found.predicted]} {number}"


ROWS = [*answer_rows()]
READ = [(spans(row[1])[0], outputs, spans(row[2])) for outputs, row in ROWS if spans(row[1])]
REFUSED = [(example, outputs, reason) for outputs, row in ROWS for example, reason in refused(row[3])]


def test_the_tables_are_found() -> None:
    assert len(ROWS) > 60
    assert len(READ) > 55
    assert len(REFUSED) > 50
    assert all(bool(spans(row[1])) == bool(spans(row[2])) for _, row in ROWS)
    assert all(spans(row[1]) or spans(row[3]) for _, row in ROWS)


@pytest.mark.parametrize(("example", "outputs", "expected"), READ)
def test_an_answer_is_read_as_the_page_says(example: str, outputs: Outputs, expected: list[str]) -> None:
    for side in captured(example):
        found = decode_output(payload(side), len(expected), outputs)
        assert [shown(row, outputs) for row in found] == expected, side


@pytest.mark.parametrize(("example", "outputs", "reason"), REFUSED)
def test_an_answer_is_refused_as_the_page_says(example: str, outputs: Outputs, reason: str) -> None:
    for side in captured(example):
        with pytest.raises(Unreadable) as error:
            decode_output(payload(side), 1, outputs)
        assert error.value.reason == reason, side
        assert bool(error.value.readings) == (reason == "ambiguous")
