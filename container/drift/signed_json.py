"""JSON files that a person can read and check: a line per fact, and a checksum over all of them."""

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

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


def is_intact(text: str, document: Mapping[str, Any]) -> bool:
    """Return whether the text is the one that was signed: `document` is what JSON reads in it."""
    return document.get("checksum") == sha256(_CHECKSUM_LINE.sub("", text, count=1))


def _pretty(value: Any) -> str:
    """Return JSON with one line per entry of a list, and no deeper breaks."""
    if not value or not isinstance(value, list):
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    lines = ",\n".join(f"    {json.dumps(entry, ensure_ascii=False, allow_nan=False)}" for entry in value)
    return f"[\n{lines}\n  ]"
