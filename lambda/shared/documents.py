"""Durable documents with a revision, one DynamoDB item each: what is decided is written before it is done.

A write names the revision that was read. Of two functions that read the same revision only one can write: the other
gets `ChangedMeanwhileError`, reads again and decides again.
"""

from dataclasses import dataclass
from typing import Any

ID = "id"
"""Partition key, S."""
REVISION = "revision"
"""N, 1 for the first write."""
DOCUMENT = "document"
"""S, JSON."""


class ChangedMeanwhileError(Exception):
    """Raised when a document was written since it was read."""


@dataclass(frozen=True)
class Document:
    """A document as it was read; revision 0 and no text when there is none yet."""

    revision: int
    text: str | None


class Documents:
    """Documents of one table; the client is made on first use."""

    def __init__(self, table_name: str, region: str) -> None:
        self._table_name = table_name
        self._region = region
        self._made: Any = None

    def read(self, document_id: str) -> Document:
        """Return the document as it was last written, by whomever."""
        answer = self._client.get_item(TableName=self._table_name, Key={ID: {"S": document_id}}, ConsistentRead=True)
        item = answer.get("Item")
        return Document(int(item[REVISION]["N"]), item[DOCUMENT]["S"]) if item else Document(0, None)

    def write(self, document_id: str, text: str, expected: int) -> None:
        """Write the document if its revision still is `expected`; 0 if there was none.

        Raises
        ------
        ChangedMeanwhileError
            If it is not. boto3 repeats a request whose answer got lost, so that the other writer may be this one.
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
        try:
            self._client.put_item(TableName=self._table_name, Item=item, **condition)
        except self._client.exceptions.ConditionalCheckFailedException as error:
            raise ChangedMeanwhileError(f"{document_id} was at revision {expected} and no longer is") from error

    @property
    def _client(self) -> Any:
        if self._made is None:
            import boto3

            self._made = boto3.client("dynamodb", region_name=self._region)
        return self._made
