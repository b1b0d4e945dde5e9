"""What AWS answers at one moment, as the decision needs it, and the reasons that a decision can give."""

from dataclasses import dataclass
from enum import StrEnum

from plumbline.contract.champion import Champion, ChampionHistory
from plumbline.functions.promotion.state import PromotionTarget


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


class PromotionReasonCode(StrEnum):
    """Why the function waits, refuses, rejects or gives up, with the template of the text for people."""

    template: str

    def __new__(cls, code: str, template: str) -> "PromotionReasonCode":
        """Make a member whose value is `code`."""
        member = str.__new__(cls, code)
        member._value_ = code
        member.template = template
        return member

    def reason(self, **values: object) -> "PromotionReason":
        """Return the reason with the template's fields filled in."""
        return PromotionReason(self, self.template.format(**values))

    # Nothing to do until the next event.
    CONVERGED = "converged", "the model that should serve serves"
    NOT_IN_SERVICE = "not_in_service", "the endpoint is {status}"
    NO_CHAMPION_KNOWN = "no_champion_known", "the endpoint is {status}, and no champion is known"
    IN_PROGRESS = "in_progress", "{name} is being promoted: the endpoint is {status}"

    # A person's request is refused.
    ALREADY_SERVING = "already_serving", "{name} serves already"
    UNKNOWN_VERSION = (
        "unknown_version",
        "there must be a version {number} in the registry, got {known}; plumbline champion lists them",
    )
    VERSION_INCOMPLETE = (
        "version_incomplete",
        "version {number} must be completed in the registry, and is not; check it there",
    )
    VERSION_REJECTED = (
        "version_rejected",
        "version {number} must not be rejected; to promote it nevertheless, set its approval status back in the "
        "registry and repeat the request",
    )
    REJECTED_MEANWHILE = "rejected_meanwhile", "{name} was rejected meanwhile"
    VERSION_GONE = "version_gone", "{name} is no longer in the registry"
    NO_HISTORY = (
        "no_history",
        "no model that served is recorded yet; repeat the request when the endpoint is in service",
    )
    NO_EARLIER_MODEL = (
        "no_earlier_model",
        "no model served before this one that was not rejected; plumbline promote VERSION promotes another",
    )

    # A version cannot serve, or does not.
    NO_ARTIFACT = "no_artifact", "version {number} must have one container with an artifact, and has not"
    NO_BASELINE = "no_baseline", "version {number} must name its baseline in DriftCheckBaselines, got none"
    ENDPOINT_BROKEN = "endpoint_broken", "the endpoint is {status}: {failure}"
    ENDPOINT_WENT_BACK = "endpoint_went_back", "{failure}"
    SAGEMAKER_REFUSED = "sagemaker_refused", "{error}"

    # Approved versions are not promoted.
    SWITCH_MISSING = "switch_missing", "the switch {name} does not exist"
    SWITCHED_OFF = "switched_off", "the switch {name} is {value!r}"


@dataclass(frozen=True)
class PromotionReason:
    """A reason: a code for machines, and a text with its numbers for people."""

    code: PromotionReasonCode
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
