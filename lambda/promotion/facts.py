"""What AWS answers at one moment, as the decision needs it, and the reasons that a decision can give."""

from dataclasses import dataclass
from enum import StrEnum

from contract.champion import Champion, ChampionHistory
from promotion.state import PromotionTarget


class EndpointStatus(StrEnum):
    """Statuses of an endpoint that the decision distinguishes, as DescribeEndpoint spells them."""

    IN_SERVICE = "InService"
    UPDATING = "Updating"
    ROLLING_BACK = "RollingBack"
    FAILED = "Failed"
    OUT_OF_SERVICE = "OutOfService"
    ROLLBACK_FAILED = "UpdateRollbackFailed"


CHANGING = (EndpointStatus.UPDATING, EndpointStatus.ROLLING_BACK)
BROKEN = (EndpointStatus.FAILED, EndpointStatus.OUT_OF_SERVICE, EndpointStatus.ROLLBACK_FAILED)


class ApprovalStatus(StrEnum):
    """Approval statuses of a version, as SageMaker spells them."""

    APPROVED = "Approved"
    REJECTED = "Rejected"
    PENDING = "PendingManualApproval"


class ReasonCode(StrEnum):
    """Why the function waits, refuses, rejects or gives up."""

    CONVERGED = "converged"
    """The model that should serve serves."""
    ENDPOINT_NOT_IN_SERVICE = "endpoint_not_in_service"
    PROMOTION_IN_PROGRESS = "promotion_in_progress"

    ALREADY_SERVING = "already_serving"
    UNKNOWN_VERSION = "unknown_version"
    VERSION_INCOMPLETE = "version_incomplete"
    VERSION_REJECTED = "version_rejected"
    NO_HISTORY = "no_history"
    NO_EARLIER_MODEL = "no_earlier_model"

    NO_ARTIFACT = "no_artifact"
    NO_BASELINE = "no_baseline"

    ENDPOINT_BROKEN = "endpoint_broken"
    ENDPOINT_WENT_BACK = "endpoint_went_back"
    SAGEMAKER_REFUSED = "sagemaker_refused"

    SWITCHED_OFF = "switched_off"


@dataclass(frozen=True)
class PromotionReason:
    """A reason: a code for machines, and a text with its numbers for people."""

    code: ReasonCode
    text: str


@dataclass(frozen=True)
class EndpointView:
    """The endpoint; `modified` is when it last changed, ISO 8601 with fractions, `failure` why an update failed."""

    status: str
    config: str
    modified: str
    failure: str | None = None


@dataclass(frozen=True)
class LiveModel:
    """The only model that serves: its artifact and its baseline."""

    artifact: str
    baseline: str

    def is_same(self, model: PromotionTarget | Champion) -> bool:
        """Return whether it is that model."""
        return (self.artifact, self.baseline) == (model.artifact, model.baseline)


@dataclass(frozen=True)
class RegistryVersion:
    """A model package of the group; `completed`: the registry has finished with it, so that it can be used."""

    number: int
    arn: str
    approval: str
    completed: bool = True


@dataclass(frozen=True)
class UnusableVersion:
    """An approved version that cannot be promoted, and why."""

    version: RegistryVersion
    reason: PromotionReason


@dataclass(frozen=True)
class UnusedResources:
    """Names of this function's EndpointConfigs and Models that do not serve."""

    configs: tuple[str, ...] = ()
    models: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Return whether there is any."""
        return bool(self.configs or self.models)


@dataclass(frozen=True)
class PromotionFacts:
    """Everything that one decision rests on.

    Parameters
    ----------
    live
        None unless the endpoint is in service: while it changes, more than one model may serve.
    history
        None: there is no file yet.
    versions
        Of the group, oldest first.
    candidate
        The newest approved version above all that served, or why it cannot be used.
    switch_off
        Why only requests are promoted; None: the loop is switched on.
    """

    endpoint: EndpointView
    live: LiveModel | None
    history: ChampionHistory | None
    versions: tuple[RegistryVersion, ...] = ()
    candidate: PromotionTarget | UnusableVersion | None = None
    switch_off: PromotionReason | None = None
    unused: UnusedResources = UnusedResources()

    def version(self, arn: str | None) -> RegistryVersion | None:
        """Return the version with this ARN, or None."""
        return next((version for version in self.versions if version.arn == arn), None)


def newest_approved(versions: tuple[RegistryVersion, ...], history: ChampionHistory | None) -> RegistryVersion | None:
    """Return the newest approved version that is newer than every version that ever served.

    A model that served once serves again on a person's request only: its approval was never withdrawn, only followed
    by newer ones.
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
