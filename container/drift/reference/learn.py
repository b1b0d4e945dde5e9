"""Learn a baseline from the reference rows: checks, value counts bounded in size, a sample of the rows."""

from collections.abc import Collection, Sequence
from typing import NamedTuple, NoReturn

import numpy as np
from numpy.typing import NDArray

from plumbline.contract.predictions import KINDS_OF_TASK, PredictionFormat
from plumbline.contract.records import FeatureType
from plumbline.contract.training import (
    MISSING_TEXTS,
    PREDICTED_COLUMN,
    PROBABILITY_COLUMN,
    Task,
    finite_number,
    ordered,
    task_of,
)
from plumbline.contract.values import canonical
from plumbline.drift.data.counts import MAX_DISTINCT, OTHER_LABELS, CategoricalCounts, NumericCounts, ValueCounts, count
from plumbline.drift.data.sketch import bucketed
from plumbline.drift.data.table import FeatureSpec, Table, sample_rows
from plumbline.drift.errors import BaselineError
from plumbline.drift.reference.baseline import Baseline, LabelledTest

_NOTHING_STATED = PredictionFormat()


def learn(  # noqa: PLR0913 - one keyword per part of the reference
    *,
    train: Table,
    target_label: str | None,
    test: Table | None = None,
    test_labels: Sequence[str] | None = None,
    probabilities: NDArray[np.float64] | None = None,
    predicted: Sequence[str] | None = None,
    segment_column: str | None = None,
    train_labels: Sequence[str] = (),
    task: Task | None = None,
    predictions: PredictionFormat = _NOTHING_STATED,
) -> Baseline:
    """Learn a baseline from the training rows, and keep the labelled test set with it if there is one.

    Parameters
    ----------
    train
        Features of the training rows, without the target: the payload's schema, in the payload's order.
    target_label
        Name of the target column; None when there is none.
    test, test_labels
        Features and labels of the labelled test set, row for row; both or neither. Its columns are train's.
    probabilities
        The model's probability of the positive class for each test row, shape (n_test_rows,); that of the predicted
        label where the target has more than two classes; the predicted number where it is numeric.
    predicted
        The predicted label of each test row, where the target has more than two classes.
    segment_column
        A categorical feature by whose values the rows are counted a second time, apart from each other.
    train_labels
        Labels of the training rows: what the target can be, where the test set does not have them all.
    task
        What the model predicts, as stated; None: it is inferred from the labels, if there are any.
    predictions
        What is stated of the endpoint's answers. `probabilities` are those of its positive label.

    Raises
    ------
    BaselineError
        If the tables, the labels and the probabilities do not fit each other; the text names them and the remedy.
    """
    _check_train(train, target_label)
    if test is not None and target_label is None:
        raise BaselineError("a test set must have a target, got no target_label; name the column to predict")
    labels = {label for label in (*train_labels, *(test_labels or ())) if label.strip() not in MISSING_TEXTS}
    target = _target(labels, task, predictions)
    labelled = None
    if test is not None and test_labels is not None:
        _check_same_schema(train, test)
        found = LabelledTest(test, tuple(test_labels), probabilities, _texts(predicted))
        labelled = _labelled_test(train, found, target.task)
    elif not (test is None and test_labels is None and probabilities is None):
        raise BaselineError(
            "a test set must have features and labels, and probabilities belong to a test set, got only part of them; "
            "pass the labelled test set, or nothing of it"
        )
    return Baseline(
        target_label=target_label,
        positive_label=target.positive_label,
        n_rows=train.n_rows,
        specs=train.specs,
        counts=count_table(train),
        test=labelled,
        sample=sample_rows(train),
        segment_column=segment_column,
        segments={} if segment_column is None else count_segments(train, segment_column),
        learned_task=target.task,
        task_is_stated=task is not None,
        classes=target.classes,
        predictions=predictions,
    )


class _Target(NamedTuple):
    task: Task | None
    classes: tuple[str, ...]
    positive_label: str | None


def _target(labels: Collection[str], stated: Task | None, predictions: PredictionFormat) -> _Target:
    """Return what the model predicts: as stated, or else by its labels."""
    task = stated or (task_of(labels) if labels else None)
    if task is Task.BINARY and len(labels) > 2:
        _refuse_task(task, f"{len(labels)} labels", Task.MULTICLASS)
    if task is Task.REGRESSION and (texts := sorted(label for label in labels if finite_number(label) is None)):
        _refuse_task(task, repr(texts[0]), Task.MULTICLASS)
    _check_kind(task, predictions)
    classes = () if task in {None, Task.REGRESSION} else ordered(labels)
    return _Target(task, classes, _positive(task, classes, predictions.positive_label))


def _refuse_task(task: Task, found: str, other: Task) -> NoReturn:
    wanted = "at most two labels" if task is Task.BINARY else "numbers as labels"
    raise BaselineError(f"the target of a {task} task must have {wanted}, got {found}; state the task {other}")


def _check_kind(task: Task | None, predictions: PredictionFormat) -> None:
    kinds = KINDS_OF_TASK[task]
    if predictions.kind is not None and predictions.kind not in kinds:
        raise BaselineError(
            f"the kind of the predictions must be {' or '.join(kinds)} where the task is "
            f"{task or 'not known'}, got {predictions.kind}; state another kind, or the task"
        )


def _positive(task: Task | None, classes: Sequence[str], stated: str | None) -> str | None:
    """Return the label that a probability is that of, spelled as the target's; None where there are not two."""
    if stated is not None:
        known = {canonical(label): label for label in classes}
        if task is not Task.BINARY or (classes and canonical(stated) not in known):
            raise BaselineError(
                f"the positive label must be one of the two of a binary target, "
                f"got {stated!r} for {', '.join(map(repr, classes[:5])) or 'none'}; correct it"
            )
        return known.get(canonical(stated), stated)
    return classes[1] if task is Task.BINARY and len(classes) == 2 else None


def _check_train(train: Table, target_label: str | None) -> None:
    names = [spec.name for spec in train.specs]
    if target_label in names:
        raise BaselineError(
            f"train must hold the features only, got the target column {target_label!r} among them; take it out"
        )
    if not train.n_rows:
        raise BaselineError("train must have rows, got none; give the file that the model was trained on")
    _check_columns("train", train, names)


def _check_columns(what: str, table: Table, names: list[str]) -> None:
    if len(set(names)) != len(names) or set(names) != set(table.columns):
        raise BaselineError(
            f"{what} must have one column per name, got {names} for {sorted(table.columns)}; name each column once"
        )
    lengths = {len(column) for column in table.columns.values()}
    if len(lengths) > 1:
        raise BaselineError(
            f"{what} must have columns of one length, got {sorted(lengths)}; give every row a cell in every column"
        )
    for spec in table.specs:
        if spec.type is FeatureType.NUMERIC and np.isinf(np.asarray(table.columns[spec.name], dtype=np.float64)).any():
            raise BaselineError(f"{what} column {spec.name!r} must be finite, got an infinite value; remove its rows")


def _texts(predicted: Sequence[str] | None) -> tuple[str, ...] | None:
    return None if predicted is None else tuple(predicted)


def _labelled_test(train: Table, test: LabelledTest, task: Task | None) -> LabelledTest:
    """Return the test set with its columns in train's order, everything checked."""
    rows = test.table
    if not rows.n_rows:
        raise BaselineError("test must have rows, got none; give the labelled test set")
    _check_columns("test", rows, [spec.name for spec in rows.specs])
    _check_labels(test.labels, rows.n_rows)
    probabilities = test.probabilities
    if probabilities is not None:
        probabilities = np.asarray(probabilities, dtype=np.float64)
        _check_probabilities(probabilities, rows.n_rows, task)
        # -0.0 is a probability, but its text is not that of 0.0: equal baselines are equal bytes.
        probabilities = probabilities + 0.0
    _check_predicted(test, task)
    in_order = Table(train.specs, {spec.name: rows.columns[spec.name] for spec in train.specs})
    return LabelledTest(in_order, test.labels, probabilities, test.predicted)


def _check_same_schema(train: Table, test: Table) -> None:
    expected = {spec.name: spec.type for spec in train.specs}
    found = {spec.name: spec.type for spec in test.specs}
    if expected == found:
        return
    differences = [f"lacks {name!r}" for name in expected if name not in found]
    differences += [f"has {name!r} besides" for name in found if name not in expected]
    differences += [
        f"has {name!r} as {found[name]}, not {expected[name]}"
        for name in expected
        if name in found and found[name] is not expected[name]
    ]
    raise BaselineError(f"test must have train's columns, but it {', '.join(differences)}; give files of one layout")


def _check_labels(labels: Sequence[str], n_rows: int) -> None:
    if len(labels) != n_rows:
        raise BaselineError(f"test must have one label per row, got {len(labels)} labels for {n_rows} rows")
    for number, label in enumerate(labels, start=1):
        if label.strip() in MISSING_TEXTS:
            raise BaselineError(
                f"test must have a label in every row, got {label!r} in row {number}; remove the rows without one"
            )


def _check_predicted(test: LabelledTest, task: Task | None) -> None:
    wanted = task is Task.MULTICLASS and test.probabilities is not None
    if (test.predicted is not None) != wanted:
        raise BaselineError(
            f"predictions must name the predicted label of each row if, and only if, the target has more than two "
            f"classes, got {'labels' if test.predicted else 'none'} for {len(set(test.labels))} classes; "
            f"write a column {PREDICTED_COLUMN!r} beside {PROBABILITY_COLUMN!r} for such a target"
        )
    if test.predicted is None:
        return
    if len(test.predicted) != len(test.labels):
        raise BaselineError(
            f"predictions must have one label per test row, got {len(test.predicted)} for {len(test.labels)} rows; "
            "give the predictions of this very test set"
        )
    if unknown := sorted(set(test.predicted) - set(test.labels)):
        raise BaselineError(
            f"predicted labels must be among the test set's, got {', '.join(map(repr, unknown[:5]))}; "
            "spell them as the target's column does"
        )


def _check_probabilities(probabilities: NDArray[np.float64], n_rows: int, task: Task | None) -> None:
    if probabilities.shape != (n_rows,):
        raise BaselineError(
            f"predictions must have one probability per test row, got {probabilities.size} for {n_rows} rows; "
            "give the predictions of this very test set"
        )
    outside = ~np.isfinite(probabilities)
    if task is not Task.REGRESSION:
        outside |= (probabilities < 0) | (probabilities > 1)
    if outside.any():
        row = int(np.argmax(outside))
        raise BaselineError(
            f"predictions must be probabilities of the positive class, 0 to 1, got {float(probabilities[row])!r} in "
            f"row {row + 1}; write the model's probability, not its label or margin, or state the task regression"
        )


MAX_SEGMENTS = 50
"""A bound for the artifact and the report; segments beyond it would seldom have the rows to be judged."""


def count_table(table: Table) -> dict[str, ValueCounts]:
    """Count the values of every column.

    Of a numeric column with more than `counts.MAX_DISTINCT` distinct values the buckets of `drift.data.sketch` are
    counted; of a categorical one the most frequent labels, and all others together as `drift.data.counts.OTHER_LABELS`.
    """
    return {name: _bounded(counts, counts) for name, counts in _exact(table).items()}


def count_segments(table: Table, name: str) -> dict[str, dict[str, ValueCounts]]:
    """Count the values of every column for each value of the column `name`; a row without a value there is in none.

    Raises
    ------
    BaselineError
        If the column is not categorical, or has no value or too many.
    """
    _require_categorical(table, name)
    whole = _exact(table)
    labels = whole[name].values.tolist()
    if not 1 <= len(labels) <= MAX_SEGMENTS:
        raise BaselineError(
            f"segment_column must have 1 to {MAX_SEGMENTS} values, got {len(labels)} in {name!r}; choose a column "
            "whose values have enough rows each to be judged by themselves"
        )
    segments = {}
    for label in labels:
        chosen = table.columns[name] == label
        part = _exact(Table(table.specs, {key: column[chosen] for key, column in table.columns.items()}))
        segments[label] = {key: _bounded(counts, whole[key]) for key, counts in part.items()}
    return segments


def _require_categorical(table: Table, name: str) -> None:
    kinds = {spec.name: spec.type for spec in table.specs if not spec.is_new_in_every_row}
    if kinds.get(name) is not FeatureType.CATEGORICAL:
        found = f"the numeric column {name!r}" if name in kinds else f"{name!r}"
        categorical = ", ".join(key for key, kind in kinds.items() if kind is FeatureType.CATEGORICAL) or "none"
        raise BaselineError(
            f"segment_column must be a categorical feature, got {found}; choose one of those in the training data: "
            f"{categorical}"
        )


def _exact(table: Table) -> dict[str, ValueCounts]:
    return {spec.name: _counted(spec, table.columns[spec.name]) for spec in table.specs}


def _counted(spec: FeatureSpec, column: NDArray[np.float64] | NDArray[np.object_]) -> ValueCounts:
    counts = count(spec.type, column)
    if not spec.is_new_in_every_row or not counts.n_present:
        return counts
    # No value of these comes again: they are counted and not kept.
    return CategoricalCounts(np.array([OTHER_LABELS], dtype=object), np.array([counts.n_present]), counts.n_missing)


def _bounded(counts: ValueCounts, whole: ValueCounts) -> ValueCounts:
    """Return counts of some rows in the form that the counts of all rows, `whole`, have to take."""
    if len(whole.values) <= MAX_DISTINCT:
        return counts
    if isinstance(counts, NumericCounts):
        return bucketed(counts)
    # The most frequent labels; of equally frequent ones the first in order.
    kept = set(whole.values[np.argsort(-whole.counts, kind="stable")[: MAX_DISTINCT - 1]].tolist())
    known = np.array([label in kept for label in counts.values], dtype=bool)
    numbers = dict(zip(counts.values[known].tolist(), counts.counts[known].tolist(), strict=True))
    numbers[OTHER_LABELS] = int(counts.counts[~known].sum())
    labels = sorted(label for label, number in numbers.items() if number)
    return CategoricalCounts(
        np.array(labels, dtype=object), np.array([numbers[label] for label in labels], dtype=np.int64), counts.n_missing
    )
