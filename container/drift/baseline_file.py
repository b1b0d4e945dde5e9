"""A baseline as files: baseline.json, with the rows that it keeps as CSV beside it.

The files are plain text and the same bytes for the same baseline. `baseline.json` opens with what a person asks for
(version, target, number of rows, features) and ends with the value counts, a line per feature. Its checksum is the
SHA-256 of the file without the checksum's own line: ``grep -v '^  "checksum"' baseline.json | sha256sum``.
"""

import json
from pathlib import Path
from typing import Any

from contract.names import BASELINE_FILE, BASELINE_VERSION
from contract.training import OUTPUT_PREDICTIONS
from drift.baseline_csv import parse_predictions, parse_sample, parse_test, predictions_text, sample_text, test_text
from drift.counts_json import columns_of, counts_entries, spec_entries, specs_of
from drift.errors import BaselineError
from drift.learned import Baseline, LabelledTest
from drift.signed_json import is_intact, sha256, signed

TEST_FILE = "test.csv"
PREDICTIONS_FILE = OUTPUT_PREDICTIONS
SAMPLE_FILE = "sample.csv"
_SIDE_FILES = (TEST_FILE, PREDICTIONS_FILE, SAMPLE_FILE)

_ADVICE = "learn the baseline again with `plumbline baseline`"


def save(baseline: Baseline, folder: Path) -> None:
    """Write `baseline` into `folder`, which is made if it does not exist.

    Raises
    ------
    BaselineError
        If the files cannot be written.
    """
    side_files = _side_files(baseline)
    texts = side_files | {BASELINE_FILE: signed(_document(baseline, side_files), before="files")}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in _SIDE_FILES:
            # A test set that an earlier baseline left here must not pass for this one's.
            (folder / name).unlink(missing_ok=True)
        for name, text in texts.items():
            (folder / name).write_bytes(text.encode())
    except OSError as error:
        raise BaselineError(f"baseline folder must be writable, got {error}; choose another folder") from error


def load(folder: Path) -> Baseline:
    """Read the baseline that `save` wrote into `folder`.

    Raises
    ------
    BaselineError
        If a file is missing, of another version, altered since it was written, or not a baseline.
    """
    text = _read(folder, BASELINE_FILE)
    try:
        document: Any = json.loads(text)
    except ValueError as error:
        raise BaselineError(f"{BASELINE_FILE} in {folder} must be JSON, got {error}; {_ADVICE}") from error
    version = document.get("version") if isinstance(document, dict) else None
    if version != BASELINE_VERSION:
        raise BaselineError(f"{BASELINE_FILE} must be of version {BASELINE_VERSION}, got {version!r}; {_ADVICE}")
    if not is_intact(text, document):
        raise BaselineError(
            f"{BASELINE_FILE} must have the content it was written with, got another checksum: it was edited or "
            f"damaged; {_ADVICE}"
        )
    try:
        return _decode(document, {name: _verified(folder, name, digest) for name, digest in document["files"].items()})
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise BaselineError(f"{BASELINE_FILE} must fit its schema, got {error!r}; {_ADVICE}") from error


def _read(folder: Path, name: str) -> str:
    try:
        return (folder / name).read_bytes().decode()
    except (OSError, UnicodeDecodeError) as error:
        raise BaselineError(f"baseline folder {folder} must hold a readable {name}, got {error}; {_ADVICE}") from error


def _verified(folder: Path, name: str, digest: str) -> str:
    text = _read(folder, name)
    if sha256(text) != digest:
        raise BaselineError(
            f"{name} must be the file that {BASELINE_FILE} was written with, got another content; {_ADVICE}"
        )
    return text


def _side_files(baseline: Baseline) -> dict[str, str]:
    files = {}
    if baseline.test is not None:
        files[TEST_FILE] = test_text(baseline.test, baseline.target_label or "")
        if baseline.test.probabilities is not None:
            files[PREDICTIONS_FILE] = predictions_text(baseline.test.probabilities, baseline.test.predicted)
    if baseline.sample is not None:
        files[SAMPLE_FILE] = sample_text(baseline.sample)
    return files


def _document(baseline: Baseline, side_files: dict[str, str]) -> dict[str, Any]:
    return {
        "version": BASELINE_VERSION,
        "target_label": baseline.target_label,
        "positive_label": baseline.positive_label,
        "n_rows": baseline.n_rows,
        "segment_column": baseline.segment_column,
        "features": spec_entries(baseline.specs),
        "files": {name: sha256(text) for name, text in side_files.items()},
        "counts": counts_entries(baseline.specs, baseline.counts),
        "segments": [
            {"value": value, "counts": counts_entries(baseline.specs, counts)}
            for value, counts in baseline.segments.items()
        ],
    }


def _decode(document: dict[str, Any], texts: dict[str, str]) -> Baseline:
    specs = specs_of(document["features"])
    counts = columns_of(specs, document["counts"])
    for name, column in counts.items():
        if column.n_rows != document["n_rows"]:
            raise ValueError(f"counts of {name!r} must add up to {document['n_rows']} rows, got {column.n_rows}")
    test = None
    if TEST_FILE in texts:
        table, labels = parse_test(texts[TEST_FILE], specs, document["target_label"])
        predictions = parse_predictions(texts[PREDICTIONS_FILE]) if PREDICTIONS_FILE in texts else (None, None)
        test = LabelledTest(table, labels, *predictions)
    return Baseline(
        target_label=document["target_label"],
        positive_label=document["positive_label"],
        n_rows=document["n_rows"],
        specs=specs,
        counts=counts,
        test=test,
        sample=parse_sample(texts[SAMPLE_FILE], specs) if SAMPLE_FILE in texts else None,
        segment_column=document["segment_column"],
        segments={entry["value"]: columns_of(specs, entry["counts"]) for entry in document["segments"]},
    )
