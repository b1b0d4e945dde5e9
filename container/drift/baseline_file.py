"""A baseline as files: baseline.json, with test.csv and predictions.csv beside it when there is a test set.

The files are plain text and the same bytes for the same baseline. `baseline.json` opens with what a person asks for
(version, target, number of rows, features) and ends with the value counts, a line per feature.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from contract.names import BASELINE_FILE
from contract.records import FeatureType
from contract.training import OUTPUT_PREDICTIONS
from drift.baseline_csv import parse_predictions, parse_test, predictions_text, test_text
from drift.counts import CategoricalCounts, NumericCounts, ValueCounts
from drift.errors import BaselineError
from drift.learned import Baseline, LabelledTest
from drift.table import FeatureSpec

BASELINE_VERSION = 1
TEST_FILE = "test.csv"
PREDICTIONS_FILE = OUTPUT_PREDICTIONS

_ADVICE = "learn the baseline again with `plumbline baseline`"


def save(baseline: Baseline, folder: Path) -> None:
    """Write `baseline` into `folder`, which is made if it does not exist.

    Raises
    ------
    BaselineError
        If the files cannot be written.
    """
    side_files = _side_files(baseline)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in (TEST_FILE, PREDICTIONS_FILE):
            # A test set that an earlier baseline left here must not pass for this one's.
            (folder / name).unlink(missing_ok=True)
        for name, text in side_files.items():
            (folder / name).write_bytes(text.encode())
        (folder / BASELINE_FILE).write_bytes(_encode(baseline, side_files).encode())
    except OSError as error:
        raise BaselineError(f"baseline folder must be writable, got {error}; choose another folder") from error


def load(folder: Path) -> Baseline:
    """Read the baseline that `save` wrote into `folder`.

    Raises
    ------
    BaselineError
        If a file is missing, of another version, altered since it was written, or not a baseline.
    """
    try:
        document: Any = json.loads(_read(folder, BASELINE_FILE))
    except ValueError as error:
        raise BaselineError(f"{BASELINE_FILE} in {folder} must be JSON, got {error}; {_ADVICE}") from error
    version = document.get("version") if isinstance(document, dict) else None
    if version != BASELINE_VERSION:
        raise BaselineError(f"{BASELINE_FILE} must be of version {BASELINE_VERSION}, got {version!r}; {_ADVICE}")
    if document.get("checksum") != _checksum(document):
        raise BaselineError(
            f"{BASELINE_FILE} must have the content it was written with, got another checksum: it was edited or "
            f"damaged; {_ADVICE}"
        )
    try:
        texts = {name: _verified(folder, name, digest) for name, digest in document["files"].items()}
        return _decode(document, texts)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise BaselineError(f"{BASELINE_FILE} must fit its schema, got {error!r}; {_ADVICE}") from error


def _read(folder: Path, name: str) -> str:
    try:
        return (folder / name).read_bytes().decode()
    except (OSError, UnicodeDecodeError) as error:
        raise BaselineError(f"baseline folder {folder} must hold a readable {name}, got {error}; {_ADVICE}") from error


def _verified(folder: Path, name: str, digest: str) -> str:
    text = _read(folder, name)
    if _sha256(text) != digest:
        raise BaselineError(
            f"{name} must be the file that {BASELINE_FILE} was written with, got another content; {_ADVICE}"
        )
    return text


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _checksum(document: dict[str, Any]) -> str:
    """Return the SHA-256 of everything but the checksum, however the file is laid out."""
    body = {key: value for key, value in document.items() if key != "checksum"}
    return _sha256(json.dumps(body, sort_keys=True, separators=(",", ":")))


def _side_files(baseline: Baseline) -> dict[str, str]:
    if baseline.test is None:
        return {}
    files = {TEST_FILE: test_text(baseline.test, baseline.target_label)}
    if baseline.test.probabilities is not None:
        files[PREDICTIONS_FILE] = predictions_text(baseline.test.probabilities)
    return files


def _encode(baseline: Baseline, side_files: dict[str, str]) -> str:
    document: dict[str, Any] = {
        "version": BASELINE_VERSION,
        "target_label": baseline.target_label,
        "positive_label": baseline.positive_label,
        "n_rows": baseline.n_rows,
        "features": [{"name": spec.name, "type": spec.type.value} for spec in baseline.specs],
        "files": {name: _sha256(text) for name, text in side_files.items()},
        "counts": [_counts_entry(baseline.counts[spec.name]) for spec in baseline.specs],
    }
    document["checksum"] = _checksum(document)
    order = ("version", "target_label", "positive_label", "n_rows", "features", "checksum", "files", "counts")
    return "{\n" + ",\n".join(f'  "{key}": {_pretty(document[key])}' for key in order) + "\n}\n"


def _pretty(value: Any) -> str:
    """Return JSON with one line per entry of a list, and no deeper breaks."""
    if not isinstance(value, list):
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    lines = ",\n".join(f"    {json.dumps(entry, ensure_ascii=False, allow_nan=False)}" for entry in value)
    return f"[\n{lines}\n  ]"


def _counts_entry(counts: ValueCounts) -> dict[str, Any]:
    return {"n_missing": counts.n_missing, "values": counts.values.tolist(), "counts": counts.counts.tolist()}


def _decode(document: dict[str, Any], texts: dict[str, str]) -> Baseline:
    specs = tuple(FeatureSpec(entry["name"], FeatureType(entry["type"])) for entry in document["features"])
    entries = zip(specs, document["counts"], strict=True)
    counts = {spec.name: _counts(spec, entry, document["n_rows"]) for spec, entry in entries}
    test = None
    if TEST_FILE in texts:
        table, labels = parse_test(texts[TEST_FILE], specs, document["target_label"])
        probabilities = parse_predictions(texts[PREDICTIONS_FILE]) if PREDICTIONS_FILE in texts else None
        test = LabelledTest(table, labels, probabilities)
    return Baseline(
        target_label=document["target_label"],
        positive_label=document["positive_label"],
        n_rows=document["n_rows"],
        specs=specs,
        counts=counts,
        test=test,
    )


def _counts(spec: FeatureSpec, entry: dict[str, Any], n_rows: int) -> ValueCounts:
    numbers: NDArray[np.int64] = np.array(entry["counts"], dtype=np.int64)
    counts: ValueCounts
    if spec.type is FeatureType.NUMERIC:
        counts = NumericCounts(np.array(entry["values"], dtype=np.float64), numbers, entry["n_missing"])
    else:
        counts = CategoricalCounts(np.array(entry["values"], dtype=object), numbers, entry["n_missing"])
    if len(counts.values) != len(numbers) or counts.n_rows != n_rows:
        raise ValueError(f"counts of {spec.name!r} must add up to {n_rows} rows")
    return counts
