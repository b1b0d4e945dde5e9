"""The baseline of the rows that a model was trained on, learned by the job that trained it: the two go together.

The modules of the package that this needs are in the source archive (stacks/constructs/storage/source_archive.py).
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from dataset import LabelledTable

from plumbline.drift.data.table import Table, transpose
from plumbline.drift.reference.baseline import save
from plumbline.drift.reference.csv_inputs import infer_table, typed
from plumbline.drift.reference.learn import learn


def write_baseline(  # noqa: PLR0913 - one keyword per part of the reference
    folder: Path,
    *,
    train: LabelledTable,
    test: LabelledTable,
    probabilities: Sequence[float],
    target: str,
    segment_column: str | None,
    missing_values: frozenset[str],
) -> None:
    """Learn the baseline and write it to `folder`: what `plumbline baseline` makes of the same rows, byte for byte.

    Parameters
    ----------
    test
        The labelled test set, with the columns of `train` in their order.
    probabilities
        The model's for each test row.

    Raises
    ------
    BaselineError
        If `segment_column` is named and is no categorical column with few values.
    """
    features = infer_table(train.names, transpose(train.rows, len(train.names)), missing_values)
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
