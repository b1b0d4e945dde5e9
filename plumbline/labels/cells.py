"""CSV or JSON Lines -> cells by column, line by line."""

import csv
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NoReturn, TypeAlias

NEEDED = ("id", "label")
OPTIONAL = ("row", "time")
COLUMNS = (*NEEDED, *OPTIONAL)

Cells: TypeAlias = Mapping[str, str]
"""Column -> text without surrounding white space; empty where the line is no row."""


def read_lines(path: Path) -> Iterator[tuple[int, Cells]]:
    """Yield the number of each line that is not blank, and its cells; the format is that of the file's suffix.

    Raises
    ------
    ValueError
        If the file is no such table at all.
    """
    readers: dict[str, Callable[[Path], Iterator[tuple[int, Cells]]]] = {".csv": _csv_lines, ".jsonl": _json_lines}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise ValueError(f"labels must be in a file named {' or '.join(readers)}, got {str(path)!r}; rename it")
    return reader(path)


def _csv_lines(path: Path) -> Iterator[tuple[int, Cells]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.reader(stream, skipinitialspace=True, strict=True)
            header = [cell.strip() for cell in next(reader, ())]
            _check_header(path, header)
            for cells in filter(None, reader):
                fits = len(cells) == len(header)
                yield reader.line_num, dict(zip(header, map(str.strip, cells), strict=True)) if fits else {}
    except (csv.Error, UnicodeDecodeError) as error:
        raise ValueError(f"{path} must be CSV text in UTF-8, got: {error}; save it as such") from error


def _check_header(path: Path, header: list[str]) -> None:
    if not set(NEEDED) <= set(header) or any(header.count(name) > 1 for name in COLUMNS):
        raise ValueError(
            f"{path} must have one column each for {' and '.join(NEEDED)}, and may have {' and '.join(OPTIONAL)}, got "
            f"{', '.join(header) or 'an empty file'}; correct its header row"
        )


def _json_lines(path: Path) -> Iterator[tuple[int, Cells]]:
    with path.open("rb") as stream:
        for number, line in enumerate(stream, 1):
            if line.strip():
                yield number, _json_cells(line)


def _json_cells(line: bytes) -> Cells:
    """Return a JSON object's texts and numbers, numbers as they are written; null is an empty cell."""
    try:
        record = json.loads(line, parse_int=str, parse_float=str, parse_constant=_no_number)
        if not isinstance(record, dict):
            return {}
        cells = {name: "" if value is None else value for name, value in record.items()}
        if not all(isinstance(cells.get(name, ""), str) for name in COLUMNS):
            return {}
        # JSON can escape half a character, which no other text can hold.
        json.dumps(record, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return {}
    return {name: str(value).strip() for name, value in cells.items()}


def _no_number(text: str) -> NoReturn:
    raise ValueError(text)
