import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import boto3
import pytest

from plumbline.cli import main


class FakeRuntime:
    """An endpoint in memory that answers each row with one probability, or fails as the test wants."""

    def __init__(self, *, failure: type[Exception] | None = None) -> None:
        self.bodies: list[bytes] = []
        self.ids: list[str] = []
        self.failure = failure

    def invoke_endpoint(self, **request: Any) -> Mapping[str, Any]:
        if self.failure:
            raise self.failure
        self.bodies.append(request["Body"])
        self.ids.append(request["InferenceId"])
        assert request["EndpointName"] == "plumbline-dev"
        body: bytes = request["Body"]
        if request["ContentType"] == "application/json":
            predictions = [{"probability": 0.5} for _ in json.loads(body)["instances"]]
            return {
                "Body": io.BytesIO(json.dumps({"predictions": predictions}).encode()),
                "ContentType": "application/json",
            }
        answer = "\n".join("0.5" for _ in body.splitlines())
        return {"Body": io.BytesIO(answer.encode()), "ContentType": "text/csv; charset=utf-8"}


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> FakeRuntime:
    runtime = FakeRuntime()

    def client(service: str, **options: object) -> FakeRuntime:
        assert service == "sagemaker-runtime"
        assert options["region_name"] == "eu-central-1"
        return runtime

    monkeypatch.setattr(boto3, "client", client)
    return runtime


def send(data: Path, *more: str) -> int:
    speed = ("--seconds-per-hour", "0.01", "--connections", "1", "--region", "eu-central-1")
    return main(["traffic", "--endpoint", "plumbline-dev", "--data", str(data), *speed, *more])


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "rows.csv"
    path.write_text("age,label\n1,no\n2,yes\n3,no\n")
    return path


def test_rows_are_sent_in_turn_without_header_and_label(
    endpoint: FakeRuntime, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert send(data, "--target-label", "label", "--hours", "2", "--rows-per-hour", "2") == 0
    assert endpoint.bodies == [b"1", b"2", b"3", b"1"]
    assert "4 requests with 4 rows in 2 whole hours, none failed" in capsys.readouterr().out


def test_all_columns_are_sent_when_none_is_the_label(endpoint: FakeRuntime, data: Path) -> None:
    assert send(data, "--hours", "1", "--rows-per-hour", "3", "--rows-per-request", "3") == 0
    assert endpoint.bodies == [b"1,no\n2,yes\n3,no"]


def test_requests_may_be_json(endpoint: FakeRuntime, data: Path) -> None:
    assert send(data, "--target-label", "label", "--hours", "1", "--rows-per-hour", "1", "--format", "json") == 0
    assert json.loads(endpoint.bodies[0]) == {"instances": [[1]]}


def test_scenario_draws_from_the_file(endpoint: FakeRuntime, data: Path) -> None:
    arguments = ("--target-label", "label", "--hours", "1", "--rows-per-hour", "5", "--scenario", "none")
    assert send(data, *arguments) == 0
    assert len(endpoint.bodies) == 5
    assert set(endpoint.bodies) <= {b"1", b"2", b"3"}


def test_labels_of_the_rows_sent_are_written_by_inference_id(endpoint: FakeRuntime, data: Path, tmp_path: Path) -> None:
    out = tmp_path / "labels.csv"
    sizes = ("--hours", "2", "--rows-per-hour", "3", "--rows-per-request", "2")

    assert send(data, "--target-label", "label", *sizes, "--name", "try", "--labels-out", str(out)) == 0
    assert endpoint.ids == ["try-h001-r000000", "try-h001-r000001", "try-h002-r000000", "try-h002-r000001"]
    assert out.read_text() == (
        "id,row,label\n"
        "try-h001-r000000,0,no\n"
        "try-h001-r000000,1,yes\n"
        "try-h001-r000001,0,no\n"
        "try-h002-r000000,0,no\n"
        "try-h002-r000000,1,yes\n"
        "try-h002-r000001,0,no\n"
    )


def test_labels_of_a_scenario_are_those_of_the_rows_it_drew(endpoint: FakeRuntime, data: Path, tmp_path: Path) -> None:
    out = tmp_path / "labels.csv"
    drawn = ("--target-label", "label", "--hours", "1", "--rows-per-hour", "9", "--scenario", "none")

    assert send(data, *drawn, "--labels-out", str(out)) == 0
    label_of = {b"1": "no", b"2": "yes", b"3": "no"}
    assert [line.split(",")[2] for line in out.read_text().splitlines()[1:]] == [
        label_of[body] for body in endpoint.bodies
    ]


def test_written_labels_can_be_uploaded(endpoint: FakeRuntime, data: Path, tmp_path: Path) -> None:
    out = tmp_path / "labels.csv"
    assert send(data, "--target-label", "label", "--hours", "1", "--rows-per-hour", "3", "--labels-out", str(out)) == 0

    assert main(["labels", "--labels", str(out), "--to", str(tmp_path / "gt")]) == 0
    (file,) = (path for path in (tmp_path / "gt").rglob("*") if path.is_file())
    names = [json.loads(line)["eventMetadata"]["eventId"] for line in file.read_text().splitlines()]
    assert names == endpoint.ids


def test_a_row_without_an_answer_gets_no_label(endpoint: FakeRuntime, data: Path, tmp_path: Path) -> None:
    from botocore.exceptions import EndpointConnectionError

    class Away(EndpointConnectionError):
        def __init__(self) -> None:
            super().__init__(endpoint_url="nowhere")

    endpoint.failure = Away
    out = tmp_path / "labels.csv"
    assert send(data, "--target-label", "label", "--hours", "1", "--rows-per-hour", "2", "--labels-out", str(out)) == 1
    assert out.read_text() == "id,row,label\n"


def test_unanswered_requests_are_exit_code_1(
    endpoint: FakeRuntime, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from botocore.exceptions import ConnectionClosedError

    class Closed(ConnectionClosedError):
        def __init__(self) -> None:
            super().__init__(endpoint_url="nowhere")

    endpoint.failure = Closed
    assert send(data, "--hours", "1", "--rows-per-hour", "1") == 1
    assert "1 failed" in capsys.readouterr().out


def test_without_credentials_nothing_is_sent_for_hours(
    endpoint: FakeRuntime, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from botocore.exceptions import NoCredentialsError

    endpoint.failure = NoCredentialsError
    assert send(data, "--hours", "1", "--rows-per-hour", "1") == 2
    assert "error: Unable to locate credentials; set --region, and credentials" in capsys.readouterr().err


@pytest.mark.usefixtures("endpoint")
@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--hours", "0"), "hours must be 1 or more, got 0"),
        (("--seconds-per-hour", "0"), "--seconds-per-hour must be a number above 0, got 0.0"),
        (("--seconds-per-hour", "nan"), "--seconds-per-hour must be a number above 0, got nan"),
        (("--scenario", "gradual"), "--scenario must come with --target-label"),
        (("--labels-out", "labels.csv"), "--labels-out must come with --target-label"),
        (
            ("--labels-out", "labels.csv", "--target-label", "label", "--scenario", "overwrite"),
            "--labels-out must come with rows whose labels are true, got --scenario overwrite",
        ),
        (("--name", "n" * 52), "name must be ASCII text that leaves InferenceIds of at most 64 characters"),
        (("--name", "größe"), "name must be ASCII text"),
        (("--scenario", "gradual", "--target-label", "label"), "column must be one of age, got "),
        (("--target-label", "income"), "must have one column 'income'"),
        (("--data", "absent.csv"), "No such file or directory: 'absent.csv'; check the path"),
    ],
)
def test_what_the_user_can_fix_is_shown(
    data: Path, more: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert send(data, *more) == 2
    assert message in capsys.readouterr().err


def test_missing_region_is_shown(
    data: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "x")  # without any, the instance metadata service would be called
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    assert main(["traffic", "--endpoint", "plumbline-dev", "--data", str(data)]) == 2
    assert "You must specify a region.; set --region" in capsys.readouterr().err
