"""What AWS says at one moment, as the decision needs it."""

from dataclasses import dataclass
from enum import StrEnum

from contract.champion import Champion, ChampionHistory
from promotion.state import Target


class EndpointStatus(StrEnum):
    """SageMaker's states of an endpoint that the decision tells apart, as DescribeEndpoint spells them."""

    IN_SERVICE = "InService"
    UPDATING = "Updating"
    ROLLING_BACK = "RollingBack"
    FAILED = "Failed"
    OUT_OF_SERVICE = "OutOfService"
    ROLLBACK_FAILED = "UpdateRollbackFailed"


CHANGING = (EndpointStatus.UPDATING, EndpointStatus.ROLLING_BACK)
BROKEN = (EndpointStatus.FAILED, EndpointStatus.OUT_OF_SERVICE, EndpointStatus.ROLLBACK_FAILED)


class ApprovalStatus(StrEnum):
    """SageMaker's states of a version's approval."""

    APPROVED = "Approved"
    REJECTED = "Rejected"
    PENDING = "PendingManualApproval"


@dataclass(frozen=True)
class EndpointView:
    """The endpoint; `modified` is when it last changed, ISO 8601 with fractions, `failure` why an update failed."""

    status: str
    config: str
    modified: str
    failure: str = ""


@dataclass(frozen=True)
class Serving:
    """The model that answers alone: its artifact and its baseline."""

    artifact: str
    baseline: str

    def is_of(self, model: Target | Champion) -> bool:
        """Return whether it is that model."""
        return (self.artifact, self.baseline) == (model.artifact, model.baseline)


@dataclass(frozen=True)
class Version:
    """A model package of the group."""

    number: int
    arn: str
    approval: str
    completed: bool = True
    """Whether it can be used: the registry has finished with it."""


@dataclass(frozen=True)
class Unusable:
    """An approved version that cannot be promoted, and why."""

    version: Version
    why: str


@dataclass(frozen=True)
class Leftovers:
    """Names of this function's EndpointConfigs and Models that do not serve."""

    configs: tuple[str, ...] = ()
    models: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Return whether there is any."""
        return bool(self.configs or self.models)


@dataclass(frozen=True)
class Facts:
    """Everything that one decision rests on.

    Parameters
    ----------
    serving
        None unless the endpoint is in service: while it changes, more than one model may answer.
    history
        None: there is no file yet.
    versions
        Of the group, oldest first.
    candidate
        The newest approved version above all that served, or why it cannot be used.
    switch_off
        Why nothing is promoted without being asked; None: it is.
    """

    endpoint: EndpointView
    serving: Serving | None
    history: ChampionHistory | None
    versions: tuple[Version, ...] = ()
    candidate: Target | Unusable | None = None
    switch_off: str | None = None
    leftovers: Leftovers = Leftovers()

    def version(self, arn: str | None) -> Version | None:
        """Return the version with this ARN, or None."""
        return next((version for version in self.versions if version.arn == arn), None)


def newest_approved(versions: tuple[Version, ...], history: ChampionHistory | None) -> Version | None:
    """Return the newest approved version that is newer than every version that ever served.

    What served once comes back by a person's word only: an older approval was never withdrawn, just overtaken.
    """
    served = [number_of(champion.model_package) for champion in history.champions] if history else []
    newer = [
        version
        for version in versions
        if version.completed and version.approval == ApprovalStatus.APPROVED and version.number > max(served, default=0)
    ]
    return max(newer, key=lambda version: version.number, default=None)


def number_of(model_package: str | None) -> int:
    """Return the number at the end of a version's ARN; 0 without one.

    Examples
    --------
    >>> number_of("arn:aws:sagemaker:eu-central-1:000000000000:model-package/plumbline-dev/4")
    4
    """
    last = (model_package or "").rpartition("/")[2]
    return int(last) if last.isdecimal() else 0
