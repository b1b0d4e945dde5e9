"""What the training job, the endpoint and the baseline agree on."""

import math
from collections.abc import Collection, Iterable

from plumbline.contract.enums import StrEnum

CHANNEL_TRAIN = "train"
"""Input channel: a folder of CSV files with a header row and the target column; every file is training data."""
CHANNEL_TEST = "test"
"""Input channel: the same for the labelled test set."""

CHANNEL_FRESH = "fresh"
"""Optional input channel: labelled rows that came after the training data; present only when there are any."""

MODEL_BOOSTER = "xgboost-model.json"
"""In the model folder: Booster.save_model."""
MODEL_PREPROCESSOR = "preprocessor.json"
"""In the model folder: what imputation and one-hot learned."""

OUTPUT_PREDICTIONS = "predictions.csv"
"""In the output data folder: one column, PROBABILITY_COLUMN, row for row with the labelled test set."""
OUTPUT_HISTORY = "history.csv"
"""In the output data folder, where the training data have times: labelled rows of the past in time order, with
PROBABILITY_COLUMN as models that were trained on earlier rows alone predicted them."""
OUTPUT_METRICS = "metrics.json"
"""In the output data folder: the test set's metrics."""
OUTPUT_BASELINE = "baseline"
"""In the output data folder: the baseline of these very training rows, a folder, to be deployed with the model."""

PROBABILITY_COLUMN = "probability"
PREDICTED_COLUMN = "predicted"
"""Of a target with more than two classes: the predicted label, beside its probability."""
LOG_ODDS_COLUMN = "log_odds"
LABEL_COLUMN = "label"
VALUE_COLUMN = "value"
"""Names of a column of predictions that is no probability."""
DECISION_THRESHOLD = 0.5
"""A row is predicted positive when its probability is at least this."""

MISSING_TEXTS = frozenset({"", "?"})
"""What a cell says when it has no value, after surrounding white space is removed."""


MOST_NUMERIC_CLASSES = 20
"""A target of more distinct numbers than this is a quantity, one of fewer a class."""


class Task(StrEnum):
    """What the model predicts, as the labels of its test set show."""

    BINARY = "binary"
    MULTICLASS = "multiclass"
    REGRESSION = "regression"


def task_of(labels: Collection[str]) -> Task:
    """Return what a model with these labels predicts: of more than two, numbers with fractions are a quantity, too.

    Examples
    --------
    >>> str(task_of(["0", "1"])), str(task_of(["a", "b", "c"])), str(task_of([str(n) for n in range(99)]))
    ('binary', 'multiclass', 'regression')
    """
    distinct = set(labels)
    if len(distinct) <= 2:
        return Task.BINARY
    numbers = [finite_number(label) for label in distinct]
    known = [number for number in numbers if number is not None]
    has_fractions = any(not number.is_integer() for number in known)
    is_quantity = len(known) == len(distinct) and (len(distinct) > MOST_NUMERIC_CLASSES or has_fractions)
    return Task.REGRESSION if is_quantity else Task.MULTICLASS


def finite_number(value: object) -> float | None:
    """Return the number that a text or a JSON value says, or None when it says none, NaN, or one that no float holds.

    The one place where numbers from outside are checked: a JSON integer may have hundreds of digits.

    Examples
    --------
    >>> finite_number(" 40"), finite_number("1e400"), finite_number("nan"), finite_number("12_34")
    (40.0, None, None, None)
    >>> finite_number(40), finite_number(10**400), finite_number(True), finite_number([40])
    (40.0, None, None, None)
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    # Python reads "12_34" as 1234, as its own literals are; in data that is an identifier.
    return None if isinstance(value, str) and "_" in value else number if math.isfinite(number) else None


def positive_label(labels: Iterable[str]) -> str:
    """Return the positive class of a two-class target: the last label in order, as scikit-learn sorts classes.

    Labels that all read as numbers are ordered as numbers: of ``0`` and ``1`` it is ``1``,
    of ``<=50K`` and ``>50K`` it is ``>50K``.

    Raises
    ------
    ValueError
        If there are not exactly two distinct labels.
    """
    distinct = set(labels)
    if len(distinct) != 2:
        shown = ", ".join(sorted(distinct)[:5])
        raise ValueError(f"the target must have two classes, got {len(distinct)}: {shown}")
    return ordered(distinct)[1]


def ordered(labels: Iterable[str]) -> tuple[str, ...]:
    """Return the distinct labels in their order: as numbers where all of them read so, as texts elsewhere.

    Examples
    --------
    >>> ordered(["10", "9", "10"]), ordered([">50K", "<=50K"])
    (('9', '10'), ('<=50K', '>50K'))
    """
    distinct = set(labels)
    numbered = [(number, label) for label in distinct if (number := finite_number(label)) is not None]
    # Of equal numbers, 1 and 1.0, the text decides: the order within a set differs from process to process.
    return tuple(label for _, label in sorted(numbered)) if len(numbered) == len(distinct) else tuple(sorted(distinct))
