"""Text files of a run. JSON documents of ours have one line per fact, a version and a checksum over all lines."""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from plumbline.drift.errors import PublishError

_SPECIAL = frozenset(',"\r\n')
_CHECKSUM_LINE = re.compile('^  "checksum": "[0-9a-f]{64}",\n', re.MULTILINE)


def sha256(text: str) -> str:
    """Return the SHA-256 of a text's UTF-8, in hexadecimal digits."""
    return hashlib.sha256(text.encode()).hexdigest()


def signed(document: Mapping[str, Any], before: str) -> str:
    """Return the document's text, with a checksum in the line before the key `before`.

    The checksum is the SHA-256 of the text without the checksum's own line.

    Raises
    ------
    ValueError
        If a number is NaN or infinite.
    """
    body = "{\n" + ",\n".join(f'  "{key}": {_pretty(value)}' for key, value in document.items()) + "\n}\n"
    return body.replace(f'\n  "{before}": ', f'\n  "checksum": "{sha256(body)}",\n  "{before}": ', 1)


def read_signed(text: str, *versions: int) -> dict[str, Any]:
    """Return the document whose text `signed` made, of one of the `versions`.

    Raises
    ------
    ValueError
        If the text is no JSON, of another version, or altered since it was written.
    """
    try:
        document: Any = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"must be JSON, got {error}") from error
    found = document.get("version") if isinstance(document, dict) else None
    if found not in versions:
        raise ValueError(f"must be of version {' or '.join(map(str, versions))}, got {found!r}")
    if document.get("checksum") != sha256(_CHECKSUM_LINE.sub("", text, count=1)):
        raise ValueError("must have the content it was written with, got another checksum: it was edited or damaged")
    return document  # type: ignore[no-any-return]


def _pretty(value: Any) -> str:
    """Return JSON with one line per entry of a list, unless all are texts, and no deeper breaks."""
    if not isinstance(value, list) or all(isinstance(entry, str) for entry in value):
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    lines = ",\n".join(f"    {json.dumps(entry, ensure_ascii=False, allow_nan=False)}" for entry in value)
    return f"[\n{lines}\n  ]"


def write_text(file: Path, text: str) -> None:
    """Write one file and the folders above it.

    Raises
    ------
    PublishError
        If that fails, for example because the platform mounted the folder for another user.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text.encode())
    except OSError as error:
        raise PublishError(
            f"{file} must be writable by the container's user, got {error.strerror}; check the mount's owner, "
            "or name another user in container/Dockerfile"
        ) from error


def csv_text(rows: Iterable[Sequence[str]]) -> str:
    """Return rows of text cells as CSV, which `csv.reader` reads back cell for cell."""
    # A row of one empty cell would be a blank line, which is no row.
    return "".join((",".join(map(_quoted, row)) or '""') + "\n" for row in rows)


def _quoted(cell: str) -> str:
    # csv.writer leaves a carriage return bare when lines end otherwise, and csv.reader takes it for a line's end.
    return '"' + cell.replace('"', '""') + '"' if _SPECIAL.intersection(cell) else cell
