import boto3
import pytest
from botocore.stub import Stubber

from plumbline.functions.shared.aws_client import AwsClients
from plumbline.functions.shared.state_store import ConcurrentWriteError, Document, DocumentTable

ITEM = {"id": {"S": "endpoint"}, "revision": {"N": "4"}, "document": {"S": "{}"}}


@pytest.fixture
def documents(monkeypatch: pytest.MonkeyPatch) -> tuple[DocumentTable, Stubber]:
    client = boto3.client(
        "dynamodb", region_name="eu-central-1", aws_access_key_id="testing", aws_secret_access_key="testing"
    )
    monkeypatch.setattr(boto3, "client", lambda service, region_name: client)
    return DocumentTable("table", AwsClients("eu-central-1")), Stubber(client)


def test_document_is_read_with_its_revision_and_consistently(documents: tuple[DocumentTable, Stubber]) -> None:
    table, stubber = documents
    expected = {"TableName": "table", "Key": {"id": {"S": "endpoint"}}, "ConsistentRead": True}
    stubber.add_response("get_item", {"Item": ITEM}, expected)
    with stubber:
        assert table.read("endpoint") == Document(4, "{}")


def test_absent_document_has_revision_zero_and_no_text(documents: tuple[DocumentTable, Stubber]) -> None:
    table, stubber = documents
    stubber.add_response("get_item", {})
    with stubber:
        assert table.read("endpoint") == Document(0, None)


def test_first_write_wants_no_document(documents: tuple[DocumentTable, Stubber]) -> None:
    table, stubber = documents
    expected = {
        "TableName": "table",
        "Item": ITEM | {"revision": {"N": "1"}},
        "ConditionExpression": "attribute_not_exists(#id)",
        "ExpressionAttributeNames": {"#id": "id"},
    }
    stubber.add_response("put_item", {}, expected)
    with stubber:
        table.write("endpoint", "{}", 0)
    stubber.assert_no_pending_responses()


def test_later_write_wants_the_revision_that_was_read(documents: tuple[DocumentTable, Stubber]) -> None:
    table, stubber = documents
    expected = {
        "TableName": "table",
        "Item": ITEM,
        "ConditionExpression": "#revision = :expected",
        "ExpressionAttributeNames": {"#revision": "revision"},
        "ExpressionAttributeValues": {":expected": {"N": "3"}},
    }
    stubber.add_response("put_item", {}, expected)
    with stubber:
        table.write("endpoint", "{}", 3)
    stubber.assert_no_pending_responses()


def test_write_onto_another_revision_is_refused(documents: tuple[DocumentTable, Stubber]) -> None:
    table, stubber = documents
    stubber.add_client_error("put_item", "ConditionalCheckFailedException")
    with stubber, pytest.raises(ConcurrentWriteError, match="endpoint was at revision 3 and no longer is"):
        table.write("endpoint", "{}", 3)
