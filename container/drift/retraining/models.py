"""The two models of a comparison: read from their artifacts, applied to labelled rows."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plumbline.contract.records import FeatureType
from plumbline.contract.statistics import ColumnType
from plumbline.contract.training import DECISION_THRESHOLD
from plumbline.drift.compare.model_artifact import ArtifactError, model_rows, read_artifact, read_member
from plumbline.drift.data.table import FeatureSpec, Table
from plumbline.drift.errors import RetrainingError
from plumbline.drift.preprocessing import Column, NumericColumn, Preprocessor, RowError
from plumbline.drift.reference.column_types import spec_of


@dataclass(frozen=True, eq=False)
class ComparedModel:
    """A model, called `name` in messages."""

    name: str
    preprocessor: Preprocessor
    booster: Any

    @property
    def specs(self) -> tuple[FeatureSpec, ...]:
        """The columns that it was trained on, in its payload's order, as the monitor takes them."""
        return tuple(map(_spec_of, self.preprocessor.columns))

    @property
    def labels(self) -> frozenset[str]:
        """The target's two labels."""
        return frozenset({self.preprocessor.negative_label, self.preprocessor.positive_label})

    def probabilities(self, rows: Table) -> NDArray[np.float64]:
        """Return the probability of the positive label, as the endpoint answers it: shape (n_rows,).

        Raises
        ------
        RetrainingError
            If the model cannot read the rows.
        """
        names = self.preprocessor.names
        if unlike := sorted(set(names) ^ {spec.name for spec in rows.specs}):
            raise RetrainingError(
                f"{self.name} and the labelled rows must have the same features, got a difference in "
                f"{', '.join(unlike)}; a model of other features must be deployed, not retrained"
            )
        try:
            inputs = self.preprocessor.transform(model_rows(rows, names))
        except RowError as error:
            raise RetrainingError(
                f"{self.name} must be able to read the labelled rows, got: {error}; it was trained on other types"
            ) from error
        # Nine digits bring back the very same float32, as model/inference.py writes it.
        return np.array([float(f"{number:.9g}") for number in self.booster.inplace_predict(inputs)], dtype=np.float64)

    def is_right(self, probabilities: NDArray[np.float64], labels: NDArray[np.object_]) -> NDArray[np.bool_]:
        """Return which rows are predicted right, shape (n_rows,)."""
        positive, negative = self.preprocessor.positive_label, self.preprocessor.negative_label
        called = np.where(probabilities >= DECISION_THRESHOLD, positive, negative)
        return np.asarray(called == labels, dtype=bool)


def _spec_of(column: Column) -> FeatureSpec:
    own = FeatureType.NUMERIC if isinstance(column, NumericColumn) else FeatureType.CATEGORICAL
    return spec_of(column.name, column.monitored_as or ColumnType(own), own, column.missing_values)


def read_model(name: str, folder: Path) -> ComparedModel:
    """Read the one artifact in a folder.

    Raises
    ------
    RetrainingError
        If there is none, more than one, or none of ours.
    """
    file = _only_file(folder, name, "model artifact")
    try:
        return ComparedModel(name, *read_artifact(file))
    except ArtifactError as error:
        raise RetrainingError(f"{name} cannot be read: {error}") from error


def read_output(folder: Path, name: str) -> bytes | None:
    """Return a file out of the training job's output, the one archive in a folder; None: it has none of that name.

    Raises
    ------
    RetrainingError
        If there is no archive, more than one, or none that can be read.
    """
    file = _only_file(folder, "the training job's output", "archive")
    try:
        return read_member(file, name)
    except ArtifactError as error:
        raise RetrainingError(f"the training job's output cannot be read: {error}") from error


def _only_file(folder: Path, name: str, what: str) -> Path:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    if len(files) != 1:
        raise RetrainingError(
            f"the folder of {name} must hold one {what}, got {', '.join(file.name for file in files) or 'none'}"
            "; correct the step's input"
        )
    return files[0]
