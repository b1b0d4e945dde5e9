"""CSV files of the reference -> typed tables, and the baseline learned from them.

Unlike a captured record, a bad row here is an error: every window is compared with the reference.
"""

import csv
import logging
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain, pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from plumbline.contract.predictions import PredictionFormat, sigmoid
from plumbline.contract.records import FeatureType
from plumbline.contract.training import (
    LABEL_COLUMN,
    LOG_ODDS_COLUMN,
    MISSING_TEXTS,
    PREDICTED_COLUMN,
    PROBABILITY_COLUMN,
    VALUE_COLUMN,
    Task,
    finite_number,
    positive_label,
    task_of,
)
from plumbline.contract.values import (
    LabelCells,
    NumberCells,
    present_labels,
    spellings,
)
from plumbline.drift.data.table import CellReader, FeatureSpec, NotANumberError, Table, present, transpose
from plumbline.drift.data.times import format_time, parse_time
from plumbline.drift.errors import BaselineError, ShortPastError
from plumbline.drift.reference.baseline import Baseline
from plumbline.drift.reference.blocks import (
    LABELS,
    MIN_BLOCKS,
    Blocks,
    block_numbers,
    column_correlation,
    correlation,
    mean_size,
)
from plumbline.drift.reference.column_types import ColumnRules, infer
from plumbline.drift.reference.history import MIN_ROWS, HistoryRows
from plumbline.drift.reference.learn import learn

_LOG = logging.getLogger(__name__)
_DEFAULT_RULES = ColumnRules()
_PREDICTION_COLUMNS = (PROBABILITY_COLUMN, LOG_ODDS_COLUMN, PREDICTED_COLUMN, LABEL_COLUMN, VALUE_COLUMN)


def infer_table(names: Sequence[str], columns: Sequence[Sequence[str]], rules: ColumnRules = _DEFAULT_RULES) -> Table:
    """Return columns of text, one per name, as a table of the types inferred from them (`column_types.infer`).

    Raises
    ------
    NotANumberError
        If a column that is declared numeric holds a text that is neither missing nor a finite number.
    """
    specs = tuple(infer(name, texts, rules) for name, texts in zip(names, columns, strict=True))
    return Table(specs, {spec.name: typed(spec, texts) for spec, texts in zip(specs, columns, strict=True)})


def typed(
    spec: FeatureSpec, texts: Sequence[str], train: Table | None = None
) -> NDArray[np.float64] | NDArray[np.object_]:
    """Return the column's cells, shape (n_rows,).

    Parameters
    ----------
    train
        The training rows, as whose values labels are spelled; None: these texts are the training rows.

    Raises
    ------
    NotANumberError
        If the column is numeric and a text is neither missing nor a finite number.
    """
    reader = CellReader(spec, _values(spec, texts) if train is None else present(train.columns[spec.name].tolist()))
    # Columns repeat themselves: each text is read once.
    read = {text: reader.read(text) for text in dict.fromkeys(texts)}
    cells = [read[text] for text in texts]
    if spec.type is FeatureType.NUMERIC:
        return np.array(cells, dtype=np.float64)
    return np.array(cells, dtype=np.object_)


def _values(spec: FeatureSpec, texts: Iterable[str]) -> list[float | str]:
    """Return the distinct values of training rows: numbers, or labels in the spelling by which they are known."""
    if spec.type is FeatureType.NUMERIC:
        numbers = NumberCells(spec.missing_values, is_binary=True)
        return present(map(numbers.read, dict.fromkeys(texts)))
    return present(spellings(present_labels(texts, spec.missing_values)).values())


@dataclass(frozen=True)
class _Sheet:
    """One file, or all the files of a folder: a column of texts per name, and the file and line of each row."""

    columns: dict[str, list[str]]
    places: list[tuple[Path, int]]

    @property
    def header(self) -> list[str]:
        """Names of the columns, in the file's order."""
        return list(self.columns)

    def place(self, row: int) -> str:
        """Return where the row with this index stands, for an error message."""
        path, line = self.places[row]
        return f"{path}, line {line}"

    def labels(self, target_label: str) -> list[str]:
        """Return the target's cells, none of them missing."""
        labels = self.columns[target_label]
        for row, label in enumerate(labels):
            if label in MISSING_TEXTS:
                raise BaselineError(
                    f"{self.place(row)}: the target {target_label!r} must not be missing, got {label!r}; remove the row"
                )
        known = spellings(Counter(labels))
        return [known[label] for label in labels]

    def times(self, path: Path, time_column: str) -> list[datetime]:
        """Return the moment of each row."""
        if time_column not in self.columns:
            raise BaselineError(
                f"{path} must have the time column {time_column!r}, got {self.header}; name it as the header row does"
            )
        texts = self.columns[time_column]
        read: dict[str, datetime] = {}
        for row, text in enumerate(texts):
            if text not in read:
                try:
                    read[text] = parse_time(text)
                except ValueError as error:
                    raise BaselineError(
                        f"{self.place(row)}: the time column {time_column!r} must hold ISO 8601 times, got {text!r}; "
                        "write 2026-01-31T13:00:00Z, or a date alone, and remove rows without a time"
                    ) from error
        return [read[text] for text in texts]

    def of(self, names: Sequence[str]) -> "_Sheet":
        """Return these columns alone."""
        return _Sheet({name: self.columns[name] for name in names}, self.places)


def read_training(
    path: Path,
    target_label: str | None,
    rules: ColumnRules = _DEFAULT_RULES,
    time_column: str | None = None,
    block_column: str | None = None,
) -> tuple[Table, list[str]]:
    """Read the training rows and infer each column's type from them (`plumbline.drift.reference.column_types.infer`).

    `path` is a file, or a folder whose ``*.csv`` files have the same header. Without a `target_label` every column is
    a feature, but for the `time_column`, which the file need not have, and the `block_column`, unless a type is
    declared for it: then the payload has it.

    Returns
    -------
    tuple
        The features in the file's order, and the target's labels row for row; no labels without a target.

    Raises
    ------
    BaselineError
        If the file cannot be read, has no rows, no column `target_label`, or a row of another length.
    """
    sheet = _read(path)
    labels = []
    if target_label is not None:
        _require_target(path, sheet, target_label)
        labels = sheet.labels(target_label)
    others = {target_label, time_column, block_column} - rules.types.keys()
    names = [name for name in sheet.header if name not in {target_label, time_column, *others}]
    if not names:
        raise BaselineError(f"{path} must have a feature beside target and time, got {sheet.header}; add columns")
    if unknown := sorted(rules.types.keys() - set(names)):
        raise BaselineError(
            f"types must be declared for columns of {path}, got {', '.join(map(repr, unknown))}; "
            f"allowed there: {', '.join(names)}"
        )
    specs = tuple(infer(name, sheet.columns[name], rules) for name in names)
    return Table(specs, {spec.name: _column(sheet, spec, None) for spec in specs}), labels


def read_labelled(
    path: Path,
    specs: Sequence[FeatureSpec],
    target_label: str,
    train: Table | None = None,
    time_column: str | None = None,
    block_column: str | None = None,
) -> tuple[Table, list[str]]:
    """Read labelled rows whose columns and types are those of the training file, in any order.

    Labels are spelled as in the training rows `train`; where these are not at hand, as these rows do most often. The
    `time_column` and the `block_column` are left out, where they are no features.

    Raises
    ------
    BaselineError
        If a column is missing or unknown, or a cell does not fit its column's type.
    """
    sheet = _read(path)
    _require_target(path, sheet, target_label)
    return _labelled(path, sheet, specs, target_label, train, {time_column, block_column})


def _labelled(
    path: Path,
    sheet: _Sheet,
    specs: Sequence[FeatureSpec],
    target_label: str,
    train: Table | None,
    besides: Collection[str | None],
) -> tuple[Table, list[str]]:
    wanted = {spec.name for spec in specs}
    names = set(sheet.header) - {target_label, *(set(besides) - wanted)}
    if names != wanted:
        raise BaselineError(
            f"{path} must have the training file's columns, got {sorted(names - wanted)} too many and "
            f"{sorted(wanted - names)} too few; write both files from one source"
        )
    labels = sheet.labels(target_label)
    return Table(tuple(specs), {spec.name: _column(sheet, spec, train) for spec in specs}), labels


def read_predictions(
    path: Path, task: Task | None, labels: Sequence[str], positive: str | None = None
) -> tuple[NDArray[np.float64], list[str] | None]:
    """Read the model's predictions, one per row of the test set: shape (n_rows,); the columns' names say what they are.

    ``probability``: of the positive class, 0 to 1. ``log_odds``: as many, converted. ``label`` (or ``predicted``): the
    predicted label alone, which is a probability of 1 or 0. Where the target has more than two classes the predicted
    label is the second thing returned, and ``probability`` is its own. ``value``: of a target that is a quantity, where
    ``probability`` is read so, too.

    Parameters
    ----------
    labels
        Those that the target can have; predicted ones get their spelling.
    positive
        The positive one of two; None: the last in order.

    Raises
    ------
    BaselineError
        If the file has no such column, or a cell that is no prediction.
    """
    return _predictions(path, _read(path), task, labels, positive)


def _predictions(
    path: Path, sheet: _Sheet, task: Task | None, labels: Sequence[str], positive: str | None
) -> tuple[NDArray[np.float64], list[str] | None]:
    if task is Task.REGRESSION:
        return _numbers_of(sheet, _one_column(path, sheet, (VALUE_COLUMN, PROBABILITY_COLUMN)), None), None
    label_column = next((name for name in (PREDICTED_COLUMN, LABEL_COLUMN) if name in sheet.header), None)
    called = None if label_column is None else spelled_as(labels, sheet.columns[label_column])
    if called is not None and not {PROBABILITY_COLUMN, LOG_ODDS_COLUMN} & {*sheet.header}:
        if task is Task.MULTICLASS:
            return np.ones(len(called)), called
        of = positive or positive_label(labels)
        return np.array([float(label == of) for label in called]), None
    number_column = _one_column(path, sheet, (PROBABILITY_COLUMN, LOG_ODDS_COLUMN))
    if number_column == LOG_ODDS_COLUMN and task is not Task.MULTICLASS:
        return np.array([*map(sigmoid, _numbers_of(sheet, number_column, None).tolist())]), None
    return _numbers_of(sheet, number_column, 1.0), called if task is Task.MULTICLASS else None


def read_history(
    path: Path,
    time_column: str,
    baseline: Baseline,
    train: Table | None,
    predictions: Path | None = None,
    block_column: str | None = None,
) -> HistoryRows:
    """Read labelled rows of the past, which have a time each, and put them in time order; of equal times in the file's.

    Labels are spelled as in the training rows `train`; where these are not at hand, as these rows do most often.

    Columns are those of the training file in any order, the target, `time_column`, and the predictions as
    `read_predictions` takes them, which here may have no feature's name. With a file of `predictions`, row for row,
    they are read from there: so a test set is a past as well. The `block_column` is left out, if there is one.

    Raises
    ------
    BaselineError
        If a column is missing or unknown, a time, a label or a prediction cannot be read, or a label is none of the
        baseline's.
    ShortPastError
        If there are fewer rows than `plumbline.drift.reference.history.MIN_ROWS`.
    """
    sheet, target = _read(path), baseline.target_label
    if target is None:
        raise BaselineError(f"{path} must have a target to be a history, got no target_label; name the column")
    _require_target(path, sheet, target)
    times = sheet.times(path, time_column)
    if len(times) < MIN_ROWS:
        raise ShortPastError(
            f"{path} must have at least {MIN_ROWS} rows to show windows of the past, got {len(times)}; "
            "give a longer past, or learn without it"
        )
    features = {spec.name for spec in baseline.specs}
    besides = [name for name in sheet.header if name in _PREDICTION_COLUMNS and name not in {*features, target}]
    source = sheet.of(besides) if predictions is None else _read(predictions)
    if predictions is None and not besides:
        raise BaselineError(
            f"{path} must have the predictions beside the features, as {PROBABILITY_COLUMN!r} for example, got "
            f"{sheet.header}; add them, out of sample, under a name that no feature has"
        )
    table, labels = _labelled(
        path,
        sheet,
        baseline.specs,
        target,
        train,
        {time_column, block_column, *(besides if predictions is None else ())},
    )
    labels = spelled_as(baseline.labels, labels)
    numbers, predicted = _predictions(
        predictions or path, source, baseline.task, baseline.labels, baseline.positive_label
    )
    if len(numbers) != len(labels):
        raise BaselineError(
            f"{predictions} must have a row for each of {path}, got {len(numbers)} for {len(labels)}; "
            "give the predictions of these very rows"
        )
    _check_known(sheet, baseline, labels, "label")
    if baseline.task is Task.MULTICLASS:
        if predicted is None:
            raise BaselineError(
                f"{predictions or path} must have the predicted label of each row, got {source.header}; "
                f"add a column {PREDICTED_COLUMN!r}"
            )
        _check_known(source, baseline, predicted, "predicted label")
    return _in_time_order(
        path,
        HistoryRows(
            table=table,
            times=(),
            labels=tuple(labels),
            probabilities=numbers,
            predicted=None if predicted is None else tuple(predicted),
        ),
        times,
    )


def _check_known(sheet: _Sheet, baseline: Baseline, labels: Sequence[str], what: str) -> None:
    known = {*baseline.labels}
    for row, label in enumerate(labels):
        if finite_number(label) is None if baseline.task is Task.REGRESSION else label not in known:
            wanted = (
                "a number"
                if baseline.task is Task.REGRESSION
                else f"one of {', '.join(map(repr, baseline.labels[:5]))}"
            )
            raise BaselineError(
                f"{sheet.place(row)}: a {what} of the past must be {wanted}, as in the training and test rows, "
                f"got {label!r}; correct or remove the row"
            )


def _in_time_order(path: Path, rows: HistoryRows, times: Sequence[datetime]) -> HistoryRows:
    order = sorted(range(len(times)), key=times.__getitem__)
    n_before = sum(later < earlier for earlier, later in pairwise(times))
    if n_before:
        _LOG.warning(
            "%s is not in time order: in %d of %d rows the time goes back; the rows were sorted by time",
            path,
            n_before,
            len(times),
        )
    return HistoryRows(
        table=Table(rows.table.specs, {name: column[order] for name, column in rows.table.columns.items()}),
        times=[format_time(times[row]) for row in order],
        labels=tuple(rows.labels[row] for row in order),
        probabilities=rows.probabilities[order],
        predicted=None if rows.predicted is None else tuple(rows.predicted[row] for row in order),
    )


def _one_column(path: Path, sheet: _Sheet, names: Sequence[str]) -> str:
    found = [name for name in names if name in sheet.header]
    if len(found) != 1:
        raise BaselineError(
            f"{path} must have one column {' or '.join(map(repr, names))}, got {sheet.header}; rename it to fit"
        )
    return found[0]


def _numbers_of(sheet: _Sheet, name: str, highest: float | None) -> NDArray[np.float64]:
    """Return a column of finite numbers; with `highest`, of 0 to so much."""
    texts = sheet.columns[name]
    numbers = [finite_number(text) for text in texts]
    for row, number in enumerate(numbers):
        if number is None:
            raise BaselineError(f"{sheet.place(row)}: a prediction must be a number, got {texts[row]!r}; predict again")
        if highest is not None and not 0 <= number <= highest:
            raise BaselineError(
                f"{sheet.place(row)}: a probability must lie in 0 to 1, got {texts[row]!r}; name the column "
                f"{LOG_ODDS_COLUMN!r} if these are log-odds, or state the task {Task.REGRESSION} if they are quantities"
            )
    return np.array(numbers, dtype=np.float64)


def _require_target(path: Path, sheet: _Sheet, target_label: str) -> None:
    if target_label not in sheet.columns:
        raise BaselineError(
            f"{path} must have the target column {target_label!r}, got {sheet.header}; "
            "name the target as the header row does"
        )
    if len(sheet.columns) < 2:
        raise BaselineError(f"{path} must have a feature beside the target, got {sheet.header}; add columns")


def _column(sheet: _Sheet, spec: FeatureSpec, train: Table | None) -> NDArray[np.float64] | NDArray[np.object_]:
    texts = sheet.columns[spec.name]
    try:
        return typed(spec, texts, train)
    except NotANumberError as error:
        raise BaselineError(
            f"{sheet.place(texts.index(str(error)))}: a column that is numeric in training must hold finite numbers, "
            f"got {str(error)!r} in {spec.name!r}; correct the cell, leave it empty, or name it as a missing value"
        ) from error


def _read(path: Path) -> _Sheet:
    files = sorted(path.glob("*.csv")) if path.is_dir() else [path]
    if not files:
        raise BaselineError(f"{path} must hold *.csv files, got none; name a CSV file or a folder of them")
    sheets = [_read_file(file) for file in files]
    first = sheets[0]
    for file, sheet in zip(files, sheets, strict=True):
        if sheet.header != first.header:
            raise BaselineError(
                f"{file}: the header must be that of {files[0].name}, got {sheet.header}; "
                "write the files from one source"
            )
    return _Sheet(
        {name: list(chain.from_iterable(sheet.columns[name] for sheet in sheets)) for name in first.header},
        list(chain.from_iterable(sheet.places for sheet in sheets)),
    )


def _read_file(path: Path) -> _Sheet:
    if path.exists() and not path.is_file():  # a pipe would be waited for
        raise BaselineError(f"{path} must be a file, got something else; name a CSV file or a folder of them")
    try:
        with path.open(encoding="utf-8-sig", newline="") as handle:
            sheet = _sheet(path, handle)
    except OSError as error:
        raise BaselineError(f"{path} must be readable, got {error.strerror}; check the path") from error
    except UnicodeDecodeError as error:
        raise BaselineError(
            f"{path} must be UTF-8 text, got {error.reason}; save it as UTF-8 CSV, unpack it if it is compressed"
        ) from error
    if not sheet.places:
        raise BaselineError(f"{path} must have a header row and rows below it, got no row; fill it")
    return sheet


def _sheet(path: Path, handle: Iterable[str]) -> _Sheet:
    reader = csv.reader(handle, skipinitialspace=True, strict=True)
    places: list[tuple[Path, int]] = []

    def rows() -> Iterator[list[str]]:
        for fields in reader:
            if len(fields) == len(header):
                places.append((path, reader.line_num))
                yield [text.strip() for text in fields]
            elif fields:
                raise BaselineError(
                    f"{path}, line {reader.line_num}: a row must have {len(header)} fields as the header, "
                    f"got {len(fields)}; correct or remove the line"
                )

    try:
        header = [name.strip() for name in next(filter(None, reader), [])]
        if len(set(header)) < len(header) or "" in header:
            raise BaselineError(f"{path}: the header must name each column once, got {header}; rename columns")
        return _Sheet(dict(zip(header, transpose(rows(), len(header)), strict=True)), places)
    except csv.Error as error:
        raise BaselineError(f"{path}, line {reader.line_num}: must be CSV, got {error}; correct the quotes") from error


@dataclass(frozen=True, kw_only=True)
class ReferenceFiles:
    """Where a baseline is learned from.

    `train` and `test` are CSV files with a header row, or folders of them; `predictions` has one column,
    ``probability``, row for row with `test`. Without a `target_label` every column is a feature, and there is no test
    set. Of a target with more than two classes `predictions` also has a column ``predicted``. Windows are also
    judged apart by the values of `segment_column`. `rules` are how the columns are read, `task` is
    what the model predicts, None: inferred from the target's labels; `format` is what is stated of the answers.

    `time_column` is a column that is no feature: the training and test files may have it. `history` is a CSV file or a
    folder of labelled rows of the past with it, and with the predictions; None: the test set is the past, which then
    must have the time column. `block_column` names the block of a row, such as its client or day, in any of the files;
    it is no feature, unless `rules` declare a type for it.
    """

    train: Path
    test: Path | None = None
    predictions: Path | None = None
    target_label: str | None = None
    segment_column: str | None = None
    rules: ColumnRules = _DEFAULT_RULES
    task: Task | None = None
    format: PredictionFormat = PredictionFormat()
    history: Path | None = None
    time_column: str | None = None
    block_column: str | None = None

    def __post_init__(self) -> None:
        """Refuse a history or blocks that cannot be read."""
        if self.block_column is not None and self.block_column == self.target_label:
            raise BaselineError(
                f"the block column must be another one than the target, got {self.block_column!r}; name the column "
                "with the clients, days or batches"
            )
        if self.history is not None and self.time_column is None:
            raise BaselineError("a history must have a time column, got no time_column; name it")
        if self.time_column is None:
            return
        if self.target_label in {None, self.time_column}:
            raise BaselineError(
                f"a past with the time column {self.time_column!r} must have a target of another name, got "
                f"{self.target_label!r}; name the column to predict"
            )
        if self.history is None and (self.test is None or self.predictions is None):
            raise BaselineError(
                f"the time column {self.time_column!r} must come with a history, or with a test set that has it and "
                "predictions, got neither; name the file"
            )

    def learn(self) -> Baseline:
        """Return the baseline, without what its past shows: see `read`.

        Raises
        ------
        BaselineError
            If a file cannot be read or does not fit the others.
        """
        return self._learned(self._training())

    def read(self) -> tuple[Baseline, HistoryRows | None]:
        """Return the baseline, and the rows of the past that belong to it; None: there is no time column.

        Raises
        ------
        BaselineError
            If a file cannot be read or does not fit the others.
        """
        training = self._training()
        baseline = self._learned(training)
        if self.time_column is None:
            return baseline, None
        if self.history is not None:
            return baseline, read_history(
                self.history, self.time_column, baseline, training[0], block_column=self.block_column
            )
        if self.test is not None:
            return baseline, read_history(
                self.test, self.time_column, baseline, training[0], self.predictions, self.block_column
            )
        return baseline, None

    def _training(self) -> tuple[Table, list[str]]:
        return read_training(self.train, self.target_label, self.rules, self.time_column, self.block_column)

    def _learned(self, training: tuple[Table, list[str]]) -> Baseline:
        baseline = self._without_blocks(training)
        return baseline if self.block_column is None else replace(baseline, blocks=self._blocks(baseline, training[0]))

    def _blocks(self, baseline: Baseline, train: Table) -> Blocks:
        """Return how alike the rows of one block are, by the first file that has the column."""
        name, found = str(self.block_column), []
        for path in (self.train, self.test, self.history):
            sheet = None if path is None else _read(path)
            if sheet is not None and name in sheet.columns:
                numbers = block_numbers(sheet.columns[name])
                found.append((path, sheet, numbers))
        if not found:
            files = ", ".join(str(path) for path in (self.train, self.test, self.history) if path is not None)
            raise BaselineError(
                f"the block column {name!r} must be in {files}, got none that has it; name it as the header row does"
            )
        path, sheet, numbers = found[0]
        if len(set(numbers.tolist())) < MIN_BLOCKS:
            raise BaselineError(
                f"{path} must have {MIN_BLOCKS} blocks or more to show how alike the rows of one are, got "
                f"{len(set(numbers.tolist()))} in {name!r}; name a column with more values, or learn without it"
            )
        return Blocks(
            column=name,
            size=mean_size(numbers),
            correlations={
                spec.name: column_correlation(spec.type, _column(sheet, spec, train), numbers)
                for spec in train.specs
                if spec.unjudged is None
            }
            | self._of_labels(baseline, found),
        )

    def _of_labels(
        self, baseline: Baseline, found: Sequence[tuple[Path | None, _Sheet, NDArray[np.intp]]]
    ) -> dict[str, float]:
        """Return how alike predictions and labels of the test set are within blocks, if it has both."""
        numbers = next((numbers for path, _, numbers in found if path is not None and path == self.test), None)
        test = baseline.test
        if numbers is None or test is None or test.probabilities is None:
            return {}
        alike = {PROBABILITY_COLUMN: column_correlation(FeatureType.NUMERIC, test.probabilities, numbers)}
        if baseline.task is Task.REGRESSION:
            observed = np.array([finite_number(label) or 0.0 for label in test.labels])
        else:
            of = test.predicted or (baseline.positive_label,) * len(test.labels)
            observed = np.array([float(label == one) for label, one in zip(test.labels, of, strict=True)])
        return alike | {LABELS: correlation(observed - test.probabilities, numbers)}

    def _without_blocks(self, training: tuple[Table, list[str]]) -> Baseline:
        features, train_labels = training
        if self.test is None or self.target_label is None:
            return learn(
                train=features,
                target_label=self.target_label,
                segment_column=self.segment_column,
                train_labels=train_labels,
                task=self.task,
                predictions=self.format,
            )
        test, labels = read_labelled(
            self.test, features.specs, self.target_label, features, self.time_column, self.block_column
        )
        labels = spelled_as(train_labels, labels)
        probabilities, predicted = None, None
        if self.predictions is not None:
            known = {*train_labels, *labels}
            task = self.task or task_of(known)
            probabilities, predicted = read_predictions(self.predictions, task, [*known], self.format.positive_label)
        return learn(
            train=features,
            target_label=self.target_label,
            test=test,
            test_labels=labels,
            probabilities=probabilities,
            predicted=predicted,
            segment_column=self.segment_column,
            train_labels=train_labels,
            task=self.task,
            predictions=self.format,
        )


def spelled_as(known_labels: Iterable[str], labels: Iterable[str]) -> list[str]:
    """Return labels in the spelling of those that are known; one that is none of these stays."""
    known = LabelCells(known_labels, ())
    return [known.read(label) or label for label in labels]
