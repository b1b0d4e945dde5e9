"""Tabular streams in time order: where they are, and which rows a model is trained, tested and judged on.

UCI Machine Learning Repository, licence CC BY 4.0: H. Fanaee-T, J. Gama, "Bike Sharing" (DOI 10.24432/C5W894);
J. Hogue, "Metro Interstate Traffic Volume" (DOI 10.24432/C5X60B); J. Clore, K. Cios, J. DeShazo, B. Strack, "Diabetes
130-US Hospitals for Years 1999-2008" (DOI 10.24432/C5230J).
"""

import gzip
import hashlib
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from plumbline.contract.training import MISSING_TEXTS
from plumbline.data.rows import LabelledRows
from plumbline.drift.data.documents import temporary_folder
from plumbline.drift.data.times import parse_time
from plumbline.local import environments

NEIGHBOUR = environments.ROOT.parent / "shared" / "data" / "streams"
"""A folder next to the repository."""
TIME_COLUMN = "time"
ORIGINS = (0.40, 0.55, 0.70, 0.85)
"""Fractions of the known rows that models of the past are trained on; each answers the rows up to the next one."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class StreamSource:
    """One file: rows in time order with a column `time` and the label `target`.

    The first `n_train` rows are trained on, the next `n_test` are the labelled test set, the rest is production. A file
    with a `sha256` is refused when its bytes are others.
    """

    name: str
    file: str
    target: str
    n_train: int
    n_test: int
    sha256: str | None = None

    @classmethod
    def of(cls, text: str) -> "StreamSource":
        """Return the source that ``FILE:TARGET:TRAIN:TEST`` states.

        Raises
        ------
        ValueError
            If the text has not these four parts.

        Examples
        --------
        >>> StreamSource.of("visits.csv:bought:6000:2000").name
        'visits'
        """
        parts = text.split(":")
        if len(parts) != 4 or not (parts[2].isdigit() and parts[3].isdigit()):
            raise ValueError(f"a stream must be stated as FILE:TARGET:TRAIN:TEST, got {text!r}; give numbers of rows")
        file, target, n_train, n_test = parts
        return cls(Path(file).name.partition(".")[0], file, target, int(n_train), int(n_test))


STREAMS = (
    StreamSource(
        "bike", "bike.csv", "busy", 6_500, 2_100, "f22aabf5da411cab0a30de6b840aeef2f509125ced16f72386fd42be9f33f606"
    ),
    StreamSource(
        "metro", "metro.csv", "busy", 12_000, 4_000, "cbc441cdc681c267a278a516dd04fe50ccfaaa452bf90b8df341d2d81c93ea28"
    ),
    StreamSource(
        "diabetes",
        "diabetes.csv.gz",
        "readmitted",
        20_000,
        5_000,
        "a7b1594c18bc38717373116892a0690eb72ef7f12b898c29d19a3d8ccd054f40",
    ),
)


@dataclass(frozen=True, eq=False)
class Stream:
    """Rows in time order, each with its time; the first ones are trained and tested on, the others are judged."""

    source: StreamSource
    times: tuple[str, ...]
    rows: LabelledRows

    @property
    def name(self) -> str:
        """What the tables call it."""
        return self.source.name

    @property
    def n_known(self) -> int:
        """Rows before production."""
        return self.source.n_train + self.source.n_test

    def part(self, first: int, end: int) -> LabelledRows:
        """Return consecutive rows."""
        return self.rows.take(range(first, end))

    def starts(self, n_rows: int, most: int) -> list[int]:
        """Return the first rows of windows of production: `most` evenly spread ones, or all that fit side by side."""
        n_production = len(self.rows) - self.n_known
        if n_production < most * n_rows:
            return [self.n_known + n_rows * number for number in range(n_production // n_rows)]
        spread = np.linspace(0, n_production - n_rows, most).round().astype(int)
        return [self.n_known + first for first in spread.tolist()]

    @cached_property
    def hours_per_row(self) -> float:
        """The usual time between two rows of production."""
        seconds = np.diff([parse_time(time).timestamp() for time in self.times[self.n_known :]])
        return float(np.median(seconds[seconds > 0])) / 3600


def find(sources: Sequence[StreamSource], folder: Path | None) -> Iterator[tuple[StreamSource, Path]]:
    """Yield the streams whose files are at hand; what is not is logged.

    Parameters
    ----------
    folder
        Folder of the files; None: `NEIGHBOUR`.
    """
    place = NEIGHBOUR if folder is None else folder
    for source in sources:
        path = place / source.file
        if path.is_file():
            yield source, path
        else:
            _log.warning("stream %s is left out: there is no %s; name its folder with --streams", source.name, path)


def read(source: StreamSource, path: Path) -> Stream:
    """Read a stream, without the columns that have no value in the rows that the first model of the past learns from.

    Raises
    ------
    ValueError
        If the file has other bytes than stated, no column `time` or target, or no rows to judge.
    """
    content = path.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if source.sha256 not in {None, found}:
        raise ValueError(f"{path} must have the SHA-256 {source.sha256}, got {found}; bring a fresh copy")
    with temporary_folder() as folder:
        plain = folder / "stream.csv"
        plain.write_bytes(gzip.decompress(content) if path.suffix == ".gz" else content)
        rows = LabelledRows.read_csv(plain, source.target)
    if TIME_COLUMN not in rows.header:
        raise ValueError(f"{path} must have a column {TIME_COLUMN!r}, got {', '.join(rows.header)}; add it")
    if len(rows) <= source.n_train + source.n_test:
        raise ValueError(
            f"{path} must have rows after the {source.n_train + source.n_test} known ones, got {len(rows)} in all"
        )
    first = round(ORIGINS[0] * (source.n_train + source.n_test))
    kept = [name for name in rows.header if name != TIME_COLUMN and _has_values(rows, name, first)]
    places = [rows.header.index(name) for name in kept]
    cells = tuple(tuple(row[place] for place in places) for row in rows.rows)
    return Stream(source, rows.column(TIME_COLUMN), LabelledRows(tuple(kept), cells, rows.labels))


def _has_values(rows: LabelledRows, name: str, first: int) -> bool:
    """Return whether a column has a value among the first rows; of one without any a model cannot learn."""
    has_value = not MISSING_TEXTS.issuperset(rows.column(name)[:first])
    if not has_value:
        _log.info("column %s is left out: the first %d rows have no value of it", name, first)
    return has_value
