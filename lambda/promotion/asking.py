"""A person's request to promote or roll back: stored as a target, or refused with a reason."""

from collections.abc import Iterator

from contract.champion import Champion, ChampionHistory
from promotion.decision import begun
from promotion.events import PromoteRequest, RollbackRequest
from promotion.facts import (
    ApprovalStatus,
    PromotionFacts,
    PromotionReason,
    ReasonCode,
    RegistryVersion,
    UnusableVersion,
    number_of,
)
from promotion.observing import observe
from promotion.packages import target
from promotion.services import PromotionPorts
from promotion.state import PromotionState, PromotionTarget


def accept_request(request: PromoteRequest | RollbackRequest, ports: PromotionPorts) -> tuple[bool, str]:
    """Store a request; return whether it is accepted, and what comes of it or why not.

    Raises
    ------
    ConcurrentWriteError
        If another invocation wrote the state meanwhile; the caller repeats the request.
    """
    state = ports.store.read()
    if request.request in state.requests:
        return True, "this request was accepted before"
    facts = observe(ports)
    wanted = _target(request, state, facts, ports)
    if isinstance(wanted, PromotionReason):
        return False, wanted.text
    if facts.live and facts.live.is_same(wanted):
        return False, f"{wanted.name} serves already"
    ports.store.write(state.accepting(wanted, request.request))
    return True, f"{wanted.name} of artifact {wanted.artifact} is to serve, with its baseline {wanted.baseline}"


def promotable(number: int, facts: PromotionFacts) -> RegistryVersion | PromotionReason:
    """Return the version with this number, or why it cannot be promoted on request."""
    found = next((each for each in facts.versions if each.number == number), None)
    if found is None:
        known = ", ".join(str(each.number) for each in facts.versions) or "none"
        text = f"there must be a version {number} in the registry, got {known}; plumbline champion lists them"
        return PromotionReason(ReasonCode.UNKNOWN_VERSION, text)
    if not found.completed:
        text = f"version {number} must be completed in the registry, and is not; look at it there"
        return PromotionReason(ReasonCode.VERSION_INCOMPLETE, text)
    if found.approval == ApprovalStatus.REJECTED:
        text = (
            f"version {number} must not be rejected; to promote it nevertheless, set its approval status back in the "
            "registry and repeat the request"
        )
        return PromotionReason(ReasonCode.VERSION_REJECTED, text)
    return found


def rollback_target(
    state: PromotionState, facts: PromotionFacts, reason: str, request: str
) -> PromotionTarget | PromotionReason:
    """Return the model to go back to, or why there is none.

    While a promotion is under way it is the model that served when it began: the request is meant against the model
    that is being promoted. Otherwise it is the model that served before the champion.
    """
    history = facts.history
    if history is None:
        text = "no model that served is recorded yet; repeat the request when the endpoint is in service"
        return PromotionReason(ReasonCode.NO_HISTORY, text)
    cause = f"rolled back by hand: {reason}"
    attempt = state.attempt
    if attempt and begun(attempt, facts.endpoint) and facts.live is None:
        return _rollback(history.live, cause, request, rejects=attempt.target.model_package)
    for champion in _before(history):
        version = facts.version(champion.model_package)
        if version is None or version.approval != ApprovalStatus.REJECTED:
            return _rollback(champion, cause, request, rejects=history.live.model_package)
    text = "no model served before this one that was not rejected; plumbline promote VERSION promotes another"
    return PromotionReason(ReasonCode.NO_EARLIER_MODEL, text)


def _target(
    request: PromoteRequest | RollbackRequest, state: PromotionState, facts: PromotionFacts, ports: PromotionPorts
) -> PromotionTarget | PromotionReason:
    if isinstance(request, RollbackRequest):
        return rollback_target(state, facts, request.reason, request.request)
    version = promotable(request.version, facts)
    if isinstance(version, PromotionReason):
        return version
    package = ports.registry.describe(version.arn)
    found = target(version, package, f"promoted by hand: {request.reason}", request.request)
    return found.reason if isinstance(found, UnusableVersion) else found


def _before(history: ChampionHistory) -> Iterator[Champion]:
    """Yield the champions before the live one, newest first, without those that a rollback replaced."""
    path: list[Champion] = []
    for champion in history.champions:
        same = next((i for i, each in enumerate(path) if _model(each) == _model(champion)), None)
        if same is not None:
            del path[same:]
        path.append(champion)
    yield from reversed(path[:-1])


def _model(champion: Champion) -> tuple[str, str]:
    return champion.artifact, champion.baseline


def _rollback(champion: Champion, cause: str, request: str, *, rejects: str | None) -> PromotionTarget:
    return PromotionTarget(
        champion.artifact,
        champion.baseline,
        champion.model_package,
        number_of(champion.model_package),
        cause,
        request,
        rollback=True,
        rejects=rejects if rejects != champion.model_package else None,
    )
