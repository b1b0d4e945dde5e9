"""Outcomes that every part of a report shares, and the window they are about."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from plumbline.contract.enums import StrEnum
from plumbline.contract.reasons import Reason, ReasonCode

SWITCHED_OFF = ReasonCode.SWITCHED_OFF.reason()
"""Reason of an optional part of the report that was not requested; readers leave such a part out."""

MODEL_CHANGED = ReasonCode.MODEL_CHANGED.reason()
"""Reason of a window in which the endpoint's model changed, and of labels of windows that another model answered."""


class Verdict(StrEnum):
    """The outcome of one comparison. `NOT_JUDGED` is never folded into `NO_DRIFT`."""

    DRIFT = "drift"
    NO_DRIFT = "no_drift"
    NOT_JUDGED = "not_judged"


class VariantRole(StrEnum):
    """Whom a variant of the endpoint answers."""

    PRODUCTION = "production"
    """Callers."""
    SHADOW = "shadow"
    """Nobody: it gets copies of requests that a production variant answers."""
    UNKNOWN = "unknown"
    """It answered the same requests as another one, and nothing tells which of them callers saw."""


class Status(StrEnum):
    """Whether an estimate was made."""

    ESTIMATED = "estimated"
    NOT_JUDGED = "not_judged"


@dataclass(frozen=True, kw_only=True)
class InternalFault:
    """A part of the report that could not be computed for a reason that is not the operator's.

    `name` says which, and `text` has the exception's type and message; the run's log has the traceback.
    """

    name: str
    text: str


class OptionalPart:
    """What the parts of a report have in common that are computed on request only."""

    reason: Reason | None

    @property
    def is_switched_off(self) -> bool:
        """Whether the part was not requested."""
        return self.reason is not None and self.reason.code is ReasonCode.SWITCHED_OFF


@dataclass(frozen=True)
class RecordCounts:
    """Records that were read: ``read == used + sum(rejected.values())``, always.

    `examples` names, for each reason, up to five places (file and line), never content: captures hold personal data.
    `seen` tells of some of these what they were instead: a content type, a number of fields, the keys of an object.
    """

    read: int = 0
    used: int = 0
    rejected: Mapping[str, int] = field(default_factory=dict)
    examples: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    seen: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse counts that lose a record."""
        if self.read != self.used + sum(self.rejected.values()):
            raise ValueError(f"records read must equal used plus rejected, got {self}")


@dataclass(frozen=True)
class AnswerCounts:
    """Answers captured with the records used: ``read == used + sum(unreadable.values())``, always.

    `read` counts the used records whose answer was captured, `used` those whose answer gave one prediction for each
    row, and `unreadable` the others, by reason (`contract.rejection.AnswerReason`). An unreadable answer takes no
    request with it: the features of its rows are judged. `examples` is as in `RecordCounts`. `readings` are those of
    ambiguous answers, in words: in which two ways the first of them can be read.
    """

    read: int = 0
    used: int = 0
    unreadable: Mapping[str, int] = field(default_factory=dict)
    examples: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    readings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse counts that lose an answer."""
        if self.read != self.used + self.n_unreadable:
            raise ValueError(f"answers read must equal used plus unreadable, got {self}")

    @property
    def n_unreadable(self) -> int:
        """Answers that could not be read."""
        return sum(self.unreadable.values())

    @property
    def unreadable_fraction(self) -> float | None:
        """Fraction of the captured answers that could not be read, 0 to 1; None without one."""
        return self.n_unreadable / self.read if self.read else None


@dataclass(frozen=True)
class WindowBounds:
    """Half-open interval [start, end) as ISO 8601 in UTC with Z; None where the caller gave no times."""

    start: str | None = None
    end: str | None = None

    def without_first(self, hours: int) -> "WindowBounds":
        """Return the interval without so many hours at its start; one without times as it is.

        Raises
        ------
        ValueError
            If the start is no time, or the new one is out of range.

        Examples
        --------
        >>> WindowBounds("2026-01-31T09:00:00Z", "2026-01-31T14:00:00Z").without_first(4).start
        '2026-01-31T13:00:00Z'
        """
        if self.start is None or not hours:
            return self
        try:
            start = datetime.fromisoformat(self.start.replace("Z", "+00:00")) + timedelta(hours=hours)
        except OverflowError as error:
            raise ValueError(f"{hours} hours after {self.start} must be a time, got {error}") from error
        return replace(self, start=start.isoformat().replace("+00:00", "Z"))
