"""The other ways to say a window's accuracy without labels."""

from enum import StrEnum

import numpy as np
from drift.isolation_forest import similarity
from drift.projection.recalibration import ScoredLabels

from contract.training import DECISION_THRESHOLD
from studies.accuracy.subject import Labelled, Subject


class Method(StrEnum):
    """Estimators of a window's accuracy."""

    PLUMBLINE = "Plumbline"
    CONFIDENCE = "calibrated confidence"
    UNCHANGED = "accuracy unchanged"
    FOREST = "Isolation Forest"


def others(subject: Subject, window: Labelled, seed: int) -> dict[Method, float]:
    """Return what the methods other than the product say, 0..1."""
    return {
        Method.CONFIDENCE: _confidence(subject, window),
        Method.UNCHANGED: subject.test_accuracy,
        Method.FOREST: _forest(subject, window, seed),
    }


def _confidence(subject: Subject, window: Labelled) -> float:
    """Return the mean calibrated confidence: isotonic, fitted on the test set, every row of it counting the same."""
    test = subject.baseline.test
    if test is None or test.probabilities is None:
        raise ValueError("baseline must have a labelled test set with probabilities, got none; learn it with both")
    positive = np.array([label == subject.baseline.positive_label for label in test.labels])
    labelled = ScoredLabels.of(test.probabilities, positive)
    chance = labelled.calibrate(window.probabilities, np.ones(len(positive)))
    return float(np.mean(np.where(window.probabilities >= DECISION_THRESHOLD, chance, 1 - chance)))


def _forest(subject: Subject, window: Labelled, seed: int) -> float:
    """Return the reference implementation's proxy, read as it reads it: 100 less the percentage of dissimilarity."""
    found = similarity(subject.baseline, window.counts.sample.table, seed).relative_difference_percent
    if found is None:
        raise ValueError("isolation forest must have rightly predicted test rows, got none; train a better model")
    return 1 - abs(found) / 100
