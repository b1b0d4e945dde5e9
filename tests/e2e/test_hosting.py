"""Endpoints of the embedded AWS with the project's own model: serving, capture, updates that fail."""

import csv
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.e2e.local_account import BUCKET, ROOT, LocalAccount, eventually, local_account, processes_below

pytestmark = pytest.mark.e2e

START = datetime(2026, 11, 25, 10, 0, tzinfo=UTC)
ENDPOINT = "census"


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAccount]:
    with local_account(tmp_path_factory.mktemp("state"), START) as account:
        source = account.model_source()
        model = account.put("model.tar.gz", (ROOT / "starter" / "model.tar.gz").read_bytes())
        account.create_model("good", model=model, source=source)
        account.create_config("good", "good")
        account.sagemaker.create_endpoint(EndpointName=ENDPOINT, EndpointConfigName="good")
        endpoint = account.settled(ENDPOINT)
        assert endpoint["EndpointStatus"] == "InService", endpoint
        yield account


@pytest.fixture(scope="module")
def rows() -> list[list[str]]:
    """Three rows of the starter's test set without the target, which is the last column."""
    with (ROOT / "starter" / "data" / "test.csv").open(encoding="utf-8", newline="") as file:
        return [row[:-1] for row in list(csv.reader(file))[1:4]]


def invoke(account: LocalAccount, content_type: str, body: str, **options: str) -> dict[str, Any]:
    answer: dict[str, Any] = account.runtime.invoke_endpoint(
        EndpointName=ENDPOINT, ContentType=content_type, Body=body.encode(), **options
    )
    return answer


def csv_body(rows: list[list[str]]) -> str:
    return "".join(",".join(row) + "\n" for row in rows)


def test_csv_and_json_rows_get_the_same_probabilities(account: LocalAccount, rows: list[list[str]]) -> None:
    as_csv = invoke(account, "text/csv", csv_body(rows))
    as_json = invoke(account, "application/json", json.dumps(rows))

    assert as_csv["ContentType"] == "text/csv; charset=utf-8"
    assert as_csv["InvokedProductionVariant"] == "AllTraffic"
    probabilities = [float(line) for line in as_csv["Body"].read().decode().splitlines()]
    assert len(probabilities) == 3
    assert all(0 < probability < 1 for probability in probabilities)
    told = [row["probability"] for row in json.load(as_json["Body"])["predictions"]]
    assert told == pytest.approx(probabilities)


@pytest.mark.parametrize(
    ("sent", "status", "error"),
    [
        pytest.param({"ContentType": "text/csv", "Body": b"only,three,cells\n"}, 400, "PayloadError", id="columns"),
        pytest.param({"ContentType": "text/csv", "Body": b"old" + b",x" * 13}, 400, "PayloadError", id="no number"),
        pytest.param({"ContentType": "text/csv", "Body": b""}, 400, "PayloadError", id="empty"),
        pytest.param({"ContentType": "application/json", "Body": b"{"}, 400, "PayloadError", id="json"),
        pytest.param({"Body": b"39,x"}, 400, "PayloadError", id="no type"),
        pytest.param({"ContentType": "text/csv", "Body": b"\xff\xfe"}, 400, "PayloadError", id="encoding"),
        pytest.param({"ContentType": "image/png", "Body": b"x"}, 415, "UnsupportedContentTypeError", id="type"),
        pytest.param(
            {"ContentType": "application/octet-stream", "Body": b"x"}, 415, "UnsupportedContentTypeError", id="bytes"
        ),
        pytest.param({"Accept": "image/png", "Body": None}, 406, "UnsupportedAcceptError", id="accept"),
    ],
)
def test_a_clients_mistake_is_the_clients_error(
    account: LocalAccount, rows: list[list[str]], sent: dict[str, Any], status: int, error: str
) -> None:
    """An exception of the model's code would be 500, which counts as its fault and rolls a deployment back."""
    if sent["Body"] is None:
        sent = {**sent, "ContentType": "text/csv", "Body": csv_body(rows).encode()}
    with pytest.raises(ClientError) as caught:
        account.runtime.invoke_endpoint(EndpointName=ENDPOINT, **sent)

    response: Any = caught.value.response
    assert response["Error"]["Code"] == "ModelError"
    assert response["OriginalStatusCode"] == status
    assert json.loads(response["OriginalMessage"])["error"] == error
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 424


def test_unknown_endpoint_is_a_validation_error(account: LocalAccount) -> None:
    with pytest.raises(ClientError, match="Endpoint nobody of account 000000000000 not found") as caught:
        account.runtime.invoke_endpoint(EndpointName="nobody", Body=b"")

    assert caught.value.response["Error"]["Code"] == "ValidationError"


def test_exchange_is_captured_encrypted_under_its_hour(account: LocalAccount, rows: list[list[str]]) -> None:
    invoke(account, "text/csv", csv_body(rows[:1]), InferenceId="mine", CustomAttributes="label=1")

    def found() -> dict[str, Any]:
        lines = [
            (key, json.loads(line))
            for key in account.keys(f"capture/{ENDPOINT}/AllTraffic/2026/11/25/")
            for line in account.get(key).decode().splitlines()
        ]
        return {record["eventMetadata"].get("inferenceId", ""): (key, record) for key, record in lines}

    account.aws.advance(61)
    key, record = eventually(found, lambda records: "mine" in records)["mine"]
    assert record["captureData"]["endpointInput"]["data"] == csv_body(rows[:1])
    assert record["captureData"]["endpointOutput"]["encoding"] == "CSV"
    assert record["eventMetadata"]["customAttributes"] == ["label=1"]
    head = account.s3.head_object(Bucket=BUCKET, Key=key)
    assert (head["ServerSideEncryption"], head["SSEKMSKeyId"]) == ("aws:kms", account.key)


def test_role_without_rights_fails_the_endpoint_and_says_why(account: LocalAccount) -> None:
    account.create_model(
        "refused",
        model=f"s3://{BUCKET}/model.tar.gz",
        source=f"s3://{BUCKET}/source.tar.gz",
        role=account.powerless_role,
    )
    account.create_config("refused", "refused")
    account.sagemaker.create_endpoint(EndpointName="refused", EndpointConfigName="refused")

    endpoint = account.settled("refused")

    assert endpoint["EndpointStatus"] == "Failed"
    assert f"Could not access model data at s3://{BUCKET}/model.tar.gz" in endpoint["FailureReason"]
    assert "AccessDenied" in endpoint["FailureReason"]


def test_broken_update_leaves_the_old_model_serving(account: LocalAccount, rows: list[list[str]]) -> None:
    model = account.put_archive("broken.tar.gz", {"xgboost-model.json": "no model"})
    account.create_model("broken", model=model, source=f"s3://{BUCKET}/source.tar.gz")
    account.create_config("broken", "broken")
    account.sagemaker.update_endpoint(EndpointName=ENDPOINT, EndpointConfigName="broken")

    endpoint = account.settled(ENDPOINT)

    assert (endpoint["EndpointStatus"], endpoint["EndpointConfigName"]) == ("InService", "good")
    assert "did not pass the ping health check" in endpoint["FailureReason"]
    assert invoke(account, "text/csv", csv_body(rows))["ResponseMetadata"]["HTTPStatusCode"] == 200


def test_module_without_model_fn_does_not_come_up(account: LocalAccount) -> None:
    source = account.put_archive("empty-source.tar.gz", {"inference.py": "def input_fn(data, type): return data\n"})
    account.create_model("no-model-fn", model=f"s3://{BUCKET}/model.tar.gz", source=source)
    account.create_config("no-model-fn", "no-model-fn")
    account.sagemaker.create_endpoint(EndpointName="no-model-fn", EndpointConfigName="no-model-fn")

    endpoint = account.settled("no-model-fn")

    assert endpoint["EndpointStatus"] == "Failed"
    assert "Please provide a model_fn implementation" in endpoint["FailureReason"]


def test_update_switches_without_a_failed_request(account: LocalAccount, rows: list[list[str]]) -> None:
    account.create_config("again", "good")
    account.sagemaker.update_endpoint(EndpointName=ENDPOINT, EndpointConfigName="again")

    while account.sagemaker.describe_endpoint(EndpointName=ENDPOINT)["EndpointStatus"] == "Updating":
        invoke(account, "text/csv", csv_body(rows[:1]))

    assert account.settled(ENDPOINT)["EndpointConfigName"] == "again"
    invoke(account, "text/csv", csv_body(rows[:1]))


def test_nothing_runs_after_the_end(tmp_path: Path) -> None:
    with local_account(tmp_path, START) as account:
        model = account.put("model.tar.gz", (ROOT / "starter" / "model.tar.gz").read_bytes())
        account.create_model("good", model=model, source=account.model_source())
        account.create_config("good", "good")
        account.sagemaker.create_endpoint(EndpointName=ENDPOINT, EndpointConfigName="good")
        account.settled(ENDPOINT)
        assert any("serving_container.py" in line for line in processes_below(tmp_path))

    assert processes_below(tmp_path) == []
