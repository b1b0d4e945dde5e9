"""Asks AWS for the facts that one decision rests on."""

from contract.champion import ChampionHistory
from contract.retraining import Lineage
from promotion.facts import (
    ApprovalStatus,
    EndpointStatus,
    Facts,
    Leftovers,
    Serving,
    Unusable,
    Version,
    newest_approved,
)
from promotion.hosting import LiveModelError
from promotion.packages import target
from promotion.requests import Live
from promotion.services import Services
from promotion.state import Target


def observe(services: Services) -> Facts:
    """Return what AWS says now.

    Raises
    ------
    LiveModelError
        If what serves is nothing that this function can replace.
    """
    endpoint = services.hosting.view()
    history = services.records.history()
    versions = services.packages.versions()
    switch_off = services.records.switch_off()
    if endpoint.status != EndpointStatus.IN_SERVICE:
        return Facts(endpoint, None, history, versions, switch_off=switch_off)
    live = services.hosting.live(endpoint.config)
    under_way = services.memory.state.attempt is not None
    leftovers = Leftovers() if under_way else services.hosting.leftovers(endpoint.config, live.model["ModelName"])
    candidate = _candidate(services, versions, history)
    return Facts(endpoint, _serving(live), history, versions, candidate, switch_off, leftovers)


def _serving(live: Live) -> Serving:
    if live.baseline is None:
        raise LiveModelError(
            f"model {live.model['ModelName']} must name its baseline in its environment, got none; deploy the serving "
            "stack again"
        )
    return Serving(live.artifact, live.baseline)


def _candidate(
    services: Services, versions: tuple[Version, ...], history: ChampionHistory | None
) -> Target | Unusable | None:
    version = newest_approved(versions, history)
    if version is None:
        return None
    package = services.packages.describe(version.arn)
    if package.get("ModelApprovalStatus") != ApprovalStatus.APPROVED:
        return None  # The list was older than the version's own page.
    cause = package.get("CustomerMetadataProperties", {}).get(Lineage.CAUSE.value, "approved in the registry")
    return target(version, package, cause)
