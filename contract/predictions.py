"""What the endpoint's answers mean: stated by the operator, or inferred and reported."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from plumbline.contract.enums import StrEnum
from plumbline.contract.training import Task


class PredictionKind(StrEnum):
    """What an answer holds for a row."""

    PROBABILITY = "probability"
    """A probability, or probabilities of several classes."""
    LOG_ODDS = "log_odds"
    """The logarithm of the odds of the positive class; of several classes a number for each, as softmax takes them."""
    LABEL = "label"
    """The predicted label alone."""
    VALUE = "value"
    """The predicted number of a target that is a quantity."""


KINDS_OF_TASK: Mapping[Task | None, tuple[PredictionKind, ...]] = {
    Task.BINARY: (PredictionKind.PROBABILITY, PredictionKind.LOG_ODDS, PredictionKind.LABEL),
    Task.MULTICLASS: (PredictionKind.PROBABILITY, PredictionKind.LOG_ODDS, PredictionKind.LABEL),
    Task.REGRESSION: (PredictionKind.VALUE,),
    None: (PredictionKind.VALUE,),
}
"""The kinds that suit a task, the inferred one first; None: the task is not known."""


@dataclass(frozen=True)
class PredictionFormat:
    """What the operator states about the answers; None: not stated.

    `positive_label` is the label that a number alone is the probability, or the log-odds, of. `path` says where in an
    answer the predictions are: a JMESPath expression, or the number of a column from 0.
    """

    kind: PredictionKind | None = None
    positive_label: str | None = None
    path: str | None = None

    def over(self, other: "PredictionFormat") -> "PredictionFormat":
        """Return what this states, and of the rest what `other` states."""
        return PredictionFormat(
            self.kind or other.kind, self.positive_label or other.positive_label, self.path or other.path
        )


@dataclass(frozen=True, kw_only=True)
class PredictionsReport:
    """How the endpoint's answers were read.

    `task` is None where nothing says what the model predicts; numbers are then read as they are. `positive_label` is
    the label that a number alone is the probability or the log-odds of; None where the task is not binary. `stated`
    names the keys that the operator stated; the others are inferred from the reference, or have their default.
    """

    task: Task | None = None
    kind: PredictionKind = PredictionKind.VALUE
    positive_label: str | None = None
    path: str | None = None
    stated: tuple[str, ...] = ()


def sigmoid(log_odds: float) -> float:
    """Return the probability that log-odds stand for.

    Examples
    --------
    >>> sigmoid(0.0), sigmoid(-1000.0), sigmoid(1000.0)
    (0.5, 0.0, 1.0)
    """
    if log_odds < 0:
        odds = math.exp(max(log_odds, -800.0))
        return odds / (1 + odds)
    return 1 / (1 + math.exp(-log_odds))
