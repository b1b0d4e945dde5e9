"""Training script that SageMaker's XGBoost image runs: labelled CSV files in; model, predictions and baseline out."""

import argparse
import json
import os
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from types import MappingProxyType

import numpy as np
import xgboost
from dataset import LabelledTable, TrainingDataError, concatenate, read_channel
from history import TimedRows, rolled, split_times, write_history
from numpy.typing import NDArray
from reference import monitored_features, write_baseline

from plumbline.contract.statistics import ColumnType, read_column_types
from plumbline.contract.training import (
    CHANNEL_FRESH,
    CHANNEL_TEST,
    CHANNEL_TRAIN,
    DECISION_THRESHOLD,
    MODEL_BOOSTER,
    MODEL_PREPROCESSOR,
    OUTPUT_BASELINE,
    OUTPUT_HISTORY,
    OUTPUT_METRICS,
    OUTPUT_PREDICTIONS,
    PROBABILITY_COLUMN,
    positive_label,
)
from plumbline.contract.values import DEFAULT_MISSING_VALUES, LabelCells, read_missing_values, spellings
from plumbline.drift.errors import BaselineError
from plumbline.drift.preprocessing import Preprocessor, learn_column, monitored_as


def learn_preprocessor(
    train: LabelledTable,
    target: str,
    missing_values: frozenset[str] = DEFAULT_MISSING_VALUES,
    monitored: Mapping[str, ColumnType] = MappingProxyType({}),
) -> Preprocessor:
    """Learn every column and the two classes from the training rows.

    `monitored` is what the monitor takes each column for; the model's own encoding does not depend on it.

    Raises
    ------
    TrainingDataError
        If the target has not two classes or a column has no value at all.
    """
    try:
        positive = positive_label(train.labels)
        columns = tuple(
            monitored_as(learn_column(name, [row[position] for row in train.rows], missing_values), monitored.get(name))
            for position, name in enumerate(train.names)
        )
    except ValueError as error:
        raise TrainingDataError(f"training data: {error}") from error
    negative = next(label for label in train.labels if label != positive)
    return Preprocessor(columns, target, negative, positive)


def encode_labels(labels: Sequence[str], preprocessor: Preprocessor) -> NDArray[np.float32]:
    """Return 1.0 for the positive class, shape (n_rows,).

    Raises
    ------
    TrainingDataError
        If a label is neither of the two classes of the training data.
    """
    known = (preprocessor.negative_label, preprocessor.positive_label)
    unknown = sorted(set(labels) - set(known))
    if unknown:
        raise TrainingDataError(
            f"labels must be one of {', '.join(known)}, got {', '.join(unknown[:5])}; correct or remove those rows"
        )
    return np.array([label == preprocessor.positive_label for label in labels], np.float32)


def fresh_weights(n_old: int, n_fresh: int, share: float) -> NDArray[np.float32]:
    """Return the weight of each row, the fresh ones last: shape (n_old + n_fresh,), 1 on average. Both have rows.

    Unweighted, a few thousand fresh rows would change nothing against all the old ones. Together they get `share` of
    the total weight, and no less than their number gives them.

    Raises
    ------
    TrainingDataError
        If the share is not below 1, or is negative: the old rows must count too.

    Examples
    --------
    >>> fresh_weights(3, 1, 0.5).round(3).tolist()
    [0.667, 0.667, 0.667, 2.0]
    """
    if not 0 <= share < 1:
        raise TrainingDataError(f"fresh_weight_fraction must be 0 or more and less than 1, got {share!r}; correct it")
    total = n_old + n_fresh
    share = max(share, n_fresh / total)
    weights = np.ones(total, np.float64)
    weights[:n_old] = (1 - share) * total / n_old
    weights[n_old:] = share * total / n_fresh
    return weights.astype(np.float32)


def fit(
    inputs: NDArray[np.float32],
    labels: NDArray[np.float32],
    settings: argparse.Namespace,
    weights: NDArray[np.float32] | None = None,
) -> xgboost.Booster:
    """Train the booster; the same inputs, weights and settings give the same model. Without weights rows are equal."""
    parameters = {
        "objective": "binary:logistic",
        "tree_method": "hist",
        "max_depth": settings.max_depth,
        "eta": settings.eta,
        "gamma": settings.gamma,
        "min_child_weight": settings.min_child_weight,
        "subsample": settings.subsample,
        "seed": settings.seed,
        "nthread": settings.nthread,
    }
    rows = xgboost.DMatrix(inputs, labels, weight=weights)
    return xgboost.train(parameters, rows, num_boost_round=settings.num_round)


def evaluate(labels: NDArray[np.float32], probabilities: NDArray[np.float32]) -> dict[str, float | int | None]:
    """Return accuracy, log loss (nats), area under the ROC curve and class balance of labelled predictions.

    Both arrays have shape (n_rows,). The area is None when the rows have one class only.
    """
    p = np.clip(probabilities.astype(np.float64), 1e-15, 1 - 1e-15)
    losses = np.where(labels == 1, -np.log(p), -np.log1p(-p))
    return {
        "accuracy": float(np.mean((probabilities >= DECISION_THRESHOLD) == (labels == 1))),
        "log_loss": float(losses.mean()),
        "auc": _area_under_curve(labels, probabilities),
        "n_rows": len(labels),
        "positive_fraction": float(labels.mean()),
    }


def _area_under_curve(labels: NDArray[np.float32], scores: NDArray[np.float32]) -> float | None:
    """Mann-Whitney: the chance that a positive row scores above a negative one, ties counting half."""
    positives, negatives = scores[labels == 1], np.sort(scores[labels == 0])
    if not len(positives) or not len(negatives):
        return None
    below = np.searchsorted(negatives, positives, "left") + np.searchsorted(negatives, positives, "right")
    return float(below.mean() / 2 / len(negatives))


def train(settings: argparse.Namespace, environment: Mapping[str, str]) -> dict[str, float | int | None]:
    """Train on the channels named by SageMaker's variables and leave model, predictions, metrics and baseline.

    Returns
    -------
    What was written to metrics.json.

    Raises
    ------
    TrainingDataError
        If a channel is absent or its rows cannot be used.
    BaselineError
        If the segment column cannot be used.
    """
    channels = [CHANNEL_TRAIN] + [CHANNEL_FRESH] * (_variable(CHANNEL_FRESH) in environment)
    timed = [_read(environment, name, settings) for name in channels]
    parts = [part.table for part in timed]
    rows, sizes = _with_one_spelling(concatenate(parts)), [len(part.rows) for part in parts]
    timed_test = _read(environment, CHANNEL_TEST, settings)
    test = _spelled_as(rows, timed_test.table.in_order(rows.names))
    if not test.rows:
        raise TrainingDataError(f"channel {CHANNEL_TEST!r} must hold labelled rows, got headers only; add rows")

    if not sizes[0]:
        raise TrainingDataError(f"channel {CHANNEL_TRAIN!r} must hold labelled rows, got headers only; add rows")

    features = monitored_features(rows, settings.missing_values, settings.feature_types)
    monitored = {spec.name: spec.column_type for spec in features.specs}
    preprocessor = learn_preprocessor(rows, settings.target_label, settings.missing_values, monitored)
    weights = fresh_weights(sizes[0], sum(sizes[1:]), settings.fresh_weight_fraction) if sum(sizes[1:]) else None
    test_labels = encode_labels(test.labels, preprocessor)
    booster = fit(preprocessor.transform(rows.rows), encode_labels(rows.labels, preprocessor), settings, weights)
    probabilities = booster.inplace_predict(preprocessor.transform(test.rows))

    metrics = evaluate(test_labels, probabilities) | {"n_training_rows": len(rows.rows)}
    _write_model(Path(environment["SM_MODEL_DIR"]), preprocessor, booster)
    # Nine digits bring back the very same float32.
    answers = [f"{probability:.9g}" for probability in probabilities]
    output = Path(environment["SM_OUTPUT_DATA_DIR"])
    _write_results(output, answers, metrics)
    write_baseline(
        output / OUTPUT_BASELINE,
        features=features,
        test=test,
        probabilities=[float(answer) for answer in answers],
        target=settings.target_label,
        segment_column=settings.segment_column,
    )
    if settings.time_column:
        times = [moment for part in timed for moment in part.times]
        past = _past(rows, times, preprocessor, settings) if timed[0].times else []
        later = _later_than(times, timed_test.times)
        predicted = [*past, *((len(times) + row, float(answers[row])) for row in later)]
        known = LabelledTable(
            rows.names, (*rows.rows[: len(times)], *test.rows), (*rows.labels[: len(times)], *test.labels)
        )
        _write_past(output / OUTPUT_HISTORY, known, [*times, *timed_test.times], predicted, settings)
    return metrics


def _past(
    rows: LabelledTable, times: Sequence[datetime], preprocessor: Preprocessor, settings: argparse.Namespace
) -> list[tuple[int, float]]:
    """Return the rows that have a time and were predicted by a model of earlier ones, with their probability.

    Columns are encoded as the final model encodes them, so that a value that came later is one in all of them; the
    labels of later rows are in none.
    """
    inputs = preprocessor.transform(rows.rows[: len(times)])
    labels = encode_labels(rows.labels[: len(times)], preprocessor)

    def predict(earlier: Sequence[int], later: Sequence[int]) -> NDArray[np.float32] | None:
        known = labels[earlier]
        if known.min() == known.max():
            return None
        return np.asarray(fit(inputs[earlier], known, settings).inplace_predict(inputs[later]))

    return rolled(times, predict)


def _later_than(times: Sequence[datetime], of_test: Sequence[datetime]) -> list[int]:
    """Return the test rows, in time order, that are later than all training rows: the past goes on with them."""
    if not times:
        return []
    last = max(times)
    return sorted((row for row, moment in enumerate(of_test) if moment > last), key=of_test.__getitem__)


def _write_past(
    path: Path,
    table: LabelledTable,
    times: Sequence[datetime],
    predicted: Sequence[tuple[int, float]],
    settings: argparse.Namespace,
) -> None:
    if predicted:
        write_history(
            path,
            table=table,
            times=times,
            target=settings.target_label,
            time_column=settings.time_column,
            predicted=predicted,
        )
    else:
        print(
            f"no {path.name}: channel {CHANNEL_TRAIN!r} must have the column {settings.time_column!r} with times that "
            "differ, and both labels in its earlier rows",
            file=sys.stderr,
        )


def _read(environment: Mapping[str, str], channel: str, settings: argparse.Namespace) -> TimedRows:
    table = read_channel(_channel(environment, channel), settings.target_label)
    return split_times(table, settings.time_column, channel)


def _with_one_spelling(table: LabelledTable) -> LabelledTable:
    """Return the rows with one spelling of each label: 1 and 1.0 are one class."""
    known = spellings(Counter(table.labels))
    return replace(table, labels=tuple(known[label] for label in table.labels))


def _spelled_as(train: LabelledTable, table: LabelledTable) -> LabelledTable:
    """Return the rows with their labels spelled as in the training rows; a label that these lack stays."""
    known = LabelCells(train.labels, ())
    return replace(table, labels=tuple(known.read(label) or label for label in table.labels))


def _variable(channel: str) -> str:
    return f"SM_CHANNEL_{channel.upper()}"


def _channel(environment: Mapping[str, str], channel: str) -> Path:
    folder = environment.get(_variable(channel))
    if folder is None:
        raise TrainingDataError(f"the training job must have a channel {channel!r}, got none; add it to the input data")
    return Path(folder)


def _write_model(folder: Path, preprocessor: Preprocessor, booster: xgboost.Booster) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MODEL_PREPROCESSOR).write_text(preprocessor.to_json(), encoding="utf-8")
    booster.save_model(folder / MODEL_BOOSTER)


def _write_results(folder: Path, answers: Sequence[str], metrics: Mapping[str, float | int | None]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / OUTPUT_PREDICTIONS).write_text("\n".join([PROBABILITY_COLUMN, *answers]) + "\n", encoding="utf-8")
    (folder / OUTPUT_METRICS).write_text(json.dumps(metrics, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def parse_hyperparameters(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the hyperparameters, which SageMaker hands over as arguments; unknown ones are refused."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--target_label", required=True, help="name of the column to predict")
    parser.add_argument("--segment_column", help="categorical column by whose values the baseline counts rows apart")
    parser.add_argument(
        "--time_column",
        help="column with the time of each row, ISO 8601, which is no feature; with it the past is predicted by models "
        "of earlier rows",
    )
    parser.add_argument(
        "--missing_values",
        type=read_missing_values,
        default=DEFAULT_MISSING_VALUES,
        help="JSON list of the texts of a cell without a value",
    )
    parser.add_argument(
        "--feature_types",
        type=read_column_types,
        default={},
        help="JSON object: what columns are, by name; the baseline keeps it",
    )
    parser.add_argument(
        "--fresh_weight_fraction",
        type=float,
        default=0.5,
        help="share of the total weight that the fresh rows have together",
    )
    parser.add_argument("--max_depth", type=int, default=5)
    parser.add_argument("--eta", type=float, default=0.2)
    parser.add_argument("--gamma", type=float, default=4.0)
    parser.add_argument("--min_child_weight", type=float, default=6.0)
    parser.add_argument("--subsample", type=float, default=0.7)
    parser.add_argument("--num_round", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--nthread", type=int, default=0, help="0 uses every core; 1 gives equal bytes on any machine")
    return parser.parse_args(arguments)


def main() -> None:
    """Run the training job; a reason that the caller can remove is one line on standard error."""
    try:
        metrics = train(parse_hyperparameters(), os.environ)
    except (BaselineError, ValueError) as error:
        sys.exit(f"training failed: {error}")
    print(json.dumps(metrics, sort_keys=True))


if __name__ == "__main__":
    main()
