"""The baseline of the rows that a model was trained on, learned by the job that trained it: the two go together.

The modules of the package that this needs are in the source archive (stacks/constructs/storage/source_archive.py).
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from dataset import LabelledTable, TrainingDataError

from plumbline.contract.statistics import ColumnType
from plumbline.drift.data.table import NotANumberError, Table, transpose
from plumbline.drift.reference.baseline import save
from plumbline.drift.reference.column_types import ColumnRules
from plumbline.drift.reference.csv_inputs import infer_table, typed
from plumbline.drift.reference.learn import learn


def monitored_features(train: LabelledTable, missing_values: frozenset[str], types: Mapping[str, ColumnType]) -> Table:
    """Return the training rows as the monitor reads them.

    Raises
    ------
    TrainingDataError
        If a type is declared for a column that they do not have, or does not suit one.
    """
    rules = ColumnRules(missing_values=missing_values, types=types)
    if unknown := sorted(types.keys() - set(train.names)):
        raise TrainingDataError(
            f"feature_types must name columns of the training rows, got {', '.join(unknown)}; allowed there: "
            f"{', '.join(train.names)}"
        )
    try:
        return infer_table(train.names, transpose(train.rows, len(train.names)), rules)
    except NotANumberError as error:
        raise TrainingDataError(
            f"a column of feature_types numeric must hold finite numbers, got {str(error)!r}; correct the cell, leave "
            "it empty, or name it among the missing_values"
        ) from error


def write_baseline(
    folder: Path,
    *,
    features: Table,
    test: LabelledTable,
    probabilities: Sequence[float],
    target: str,
    segment_column: str | None,
) -> None:
    """Learn the baseline and write it to `folder`: what `plumbline baseline` makes of the same rows, byte for byte.

    Parameters
    ----------
    test
        The labelled test set, with the columns of `features`, the training rows, in their order.
    probabilities
        The model's for each test row.

    Raises
    ------
    BaselineError
        If `segment_column` is named and is no categorical column with few values.
    """
    columns = zip(features.specs, transpose(test.rows, len(test.names)), strict=True)
    baseline = learn(
        train=features,
        target_label=target,
        test=Table(features.specs, {spec.name: typed(spec, texts, features) for spec, texts in columns}),
        test_labels=test.labels,
        probabilities=np.array(probabilities, dtype=np.float64),
        segment_column=segment_column,
    )
    save(baseline, folder)
