"""Census Income: found or fetched, checked against its published bytes, parsed and split.

Becker, B. and Kohavi, R. (1996), "Adult", UCI Machine Learning Repository, DOI 10.24432/C5XW20, licence CC BY 4.0.
"""

import hashlib
import logging
import os
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path

import numpy as np

from plumbline.data.rows import DataSplit, LabelledRows

FEATURES = (
    "age",
    "workclass",
    "fnlwgt",
    "education",
    "education-num",
    "marital-status",
    "occupation",
    "relationship",
    "race",
    "sex",
    "capital-gain",
    "capital-loss",
    "hours-per-week",
    "native-country",
)
TARGET = "income"
LABELS = ("<=50K", ">50K")

ADULT_DATA = "adult.data"
ADULT_TEST = "adult.test"
CHECKSUMS = {
    ADULT_DATA: "5b00264637dbfec36bdeaab5676b0b309ff9eb788d63554ca0a249491c86603d",
    ADULT_TEST: "a2a9044bc167a35b2361efbabec64e89d69ce82d9790d2980119aac5fd7e9c05",
}
"""SHA-256 of the archive's two files."""

ARCHIVE_URL = "https://archive.ics.uci.edu/ml/machine-learning-databases/adult"
DOWNLOAD_TIMEOUT_SECONDS = 15
DOWNLOAD_LIMIT_BYTES = 8_000_000

NEIGHBOUR = Path(__file__).resolve().parents[3] / "shared" / "data" / "census"
"""A copy in a folder next to the repository."""

Fetch = Callable[[str], bytes]

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Census:
    """The archive's two files as labelled rows, and where they came from, in words."""

    data: LabelledRows
    test: LabelledRows
    origin: str


def cache_folder(environment: Mapping[str, str] | None = None) -> Path:
    """Return the folder where a download is kept: below XDG_CACHE_HOME, else below ~/.cache."""
    variables = os.environ if environment is None else environment
    base = variables.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "plumbline" / "census"


def download(url: str) -> bytes:
    """Fetch one file of the archive.

    Raises
    ------
    OSError, http.client.HTTPException
        If the archive cannot be reached in time, or does not answer as a web server does.
    """
    with urllib.request.urlopen(url, timeout=DOWNLOAD_TIMEOUT_SECONDS) as response:  # noqa: S310 - our own https URL
        body: bytes = response.read(DOWNLOAD_LIMIT_BYTES)
    return body


def acquire(
    folder: Path | None = None,
    *,
    cache: Path | None = None,
    neighbour: Path = NEIGHBOUR,
    fetch: Fetch | None = download,
) -> Census | None:
    """Find Census Income: the given folder, else the cache, the neighbour folder or the archive itself.

    Parameters
    ----------
    folder
        A folder that holds adult.data and adult.test; when given, it is the only place read.
    cache
        Where a download is kept; `cache_folder()` when absent.
    fetch
        Returns the bytes at a URL; None stays off the network.

    Returns
    -------
    None when no copy is available: the caller falls back to the synthetic population.

    Raises
    ------
    ValueError
        If the given folder lacks a file or holds other bytes than the archive's.
    """
    if folder is not None:
        return _census(_read(folder), f"the folder {folder}")
    cache = cache or cache_folder()
    for place in (cache, neighbour):
        if not (place / ADULT_DATA).exists():
            continue
        try:
            return _census(_read(place), f"the folder {place}")
        except ValueError as error:
            _log.warning("passed over: %s", error)
    return None if fetch is None else _fetch_into(cache, fetch)


def _fetch_into(cache: Path, fetch: Fetch) -> Census | None:
    try:
        files = {name: fetch(f"{ARCHIVE_URL}/{name}") for name in CHECKSUMS}
        _check(files, ARCHIVE_URL)
    except (OSError, HTTPException, ValueError) as error:
        _log.warning("Census Income could not be downloaded: %s", error)
        return None
    try:
        cache.mkdir(parents=True, exist_ok=True)
        for name, body in files.items():
            (cache / name).write_bytes(body)
    except OSError as error:
        _log.warning("Census Income could not be kept for the next time: %s", error)
    return _census(files, "the UCI archive")


def _read(folder: Path) -> dict[str, bytes]:
    for name in CHECKSUMS:
        if not (folder / name).is_file():
            raise ValueError(f"{folder} must hold {' and '.join(CHECKSUMS)}, got no {name}")
    files = {name: (folder / name).read_bytes() for name in CHECKSUMS}
    _check(files, str(folder))
    return files


def _check(files: Mapping[str, bytes], place: str) -> None:
    for name, body in files.items():
        found = hashlib.sha256(body).hexdigest()
        if found != CHECKSUMS[name]:
            raise ValueError(
                f"{place}/{name} must be the archive's file (SHA-256 {CHECKSUMS[name]}), got {found}; "
                "bring a fresh copy or name no folder"
            )


def _census(files: Mapping[str, bytes], origin: str) -> Census:
    return Census(parse(files[ADULT_DATA].decode()), parse(files[ADULT_TEST].decode()), origin)


def parse(text: str) -> LabelledRows:
    """Read the archive's own format: no header, spaces after commas, a comment line, labels that end in a dot.

    Raises
    ------
    ValueError
        If a line has not 15 fields or its label is neither ``<=50K`` nor ``>50K``.
    """
    rows, labels = [], []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("|"):
            continue
        *cells, label = (cell.strip() for cell in line.split(","))
        label = label.removesuffix(".")
        if len(cells) != len(FEATURES) or label not in LABELS:
            raise ValueError(f"line {number} must have {len(FEATURES)} fields and a label, got {line!r}")
        rows.append(tuple(cells))
        labels.append(label)
    return LabelledRows(FEATURES, tuple(rows), tuple(labels))


def split(census: Census, seed: int) -> DataSplit:
    """Split adult.data at random: 60 % to train, 20 % to test; the rest and all of adult.test are the pool."""
    n = len(census.data)
    order = np.random.default_rng(seed).permutation(n).tolist()
    n_train, n_test = round(0.60 * n), round(0.20 * n)
    rest = census.data.take(order[n_train + n_test :])
    pool = LabelledRows(FEATURES, rest.rows + census.test.rows, rest.labels + census.test.labels)
    return DataSplit(census.data.take(order[:n_train]), census.data.take(order[n_train : n_train + n_test]), pool)
