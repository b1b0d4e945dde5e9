"""The steps that the function can take, one at a time."""

from dataclasses import dataclass

from promotion.facts import Leftovers, Unusable, Version
from promotion.state import Attempt, Target


@dataclass(frozen=True)
class StartHistory:
    """Write down what serves, where nothing is written down yet."""


@dataclass(frozen=True)
class MarkChanging:
    """Write down that the endpoint changes since `moment`."""

    moment: str


@dataclass(frozen=True)
class Record:
    """Write down what serves: somebody else changed it, or nothing came of a change."""


@dataclass(frozen=True)
class Tell:
    """Tell people what the gate said of a version."""

    version: Version


@dataclass(frozen=True)
class Hold:
    """Tell people that the switch holds an approved version back."""

    target: Target
    why: str


@dataclass(frozen=True)
class TurnDown:
    """Set an approved version that cannot be promoted to Rejected, and say so."""

    unusable: Unusable


@dataclass(frozen=True)
class Approve:
    """Set a version to Approved, because a person asked to promote it."""

    target: Target


@dataclass(frozen=True)
class Reject:
    """Set the version that a rollback leaves to Rejected."""

    arn: str
    why: str


@dataclass(frozen=True)
class Deploy:
    """Make Model and EndpointConfig, write the attempt down, update the endpoint."""

    target: Target


@dataclass(frozen=True)
class Finish:
    """The target serves: write it down where deployments and the monitor read it, and say so."""

    attempt: Attempt


@dataclass(frozen=True)
class GiveUp:
    """The target does not serve: the champion and its baseline stay, the version is rejected, people are told."""

    attempt: Attempt
    why: str


@dataclass(frozen=True)
class Overtaken:
    """Somebody else's configuration serves: forget the attempt; what should serve is decided anew."""

    attempt: Attempt


@dataclass(frozen=True)
class Refuse:
    """A person's request cannot be done, or need not: say why."""

    target: Target
    why: str


@dataclass(frozen=True)
class Forget:
    """An attempt never began, and nobody wants it any more."""


@dataclass(frozen=True)
class CleanUp:
    """Delete what this function made and does not serve."""

    leftovers: Leftovers


@dataclass(frozen=True)
class Rest:
    """Nothing to do until the next event, and why."""

    why: str


Step = (
    StartHistory
    | MarkChanging
    | Record
    | Tell
    | Hold
    | TurnDown
    | Approve
    | Reject
    | Deploy
    | Finish
    | GiveUp
    | Overtaken
    | Refuse
    | Forget
    | CleanUp
    | Rest
)
