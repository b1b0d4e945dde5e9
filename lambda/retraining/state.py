"""What the controller remembers of one endpoint, and how it is written: one JSON document with a version."""

import json
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta

from contract.decoding import decode

STATE_VERSION = 1
REMEMBERED = timedelta(hours=48)
"""How long a start is remembered when others follow it: the cap looks at 24 hours, and Lambda retries for six. Events
from before the newest start, which always is remembered, start nothing anyway."""
REMEMBERED_MAX = 200
"""Starts that are remembered at most, so that the document stays below 50 KB; one at a time, two days hold fewer."""


class StateError(Exception):
    """Raised when the document is none that this version wrote."""


@dataclass(frozen=True)
class Start:
    """A retraining that was reserved and, unless it is the run under way, started.

    Parameters
    ----------
    episode
        What asked for it; the same for every delivery of one event.
    at
        When it was started, or else reserved, ISO 8601 in UTC.
    """

    episode: str
    at: str

    @property
    def moment(self) -> datetime:
        """`at` as a time."""
        return datetime.fromisoformat(self.at)


@dataclass(frozen=True)
class Run:
    """The one retraining that may be under way: reserved first, then started.

    Parameters
    ----------
    token
        Idempotency key of the start: StartPipelineExecution answers a second one with the same execution.
    display_name
        The execution's, for people.
    champion, fresh_from, fresh_until, cause
        The execution's parameters.
    reserved_at
        When it was decided, ISO 8601 in UTC.
    forced
        A person's request that ignores the switch.
    execution
        ARN; None: reserved, and not known to be started.
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


@dataclass(frozen=True)
class State:
    """The document. `told` is the obstacle that people were told last; empty: none since the last start."""

    run: Run | None = None
    starts: tuple[Start, ...] = ()
    told: str = ""
    version: int = STATE_VERSION

    @property
    def last_start(self) -> datetime | None:
        """When the newest retraining was started, or else reserved."""
        return max((start.moment for start in self.starts), default=None)

    def reserved(self, run: Run, episode: str, now: datetime) -> "State":
        """Return the state with a run that is yet to be started, counted from now on."""
        start = Start(episode, now.isoformat())
        kept = [start for start in self.starts if now - start.moment < REMEMBERED][1 - REMEMBERED_MAX :]
        return replace(self, run=run, starts=(*kept, start), told="")

    def started(self, execution: str, now: datetime) -> "State":
        """Return the state of a reserved run that SageMaker has an execution for.

        From now on counts, not from the reservation: whoever reserved it may have died, and others came later.
        """
        if self.run is None or not self.starts:
            raise ValueError("a run must be reserved before it is started, got none")
        start = replace(self.starts[-1], at=now.isoformat())
        run = replace(self.run, execution=execution)
        return replace(self, run=run, starts=(*self.starts[:-1], start), told="")

    def closed(self) -> "State":
        """Return the state after the run ended."""
        return replace(self, run=None)

    def to_json(self) -> str:
        """Return the document's text; `from_json` reads it."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str | None) -> "State":
        """Read the document; an absent one is the state before the first event.

        Raises
        ------
        StateError
            If it is none of this version.
        """
        if text is None:
            return cls()
        try:
            state = decode(cls, json.loads(text))
            if state.version != STATE_VERSION:
                raise ValueError(f"version {state.version}")
            for start in state.starts:
                if start.moment.tzinfo is None:
                    raise ValueError(f"a time without zone, {start.at}")
        except ValueError as error:
            raise StateError(
                f"the controller's document must be one of version {STATE_VERSION}, got {error}; delete the item from "
                "the state table if no execution of the pipeline is running"
            ) from error
        return state
