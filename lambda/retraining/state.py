"""The controller's state of one endpoint: the run under way, recent starts, the last rejection, the last obstacle."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, ClassVar

from plumbline.contract.retraining import Obstacle
from plumbline.functions.shared.state_store import StoredState

START_RETENTION = timedelta(hours=48)
"""How long a start is kept when others follow it: the daily cap needs 24 hours, and Lambda retries for six. The newest
start is always kept, and events from before it start nothing anyway."""
MAX_STARTS = 200
"""Starts kept at most, so that the document stays below 50 KB; one run at a time, two days hold fewer."""


@dataclass(frozen=True)
class RetrainingStart:
    """A retraining that was reserved and, unless it is the run under way, started.

    Parameters
    ----------
    event_key
        The event that triggered it; the same for every delivery of one event.
    at
        When it was started, or else reserved, ISO 8601 in UTC.
    """

    event_key: str
    at: str

    def __post_init__(self) -> None:
        """Refuse a time without zone, which could not be compared."""
        if self.moment.tzinfo is None:
            raise ValueError(f"a time without zone, {self.at}")

    @property
    def moment(self) -> datetime:
        """`at` as a time."""
        return datetime.fromisoformat(self.at)


@dataclass(frozen=True)
class ReservedRun:
    """The one retraining that may be under way: reserved first, then started.

    Parameters
    ----------
    token
        Idempotency key of the start: StartPipelineExecution returns the same execution for the same token.
    display_name
        The execution's, for people.
    champion, fresh_from, fresh_until, cause
        The execution's parameters.
    reserved_at
        When it was decided, ISO 8601 in UTC.
    forced
        Whether a person requested it regardless of the switch.
    execution
        ARN; None: reserved, and not known to be started.
    alarms
        Names of the alarms that triggered it; none: a person did.
    rules
        Digest of the settings by which its challenger is trained and judged.
    """

    token: str
    display_name: str
    champion: str
    fresh_from: str
    fresh_until: str
    cause: str
    reserved_at: str
    forced: bool
    execution: str | None = None
    alarms: tuple[str, ...] = ()
    rules: str = ""


@dataclass(frozen=True)
class RejectedRun:
    """The last run, if the gate rejected its challenger: its evidence is known to teach nothing.

    Parameters
    ----------
    execution
        ARN; what it read is in its account.
    display_name, champion, rules
        As of the run.
    alarms
        Names of the alarms that it was to answer: those that triggered it, and those that were on when it ended.
    reason
        Why the gate rejected it, for people.
    notified
        Names of the alarms for which people were told that a run on the same evidence is not started.
    """

    execution: str
    display_name: str
    champion: str
    rules: str
    alarms: tuple[str, ...]
    reason: str
    notified: tuple[str, ...] = ()


@dataclass(frozen=True)
class NotifiedObstacle:
    """An obstacle that people were notified of; `detail` is SageMaker's error if it refused the start."""

    obstacle: Obstacle
    detail: str | None = None


@dataclass(frozen=True)
class RetrainingState(StoredState):
    """The document. `last_notified_obstacle` is None if no obstacle was notified since the last start."""

    VERSION: ClassVar[int] = 2

    run: ReservedRun | None = None
    starts: tuple[RetrainingStart, ...] = ()
    last_notified_obstacle: NotifiedObstacle | None = None
    rejected: RejectedRun | None = None
    version: int = VERSION

    @property
    def last_start(self) -> datetime | None:
        """When the newest retraining was started, or else reserved."""
        return max((start.moment for start in self.starts), default=None)

    def reserved(self, run: ReservedRun, event_key: str, now: datetime) -> "RetrainingState":
        """Return the state with a run that is yet to be started; `now` counts as its start."""
        start = RetrainingStart(event_key, now.isoformat())
        kept = [start for start in self.starts if now - start.moment < START_RETENTION][1 - MAX_STARTS :]
        return replace(self, run=run, starts=(*kept, start), last_notified_obstacle=None)

    def started(self, execution: str, now: datetime) -> "RetrainingState":
        """Return the state of a reserved run that has an execution.

        `now` counts as its start, not the reservation: the function may have died in between, for hours.
        """
        if self.run is None or not self.starts:
            raise ValueError("a run must be reserved before it is started, got none")
        start = replace(self.starts[-1], at=now.isoformat())
        run = replace(self.run, execution=execution)
        return replace(self, run=run, starts=(*self.starts[:-1], start), last_notified_obstacle=None)

    def closed(self) -> "RetrainingState":
        """Return the state after the run ended and nothing is known of its challenger."""
        return replace(self, run=None)

    def judged(self, rejected: RejectedRun | None) -> "RetrainingState":
        """Return the state after the run ended and the gate rejected its challenger; None: it accepted it."""
        return replace(self, run=None, rejected=rejected)

    def notified_of_evidence(self, alarms: tuple[str, ...]) -> "RetrainingState":
        """Return the state after people were told for some alarms that the evidence is the rejected run's."""
        if self.rejected is None:
            raise ValueError("there must be a rejected run, got none")
        known = tuple(sorted({*self.rejected.notified, *alarms}))
        return replace(self, rejected=replace(self.rejected, notified=known))

    def notified(self, obstacle: NotifiedObstacle | None) -> "RetrainingState":
        """Return the state after people were notified of an obstacle; None: there is none any more."""
        return replace(self, last_notified_obstacle=obstacle)

    @classmethod
    def upgrade(cls, document: Mapping[str, Any]) -> Mapping[str, Any]:
        """Read version 1: `episode` became `event_key`; `told` was a text, so the obstacle is notified once more.

        Documents of both versions may be from before runs kept their alarms and rejections were remembered.
        """
        if isinstance(document.get("run"), dict):
            document = {**document, "run": {"alarms": [], "rules": "", **document["run"]}}
        if document.get("version") != 1:
            return {"rejected": None, **document}
        starts = [{"event_key": start["episode"], "at": start["at"]} for start in document["starts"]]
        return {
            "run": document["run"],
            "starts": starts,
            "last_notified_obstacle": None,
            "rejected": None,
            "version": cls.VERSION,
        }
