"""Sides and requests read slowly and obviously, by the standard library alone: one half of the slow reader."""

import base64
import binascii
import codecs
import csv
import io
import json
from collections.abc import Sequence
from email.message import Message
from itertools import chain
from typing import Any

WRAPPERS = [
    "dataframe_split", "dataframe_records", "instances", "inputs", "input_data", "data", "features", "rows", "records",
    "values", "ndarray", "tensor",
]  # fmt: skip
NO_TEXT = [
    "arrow", "avro", "cbor", "excel", "feather", "gzip", "hdf5", "html", "image", "libsvm", "msgpack", "npy", "npz",
    "numpy", "orc", "parquet", "pdf", "pickle", "pkl", "protobuf", "recordio", "sheet", "svmlight", "urlencoded", "xml",
    "yaml", "zip",
]  # fmt: skip
CHARSETS = ["utf-8", "utf-16", "utf-16-le", "utf-16-be", "iso8859-1", "cp1252", "ascii", "shift_jis"]


class Reject(Exception):
    pass


class Absent:
    """Stands for a value that a row by name does not name."""


class Side:
    """The text of one side, and what its content type says of it."""

    def __init__(self, side: object) -> None:
        if not isinstance(side, dict) or not isinstance(side.get("data"), str):
            raise Reject("not_a_capture_record")
        encoding = side.get("encoding")
        if encoding not in ("CSV", "JSON", "BASE64"):
            raise Reject("not_a_capture_record")
        named = side.get("observedContentType")
        self.media_type, parameters = _content_type(named if isinstance(named, str) else "")
        self.says_json = "json" in self.media_type
        self.says_csv = not self.says_json and ("csv" in self.media_type or "tab-separated" in self.media_type)
        self.delimiter = _delimiter(parameters.get("delimiter"), self.media_type)
        self.header = {"present": True, "absent": False}.get(parameters.get("header", "").lower())
        charset = _charset(parameters.get("charset", "utf-8"))
        if charset is None or self.delimiter is None or self._is_no_text():
            raise Reject("unsupported_content_type")
        if encoding == "BASE64":
            self.text = self._decoded(side["data"], charset).removeprefix("\ufeff")
            self.is_json = self.says_json or (not self.says_csv and self.text.lstrip().startswith(("[", "{")))
        else:
            require_unicode(side["data"])
            self.text = side["data"].removeprefix("\ufeff")
            self.is_json = encoding == "JSON"

    def _is_no_text(self) -> bool:
        if self.says_json or self.says_csv:
            return False
        words = self.media_type.replace("+", "/").replace(".", "/").replace("-", "/").split("/")
        return words[0] in ("audio", "font", "image", "model", "multipart", "video") or any(
            word in NO_TEXT for word in words
        )

    def _decoded(self, data: str, charset: str) -> str:
        try:
            content = base64.b64decode("".join(data.split()), validate=True)
        except (binascii.Error, ValueError):
            raise Reject("invalid_base64") from None
        promises_text = self.says_json or self.says_csv or self.media_type.startswith("text/")
        try:
            text = content.decode(charset)
        except UnicodeDecodeError:
            magic = [b"\x93NUMPY", b"\x89PNG", b"\xff\xd8\xff", b"\x0a\x23\xd7\xce", b"\x1f\x8b"]
            is_known = any(content.startswith(start) for start in magic) or self.media_type
            raise Reject("unsupported_content_type" if is_known and not promises_text else "not_utf8") from None
        control = [chr(code) for code in range(32) if chr(code) not in "\t\n\v\f\r"]
        if self.media_type and not promises_text and any(character in text for character in control):
            raise Reject("unsupported_content_type")
        return text


def _content_type(text: str) -> tuple[str, dict[str, str]]:
    message = Message()
    message["content-type"] = text
    parameters = message.get_params(failobj=[]) or []
    return text.partition(";")[0].strip().lower(), {name.lower(): value for name, value in parameters[1:]}


def _delimiter(name: str | None, media_type: str) -> str | None:
    if name is None:
        return "\t" if "tab-separated" in media_type else ","
    return {"comma": ",", ",": ",", "semicolon": ";", ";": ";", "tab": "\t", "pipe": "|", "|": "|"}.get(name.lower())


def _charset(name: str) -> str | None:
    try:
        found = codecs.lookup(name).name
    except LookupError:
        return None
    return found if found in CHARSETS else None


def require_unicode(text: str) -> None:
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise Reject("not_utf8")


def json_of(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise Reject("input_not_json") from None


def documents(text: str) -> list[Any]:
    """The one document, or one a line."""
    try:
        return [json_of(text)]
    except Reject:
        lines = [line for line in text.split("\n") if line.strip() != ""]
        if len(lines) <= 1:
            raise
        return [json_of(line) for line in lines]


def csv_of(text: str, delimiter: str = ",") -> list[list[str]]:
    try:
        lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True, strict=True)
        return [fields for fields in lines if fields]
    except csv.Error:
        raise Reject("input_not_csv") from None


def request_rows(side: object, names: Sequence[str]) -> list[list[Any]]:
    """The rows of a request, one value a feature."""
    if side is None:
        raise Reject("no_input")
    read = Side(side)
    rows: list[Any]
    if read.is_json:
        rows = []
        for document in documents(read.text):
            rows += rows_of(document, names, 0)
    else:
        rows = csv_of(read.text, read.delimiter or ",")
    first = rows[0] if rows else []
    first = first if read.is_json else [name.strip(" \t") for name in first]
    header = names_columns([first, *rows[1:]], names) if read.is_json or read.header is None else read.header
    if header and rows:
        rows = below(first, rows[1:], names)
    if not rows:
        raise Reject("no_input")
    values = [[row.get(name, Absent) for name in names] if isinstance(row, dict) else row for row in rows]
    if any(len(row) != len(names) for row in values):
        raise Reject("field_count")
    for value in chain.from_iterable(values):
        require_unicode(value if isinstance(value, str) else "")
    return values


def names_columns(rows: Sequence[Any], names: Sequence[str]) -> bool:
    """Whether the first row is a header."""
    if not rows or not isinstance(rows[0], list) or not rows[0] or not all(isinstance(cell, str) for cell in rows[0]):
        return False
    cells = rows[0]
    n_known = sum(cell in names for cell in cells)
    if n_known == 0:
        return False
    if len(names) == 1 and len(rows) == 1:
        return False
    return n_known > len(cells) / 2 or all(name in cells for name in names)


def below(header: Sequence[Any], rows: Sequence[Any], names: Sequence[str]) -> list[Any]:
    """Rows below a header."""
    if any(not isinstance(row, list) for row in rows):
        raise Reject("input_not_rows")
    by_number = all(isinstance(name, int) for name in header)
    if not by_number and all(name not in names for name in header):
        raise Reject("field_count")
    if not by_number and any(list(header).count(name) > 1 for name in names):
        raise Reject("input_not_rows")
    if any(len(row) != len(header) for row in rows):
        raise Reject("field_count")
    return list(rows) if by_number else [dict(zip(header, row, strict=True)) for row in rows]


def rows_of(node: Any, names: Sequence[str], depth: int) -> list[Any]:  # noqa: C901, PLR0911 - one shape after the other
    if depth > 6:
        raise Reject("input_not_rows")
    if not isinstance(node, (list, dict)):
        if len(names) == 1 and node is not None:
            return [[node]]
        raise Reject("input_not_rows")
    if isinstance(node, list):
        return _list_rows(node, names, depth)
    named = [name for name in names if name in node]
    if named and not all(name in WRAPPERS and nested(node[name]) for name in named):
        return _named_rows({name: node[name] for name in named})
    if len(node) == 1 and set(node) <= set(WRAPPERS):
        (inner,) = node.values()
        return rows_of(inner, names, depth + 1)
    headers = [
        key
        for key in ("columns", "names", "feature_names", "fields", "features")
        if isinstance(node.get(key), list)
        and node[key]
        and all(isinstance(name, (str, int)) and not isinstance(name, bool) for name in node[key])
        and (key != "features" or any(name in names for name in node[key]))
    ]
    bodies = [
        key for key in ("data", "rows", "values", "ndarray", "instances", "inputs") if isinstance(node.get(key), list)
    ]
    if len(headers) == len(bodies) == 1 and not any(isinstance(row, dict) for row in node[bodies[0]]):
        header, body = node[headers[0]], node[bodies[0]]
        if not any(isinstance(row, list) for row in body):
            body = [[value] for value in body] if len(header) == 1 else [body] if body else []
        return below(header, body, names)
    if "shape" in node and "values" in node and "keys" not in node:
        return _tensor_rows([{"name": "", "shape": node["shape"], "data": node["values"]}], names, depth)
    full = [key for key in WRAPPERS if isinstance(node.get(key), (list, dict))]
    present = full or [key for key in WRAPPERS if key in node]
    if len(present) > 1:
        raise Reject("input_not_rows")
    if present and "keys" not in node:
        return rows_of(node[present[0]], names, depth + 1)
    if node and all(key.isdecimal() and isinstance(row, dict) for key, row in node.items()):
        return [row for inner in node.values() for row in rows_of(inner, names, depth + 1)]
    raise Reject("field_count")


def nested(value: Any) -> bool:
    if isinstance(value, list):
        return any(isinstance(entry, (list, dict)) for entry in value)
    return isinstance(value, dict)


def _list_rows(node: list[Any], names: Sequence[str], depth: int) -> list[Any]:
    inner = [entry for entry in node if isinstance(entry, (list, dict))]
    if not node:
        return []
    if not inner:
        return [[value] for value in node] if len(names) == 1 else [node]
    if len(inner) != len(node):
        raise Reject("input_not_rows")
    tensors = [
        entry
        for entry in node
        if isinstance(entry, dict) and isinstance(entry.get("name"), str) and isinstance(entry.get("data"), list)
    ]
    if len(tensors) == len(node):
        read_by_name = [
            entry
            for entry in tensors
            if any(name in entry and not (name in WRAPPERS and nested(entry[name])) for name in names)
        ]
        if not read_by_name:
            return _tensor_rows(node, names, depth)
    rows: list[Any] = []
    for entry in node:
        rows += [entry] if isinstance(entry, list) else rows_of(entry, names, depth)
    return rows


def _named_rows(named: dict[str, Any]) -> list[Any]:
    if all(isinstance(value, list) for value in named.values()):
        columns = {
            name: [
                cell[0] if isinstance(cell, list) and len(cell) == 1 and not isinstance(cell[0], (list, dict)) else cell
                for cell in value
            ]
            for name, value in named.items()
        }
    elif all(isinstance(value, dict) and value and all(map(str.isdecimal, value)) for value in named.values()):
        index = list(next(iter(named.values())))
        if any(set(value) != set(index) for value in named.values()):
            raise Reject("input_not_rows")
        columns = {name: [value[key] for key in index] for name, value in named.items()}
    else:
        return [named]
    if len({len(column) for column in columns.values()}) > 1:
        raise Reject("input_not_rows")
    n_rows = len(next(iter(columns.values())))
    return [{name: column[row] for name, column in columns.items()} for row in range(n_rows)]


def _tensor_rows(tensors: list[Any], names: Sequence[str], depth: int) -> list[Any]:
    found = {tensor["name"]: tensor["data"] for tensor in tensors}
    if any(name in found for name in names):
        return _named_rows({name: found[name] for name in names if name in found})
    if len(tensors) != 1:
        raise Reject("field_count")
    data, shape = tensors[0]["data"], tensors[0].get("shape")
    if not isinstance(data, list):
        raise Reject("input_not_rows")
    is_flat = not any(isinstance(value, (list, dict)) for value in data)
    if is_flat and isinstance(shape, list) and len(shape) == 2 and all(isinstance(n, int) and n > 0 for n in shape):
        n_rows, n_columns = shape
        if n_rows * n_columns == len(data):
            return [data[row * n_columns : (row + 1) * n_columns] for row in range(n_rows)]
    return _list_rows(data, names, depth)
