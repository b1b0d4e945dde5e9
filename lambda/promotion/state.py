"""The promotion function's state: the update under way, a request that waits, and what people were notified of."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from plumbline.contract.retraining import PromotionStatus
from plumbline.functions.shared.state_store import StoredState

MAX_REQUESTS = 20
"""Requests kept, so that none is accepted twice: Lambda repeats an asynchronous invocation twice within six hours."""


@dataclass(frozen=True)
class PromotionTarget:
    """The model that should serve.

    Parameters
    ----------
    artifact, baseline
        s3:// URIs that belong together.
    model_package, version
        ARN and number in the registry; None and 0: deployed from the environment file.
    cause
        What triggered the promotion, for people and for the history.
    request
        Id of the invocation with a person's request; None: an approval triggered it.
    rollback
        Whether it served before.
    rejects
        ARN of the version that a rollback rejects.
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
        """Its name in messages."""
        return f"version {self.version}" if self.version else f"the model of {self.artifact}"


@dataclass(frozen=True)
class PromotionAttempt:
    """An update of the endpoint that was decided; the endpoint shows whether it began.

    Parameters
    ----------
    config, replaces
        Names of the EndpointConfigs: the target's, and the one that served then.
    modified
        When the endpoint was last modified before: while that is unchanged, the update has not begun.
    """

    target: PromotionTarget
    config: str
    replaces: str
    modified: str


@dataclass(frozen=True)
class PromotionResult:
    """How the last promotion or request ended; `request` is its id, `text` the message about it."""

    status: PromotionStatus
    request: str | None
    text: str


@dataclass(frozen=True)
class PromotionState(StoredState):
    """The stored document.

    Parameters
    ----------
    attempt
        The update under way; None: there is none.
    requested
        What a person requested and waits until the endpoint is free.
    notified_version
        The newest version that people were notified of.
    held_version
        The version of which people were notified that the switch holds it back; 0: none.
    requests
        Ids of the newest requests that were accepted.
    last
        How the last promotion or request ended.
    """

    VERSION: ClassVar[int] = 2

    attempt: PromotionAttempt | None = None
    requested: PromotionTarget | None = None
    notified_version: int = 0
    held_version: int = 0
    requests: tuple[str, ...] = ()
    last: PromotionResult | None = None
    version: int = VERSION

    def accepting(self, target: PromotionTarget, request: str) -> "PromotionState":
        """Return the state with a person's request in it."""
        return replace(self, requested=target, requests=(*self.requests, request)[-MAX_REQUESTS:])

    def ended(self, target: PromotionTarget, status: PromotionStatus, text: str) -> "PromotionState":
        """Return the state after the promotion of `target` ended."""
        attempt = None if self.attempt and self.attempt.target == target else self.attempt
        requested = None if self.requested == target else self.requested
        return replace(self, attempt=attempt, requested=requested, last=PromotionResult(status, target.request, text))

    @classmethod
    def upgrade(cls, document: Mapping[str, Any]) -> Mapping[str, Any]:
        """Read version 1: `asked`, `told_version` and the last result's `verdict` have new names."""
        if document.get("version") != 1:
            return document
        renamed = {"asked": "requested", "told_version": "notified_version"}
        upgraded = {renamed.get(name, name): value for name, value in document.items()}
        if last := document["last"]:
            upgraded["last"] = {"status": last["verdict"], "request": last["request"], "text": last["text"]}
        return upgraded | {"version": cls.VERSION}
