"""The gate's evaluation of a challenger: evaluation.json."""

import json
from dataclasses import asdict, dataclass

from plumbline.contract.decoding import decode, read_json

EVALUATION_VERSION = 1


@dataclass(frozen=True)
class Comparison:
    """Challenger against champion on the same labelled rows.

    Parameters
    ----------
    name
        ``holdout``, ``test set``, or a slice as ``column=value``.
    champion, challenger
        Accuracies, 0 to 1; None without rows.
    difference, lower, upper
        Challenger minus champion with the bounds of a one-sided 95 % test each, of the paired rows; None without rows.
        The tests of all slices that are judged err in 5 % of the cases together.
    bound
        What the challenger may lose at most, 0 to 1.
    passed
        None: too few rows to judge.
    """

    name: str
    n_rows: int
    champion: float | None
    challenger: float | None
    difference: float | None
    lower: float | None
    upper: float | None
    bound: float
    passed: bool | None
    reason: str = ""


@dataclass(frozen=True)
class Evaluation:
    """The gate's outcome; the pipeline's condition reads `accepted`."""

    accepted: bool
    reasons: tuple[str, ...]
    """A sentence each: why it was rejected, or why it was accepted. For people; machines read `passed`."""
    holdout: Comparison
    test: Comparison
    slices: tuple[Comparison, ...]
    version: int = EVALUATION_VERSION

    def to_json(self) -> str:
        """Return the file's text; `from_json` reads it."""
        return json.dumps(asdict(self), indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "Evaluation":
        """Read the file's text.

        Raises
        ------
        ValueError
            If it is no evaluation of this version.
        """
        evaluation = decode(cls, read_json(text))
        if evaluation.version != EVALUATION_VERSION:
            raise ValueError(f"an evaluation must be of version {EVALUATION_VERSION}, got {evaluation.version}")
        return evaluation
