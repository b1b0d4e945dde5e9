"""Accepted windows as a reference: the file that `plumbline accept` writes, and what a run knows of it.

A folder holds one file for each time that somebody accepted windows or undid that, named by its time. Files are never
changed, so that they are the history; the last one counts.
"""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import UTC
from pathlib import Path
from typing import Any

from plumbline.contract.accepted import ACCEPTED_VERSION, MAX_NAME, MAX_REASON, Acceptance, clean_text, moment
from plumbline.contract.decoding import SCHEMA_ERRORS
from plumbline.contract.reasons import Reason
from plumbline.contract.records import AcceptedReport, FeatureType
from plumbline.contract.training import PROBABILITY_COLUMN
from plumbline.drift.data.counts import (
    ValueCounts,
    columns_of,
    counts_entries,
    counts_entry,
    counts_of,
    spec_entries,
    specs_of,
)
from plumbline.drift.data.documents import read_signed, signed
from plumbline.drift.data.table import FeatureSpec
from plumbline.drift.data.times import parse_time

_NAME = re.compile(r"\d{8}T\d{12}Z\.json")
_PROBABILITY = FeatureSpec(PROBABILITY_COLUMN, FeatureType.NUMERIC)


@dataclass(frozen=True, eq=False, kw_only=True)
class AcceptedWindows:
    """The value counts of accepted windows, added up.

    `specs` and `columns` are of the accepted features; `probabilities` is None where the prediction is not accepted, or
    none was captured. `baseline` is the identity of the one that the windows were accepted in place of, and `model` the
    artifact that answered them; None: not known. `identity` tells one acceptance from another.
    """

    acceptance: Acceptance
    n_windows: int
    n_rows: int
    specs: tuple[FeatureSpec, ...]
    columns: Mapping[str, ValueCounts]
    probabilities: ValueCounts | None
    baseline: str | None
    model: str | None
    identity: str

    @property
    def names(self) -> frozenset[str]:
        """Names of the accepted features."""
        return frozenset(spec.name for spec in self.specs)


@dataclass(frozen=True, kw_only=True)
class Undone:
    """What was accepted before holds no longer: who said so, when and why."""

    at: str
    by: str
    reason: str

    def checked(self) -> "Undone":
        """Return it with its texts clean; raise ValueError where one is not."""
        return Undone(
            at=self.at,
            by=clean_text("by", self.by, MAX_NAME),
            reason=clean_text("reason", self.reason, MAX_REASON),
        )


@dataclass(frozen=True, eq=False, kw_only=True)
class Accepted:
    """What a run knows of accepted windows.

    `windows` are the reference in place of the training data; None: they are not, and `report` says why, if anything
    was accepted at all. `warning` is why those that should be cannot be.
    """

    windows: AcceptedWindows | None = None
    report: AcceptedReport = AcceptedReport()
    warning: Reason | None = None

    @property
    def identity(self) -> str | None:
        """Which acceptance is in force; None: the reference is the training data."""
        return self.windows.identity if self.windows else None

    @property
    def names(self) -> frozenset[str]:
        """Names of the features whose reference the accepted windows are."""
        return self.windows.names if self.windows else frozenset()


NOTHING_ACCEPTED = Accepted()


def folder_beside(baseline: Path) -> Path:
    """Return the folder of the records of a baseline's folder: beside it, since a baseline is never changed.

    Examples
    --------
    >>> folder_beside(Path("/data/baseline")).name
    'baseline.accepted'
    """
    whole = baseline.resolve()
    return whole.with_name(f"{whole.name}.accepted")


def record_name(at: str) -> str:
    """Return the name of the file of what was said at a time; names are in the order of the times.

    Examples
    --------
    >>> record_name("2026-12-01T06:30:00.5Z")
    '20261201T063000500000Z.json'
    """
    return parse_time(at).astimezone(UTC).strftime("%Y%m%dT%H%M%S%fZ.json")


def record_files(folder: Path) -> list[Path]:
    """Return the files of a folder in the order of their times; a missing folder has none."""
    return sorted(path for path in folder.iterdir() if is_record(path.name)) if folder.is_dir() else []


def is_record(name: str) -> bool:
    """Return whether a file of this name is a record."""
    return _NAME.fullmatch(name) is not None


def accepted_text(windows: AcceptedWindows) -> str:
    """Return the text of the file that accepts windows; equal ones give equal bytes."""
    return signed(
        {
            "version": ACCEPTED_VERSION,
            "action": "accepted",
            **_plain(asdict(windows.acceptance)),
            "n_windows": windows.n_windows,
            "n_rows": windows.n_rows,
            "baseline": windows.baseline,
            "model": windows.model,
            "specs": spec_entries(windows.specs),
            "probabilities": counts_entry(windows.probabilities) if windows.probabilities else None,
            "counts": counts_entries(windows.specs, windows.columns),
        },
        before="specs",
    )


def undone_text(undone: Undone) -> str:
    """Return the text of the file that undoes what was accepted before."""
    return signed({"version": ACCEPTED_VERSION, "action": "undone", **asdict(undone)}, before="reason")


def _plain(document: Mapping[str, Any]) -> dict[str, Any]:
    return {key: list(value) if isinstance(value, tuple) else value for key, value in document.items()}


def read_record(text: str) -> AcceptedWindows | Undone:
    """Read what `accepted_text` or `undone_text` made.

    Raises
    ------
    ValueError
        If the text is of another version, altered since it was written, or no such file.
    """
    document = read_signed(text, ACCEPTED_VERSION)
    try:
        if document["action"] == "undone":
            return Undone(**{field.name: str(document[field.name]) for field in fields(Undone)}).checked()
        if document["action"] != "accepted":
            raise ValueError(f"action must be accepted or undone, got {document['action']!r}")
        specs = specs_of(document["specs"])
        probabilities = document["probabilities"]
        return AcceptedWindows(
            acceptance=Acceptance.of({field.name: document[field.name] for field in fields(Acceptance)}),
            n_windows=int(document["n_windows"]),
            n_rows=int(document["n_rows"]),
            specs=specs,
            columns=columns_of(specs, document["counts"]),
            probabilities=None if probabilities is None else counts_of(_PROBABILITY, probabilities),
            baseline=document["baseline"],
            model=document["model"],
            identity=document["checksum"],
        )
    except SCHEMA_ERRORS as error:
        raise ValueError(f"it must fit its schema, got {error!r}") from error


def is_later(one: str, other: str) -> bool:
    """Return whether a time is after another."""
    return moment(one) > moment(other)


def said_at(record: AcceptedWindows | Undone) -> str:
    """Return when a record was made."""
    return record.at if isinstance(record, Undone) else record.acceptance.at
