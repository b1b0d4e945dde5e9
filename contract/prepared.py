"""How the retraining pipeline divided the labelled captures: prepared.json."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from plumbline.contract.decoding import decode, read_json

PREPARED_VERSION = 1


@dataclass(frozen=True)
class PreparedPart:
    """The fresh rows or the holdout: how many rows, of each label, and their first and last inference time."""

    n_rows: int
    labels: Mapping[str, int]
    first: str
    last: str


@dataclass(frozen=True)
class PreparedHour:
    """What the files of one hour held: labelled rows, usable or not, and bytes."""

    n_labelled: int
    n_bytes: int


@dataclass(frozen=True)
class Prepared:
    """The account of one preparation: every row that was read is in `fresh`, in `holdout` or rejected.

    Parameters
    ----------
    fresh_from, fresh_until
        Rows with inference times in [fresh_from, fresh_until) were read, ISO 8601 in UTC with Z.
    n_rows_read
        A record that cannot be split into rows counts as many as it has labels, or as one.
    rejected
        Rows by reason; reasons without rows are absent.
    repeats_are_natural
        Whether the original data contain identical rows, so that an identical row need not be the same observation
        and none was rejected for it.
    hours
        What was read, by hour as in the files' keys, ``yyyy/mm/dd/hh``: what has come since can be told by it. Empty in
        accounts of earlier revisions.
    """

    fresh_from: str
    fresh_until: str
    n_rows_read: int
    fresh: PreparedPart
    holdout: PreparedPart
    rejected: Mapping[str, int]
    repeats_are_natural: bool
    hours: Mapping[str, PreparedHour] = field(default_factory=dict)
    version: int = PREPARED_VERSION

    def to_json(self) -> str:
        """Return the file's text; `from_json` reads it."""
        return json.dumps(asdict(self), indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "Prepared":
        """Read the file's text.

        Raises
        ------
        ValueError
            If it is no account of this version.
        """
        prepared = decode(cls, read_json(text), tolerant=True)
        if prepared.version != PREPARED_VERSION:
            raise ValueError(f"prepared.json must be of version {PREPARED_VERSION}, got {prepared.version}")
        return prepared
