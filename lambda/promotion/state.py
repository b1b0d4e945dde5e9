"""What the function remembers between two events: one durable document, written before what it announces is done."""

import json
from dataclasses import asdict, dataclass, replace
from enum import StrEnum

from contract.decoding import decode

STATE_VERSION = 1
REQUESTS_KEPT = 20
"""Lambda repeats an asynchronous invocation twice within six hours; people do not ask that often."""


class Verdict(StrEnum):
    """How a request or a promotion ended."""

    PROMOTED = "promoted"
    ROLLED_BACK = "rolled_back"
    """A person wanted the model before, and it serves."""
    FAILED = "failed"
    """The target did not come up, or its alarms fired: the endpoint went back by itself."""
    REFUSED = "refused"
    """Nothing was changed."""


@dataclass(frozen=True)
class Target:
    """The model that should serve.

    Parameters
    ----------
    artifact, baseline
        s3:// URIs that belong together.
    model_package, version
        ARN and number in the registry; None and 0: deployed from the environment file.
    cause
        Why, for people and for the history.
    request
        The invocation by which a person asked; None: an approval did.
    rollback
        Whether it served before.
    rejects
        ARN of the version that a rollback turns down.
    """

    artifact: str
    baseline: str
    model_package: str | None
    version: int
    cause: str
    request: str | None = None
    rollback: bool = False
    rejects: str | None = None

    @property
    def name(self) -> str:
        """What people call it."""
        return f"version {self.version}" if self.version else f"the model of {self.artifact}"


@dataclass(frozen=True)
class Attempt:
    """An update of the endpoint that was decided; whether it began, the endpoint says.

    Parameters
    ----------
    config, replaces
        Names of the EndpointConfigs: the target's, and the one that served then.
    modified
        When the endpoint was last modified before: as long as it says the same, the update has not begun.
    """

    target: Target
    config: str
    replaces: str
    modified: str


@dataclass(frozen=True)
class Outcome:
    """How the last promotion or request ended; `request` says whose."""

    verdict: Verdict
    request: str | None
    text: str


@dataclass(frozen=True)
class State:
    """All that is remembered.

    Parameters
    ----------
    attempt
        The update under way; None: there is none.
    asked
        What a person asked for and waits until the endpoint is free.
    told_version
        The newest version that people were told of.
    held_version
        The version of which they were told that the switch holds it back; 0: none.
    requests
        The newest requests that were taken up, so that none is twice.
    last
        How the last one ended.
    """

    attempt: Attempt | None = None
    asked: Target | None = None
    told_version: int = 0
    held_version: int = 0
    requests: tuple[str, ...] = ()
    last: Outcome | None = None
    version: int = STATE_VERSION

    def taking_up(self, target: Target, request: str) -> "State":
        """Return the state with a person's request in it."""
        return replace(self, asked=target, requests=(*self.requests, request)[-REQUESTS_KEPT:])

    def ended(self, target: Target, verdict: Verdict, text: str) -> "State":
        """Return the state after `target` was promoted, rolled back or refused."""
        attempt = None if self.attempt and self.attempt.target == target else self.attempt
        asked = None if self.asked == target else self.asked
        return replace(self, attempt=attempt, asked=asked, last=Outcome(verdict, target.request, text))

    def to_json(self) -> str:
        """Return the document's text; `from_json` reads it."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str | None) -> "State":
        """Read the document's text; None is the state before anything happened.

        Raises
        ------
        ValueError
            If it is no state of this version.
        """
        if text is None:
            return cls()
        state = decode(cls, json.loads(text))
        if state.version != STATE_VERSION:
            raise ValueError(f"the promotion's state must be of version {STATE_VERSION}, got {state.version}")
        return state
