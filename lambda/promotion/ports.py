"""What the function needs of AWS: a narrow port for each service; tests put fakes behind them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from plumbline.contract.champion import ChampionHistory
from plumbline.functions.promotion.facts import EndpointView, PromotionReason, RegistryVersion, UnusedResources
from plumbline.functions.promotion.sagemaker_requests import LiveConfiguration, Request
from plumbline.functions.promotion.state import PromotionState, PromotionTarget
from plumbline.functions.shared.notifications import NotifierPort
from plumbline.functions.shared.state_store import StateStore


class EndpointPort(Protocol):
    """The endpoint; `promotion.hosting.SageMakerEndpoint` in AWS."""

    def view(self) -> EndpointView:
        """Return the endpoint as it is now."""

    def live(self, config: str) -> LiveConfiguration:
        """Return a configuration and the model behind it."""

    def create(self, model: Request, config: Request) -> datetime:
        """Create both unless they exist, and return when the configuration was created."""

    def update(self, request: Request) -> None:
        """Begin to update the endpoint."""

    def unused(self, config: str, model: str) -> UnusedResources:
        """Return what this function created, except what serves."""

    def delete(self, unused: UnusedResources) -> None:
        """Delete them."""


class RegistryPort(Protocol):
    """The registry; `promotion.packages.ModelRegistry` in AWS."""

    def versions(self) -> tuple[RegistryVersion, ...]:
        """Return the group's versions, oldest first."""

    def describe(self, arn: str) -> Mapping[str, Any]:
        """Return DescribeModelPackage of a version."""

    def approve(self, arn: str, reason: str) -> None:
        """Set a version to Approved."""

    def reject(self, arn: str, reason: str) -> None:
        """Set a version to Rejected."""


class HistoryPort(Protocol):
    """Files and parameters; `promotion.records.HistoryStore` in AWS."""

    def history(self) -> ChampionHistory | None:
        """Return the champions' history; None when there is none yet."""

    def write_history(self, history: ChampionHistory) -> None:
        """Write the history."""

    def text(self, uri: str) -> str:
        """Return an S3 object as text, or raise `UnreadableError`."""

    def write_champion(self, target: PromotionTarget) -> None:
        """Write the model that the next deployment of the serving stack deploys."""

    def switch_off(self) -> PromotionReason | None:
        """Return why the loop is switched off; None: it is on."""


@dataclass(frozen=True)
class PromotionPorts:
    """All ports, and the function's state."""

    endpoint: EndpointPort
    registry: RegistryPort
    history: HistoryPort
    notifier: NotifierPort
    store: StateStore[PromotionState]
