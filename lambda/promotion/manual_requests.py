"""A person's request to promote or roll back: stored as a target, or refused with a reason."""

from collections.abc import Iterator

from plumbline.contract.champion import Champion, ChampionHistory
from plumbline.functions.promotion.decision import begun
from plumbline.functions.promotion.events import PromoteRequest, RollbackRequest
from plumbline.functions.promotion.facts import (
    ApprovalStatus,
    PromotionFacts,
    PromotionReason,
    RegistryVersion,
    UnusableVersion,
    number_of,
)
from plumbline.functions.promotion.facts import PromotionReasonCode as Code
from plumbline.functions.promotion.observe import observe
from plumbline.functions.promotion.ports import PromotionPorts
from plumbline.functions.promotion.registry import target
from plumbline.functions.promotion.state import PromotionState, PromotionTarget


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
        return False, Code.ALREADY_SERVING.reason(name=wanted.name).text
    ports.store.write(state.accepting(wanted, request.request))
    return True, f"{wanted.name} of artifact {wanted.artifact} is to serve, with its baseline {wanted.baseline}"


def promotable(number: int, facts: PromotionFacts) -> RegistryVersion | PromotionReason:
    """Return the version with this number, or why it cannot be promoted on request."""
    found = next((each for each in facts.versions if each.number == number), None)
    if found is None:
        known = ", ".join(str(each.number) for each in facts.versions) or "none"
        return Code.UNKNOWN_VERSION.reason(number=number, known=known)
    if not found.completed:
        return Code.VERSION_INCOMPLETE.reason(number=number)
    if found.approval == ApprovalStatus.REJECTED:
        return Code.VERSION_REJECTED.reason(number=number)
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
        return Code.NO_HISTORY.reason()
    cause = f"rolled back by hand: {reason}"
    attempt = state.attempt
    if attempt and begun(attempt, facts.endpoint) and facts.live is None:
        return _rollback(history.live, cause, request, rejects=attempt.target.model_package)
    for champion in _before(history):
        version = facts.version(champion.model_package)
        if version is None or version.approval != ApprovalStatus.REJECTED:
            return _rollback(champion, cause, request, rejects=history.live.model_package)
    return Code.NO_EARLIER_MODEL.reason()


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
