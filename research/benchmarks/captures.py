"""A training file and windows of capture files, drawn from the synthetic population without drift."""

import csv
import hashlib
import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from plumbline.contract.training import PROBABILITY_COLUMN
from plumbline.data import population
from plumbline.data.census import FEATURES, TARGET
from plumbline.data.rows import LabelledRows

ENDPOINT: Final = "benchmark"
VARIANT: Final = "AllTraffic"
HOUR: Final = "2026/01/31/13"
WINDOW_START: Final = "2026-01-31T13:00:00Z"
WINDOW_END: Final = "2026-01-31T14:00:00Z"

N_TRAIN: Final = 20_000
N_TEST: Final = 5_000

_RECORDS_PER_FILE: Final = 50_000
_MIN_FILES: Final = 4
_RECORD: Final = (
    '{"captureData":{"endpointInput":{"observedContentType":"text/csv","mode":"INPUT","data":"%s","encoding":"CSV"},'
    '"endpointOutput":{"observedContentType":"text/csv; charset=utf-8","mode":"OUTPUT","data":"%.8f",'
    '"encoding":"CSV"}},"eventMetadata":{"eventId":"%s","inferenceTime":"2026-01-31T13:%02d:%02dZ"},'
    '"eventVersion":"0"}\n'
)


@dataclass(frozen=True)
class ReferenceCsv:
    """The files that a reference is learned from."""

    train: Path
    test: Path
    predictions: Path


def reference(cache: Path, seed: int) -> ReferenceCsv:
    """Return the training rows, the labelled test rows and their probabilities as CSV files, made once."""
    folder = cache / f"reference-{_key(seed)}"
    files = ReferenceCsv(folder / "train.csv", folder / "test.csv", folder / "predictions.csv")
    if not folder.exists():
        partial = _empty(folder)
        rows = population.generate(N_TRAIN + N_TEST, seed)
        train, test = rows.take(range(N_TRAIN)), rows.take(range(N_TRAIN, N_TRAIN + N_TEST))
        _write_csv(partial / files.train.name, [*FEATURES, TARGET], _labelled(train))
        _write_csv(partial / files.test.name, [*FEATURES, TARGET], _labelled(test))
        probabilities = ([f"{value:.8f}"] for value in population.true_probabilities(test))
        _write_csv(partial / files.predictions.name, [PROBABILITY_COLUMN], probabilities)
        partial.rename(folder)
    return files


def window(cache: Path, records: int, seed: int) -> Path:
    """Return a capture destination that holds `records` records in one hour, written once, file by file."""
    folder = cache / f"captures-{records}-{_key(seed)}"
    if not folder.exists():
        partial = _empty(folder)
        hour = partial / ENDPOINT / VARIANT / HOUR
        hour.mkdir(parents=True)
        for number, (first, n) in enumerate(_files(records)):
            # The reference is drawn with `seed` itself.
            rng = np.random.default_rng([seed, number])
            rows = population.generate(n, seed + 1 + number)
            second = 3600 * first // records
            name = f"{second // 60:02d}-{second % 60:02d}-{number % 1000:03d}-{_event_ids(1, rng)[0]}.jsonl"
            with (hour / name).open("w", encoding="utf-8") as stream:
                stream.writelines(_lines(rows, _event_ids(n, rng), first, records))
        partial.rename(folder)
    return folder


def _files(records: int) -> Iterator[tuple[int, int]]:
    """Yield the number of the first record and the number of records of each file."""
    size = min(_RECORDS_PER_FILE, -(-records // _MIN_FILES))
    for first in range(0, records, size):
        yield first, min(size, records - first)


def _lines(rows: LabelledRows, event_ids: Sequence[str], first: int, records: int) -> Iterator[str]:
    probabilities = population.true_probabilities(rows).tolist()
    for number, (row, probability, event_id) in enumerate(zip(rows.rows, probabilities, event_ids, strict=True), first):
        minute, second = divmod(3600 * number // records, 60)
        yield _RECORD % (",".join(row), probability, event_id, minute, second)


def _event_ids(n: int, rng: np.random.Generator) -> list[str]:
    """Return random identifiers written as the endpoint writes them: 128 bits, so that no two are equal."""
    digits = rng.bytes(16 * n).hex()
    ids = (digits[start : start + 32] for start in range(0, 32 * n, 32))
    return [f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}" for text in ids]


def _labelled(rows: LabelledRows) -> Iterator[tuple[str, ...]]:
    return ((*row, label) for row, label in zip(rows.rows, rows.labels, strict=True))


def _write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def _empty(folder: Path) -> Path:
    """Return an empty folder next to `folder`, to be renamed when it is complete."""
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    return partial


def _key(seed: int) -> str:
    """Return a name for everything that decides what is written."""
    sources = [Path(__file__), Path(population.__file__)]
    text = b"".join(path.read_bytes() for path in sources) + f"{sys.version} {np.__version__}".encode()
    return f"{seed}-{hashlib.sha256(text).hexdigest()[:12]}"
