"""Requests in the shapes that clients send, for property tests: a baseline of `age`, a number, and `work`, a text."""

import json
from typing import Any

from hypothesis import strategies as st

cells = st.sampled_from([41, 30.5, "17", None, "old", True, [1], 1e400, "Private", "age", "work", ""])
table_rows = st.lists(st.tuples(cells, cells).map(list), max_size=3)
headers = st.sampled_from(
    [
        ["age", "work"],
        ["work", "age"],
        ["id", "age"],
        ["age"],
        ["age", "work", "id"],
        [0, 1],
        ["age", "age"],
        ["a", "b"],
    ]
    + [[" age", "work\t"], ["work", 5], []]
)


def as_dictionaries(header: list[Any], rows: list[list[Any]]) -> list[dict[str, Any]]:
    return [dict(zip(map(str, header), row, strict=False)) for row in rows]


def as_columns(header: list[Any], rows: list[list[Any]]) -> dict[str, Any]:
    return dict(zip(map(str, header), map(list, zip(*rows, strict=True)), strict=False))


SHAPES = [
    lambda header, rows: rows,
    lambda header, rows: [header, *rows],
    lambda header, rows: [value for row in rows for value in row],
    as_dictionaries,
    as_columns,
    lambda header, rows: {name: [[cell] for cell in column] for name, column in as_columns(header, rows).items()},
    lambda header, rows: {name: dict(enumerate(column)) for name, column in as_columns(header, rows).items()},
    lambda header, rows: dict(enumerate(as_dictionaries(header, rows))),
    lambda header, rows: {"columns": header, "index": [0], "data": rows},
    lambda header, rows: {"names": header, "ndarray": rows},
    lambda header, rows: {"features": header, "data": rows},
    lambda header, rows: [{"features": row} for row in rows],
    lambda header, rows: [{"data": {"features": {"values": row}}} for row in rows],
    lambda header, rows: [{"name": name, "data": column} for name, column in as_columns(header, rows).items()],
    lambda header, rows: [{"name": "x", "shape": [len(rows), 2], "data": [cell for row in rows for cell in row]}],
]
extras: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
    [{}, {}, {}, {"signature_name": "serving_default"}, {"data": None}, {"rows": []}, {"age": 3}]
)
wrapped = st.sampled_from(["", "", "instances", "inputs", "data", "dataframe_split", "features", "request", "predict"])


@st.composite
def shaped(draw: st.DrawFn) -> str:
    """A table in one of the shapes that clients send, below a key or none, or as JSON Lines."""
    document: Any = draw(st.sampled_from(SHAPES))(draw(headers), draw(table_rows))
    if isinstance(document, list) and draw(st.booleans()):
        return draw(st.sampled_from(["\n", "\n\n", "\r\n"])).join(map(json.dumps, document))
    for _ in range(draw(st.sampled_from([0, 1, 1, 2]))):
        document = {key: document, **draw(extras)} if (key := draw(wrapped)) else document
    return json.dumps(document, indent=draw(st.sampled_from([None, None, 1])))


csv_headers = st.sampled_from(
    ["age,work", "work,age", " age, work", "age", "id,age,work", "age,other", "age,work,id", "'age',x"]
)
content_types = st.sampled_from(
    [None, "", "text/csv", "text/csv; charset=utf-8", "Text/CSV;header=present", "text/csv; header=absent", 5]
    + ["application/json", "application/jsonlines", "application/x-ndjson", "text/plain", "text/csv; charset=latin-1"]
    + ["text/tab-separated-values", 'text/csv; delimiter=";"', "text/csv; delimiter=tab", "text/csv; delimiter=x"]
    + ["application/x-npy", "image/png", "application/octet-stream", "text/csv; charset=klingon", "text/html"]
)
