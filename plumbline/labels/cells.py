"""CSV or JSON Lines -> cells by column, line by line."""

import csv
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

NEEDED = ("id", "label")
OPTIONAL = ("row", "time")
COLUMNS = (*NEEDED, *OPTIONAL)


@dataclass(frozen=True)
class Line:
    """One line that is not blank.

    `texts` has the text of each column without surrounding white space, and is empty where the line is no row.
    `labels` has the label or, of a JSON list, the labels of all of a request's rows in their order.
    """

    number: int
    texts: Mapping[str, str] = field(default_factory=dict)
    labels: tuple[str, ...] = ()
    is_list: bool = False


def read_lines(path: Path) -> Iterator[Line]:
    """Yield each line that is not blank; the format is that of the file's suffix.

    Raises
    ------
    ValueError
        If the file is no such table at all.
    """
    readers: dict[str, Callable[[Path], Iterator[Line]]] = {".csv": _csv_lines, ".jsonl": _json_lines}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise ValueError(f"labels must be in a file named {' or '.join(readers)}, got {str(path)!r}; rename it")
    return reader(path)


def _csv_lines(path: Path) -> Iterator[Line]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.reader(stream, skipinitialspace=True, strict=True)
            header = [cell.strip() for cell in next(reader, ())]
            _check_header(path, header)
            for cells in filter(None, reader):
                yield _csv_line(reader.line_num, header, [cell.strip() for cell in cells])
    except (csv.Error, UnicodeDecodeError) as error:
        raise ValueError(f"{path} must be CSV text in UTF-8, got: {error}; save it as such") from error


def _check_header(path: Path, header: list[str]) -> None:
    if not set(NEEDED) <= set(header) or any(header.count(name) > 1 for name in COLUMNS):
        raise ValueError(
            f"{path} must have one column each for {' and '.join(NEEDED)}, and may have {' and '.join(OPTIONAL)}, got "
            f"{', '.join(header) or 'an empty file'}; correct its header row"
        )


def _csv_line(number: int, header: Sequence[str], cells: Sequence[str]) -> Line:
    # The header again is no row: two tables were put one after the other.
    if len(cells) != len(header) or cells == header:
        return Line(number)
    texts = dict(zip(header, cells, strict=True))
    return Line(number, texts, (texts["label"],))


def _json_lines(path: Path) -> Iterator[Line]:
    with path.open("rb") as stream:
        for number, line in enumerate(stream, 1):
            if line.strip():
                yield _json_line(number, line)


def _json_line(number: int, line: bytes) -> Line:
    """Return a JSON object's texts, and its numbers as they are written; null is an empty cell, of a label none."""
    try:
        record = json.loads(line.removeprefix(_MARK), parse_int=str, parse_float=str, parse_constant=_no_number)
        # JSON can escape half a character, which no other text can hold.
        json.dumps(record, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return Line(number)
    if not isinstance(record, dict):
        return Line(number)
    found = record.pop("label", None)
    labels = [_text(value, booleans=True) for value in (found if isinstance(found, list) else [found])]
    texts = {name: _text(value) for name, value in record.items()}
    if None in labels or any(texts.get(name, "") is None for name in COLUMNS):
        return Line(number)
    return Line(
        number,
        {name: text or "" for name, text in texts.items()} | {"label": ""},
        tuple(label or "" for label in labels),
        is_list=isinstance(found, list),
    )


_MARK = b"\xef\xbb\xbf"


def _text(value: Any, *, booleans: bool = False) -> str | None:
    """Return what a cell says; None where it is neither text, number nor null, nor a boolean where one may be."""
    if isinstance(value, bool):
        return str(value).lower() if booleans else None
    if value is None:
        return ""
    return value.strip() if isinstance(value, str) else None


def _no_number(text: str) -> NoReturn:
    raise ValueError(text)
