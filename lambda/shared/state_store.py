"""A function's state: one JSON document with a revision in a DynamoDB table, written before what it announces is done.

A write names the revision that was read. Of two invocations that read the same revision only one can write; the other
gets `ConcurrentWriteError`, reads again and decides again.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Generic, Protocol, Self, TypeVar

from plumbline.contract.decoding import decode, read_json
from plumbline.functions.shared.aws_client import AwsClients

ID = "id"
"""Partition key, S."""
REVISION = "revision"
"""N, 1 for the first write."""
DOCUMENT = "document"
"""S, JSON."""


class ConcurrentWriteError(Exception):
    """Raised when a document was written since it was read."""


class StateError(Exception):
    """Raised when a document cannot be read as the function's state."""


@dataclass(frozen=True)
class Document:
    """A document as it was read; revision 0 and no text when there is none yet."""

    revision: int
    text: str | None


class DocumentTablePort(Protocol):
    """Where documents are kept; `DocumentTable` in AWS, a fake in tests."""

    def read(self, document_id: str) -> Document:
        """Return the document."""

    def write(self, document_id: str, text: str, expected: int) -> None:
        """Write the document if its revision still is `expected`, else raise `ConcurrentWriteError`."""


class DocumentTable:
    """The documents of one DynamoDB table."""

    def __init__(self, table_name: str, clients: AwsClients) -> None:
        self._table_name = table_name
        self._clients = clients

    def read(self, document_id: str) -> Document:
        """Return the document as it was last written (a consistent read)."""
        answer = self._clients["dynamodb"].get_item(
            TableName=self._table_name, Key={ID: {"S": document_id}}, ConsistentRead=True
        )
        item = answer.get("Item")
        return Document(int(item[REVISION]["N"]), item[DOCUMENT]["S"]) if item else Document(0, None)

    def write(self, document_id: str, text: str, expected: int) -> None:
        """Write the document if its revision still is `expected`; 0: if there is no document.

        Raises
        ------
        ConcurrentWriteError
            If it is not. boto3 repeats a request whose answer got lost, so the other writer may be this invocation.
        """
        condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(#id)"}
        condition["ExpressionAttributeNames"] = {"#id": ID}
        if expected:
            condition = {
                "ConditionExpression": "#revision = :expected",
                "ExpressionAttributeNames": {"#revision": REVISION},
                "ExpressionAttributeValues": {":expected": {"N": str(expected)}},
            }
        item = {ID: {"S": document_id}, REVISION: {"N": str(expected + 1)}, DOCUMENT: {"S": text}}
        client = self._clients["dynamodb"]
        try:
            client.put_item(TableName=self._table_name, Item=item, **condition)
        except client.exceptions.ConditionalCheckFailedException as error:
            raise ConcurrentWriteError(f"{document_id} was at revision {expected} and no longer is") from error


@dataclass(frozen=True)
class StoredState:
    """Base of a function's state: a frozen dataclass with a field `version`, every field with a default."""

    VERSION: ClassVar[int]

    def to_json(self) -> str:
        """Return the document's text; `from_json` reads it."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str | None) -> Self:
        """Read the document's text; None (no document yet) is the state before the first event.

        Raises
        ------
        StateError
            If it is of no version that this code reads.
        """
        if text is None:
            return cls()
        try:
            document = read_json(text)
            document = cls.upgrade(document) if isinstance(document, dict) else {}
            if document.get("version") != cls.VERSION:
                raise ValueError(f"version {document.get('version')}")
            return decode(cls, document)
        except (KeyError, TypeError, ValueError) as error:
            raise StateError(
                f"the document of {cls.__name__} must be of version {cls.VERSION}, got {error}; delete the item from "
                "the state table if no pipeline execution and no update of the endpoint is running"
            ) from error

    @classmethod
    def upgrade(cls, document: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return a document of an earlier version in the form of this one; any other document as it is."""
        return document


_State = TypeVar("_State", bound=StoredState)


class StateStore(Generic[_State]):
    """One function's state, and the revision at which it was read."""

    def __init__(self, table: DocumentTablePort, document_id: str, kind: type[_State]) -> None:
        self._table = table
        self._id = document_id
        self._kind = kind
        self._revision = 0
        self.state = kind.from_json(None)

    def read(self) -> _State:
        """Read the state again and return it.

        Raises
        ------
        StateError
            If the document cannot be read.
        """
        document = self._table.read(self._id)
        self._revision = document.revision
        self.state = self._kind.from_json(document.text)
        return self.state

    def write(self, state: _State) -> None:
        """Write the state.

        Raises
        ------
        ConcurrentWriteError
            If it was written since it was read here.
        """
        self._table.write(self._id, state.to_json(), self._revision)
        self._revision += 1
        self.state = state
