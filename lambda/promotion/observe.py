"""Reads from AWS the facts that one decision rests on."""

from plumbline.contract.champion import ChampionHistory
from plumbline.contract.retraining import Lineage
from plumbline.functions.promotion.endpoint import LiveModelError
from plumbline.functions.promotion.facts import (
    ApprovalStatus,
    EndpointStatus,
    LiveModel,
    PromotionFacts,
    RegistryVersion,
    UnusableVersion,
    UnusedResources,
    newest_approved,
)
from plumbline.functions.promotion.ports import PromotionPorts
from plumbline.functions.promotion.registry import target
from plumbline.functions.promotion.sagemaker_requests import LiveConfiguration
from plumbline.functions.promotion.state import PromotionTarget


def observe(ports: PromotionPorts) -> PromotionFacts:
    """Return the facts as they are now.

    Raises
    ------
    LiveModelError
        If the serving configuration is not one that this function can replace.
    """
    endpoint = ports.endpoint.view()
    history = ports.history.history()
    versions = ports.registry.versions()
    switch_off = ports.history.switch_off()
    if endpoint.status != EndpointStatus.IN_SERVICE:
        return PromotionFacts(endpoint, None, history, versions, switch_off=switch_off)
    live = ports.endpoint.live(endpoint.config)
    under_way = ports.store.state.attempt is not None
    unused = UnusedResources() if under_way else ports.endpoint.unused(endpoint.config, live.model["ModelName"])
    candidate = _candidate(ports, versions, history)
    return PromotionFacts(endpoint, _live_model(live), history, versions, candidate, switch_off, unused)


def _live_model(live: LiveConfiguration) -> LiveModel:
    if live.baseline is None:
        raise LiveModelError(
            f"model {live.model['ModelName']} must name its baseline in its environment, got none; deploy the serving "
            "stack again"
        )
    return LiveModel(live.artifact, live.baseline)


def _candidate(
    ports: PromotionPorts, versions: tuple[RegistryVersion, ...], history: ChampionHistory | None
) -> PromotionTarget | UnusableVersion | None:
    version = newest_approved(versions, history)
    if version is None:
        return None
    package = ports.registry.describe(version.arn)
    if package.get("ModelApprovalStatus") != ApprovalStatus.APPROVED:
        return None  # The list was older than DescribeModelPackage's answer.
    cause = package.get("CustomerMetadataProperties", {}).get(Lineage.CAUSE.value, "approved in the registry")
    return target(version, package, cause)
