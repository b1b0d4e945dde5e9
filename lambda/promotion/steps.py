"""The steps that the function can take, one at a time; their names are the log's."""

from dataclasses import dataclass

from plumbline.functions.promotion.facts import PromotionReason, RegistryVersion, UnusableVersion, UnusedResources
from plumbline.functions.promotion.state import PromotionAttempt, PromotionTarget


@dataclass(frozen=True)
class StartHistory:
    """Write the first history: the model that serves is its only champion."""


@dataclass(frozen=True)
class MarkChanging:
    """Write into the history that the endpoint changes since `moment`."""

    moment: str


@dataclass(frozen=True)
class RecordChampion:
    """Write the model that serves into the history: it was deployed otherwise, or a change came to nothing."""


@dataclass(frozen=True)
class Notify:
    """Notify people of the gate's result for a version."""

    version: RegistryVersion


@dataclass(frozen=True)
class Hold:
    """Notify people that the switch holds an approved version back."""

    target: PromotionTarget
    reason: PromotionReason


@dataclass(frozen=True)
class RejectUnusable:
    """Set an approved version that cannot be promoted to Rejected, and notify people."""

    unusable: UnusableVersion


@dataclass(frozen=True)
class Approve:
    """Set a version to Approved, because a person requested its promotion."""

    target: PromotionTarget


@dataclass(frozen=True)
class Reject:
    """Set the version that a rollback replaces to Rejected."""

    arn: str
    cause: str


@dataclass(frozen=True)
class Deploy:
    """Create Model and EndpointConfig, store the attempt, update the endpoint."""

    target: PromotionTarget


@dataclass(frozen=True)
class Finish:
    """The target serves: write it where deployments and the monitor read it, and notify people."""

    attempt: PromotionAttempt


@dataclass(frozen=True)
class FailAttempt:
    """The target does not serve: champion and baseline stay, the version is rejected, people are notified."""

    attempt: PromotionAttempt
    reason: PromotionReason


@dataclass(frozen=True)
class MarkSuperseded:
    """Another deployment's configuration serves: end the attempt, and decide again what should serve."""

    attempt: PromotionAttempt


@dataclass(frozen=True)
class Refuse:
    """A person's request cannot be met any more, or is met already: notify why."""

    target: PromotionTarget
    reason: PromotionReason


@dataclass(frozen=True)
class DropAttempt:
    """An attempt never began, and its target should not serve any more."""


@dataclass(frozen=True)
class CleanUp:
    """Delete what this function created and does not serve."""

    unused: UnusedResources


@dataclass(frozen=True)
class Wait:
    """Nothing to do until the next event, and why."""

    reason: PromotionReason


Step = (
    StartHistory
    | MarkChanging
    | RecordChampion
    | Notify
    | Hold
    | RejectUnusable
    | Approve
    | Reject
    | Deploy
    | Finish
    | FailAttempt
    | MarkSuperseded
    | Refuse
    | DropAttempt
    | CleanUp
    | Wait
)
