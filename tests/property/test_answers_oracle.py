"""Answers of two classes against the slow reader of answers: equal predictions, or none of both."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from plumbline.contract.training import Task
from plumbline.drift.read.kernel.answers import decode_output
from plumbline.drift.read.kernel.predictions import Outputs, Unreadable
from plumbline.drift.read.kernel.records import CaptureSide, payload
from tests.oracles.slow_answers import LABEL, SCORE, predictions

CLASSES = ("no", "yes")
OUTPUTS = Outputs(Task.BINARY, CLASSES, "yes")

numbers = st.sampled_from([0.25, 0.75, 1, 0, 0.5, 1.5, -2.0, "0.25", "1e400", None, True, 10**400, float("nan")])
labels = st.sampled_from(["no", "yes", " yes", "maybe", "", None])
scalars = numbers | labels
pairs = st.sampled_from([[0.25, 0.75], [0.75, 0.25], [0.25, 0.25], ["no", 0.9], ["no", 0.2], ["yes", 0.2], [0.5], []])
objects = st.dictionaries(st.sampled_from([LABEL[1], *SCORE, "other"]), numbers, max_size=2) | st.fixed_dictionaries(
    {}, optional={"label": labels, "score": numbers, "no": numbers, "yes": numbers}
)
entries = scalars | pairs | objects
documents = (
    entries
    | st.lists(entries, max_size=4)
    | st.lists(st.lists(scalars, max_size=3), max_size=3)
    | st.builds(
        lambda key, value: {key: value}, st.sampled_from(["predictions", "results"]), st.lists(entries, max_size=3)
    )
)
json_texts = documents.map(json.dumps) | st.lists(entries.map(json.dumps), min_size=2, max_size=3).map("\n".join)
csv_texts = st.lists(
    st.lists(st.sampled_from(["0.25", "0.75", "yes", "no", "1", "x", ""]), min_size=1, max_size=3).map(",".join),
    max_size=3,
).map("\n".join)


@settings(max_examples=300)
@given(
    text=json_texts | csv_texts | st.text(max_size=12),
    encoding=st.sampled_from(["CSV", "JSON"]),
    content_type=st.sampled_from([None, "text/html", "application/jsonlines"]),
    n_rows=st.integers(1, 4),
)
def test_answers_are_read_as_the_slow_reader_reads_them(
    text: str, encoding: Any, content_type: str | None, n_rows: int
) -> None:
    side = {"data": text, "encoding": encoding, "observedContentType": content_type}
    try:
        found = decode_output(payload(CaptureSide(text, encoding, content_type)), n_rows, OUTPUTS)
    except Unreadable:
        assert predictions(side, n_rows, CLASSES) is None
        return
    assert [round(row.number, 12) for row in found] == predictions(side, n_rows, CLASSES)
