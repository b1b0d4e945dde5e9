"""Content types of payloads: what they say of the text, and which of them are no text at all."""

import codecs
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

MAX_CONTENT_TYPE_CHARACTERS = 200
"""Longer ones are the client's invention: only so much of them is read."""
_PARAMETER = re.compile(r';\s*([\w.-]+)\s*=\s*(?:"([^"]*)"|([^;]*))')
_BINARY_KINDS = frozenset({"audio", "font", "image", "model", "multipart", "video"})
_BINARY_FORMATS = frozenset(
    "arrow avro cbor excel feather gzip hdf5 html image libsvm msgpack npy npz numpy orc parquet pdf pickle pkl "
    "protobuf recordio sheet svmlight urlencoded xml yaml zip".split()
)
_DELIMITERS: Mapping[str, str] = {
    ",": ",", "comma": ",", ";": ";", "semicolon": ";", "\t": "\t", "\\t": "\t", "tab": "\t", "|": "|", "pipe": "|",
    # What is left of `delimiter=;` where it is written without quotes.
    "": ";",
}  # fmt: skip
_CHARSETS = re.compile(
    r"utf-(8|8-sig|16|16-le|16-be|32|32-le|32-be)|ascii|(iso8859-|cp|koi8-)\w+|big5|euc_\w+|gb\w+|.*jis.*"
)
"""Python's names of character sets; its other codecs are no character sets."""
_MAGIC = {
    b"\x93NUMPY": "application/x-npy",
    b"\x89PNG": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF8": "image/gif",
    b"PAR1": "application/x-parquet",
    b"\x0a\x23\xd7\xce": "application/x-recordio-protobuf",
    b"\x1f\x8b": "application/gzip",
    b"PK\x03\x04": "application/zip",
    b"%PDF": "application/pdf",
}
"""How bodies of formats that are no text begin."""


class ContentType(NamedTuple):
    """A content type, taken apart.

    `media_type` is in lower case and without parameters; empty where none was stated. `charset` is Python's name of the
    character set. `delimiter` divides the fields of CSV, and `has_header` says whether its first line names the
    columns; None: not stated. `unsupported` is the content type as a reader sees it, where its bodies cannot be read as
    rows; else empty. It `is_json` where it names JSON or JSON Lines, `is_csv` where it names CSV of whatever delimiter,
    and `is_text` where it names text of whatever kind. A CSV text of a type that `is_usual` is divided by commas,
    without a word on a header.

    References
    ----------
    RFC 4180, section 3 (``charset`` and ``header``); RFC 9110, section 8.3.1.
    """

    media_type: str = ""
    charset: str = "utf-8"
    delimiter: str = ","
    has_header: bool | None = None
    unsupported: str = ""
    is_json: bool = False
    is_csv: bool = False
    is_text: bool = False
    is_usual: bool = True


def content_type(text: str | None) -> ContentType:
    """Return what a content type says; None, as where the model server stated none, says nothing."""
    return _parsed((text or "")[:MAX_CONTENT_TYPE_CHARACTERS])


@lru_cache(maxsize=256)
def _parsed(text: str) -> ContentType:
    media_type = text.partition(";")[0].strip().lower()
    parameters = {name.lower(): (quoted or bare).strip() for name, quoted, bare in _PARAMETER.findall(text)}
    charset = _charset(parameters.get("charset", ""))
    delimiter = _DELIMITERS.get(parameters.get("delimiter", "tab" if "tab-separated" in media_type else ",").lower())
    is_json = "json" in media_type
    is_csv = not is_json and ("csv" in media_type or "tab-separated" in media_type)
    words = re.split(r"[/+.\-]", media_type)
    is_binary = words[0] in _BINARY_KINDS or not _BINARY_FORMATS.isdisjoint(words)
    if (is_binary and not (is_json or is_csv)) or charset is None or delimiter is None:
        return ContentType(media_type, unsupported=shown(text.strip()), is_usual=False)
    header = {"present": True, "absent": False}.get(parameters.get("header", "").lower())
    return ContentType(
        media_type,
        charset,
        delimiter,
        header,
        is_json=is_json,
        is_csv=is_csv,
        is_text=is_json or is_csv or media_type.startswith("text/"),
        is_usual=delimiter == "," and header is None,
    )


def shown(text: str) -> str:
    """Return a client's text as a report can be written with it."""
    return text[:MAX_CONTENT_TYPE_CHARACTERS].encode(errors="backslashreplace").decode()


def recognised(data: bytes) -> str | None:
    """Return the content type of a body that is no text, by its first bytes; None where they are of no known format."""
    return next((f"{name} by its first bytes" for magic, name in _MAGIC.items() if data.startswith(magic)), None)


def _charset(name: str) -> str | None:
    """Return Python's name of a character set, UTF-8 for none; None where it is unknown."""
    try:
        found = codecs.lookup(name.replace("\x00", "?") or "utf-8").name
    except (LookupError, UnicodeError):
        return None
    return found if _CHARSETS.fullmatch(found) else None
