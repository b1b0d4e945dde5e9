"""A baseline: what is learned once from the reference rows, and its folder of files.

The files are plain text and the same bytes for the same baseline. `baseline.json` opens with version, target, number of
rows and features, and ends with the value counts, a line per feature. Its checksum is the SHA-256 of the file without
the checksum's own line: ``grep -v '^  "checksum"' baseline.json | sha256sum``.
"""

import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plumbline.contract.decoding import SCHEMA_ERRORS, decode
from plumbline.contract.names import BASELINE_FILE, BASELINE_VERSION, READABLE_BASELINE_VERSIONS
from plumbline.contract.predictions import PredictionFormat, PredictionKind
from plumbline.contract.records import FeatureType
from plumbline.contract.training import OUTPUT_PREDICTIONS, PREDICTED_COLUMN, PROBABILITY_COLUMN, Task, ordered, task_of
from plumbline.contract.values import DEFAULT_MISSING_VALUES, LEGACY_MISSING_VALUES
from plumbline.drift.data.counts import ValueCounts, columns_of, counts_entries, spec_entries, specs_of
from plumbline.drift.data.documents import csv_text, read_signed, sha256, signed, write_together
from plumbline.drift.data.table import FeatureSpec, Table, transpose
from plumbline.drift.errors import BaselineError, PublishError
from plumbline.drift.reference.blocks import Blocks
from plumbline.drift.reference.history import History, history_text, parse_history


@dataclass(frozen=True, eq=False)
class LabelledTest:
    """The labelled test set, row for row: features, labels, and the model's probabilities of the positive class.

    `probabilities` has shape (n_rows,), each within 0 and 1; None when they were not given. Where the target has more
    than two classes they are those of the labels in `predicted`, row for row, which is None otherwise. Of a numeric
    target they are the predicted numbers themselves.
    """

    table: Table
    labels: tuple[str, ...]
    probabilities: NDArray[np.float64] | None
    predicted: tuple[str, ...] | None = None

    @cached_property
    def task(self) -> Task:
        """What the model predicts."""
        return task_of(self.labels)


@dataclass(frozen=True, eq=False, kw_only=True)
class Baseline:
    """The reference: value counts of every feature of the training rows, and the labelled test set if there is one.

    `specs` is the payload's schema, in order; `counts` has one entry per spec. `target_label` is None when the
    reference has no target column, and `positive_label` also without a test set or when its target has not two classes.
    `sample` holds some of the training rows (`plumbline.drift.data.table`). `segments` has one entry per value of
    `segment_column`, each with one entry per spec; it is empty when no column is named. `learned_task` is None where no
    target is named and no task stated, and in baselines of older versions; `classes` are the target's labels in order,
    where it is no quantity. `predictions` is what was stated of the endpoint's answers, and `history` what the task's
    past shows; None: nothing is known of it. `checksum` is that of the file it was read from; None: of none. `blocks`
    is what is known of rows that come in blocks; None: none do.
    """

    target_label: str | None
    positive_label: str | None
    n_rows: int
    specs: tuple[FeatureSpec, ...]
    counts: Mapping[str, ValueCounts]
    test: LabelledTest | None = None
    sample: Table | None = None
    segment_column: str | None = None
    segments: Mapping[str, Mapping[str, ValueCounts]] = field(default_factory=dict)
    learned_task: Task | None = None
    task_is_stated: bool = False
    classes: tuple[str, ...] = ()
    predictions: PredictionFormat = PredictionFormat()
    history: History | None = None
    checksum: str | None = None
    blocks: Blocks | None = None

    @property
    def missing_values(self) -> frozenset[str]:
        """Texts of a cell without a value, in every column."""
        return self.specs[0].missing_values if self.specs else DEFAULT_MISSING_VALUES

    @property
    def task(self) -> Task | None:
        """What the model predicts, stated or by the labels of its target; None: nothing says so."""
        return self.learned_task or (self.test.task if self.test else None)

    @property
    def labels(self) -> tuple[str, ...]:
        """The target's labels in order; empty where it is a quantity or not known."""
        if self.classes or self.test is None or self.task is Task.REGRESSION:
            return self.classes
        return ordered(self.test.labels)


def test_text(test: LabelledTest, target_label: str) -> str:
    """Return test.csv: a header, the features in the payload's order, the label last; a missing cell is empty."""
    header = [*(spec.name for spec in test.table.specs), target_label]
    return csv_text([header, *map(list, zip(*_texts(test.table), test.labels, strict=True))])


def sample_text(sample: Table) -> str:
    """Return sample.csv: a header, the features in the payload's order; a missing cell is empty."""
    return csv_text([[spec.name for spec in sample.specs], *map(list, zip(*_texts(sample), strict=True))])


def predictions_text(probabilities: NDArray[np.float64], predicted: Sequence[str] | None = None) -> str:
    """Return predictions.csv: one column, and one for the predicted labels if any, row for row with the test set."""
    numbers = [repr(value) for value in probabilities.tolist()]
    if predicted is None:
        return csv_text([[PROBABILITY_COLUMN], *([number] for number in numbers)])
    return csv_text([[PROBABILITY_COLUMN, PREDICTED_COLUMN], *map(list, zip(numbers, predicted, strict=True))])


def parse_test(text: str, specs: tuple[FeatureSpec, ...], target_label: str) -> tuple[Table, tuple[str, ...]]:
    """Read what `test_text` wrote.

    Raises
    ------
    ValueError
        If the header is not the schema's or a row does not fit it.
    """
    *columns, labels = _columns("test", text, [*(spec.name for spec in specs), target_label])
    return _table(specs, columns), tuple(labels)


def parse_sample(text: str, specs: tuple[FeatureSpec, ...]) -> Table:
    """Read what `sample_text` wrote.

    Raises
    ------
    ValueError
        If the header is not the schema's or a row does not fit it.
    """
    return _table(specs, _columns("sample", text, [spec.name for spec in specs]))


def _columns(what: str, text: str, names: list[str]) -> list[list[str]]:
    rows = csv.reader(io.StringIO(text, newline=""))
    header = next(rows, [])
    if header != names:
        raise ValueError(f"{what} columns must be {names}, got {header}")
    return transpose(rows, len(names))


def parse_predictions(text: str) -> tuple[NDArray[np.float64], tuple[str, ...] | None]:
    """Read what `predictions_text` wrote: shape (n_rows,), and the predicted labels if there are any.

    Raises
    ------
    ValueError
        If a line is not one number, or one number and a label.
    """
    header, *rows = csv.reader(io.StringIO(text, newline=""))
    probabilities = np.array([float(row[0]) for row in rows], dtype=np.float64)
    return probabilities, tuple(row[1] for row in rows) if len(header) > 1 else None


def _table(specs: tuple[FeatureSpec, ...], columns: Sequence[Sequence[str]]) -> Table:
    return Table(specs, {spec.name: _column(spec, texts) for spec, texts in zip(specs, columns, strict=True)})


def _column(spec: FeatureSpec, texts: Sequence[str]) -> NDArray[np.float64] | NDArray[np.object_]:
    if spec.type is FeatureType.CATEGORICAL:
        return np.array([text or None for text in texts], dtype=object)
    # Columns repeat themselves: each text is read once.
    numbers = {text: float(text) if text else np.nan for text in dict.fromkeys(texts)}
    return np.array([numbers[text] for text in texts], dtype=np.float64)


def _texts(table: Table) -> list[list[str]]:
    return [[_text(cell) for cell in table.columns[spec.name].tolist()] for spec in table.specs]


def _text(cell: float | str | None) -> str:
    if isinstance(cell, str):
        return cell
    return "" if cell is None or math.isnan(cell) else repr(cell)


TEST_FILE = "test.csv"
PREDICTIONS_FILE = OUTPUT_PREDICTIONS
SAMPLE_FILE = "sample.csv"
HISTORY_FILE = "history.json"
_SIDE_FILES = (TEST_FILE, PREDICTIONS_FILE, SAMPLE_FILE, HISTORY_FILE)

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
        write_together(folder, texts)
        for name in set(_SIDE_FILES) - side_files.keys():
            # A test set that an earlier baseline left here must not pass for this one's.
            (folder / name).unlink(missing_ok=True)
    except (OSError, PublishError) as error:
        raise BaselineError(f"baseline folder must be writable, got {error}; choose another folder") from error


def identity_of(baseline: Baseline) -> str:
    """Return the checksum of the baseline's file, which it would have where it was not read from one."""
    if baseline.checksum is not None:
        return baseline.checksum
    text = signed(_document(baseline, _side_files(baseline)), before="files")
    return str(read_signed(text, BASELINE_VERSION)["checksum"])


def load(folder: Path) -> Baseline:
    """Read the baseline that `save` wrote into `folder`.

    Raises
    ------
    BaselineError
        If a file is missing, of another version, altered since it was written, or not a baseline.
    """
    text = _read(folder, BASELINE_FILE)
    try:
        document = read_signed(text, *READABLE_BASELINE_VERSIONS)
    except ValueError as error:
        raise BaselineError(f"{BASELINE_FILE} in {folder} {error}; {_ADVICE}") from error
    try:
        return _decode(document, {name: _verified(folder, name, digest) for name, digest in document["files"].items()})
    except SCHEMA_ERRORS as error:
        raise BaselineError(f"{BASELINE_FILE} must fit its schema, got {error!r}; {_ADVICE}") from error


def _read(folder: Path, name: str) -> str:
    try:
        if (folder / name).exists() and not (folder / name).is_file():
            raise OSError(f"{name} is no file")  # a pipe would be waited for
        return (folder / name).read_bytes().decode()
    except (OSError, UnicodeDecodeError) as error:
        raise BaselineError(f"baseline folder {folder} must hold a readable {name}, got {error}; {_ADVICE}") from error


def _verified(folder: Path, name: str, digest: str) -> str:
    if name not in _SIDE_FILES:
        raise ValueError(f"files must be among {', '.join(_SIDE_FILES)}, got {name!r}")
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
    if baseline.history is not None:
        files[HISTORY_FILE] = history_text(baseline.history)
    return files


def _document(baseline: Baseline, side_files: dict[str, str]) -> dict[str, Any]:
    return {
        "version": BASELINE_VERSION,
        "target_label": baseline.target_label,
        "positive_label": baseline.positive_label,
        "n_rows": baseline.n_rows,
        "segment_column": baseline.segment_column,
        "missing_values": sorted(baseline.missing_values),
        **_target(baseline),
        **({"blocks": asdict(baseline.blocks)} if baseline.blocks else {}),
        "features": spec_entries(baseline.specs),
        "files": {name: sha256(text) for name, text in side_files.items()},
        "counts": counts_entries(baseline.specs, baseline.counts),
        "segments": [
            {"value": value, "counts": counts_entries(baseline.specs, counts)}
            for value, counts in baseline.segments.items()
        ],
    }


@dataclass(frozen=True)
class _Header:
    target_label: str | None
    positive_label: str | None
    n_rows: int
    segment_column: str | None


_HEADER_KEYS = frozenset(field.name for field in fields(_Header))


def _text_of(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"a text is expected, got {value}")
    return value


def _target(baseline: Baseline) -> dict[str, Any]:
    """Return what the test set's labels do not say of the target and the predictions."""
    found: dict[str, Any] = {}
    if baseline.learned_task is not None and (baseline.test is None or baseline.learned_task != baseline.test.task):
        found["task"] = str(baseline.learned_task)
    if baseline.task_is_stated:
        found |= {"task": str(baseline.task), "task_is_stated": True}
    if baseline.classes and (baseline.test is None or baseline.classes != ordered(baseline.test.labels)):
        found["classes"] = list(baseline.classes)
    stated = {key: str(value) for key, value in vars(baseline.predictions).items() if value is not None}
    return found | ({"predictions": stated} if stated else {})


def _decode(document: dict[str, Any], texts: dict[str, str]) -> Baseline:
    header = decode(_Header, {key: value for key, value in document.items() if key in _HEADER_KEYS})
    stated = None if document["version"] == 2 else document["missing_values"]
    missing = LEGACY_MISSING_VALUES if stated is None else frozenset(map(_text_of, stated))
    specs = specs_of(document["features"], missing)
    if header.segment_column not in {None, *(spec.name for spec in specs)}:
        raise ValueError(f"segment_column must be a feature, got {header.segment_column!r}")
    counts = columns_of(specs, document["counts"])
    for name, column in counts.items():
        if column.n_rows != document["n_rows"]:
            raise ValueError(f"counts of {name!r} must add up to {document['n_rows']} rows, got {column.n_rows}")
    test = None
    if TEST_FILE in texts:
        table, labels = parse_test(texts[TEST_FILE], specs, header.target_label or "")
        predictions = parse_predictions(texts[PREDICTIONS_FILE]) if PREDICTIONS_FILE in texts else (None, None)
        if predictions[0] is not None and len(predictions[0]) != len(labels):
            raise ValueError(f"{PREDICTIONS_FILE} must have a row for each of {len(labels)}, got {len(predictions[0])}")
        test = LabelledTest(table, labels, *predictions)
    return Baseline(
        target_label=header.target_label,
        positive_label=header.positive_label,
        n_rows=header.n_rows,
        specs=specs,
        counts=counts,
        test=test,
        sample=parse_sample(texts[SAMPLE_FILE], specs) if SAMPLE_FILE in texts else None,
        segment_column=header.segment_column,
        segments={_text_of(entry["value"]): columns_of(specs, entry["counts"]) for entry in document["segments"]},
        learned_task=Task(document["task"]) if "task" in document else test.task if test else None,
        task_is_stated=document.get("task_is_stated") is True,
        classes=_classes(document, test),
        predictions=_format(document.get("predictions", {})),
        history=_history(texts, specs),
        checksum=_text_of(document["checksum"]),
        blocks=_blocks(document.get("blocks")),
    )


def _blocks(entry: dict[str, Any] | None) -> Blocks | None:
    if entry is None:
        return None
    blocks = decode(Blocks, entry)
    if not blocks.size >= 1 or not all(0 <= value <= 1 for value in blocks.correlations.values()):
        raise ValueError(f"blocks must have a size of 1 or more and correlations of 0 to 1, got {blocks}")
    return blocks


def _history(texts: Mapping[str, str], specs: Sequence[FeatureSpec]) -> History | None:
    if HISTORY_FILE not in texts:
        return None
    history = parse_history(texts[HISTORY_FILE])
    known = {PROBABILITY_COLUMN, *(spec.name for spec in specs)}
    changed = {name for windows in history.windows.values() for window in windows for name in window.changes}
    if changed - known:
        raise ValueError(f"{HISTORY_FILE} must be of the baseline's features, got {sorted(changed - known)}")
    return history


def _classes(document: dict[str, Any], test: LabelledTest | None) -> tuple[str, ...]:
    is_quantity = document.get("task", test.task if test else None) == Task.REGRESSION
    if "classes" in document:
        return tuple(map(_text_of, document["classes"]))
    return () if test is None or is_quantity else ordered(test.labels)


def _format(stated: Mapping[str, object]) -> PredictionFormat:
    texts = {key: _text_of(value) for key, value in stated.items()}
    kind = PredictionKind(texts["kind"]) if "kind" in texts else None
    return PredictionFormat(kind, texts.get("positive_label"), texts.get("path"))
