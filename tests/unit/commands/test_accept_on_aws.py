"""`plumbline accept --environment`: where it reads and writes, and what it refuses."""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from plumbline.cli import main
from plumbline.contract.champion import Champion, ChampionHistory
from plumbline.drift.reference.accepted import AcceptedWindows, Undone, read_record
from plumbline.drift.run import monitor
from tests.unit.drift.builders import record, write_capture
from tests.unit.drift.fake_s3 import FakeS3
from tests.unit.drift.test_run import learned, probability, rows

REPORTS = "reports/plumbline-dev/plumbline-dev-monitor"
ARN = "arn:aws:sts::000000000000:assumed-role/ops/ada"
WINDOWS = "2026-11-22T12:00:00Z/2026-11-22T13:00:00Z"


class FakeAws(FakeS3):
    """All services in memory, with one bucket."""

    class NoSuchKeyError(Exception):
        """S3's answer to a missing key."""

    def __init__(self, objects: Mapping[str, str]) -> None:
        super().__init__(dict(objects))
        self.exceptions, self.NoSuchKey = self, self.NoSuchKeyError
        self.written: dict[str, str] = {}
        self.refused: ClientError | None = None

    def describe_stacks(self, *, StackName: str) -> Mapping[str, Any]:
        assert StackName == "plumbline-dev-foundation"
        outputs = {"ArtifactsBucketName": "bucket", "ReportsBucketName": "bucket"}
        return {"Stacks": [{"Outputs": [{"OutputKey": k, "OutputValue": v} for k, v in outputs.items()]}]}

    def get_object(self, *, Bucket: str, Key: str) -> Mapping[str, Any]:
        if Key not in self.objects:
            raise self.NoSuchKeyError
        return {"Body": io.BytesIO(self.objects[Key].encode())}

    def put_object(self, *, Bucket: str, Key: str, Body: bytes) -> None:
        if self.refused:
            raise self.refused
        self.written[Key] = Body.decode()

    def get_caller_identity(self) -> Mapping[str, str]:
        return {"Arn": ARN}


@pytest.fixture(scope="module")
def objects(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A bucket with a champion's baseline and the report of one drifted hour."""
    folder = tmp_path_factory.mktemp("aws")
    learned(folder)
    captured = [record(",".join(row[:-1]), f"{probability(row)}\n") for row in rows(3, 600, later=7)]
    start, end = WINDOWS.split("/")
    monitor(
        dataset_source=write_capture(folder / "data", captured),
        baseline=folder / "baseline", output=folder / "report", start_time=start, end_time=end,
    )  # fmt: skip
    found = {f"baseline/{file.name}": file.read_text() for file in Path(folder / "baseline").iterdir()}
    found[f"{REPORTS}/2026/11/22/12/window_counts.json"] = (folder / "report" / "window_counts.json").read_text()
    found["champion/history.json"] = history()
    return found


def history(*later: Champion) -> str:
    return ChampionHistory((Champion("s3://bucket/one.tar.gz", "s3://bucket/baseline"), *later)).to_json()


@pytest.fixture
def aws(objects: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> FakeAws:
    fake = FakeAws(objects)
    monkeypatch.setattr(boto3, "client", lambda service, **options: fake)
    return fake


def accept(*arguments: str) -> int:
    return main(["accept", "--environment", "dev", *arguments])


@pytest.mark.parametrize("window", [WINDOWS, "2026-11-22T12:00:00Z"])
def test_a_record_has_the_caller_the_model_and_the_windows(aws: FakeAws, window: str) -> None:
    assert accept("--window", window, "--reason", "the new region") == 0
    ((key, text),) = aws.written.items()
    assert key.startswith("accepted/20")
    found = read_record(text)
    assert isinstance(found, AcceptedWindows)
    assert (found.acceptance.by, found.acceptance.reason) == (ARN, "the new region")
    assert (found.model, found.n_rows, found.probabilities is not None) == ("s3://bucket/one.tar.gz", 600, True)


def test_what_another_model_answered_is_no_reference_of_the_prediction(
    aws: FakeAws, capsys: pytest.CaptureFixture[str]
) -> None:
    since = "2026-11-22T13:30:00Z"
    second = Champion("s3://bucket/two.tar.gz", "s3://bucket/baseline", None, since, since)
    aws.objects = {**aws.objects, "champion/history.json": history(second)}
    assert accept("--window", WINDOWS, "--reason", "the new region") == 0
    found = read_record(next(iter(aws.written.values())))
    assert isinstance(found, AcceptedWindows)
    assert found.probabilities is None
    assert "the prediction is not accepted" in capsys.readouterr().out


def test_undoing_is_a_record_later_than_the_last_whatever_the_clock_says(
    aws: FakeAws, capsys: pytest.CaptureFixture[str]
) -> None:
    assert accept("--window", WINDOWS, "--reason", "new") == 0
    ((key, text),) = aws.written.items()
    ahead = "accepted/20991231T000000000000Z.json"
    aws.objects, aws.written = {**aws.objects, key: text, ahead: text}, {}
    assert accept("--undo", "--by", "Bob") == 0
    ((undone_key, undone),) = aws.written.items()
    found = read_record(undone)
    assert isinstance(found, Undone)
    assert found.by == "Bob"
    capsys.readouterr()
    aws.objects = {**aws.objects, undone_key: undone}
    assert accept("--list") == 0
    assert "accepted by " + ARN in capsys.readouterr().out


def test_undoing_without_a_record_ends_what_the_environment_file_states(
    aws: FakeAws, capsys: pytest.CaptureFixture[str]
) -> None:
    assert accept("--undo") == 0
    assert len(aws.written) == 1
    assert "what the environment file accepts, if it does, is no longer" in capsys.readouterr().out


def test_errors_say_what_to_do(aws: FakeAws, capsys: pytest.CaptureFixture[str]) -> None:
    aws.refused = ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "PutObject")
    assert accept("--window", WINDOWS, "--reason", "new") == 2
    assert "that you may do this there" in capsys.readouterr().err
    aws.objects = {key: text for key, text in aws.objects.items() if not key.startswith("champion")}
    assert accept("--window", WINDOWS, "--reason", "new") == 2
    assert "must have a history of champions" in capsys.readouterr().err
    assert accept("--window", "2026-11-21T12:00:00Z", "--reason", "new") == 2
