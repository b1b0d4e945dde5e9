"""What came of one occurrence, as it is logged and returned."""

import json
from dataclasses import asdict, dataclass
from enum import StrEnum

from retraining.decision import Obstacle


class Action(StrEnum):
    """What the controller did."""

    STARTED = "started"
    SKIPPED = "skipped"
    """Something asked for a retraining and got none."""
    NOT_STARTED = "not started"
    """SageMaker refused; the reserved run is tried again."""
    CLOSED = "closed"
    """An execution has ended."""
    IGNORED = "ignored"
    """Nothing asked for a retraining."""


@dataclass(frozen=True)
class Outcome:
    """One decision.

    Parameters
    ----------
    why
        For people: what asked for it, or what stood in the way.
    cause
        What asked for a retraining; None: nothing did.
    overridden
        The obstacles that a person overrode, in words.
    """

    action: Action
    why: str
    obstacle: Obstacle | None = None
    cause: str | None = None
    execution: str | None = None
    overridden: tuple[str, ...] = ()

    def to_json(self) -> str:
        """Return the log line."""
        return json.dumps(asdict(self))
