"""A seeded mutator of documents: JSON and what is inside its texts, CSV, TOML, and bytes.

Equal seeds give equal mutations. Numbers keep their spelling, objects their order and their repeated keys.
"""

import base64
import binascii
import json
import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from json.encoder import encode_basestring, encode_basestring_ascii
from typing import Any, TypeAlias


class Raw(str):
    """A part of a JSON text that stands as it is: a number, whatever its size, or no JSON at all."""

    __slots__ = ()


class Pairs(list[tuple[str, Any]]):
    """An object with its keys in order, and as often as they occur."""

    __slots__ = ()


_DIGITS = "1" + "0" * 310
NUMBERS = (
    *("0", "-0", "1", "-1", "0.0", "1.0", "1e3", "0.5", "1.5", "-0.5", "1e-400", "1e308", "1e309", "-1e400"),
    *("2147483648", "9223372036854775807", "9223372036854775808", "-9223372036854775809", "18446744073709551616"),
    *(_DIGITS, f"-{_DIGITS}", "9" * 4300, "9" * 4301, "0." + "1" * 400, "NaN", "Infinity", "-Infinity"),
    *("01", "+1", "1_000", "0x10", "1.", ".5", "1e", "--1", "1e999999999"),
)
TEXTS = (
    *("", " ", "\t", "\n", "\r\n", ",", '"', "'", ";", "\\", "\x00", "\x1b[0m", "\ufeff", "\ud800", "\udc00\ud800"),
    *("\U0001f600", "e\u0301", "\xe9", "\u2028", "nan", "NaN", "NA", "None", "null", "?", "-", "true", "True", "0"),
    *(
        "1.0",
        "1e3",
        "02",
        "12_34",
        "other ",
        "__class__",
        "{}",
        "{0}",
        "%s",
        "[",
        "{",
        "[[1,2]]",
        '{"a":1}',
        "a,b\n1,2",
    ),
    *("../../x", "s3://", "s3://b/k", "CSV", "JSON", "BASE64", "base64", "text/csv", "application/json"),
    *("application/jsonlines", "application/x-npy", "text/csv; charset=utf-16", "text/csv; charset=rot13"),
    *("text/csv; charset=undefined", "text/csv;header=present", "2026-11-22T12:30:00Z", "2026-11-22", "2026-W01"),
    *("0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "now", "x" * 5000),
)
CONSTANTS = ("null", "true", "false", "undefined", "[]", "{}", '""', "[[]]", "[{}]", "[null]", '{"":{}}')
_DEPTHS = (3, 60, 600, 3000)
_MARKS = (
    "\ufeff".encode(),
    b"\xff\xfe",
    b"\x1f\x8b",
    b"\x00",
    b"\xc3",
    b"\xed\xa0\x80",
    b"{",
    b"}",
    b"[",
    b"]",
    b'"',
    b",",
    b"\n",
)
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|[A-Za-z0-9_.+-]+')
_MAX_BYTES = 200_000

Change: TypeAlias = Callable[[random.Random, Any], Any]


def mutated(data: bytes, other: bytes, source: random.Random) -> bytes:
    """Return a mutation of `data`, for which parts of `other` may be used."""
    for _ in range(source.choice((1, 1, 1, 2, 3))):
        document = _parsed(data) if source.random() < 0.8 else None
        try:
            changed = None if document is None else _of_document(document, other, source)
        except RecursionError:
            changed = None
        data = _with_bytes_changed(data, other, source) if changed is None else changed
    return data[:_MAX_BYTES]


@lru_cache(maxsize=512)
def _parsed(data: bytes) -> Any:
    """Return a JSON document, which is not to be changed, or None."""
    try:
        return json.loads(
            data.decode(errors="surrogateescape"),
            object_pairs_hook=Pairs,
            parse_int=Raw,
            parse_float=Raw,
            parse_constant=Raw,
        )
    except (ValueError, RecursionError):
        return None


def _of_document(document: Any, other: bytes, source: random.Random) -> bytes:
    changed = _changed(document, other, source)
    text = _written(changed, ascii_only=source.random() < 0.7)
    encoding = source.choices(("utf-8", "utf-8-sig", "utf-16", "latin-1"), (60, 1, 1, 1))[0]
    try:
        return text.encode(encoding)
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")


def _written(node: Any, *, ascii_only: bool) -> str:
    return _Writer(encode_basestring_ascii if ascii_only else encode_basestring).text(node)


@dataclass(frozen=True)
class _Writer:
    quoted: Callable[[str], str]

    def text(self, node: Any) -> str:
        if isinstance(node, Raw):
            return node
        if isinstance(node, str):
            return self.quoted(node)
        if isinstance(node, Pairs):
            return f"{{{','.join([f'{self.quoted(key)}:{self.text(value)}' for key, value in node])}}}"
        if isinstance(node, list):
            return f"[{','.join([self.text(entry) for entry in node])}]"
        return json.dumps(node)


def _changed(node: Any, other: bytes, source: random.Random) -> Any:
    """Return a copy of a document with a change somewhere: at this node, or below it."""
    children = len(node) if isinstance(node, list) else 0
    if children and source.random() < 0.85:
        position = source.randrange(children)
        if isinstance(node, Pairs):
            key, value = node[position]
            if source.random() < 0.1:
                return Pairs([*node[:position], (source.choice(TEXTS), value), *node[position + 1 :]])
            return Pairs([*node[:position], (key, _changed(value, other, source)), *node[position + 1 :]])
        return [*node[:position], _changed(node[position], other, source), *node[position + 1 :]]
    return _replaced(node, other, source)


def _replaced(node: Any, other: bytes, source: random.Random) -> Any:
    if isinstance(node, str) and not isinstance(node, Raw) and source.random() < 0.5:
        return _text_changed(node, source)
    if isinstance(node, list) and node and source.random() < 0.5:
        return _members_changed(node, source)
    if source.random() < 0.2:
        taken = _parsed(other)
        return source.choice(taken) if isinstance(taken, list) and taken and source.random() < 0.5 else taken
    return source.choice(_REPLACEMENTS)(source, node)


def _members_changed(node: list[Any], source: random.Random) -> list[Any]:
    one, another = source.randrange(len(node)), source.randrange(len(node))
    changed = [*node]
    kind = source.randrange(5)
    if kind == 0:
        del changed[one]
    elif kind == 1:
        changed.insert(another, changed[one])
    elif kind == 2:
        changed[one], changed[another] = changed[another], changed[one]
    elif kind == 3:
        changed *= source.choice((0, 2, 3, 50))
    elif isinstance(node, Pairs):  # the value of one key under the other: two sides swapped, for example
        changed[one], changed[another] = (node[one][0], node[another][1]), (node[another][0], node[one][1])
    else:
        changed = changed[:one]
    return Pairs(changed) if isinstance(node, Pairs) else changed


def _text_changed(text: str, source: random.Random) -> str:
    """Return a changed text: itself a document, in BASE64, a row, or a word."""
    if source.random() < 0.25:
        return source.choice(TEXTS)
    data = text.encode("utf-8", "surrogatepass")
    try:
        inner = base64.b64decode(data, validate=True) if len(data) > 3 else b""
    except binascii.Error:
        inner = b""
    if inner:
        return base64.b64encode(mutated(inner, inner, source)).decode()
    if source.random() < 0.1:
        return base64.b64encode(data).decode()
    return mutated(data, data, source).decode("utf-8", source.choice(("replace", "surrogateescape")))


def _nested(source: random.Random, node: Any) -> Raw:
    depth, is_list = source.choice(_DEPTHS), source.random() < 0.6
    inner = _written(node, ascii_only=True)
    return Raw("[" * depth + inner + "]" * depth if is_list else '{"a":' * depth + inner + "}" * depth)


_REPLACEMENTS: Sequence[Change] = (
    lambda source, _: Raw(source.choice(NUMBERS)),
    lambda source, _: Raw(source.choice(NUMBERS)),
    lambda source, _: source.choice(TEXTS),
    lambda source, _: Raw(source.choice(CONSTANTS)),
    lambda source, _: source.choice(NUMBERS),
    lambda _, node: [node],
    lambda source, node: [node] * source.choice((2, 3, 14)),
    lambda source, node: Pairs([(source.choice(TEXTS), node)]),
    lambda _, node: _written(node, ascii_only=True),
    lambda _, node: base64.b64encode(_written(node, ascii_only=True).encode()).decode(),
    _nested,
)


def _with_bytes_changed(data: bytes, other: bytes, source: random.Random) -> bytes:
    kind = source.randrange(8)
    start, end = sorted((source.randint(0, len(data)), source.randint(0, len(data))))
    end = min(end, start + source.choice((1, 2, 8, 64, 100_000)))
    if kind < 3 and (tokens := [*_TOKEN.finditer(data)]):
        found = source.choice(tokens)
        word = source.choice((*NUMBERS, *TEXTS, *CONSTANTS)).encode("utf-8", "surrogatepass")
        quoted = b'"' + word + b'"' if source.random() < 0.3 else word
        return data[: found.start()] + quoted + data[found.end() :]
    if kind == 3:
        return data[:start] + source.choice(_MARKS) + data[start:]
    if kind == 4:
        return data[:start]
    if kind == 5:
        return data[:start] + data[end:]
    if kind == 6:
        position = source.randint(0, len(other))
        return data[:start] + other[position : position + source.choice((4, 32, 100_000))] + data[end:]
    return data[:start] + bytes([source.randrange(256)]) + data[min(start + 1, len(data)) :]
