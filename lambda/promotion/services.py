"""What the function needs of AWS, one narrow door for each service; tests hold other things behind them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from shared.documents import Document

from contract.champion import ChampionHistory
from contract.retraining import RetrainingMetric
from promotion.facts import EndpointView, Leftovers, Version
from promotion.requests import Live, Request
from promotion.state import State, Target


class HostingDoor(Protocol):
    """The endpoint; `promotion.hosting.Hosting` is the real one."""

    def view(self) -> EndpointView:
        """Return the endpoint as it is now."""

    def live(self, config: str) -> Live:
        """Return a configuration and the model behind it."""

    def make(self, model: Request, config: Request) -> datetime:
        """Create both unless they exist, and return when the configuration was created."""

    def update(self, request: Request) -> None:
        """Begin to move the endpoint."""

    def leftovers(self, config: str, model: str) -> Leftovers:
        """Return what this function made, but for what serves."""

    def delete(self, leftovers: Leftovers) -> None:
        """Delete them."""


class PackagesDoor(Protocol):
    """The registry; `promotion.packages.Packages` is the real one."""

    def versions(self) -> tuple[Version, ...]:
        """Return the group's versions, oldest first."""

    def describe(self, arn: str) -> Mapping[str, Any]:
        """Return DescribeModelPackage of a version."""

    def approve(self, arn: str, why: str) -> None:
        """Set a version to Approved."""

    def reject(self, arn: str, why: str) -> None:
        """Set a version to Rejected."""


class RecordsDoor(Protocol):
    """Files and parameters; `promotion.records.Records` is the real one."""

    def history(self) -> ChampionHistory | None:
        """Return the history of champions; None when there is none yet."""

    def write_history(self, history: ChampionHistory) -> None:
        """Write the history."""

    def text(self, uri: str) -> str:
        """Return an S3 object as text."""

    def write_champion(self, target: Target) -> None:
        """Let the next deployment bring this model back."""

    def switch_off(self) -> str | None:
        """Return why the loop is switched off; None: it is on."""


class DocumentsDoor(Protocol):
    """The durable document; `shared.documents.Documents` is the real one."""

    def read(self, document_id: str) -> Document:
        """Return the document."""

    def write(self, document_id: str, text: str, expected: int) -> None:
        """Write it if its revision still is `expected`."""


class AnnouncerDoor(Protocol):
    """Messages and metrics; `shared.telling.Announcer` is the real one."""

    def tell(self, subject: str, text: str) -> None:
        """Publish a message."""

    def count(self, metric: RetrainingMetric) -> None:
        """Put one point of a metric."""


class Memory:
    """The state, and the revision at which it was read."""

    def __init__(self, documents: DocumentsDoor, document_id: str) -> None:
        self._documents = documents
        self._id = document_id
        self._revision = 0
        self.state = State()

    def read(self) -> State:
        """Read the state again and return it."""
        document = self._documents.read(self._id)
        self._revision = document.revision
        self.state = State.from_json(document.text)
        return self.state

    def write(self, state: State) -> None:
        """Write the state, unless somebody else did since it was read.

        Raises
        ------
        ChangedMeanwhileError
            If somebody did.
        """
        self._documents.write(self._id, state.to_json(), self._revision)
        self._revision += 1
        self.state = state


@dataclass(frozen=True)
class Services:
    """All doors, and the memory."""

    hosting: HostingDoor
    packages: PackagesDoor
    records: RecordsDoor
    announcer: AnnouncerDoor
    memory: Memory
