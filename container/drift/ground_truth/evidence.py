"""Labelled rows, of a window or of the test set, as what quality and shifts are judged by."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from plumbline.contract.training import Task
from plumbline.drift.compare.shift_tests import ExpectedVsObserved
from plumbline.drift.data.counts import NumericCounts
from plumbline.drift.data.table import Table
from plumbline.drift.data.window import WindowCounts
from plumbline.drift.ground_truth.join import JoinedWindow
from plumbline.drift.ground_truth.measures import ConfusionCounts, ScoredCounts
from plumbline.drift.projection.measured import Measured
from plumbline.drift.reference.baseline import Baseline, LabelledTest
from plumbline.drift.reference.blocks import LABELS


class Projection(Protocol):
    """The projection of accuracy, as the comparison with labels uses it."""

    @property
    def uses_features(self) -> bool:
        """Whether the features predict labels better than the probability alone."""

    def measure(self, window: WindowCounts, *, drop_threshold: float) -> Measured:
        """Return the accuracy that is expected of a window by its rows alone."""

    def calibrated(self, probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return how probable a positive label, or of several classes a right prediction, is by the prediction."""

    def chance_positive(self, table: Table, probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return how probable a positive label is by the whole row."""


@dataclass(frozen=True, eq=False)
class LabelledScores:
    """Labelled predictions of either kind of target, and the scores of each label."""

    realised: ScoredCounts | ConfusionCounts
    scores: Mapping[str, NumericCounts]

    @property
    def scored(self) -> ScoredCounts:
        """The predictions as those of two classes; of several, right and wrong ones."""
        return self.realised if isinstance(self.realised, ScoredCounts) else self.realised.confidence


def labelled_window(joined: JoinedWindow, baseline: Baseline) -> LabelledScores:
    """Return the labelled rows of a window."""
    labelled, by_label = joined.labelled, joined.by_label
    scores = {label: counts.probabilities for label, counts in by_label.items()}
    if baseline.task is Task.MULTICLASS:
        classes = tuple(sorted({*by_label, *(name for counts in by_label.values() for name in counts.classes)}))
        by_class = {label: counts.classes for label, counts in by_label.items()}
        return LabelledScores(ConfusionCounts.of(classes, by_class, labelled.design_effect), scores)
    return LabelledScores(_scored(scores, baseline, labelled.design_effect), scores)


def labelled_test(test: LabelledTest, baseline: Baseline) -> LabelledScores:
    """Return the labelled test set.

    Raises
    ------
    ValueError
        If it has no predictions.
    """
    if test.probabilities is None:
        raise ValueError("the test set must have predictions")
    design_effect = baseline.blocks.design_effect(LABELS, len(test.labels)) if baseline.blocks else 1.0
    labels = np.array(test.labels, dtype=object)
    scores = {label: NumericCounts.of(test.probabilities[labels == label]) for label in sorted(set(test.labels))}
    if test.predicted is None:
        return LabelledScores(_scored(scores, baseline, design_effect), scores)
    predicted = np.array(test.predicted, dtype=object)
    by_class = {
        label: {
            name: NumericCounts.of(test.probabilities[(labels == label) & (predicted == name)])
            for name in sorted(set(test.predicted))
        }
        for label in scores
    }
    return LabelledScores(ConfusionCounts.of(tuple(scores), by_class, design_effect), scores)


def _scored(scores: Mapping[str, NumericCounts], baseline: Baseline, design_effect: float = 1.0) -> ScoredCounts:
    none = NumericCounts.of(np.zeros(0))
    negatives = [counts for label, counts in scores.items() if label != baseline.positive_label]
    return ScoredCounts.of(
        negatives[0] if negatives else none, scores.get(baseline.positive_label or "", none), design_effect
    )


def expected_window(
    counted: LabelledScores, joined: JoinedWindow, baseline: Baseline, projection: Projection
) -> ExpectedVsObserved:
    """Return the labelled rows of a window with their expected labels."""
    if baseline.task is Task.MULTICLASS or not projection.uses_features:
        return _believed(counted.scored, projection)
    parts = [
        (counts.sample, label == baseline.positive_label, counts.n_rows) for label, counts in joined.by_label.items()
    ]
    expected = [projection.chance_positive(sample.table, sample.probabilities) for sample, _, _ in parts]
    sizes = [len(part) for part in expected]
    return ExpectedVsObserved(
        expected=np.concatenate(expected),
        observed=np.repeat([float(positive) for _, positive, _ in parts], sizes),
        n_rows=np.ones(sum(sizes)),
        weights=np.repeat([n / size for (_, _, n), size in zip(parts, sizes, strict=True)], sizes),
        design_effect=joined.labelled.design_effect,
    )


def expected_test(
    counted: LabelledScores, test: LabelledTest, baseline: Baseline, projection: Projection
) -> ExpectedVsObserved:
    """Return the labelled test set with its expected labels."""
    if baseline.task is Task.MULTICLASS or not projection.uses_features or test.probabilities is None:
        return _believed(counted.scored, projection)
    expected = projection.chance_positive(test.table, test.probabilities)
    ones = np.ones(len(expected))
    return ExpectedVsObserved(
        expected, np.array([label == baseline.positive_label for label in test.labels], float), ones, ones
    )


def _believed(scored: ScoredCounts, projection: Projection) -> ExpectedVsObserved:
    expected = projection.calibrated(scored.scores)
    counts = np.concatenate([scored.negatives, scored.positives]).astype(np.float64)
    held = counts > 0
    observed = np.repeat([0.0, 1.0], len(expected))
    return ExpectedVsObserved(
        np.tile(expected, 2)[held], observed[held], counts[held], counts[held], design_effect=scored.design_effect
    )
