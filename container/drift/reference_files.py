"""CSV files of the reference -> the baseline learned from them."""

from dataclasses import dataclass
from pathlib import Path

from contract.training import task_of
from drift.baseline import Baseline, learn
from drift.csvfile import read_labelled, read_predictions, read_training


@dataclass(frozen=True, kw_only=True)
class ReferenceFiles:
    """Where a baseline is learned from.

    `train` and `test` are CSV files with a header row, or folders of them; `predictions` has one column,
    ``probability``, row for row with `test`. Without a `target_label` every column is a feature, and there is no test
    set. Of a target with more than two classes `predictions` has a column ``predicted`` beside it. Windows are also
    judged apart by the values of `segment_column`.
    """

    train: Path
    test: Path | None = None
    predictions: Path | None = None
    target_label: str | None = None
    segment_column: str | None = None

    def learn(self) -> Baseline:
        """Return the baseline.

        Raises
        ------
        BaselineError
            If a file cannot be read or does not fit the others.
        """
        features, _ = read_training(self.train, self.target_label)
        if self.test is None or self.target_label is None:
            return learn(train=features, target_label=self.target_label, segment_column=self.segment_column)
        test, labels = read_labelled(self.test, features.specs, self.target_label)
        probabilities, predicted = None, None
        if self.predictions is not None:
            probabilities, predicted = read_predictions(self.predictions, task_of(labels))
        return learn(
            train=features,
            target_label=self.target_label,
            test=test,
            test_labels=labels,
            probabilities=probabilities,
            predicted=predicted,
            segment_column=self.segment_column,
        )
