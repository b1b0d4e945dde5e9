"""What a person asks for, turned into a target or a refusal: pure functions, at the moment of asking."""

from collections.abc import Iterator

from contract.champion import Champion, ChampionHistory
from promotion.decision import begun
from promotion.facts import ApprovalStatus, Facts, number_of
from promotion.state import State, Target


def refusal(version: int, facts: Facts) -> str | None:
    """Return why a version cannot be promoted as asked, or None."""
    found = next((each for each in facts.versions if each.number == version), None)
    if found is None:
        known = ", ".join(str(each.number) for each in facts.versions) or "none"
        return f"there must be a version {version} in the registry, got {known}; plumbline champion lists them"
    if not found.completed:
        return f"version {version} must be completed in the registry, and is not; look at it there"
    if found.approval == ApprovalStatus.REJECTED:
        return (
            f"version {version} must not be rejected; who wants it to serve all the same sets its approval status "
            "back in the registry, and asks again"
        )
    return None


def rollback_target(state: State, facts: Facts, reason: str, request: str) -> Target | str:
    """Return the model to go back to, or why there is none.

    While a promotion is under way it is the model that served when it began: whoever asks means to be rid of the
    newcomer. Otherwise it is what served before the model that serves.
    """
    history = facts.history
    if history is None:
        return "nothing is written down yet of what served; look again when the endpoint is in service"
    cause = f"rolled back by hand: {reason}"
    attempt = state.attempt
    if attempt and begun(attempt, facts.endpoint) and facts.serving is None:
        return _target(history.live, cause, request, rejects=attempt.target.model_package)
    for champion in _before(history):
        version = facts.version(champion.model_package)
        if version is None or version.approval != ApprovalStatus.REJECTED:
            return _target(champion, cause, request, rejects=history.live.model_package)
    return "no model served before this one that was not rejected; plumbline promote VERSION takes another"


def _before(history: ChampionHistory) -> Iterator[Champion]:
    """Yield what served before the live model, newest first; what somebody went back from is left out."""
    path: list[Champion] = []
    for champion in history.champions:
        same = next((i for i, each in enumerate(path) if _model(each) == _model(champion)), None)
        if same is not None:
            del path[same:]
        path.append(champion)
    yield from reversed(path[:-1])


def _model(champion: Champion) -> tuple[str, str]:
    return champion.artifact, champion.baseline


def _target(champion: Champion, cause: str, request: str, *, rejects: str | None) -> Target:
    return Target(
        champion.artifact,
        champion.baseline,
        champion.model_package,
        number_of(champion.model_package),
        cause,
        request,
        rollback=True,
        rejects=rejects if rejects != champion.model_package else None,
    )
