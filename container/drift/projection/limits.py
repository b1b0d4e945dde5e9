"""Where an estimate is refused, and where it is doubtful: measured by the study (docs/accuracy.md)."""

from dataclasses import dataclass

from drift.support import MAXIMUM_OUTSIDE_FRACTION


@dataclass(frozen=True, kw_only=True)
class Limits:
    """From which measurement on there is no estimate.

    `separability` is the area under the ROC curve of window against labelled test set, the fractions are shares of the
    window's rows (`contract.accuracy.ProjectionEvidence`) and `half_width` that of the 95 % interval.
    """

    separability: float = 0.95
    over_represented_fraction: float = 0.2
    outside_fraction: float = MAXIMUM_OUTSIDE_FRACTION
    half_width: float = 0.05


CHANCE = 0.5
"""Area under the ROC curve of probabilities that know nothing of the labels."""
MINIMUM_ROWS = 200
"""Rows of a window with a prediction: with fewer the interval covers too seldom."""
MINIMUM_REFERENCE_ROWS = 500
"""Rows of the labelled test set: with fewer a calibrated probability is worse than the model's own."""
MINIMUM_CLASS_ROWS = 50
"""Rows of each class of it."""
MAXIMUM_CALIBRATION_ERROR = 0.05
"""Root mean square gap of probability and share of positives, on rows that the calibration has not seen."""
DOUBTFUL_SEPARABILITY = 0.85
DOUBTFUL_FRACTION = 0.05
DOUBTFUL_REFERENCE_ROWS = 1_000
