"""JSON requests -> rows by position or by name, in whichever of the shapes that clients of model servers send.

The shapes are listed in docs/formats.md, one by one, with the order in which they are tried.
"""

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any, TypeAlias

from plumbline.contract.rejection import RejectionReason
from plumbline.drift.read.kernel.content_types import shown
from plumbline.drift.read.kernel.records import Rejected

Entry: TypeAlias = list[Any] | dict[str, Any]
"""One row: its values in order, or by name."""

_WRAPPERS = (
    "dataframe_split", "dataframe_records", "instances", "inputs", "input_data", "data", "features", "rows", "records",
    "values", "ndarray", "tensor",
)  # fmt: skip
"""Keys below which rows are looked for."""
_HEADERS = ("columns", "names", "feature_names", "fields", "features")
"""Keys of a list of column names, beside the rows."""
_BODIES = ("data", "rows", "values", "ndarray", "instances", "inputs")
"""Keys of the rows beside such a list."""
_MAX_WRAPPERS = 6
"""Seldon's protocol and SageMaker's own nest three; more than this is nobody's."""


def entries(document: Any, names: Sequence[str]) -> list[Entry]:
    """Return the rows of a document.

    An object that names a feature is read by name, whatever else it holds.

    Raises
    ------
    Rejected
        If it holds no rows, or rows in two ways.
    """
    return _rows(document, names, 0)


def _rows(node: Any, names: Sequence[str], depth: int) -> list[Entry]:
    if depth > _MAX_WRAPPERS:
        raise _not_rows("rows nested too deeply")
    if isinstance(node, list):
        return _of_list(node, names, depth)
    if isinstance(node, dict):
        return _of_object(node, names, depth)
    if len(names) != 1 or node is None:
        raise _not_rows("no list and no object")
    return [[node]]


def _of_list(node: list[Any], names: Sequence[str], depth: int) -> list[Entry]:
    """Return a list's rows: of lists or objects one each; a list of values is one row, or a row each of one column."""
    kinds = {*map(type, node)}
    if kinds <= {list}:
        return node
    if kinds.isdisjoint({list, dict}):
        return [[value] for value in node] if len(names) == 1 else [node]
    if not kinds <= {list, dict}:
        raise _not_rows("values and rows in one list")
    if all(map(_is_tensor, node)) and not any(_named(entry, names) for entry in node):
        return _of_tensors(node, names, depth)
    return [
        *chain.from_iterable([entry] if isinstance(entry, list) else _of_object(entry, names, depth) for entry in node)
    ]


def _of_object(node: dict[str, Any], names: Sequence[str], depth: int) -> list[Entry]:
    if known := _named(node, names):
        return _by_name(node, known)
    if depth > _MAX_WRAPPERS:
        raise _not_rows("rows nested too deeply")
    if len(node) == 1 and (key := next(iter(node))) in _WRAPPERS:
        return _rows(node[key], names, depth + 1)
    if (split := _split(node, names)) is not None:
        return split
    if {"shape", "values"} <= node.keys() and "keys" not in node:
        return _of_tensors([{"name": "", "shape": node["shape"], "data": node["values"]}], names, depth)
    found = [key for key in _WRAPPERS if isinstance(node.get(key), list | dict)]
    found = found or [key for key in _WRAPPERS if key in node]
    if len(found) > 1:
        raise _not_rows(f"rows below each of {', '.join(found)}")
    if found and "keys" not in node:
        return _rows(node[found[0]], names, depth + 1)
    if node and all(key.isdecimal() and isinstance(row, dict) for key, row in node.items()):
        return [*chain.from_iterable(_of_object(row, names, depth + 1) for row in node.values())]
    raise Rejected(RejectionReason.FIELD_COUNT, f"the keys {shown(', '.join(sorted(node)))}")


def _named(node: Mapping[str, Any], names: Sequence[str]) -> list[str]:
    """Return the features that an object names; none where all of them are wrappers, and hold what holds rows."""
    if node.keys().isdisjoint(names):
        return []
    known = [name for name in names if name in node]
    return (
        [] if known[0] in _WRAPPERS and all(name in _WRAPPERS and _holds_rows(node[name]) for name in known) else known
    )


def _holds_rows(value: Any) -> bool:
    return isinstance(value, dict) or (
        isinstance(value, list) and any(isinstance(entry, list | dict) for entry in value)
    )


def _by_name(node: dict[str, Any], known: Sequence[str]) -> list[Entry]:
    """Return the rows of an object that names features: its columns where all of them are columns, else one row."""
    values = [node[name] for name in known]
    if all(isinstance(value, list) for value in values):
        columns = [[_single(entry) for entry in value] for value in values]
    elif all(map(_is_indexed, values)):
        columns = [_in_order(value, values[0]) for value in values]
    else:
        return [node]
    lengths = sorted({len(column) for column in columns})
    if len(lengths) > 1:
        raise _not_rows(f"columns of {' and '.join(map(str, lengths[:5]))} values")
    return [dict(zip(known, row, strict=True)) for row in zip(*columns, strict=True)]


def _single(entry: Any) -> Any:
    """Return the value of a list of one, as tensors of shape (n_rows, 1) have them."""
    return entry[0] if isinstance(entry, list) and len(entry) == 1 and not isinstance(entry[0], list | dict) else entry


def _is_indexed(value: Any) -> bool:
    """Return whether a column is an object of values by row number, as pandas writes data frames."""
    return isinstance(value, dict) and bool(value) and all(key.isdecimal() for key in value)


def _in_order(column: Mapping[str, Any], index: Mapping[str, Any]) -> list[Any]:
    if column.keys() != index.keys():
        raise _not_rows("columns of other rows each")
    return [column[key] for key in index]


def _split(node: Mapping[str, Any], names: Sequence[str]) -> list[Entry] | None:
    """Return the rows beside a list of their columns' names, or None where there are no such two."""
    bodies = [key for key in _BODIES if isinstance(node.get(key), list)]
    headers = [
        key for key in _HEADERS if key not in bodies and _is_header(node.get(key)) and
        (key != "features" or not set(names).isdisjoint(node[key]))
    ]  # fmt: skip
    if len(headers) != 1 or len(bodies) != 1:
        return None
    header, body = node[headers[0]], node[bodies[0]]
    if any(isinstance(row, dict) for row in body):
        return None
    rows = body if any(isinstance(row, list) for row in body) else _of_list(body, header, 0)
    return [*by_position(rows, header, names)]


def _is_header(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(type(name) in {str, int} for name in value)


def by_position(rows: Sequence[Any], header: Sequence[Any], names: Sequence[str]) -> list[Entry]:
    """Return rows of lists by the names of their columns; a header of numbers, pandas' own, names nothing.

    Raises
    ------
    Rejected
        If the header names a feature twice, or none, or a row is no list of as many values.
    """
    if not all(isinstance(row, list) for row in rows):
        raise _not_rows("values and rows in one list")
    is_named = not all(isinstance(name, int) for name in header)
    n_named = [header.count(name) for name in names if is_named]
    if is_named and not any(n_named):
        raise Rejected(RejectionReason.FIELD_COUNT, f"the columns {shown(', '.join(map(str, header)))}")
    if max(n_named, default=0) > 1:
        raise _not_rows("a feature named twice in the header")
    for row in rows:
        if len(row) != len(header):
            raise Rejected(RejectionReason.FIELD_COUNT, f"{counted_fields(row)} below {len(header)} columns")
    return [dict(zip(header, row, strict=True)) for row in rows] if is_named else [*rows]


def counted_fields(row: Sequence[Any]) -> str:
    """Return how many fields a row has, in words."""
    return f"{len(row)} field{'s' * (len(row) != 1)}"


def _is_tensor(entry: Any) -> bool:
    return isinstance(entry, dict) and isinstance(entry.get("name"), str) and isinstance(entry.get("data"), list)


def _of_tensors(tensors: Sequence[Mapping[str, Any]], names: Sequence[str], depth: int) -> list[Entry]:
    """Return the rows of named tensors, one a feature; a single one of another name holds whole rows.

    References
    ----------
    Open Inference Protocol, version 2, "Inference request JSON object".
    """
    by_name = {tensor["name"]: tensor["data"] for tensor in tensors}
    if known := [name for name in names if name in by_name]:
        return _by_name(by_name, known)
    if len(tensors) > 1:
        raise Rejected(RejectionReason.FIELD_COUNT, f"the tensors {shown(', '.join(sorted(by_name)))}")
    (tensor,) = tensors
    data = tensor["data"]
    if not isinstance(data, list):
        raise _not_rows("a tensor without a list of values")
    width = _row_length(tensor.get("shape"), len(data))
    if width and not any(isinstance(value, list | dict) for value in data):
        return [data[first : first + width] for first in range(0, len(data), width)]
    return _of_list(data, names, depth)


def _row_length(shape: Any, n_values: int) -> int:
    """Return how many values a row of a tensor has; 0 where the shape is not that of rows, `n_values` together."""
    match shape:
        case [int(n_rows), int(n_columns)] if n_rows > 0 and n_columns > 0 and n_rows * n_columns == n_values:
            return n_columns
    return 0


def _not_rows(what: str) -> Rejected:
    return Rejected(RejectionReason.INPUT_NOT_ROWS, what)
