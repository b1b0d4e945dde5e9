"""`plumbline labels` as a person calls it: what it says, writes and ends with."""

import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, NoCredentialsError

from plumbline.cli import main

WRITTEN = datetime(2026, 1, 5, 13, 20, 30, tzinfo=UTC)
URI = "s3://capture/ground-truth/plumbline-dev"


class FakeAws:
    """S3 and CloudFormation in memory; `failure` is what every call ends with."""

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str], bytes] = {}
        self.outputs: list[Mapping[str, str]] = [{"OutputKey": "GroundTruthUri", "OutputValue": URI}]
        self.failure: Exception | None = None

    def put_object(self, *, Bucket: str, Key: str, Body: bytes, ContentType: str) -> None:
        if self.failure:
            raise self.failure
        assert ContentType == "application/jsonlines"
        self.objects[Bucket, Key] = Body

    def describe_stacks(self, *, StackName: str) -> Mapping[str, Any]:
        if self.failure:
            raise self.failure
        assert StackName == "plumbline-dev-foundation"
        return {"Stacks": [{"Outputs": self.outputs}]}


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> FakeAws:
    fake = FakeAws()

    def client(service: str, **options: object) -> FakeAws:
        assert service in {"s3", "cloudformation"}
        assert options == {"region_name": "eu-central-1", "endpoint_url": None}
        return fake

    monkeypatch.setattr(boto3, "client", client)
    return fake


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "labels.csv"
    path.write_text("id,row,label\na,0,1\na,1,0\nb,0,1\n")
    os.utime(path, (WRITTEN.timestamp(),) * 2)
    return path


def label(table: Path, *more: str) -> int:
    return main(["labels", "--labels", str(table), *more])


def files_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_labels_go_to_the_hour_in_which_the_file_was_written(
    table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert label(table, "--to", str(tmp_path / "gt")) == 0

    (file,) = files_below(tmp_path / "gt")
    assert file.parent == tmp_path / "gt" / "2026" / "01" / "05" / "13"
    data = [json.loads(line)["groundTruthData"]["data"] for line in file.read_text().splitlines()]
    assert data == ["1\n0", "1"]
    assert capsys.readouterr().out == (
        "rows: 3 read, 3 used, 0 rejected\n"
        f"labels of 2 requests written below {tmp_path / 'gt'}: 1 file, 2026/01/05/13\n"
    )


def test_the_time_of_collection_can_be_given(table: Path, tmp_path: Path) -> None:
    assert label(table, "--to", str(tmp_path / "gt"), "--collected-at", "2026-01-05T09:00:00+01:00") == 0

    (file,) = files_below(tmp_path / "gt")
    assert file.relative_to(tmp_path / "gt").as_posix().startswith("2026/01/05/08/00-00-")


def test_the_same_file_again_overwrites_its_objects(aws: FakeAws, table: Path) -> None:
    for _ in range(2):
        assert label(table, "--to", f"{URI}/", "--region", "eu-central-1") == 0

    ((bucket, key),) = aws.objects
    assert bucket == "capture"
    assert key.startswith("ground-truth/plumbline-dev/2026/01/05/13/20-30-")


def test_a_whole_bucket_may_be_the_place(aws: FakeAws, table: Path) -> None:
    assert label(table, "--to", "s3://labels", "--region", "eu-central-1") == 0

    assert [key[:13] for _, key in aws.objects] == ["2026/01/05/13"]


def test_an_environment_names_where_its_labels_go(aws: FakeAws, table: Path) -> None:
    assert label(table, "--environment", "dev", "--region", "eu-central-1") == 0

    assert [(bucket, key[:41]) for bucket, key in aws.objects] == [
        ("capture", "ground-truth/plumbline-dev/2026/01/05/13/")
    ]


def test_a_dry_run_writes_nothing(table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert label(table, "--to", str(tmp_path / "gt"), "--dry-run") == 0

    assert not (tmp_path / "gt").exists()
    assert "labels of 2 requests would be written below" in capsys.readouterr().out


def test_rejected_rows_are_printed_and_are_exit_code_1(
    table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table.write_text("id,label,note\na,1,x\nb,?,\n,1,\nc,,\n")

    assert label(table, "--to", str(tmp_path / "gt")) == 1
    shown = capsys.readouterr().out.splitlines()
    assert shown[:4] == [
        "rows: 4 read, 1 used, 3 rejected",
        "rejected: 1 no_id, for example labels.csv:4",
        "rejected: 2 no_label, for example labels.csv:3, labels.csv:5",
        "columns that were ignored: note",
    ]
    assert shown[4].startswith("labels of 1 requests written")


@pytest.mark.parametrize(
    ("failure", "message"),
    [
        (
            ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "PutObject"),
            "(AccessDenied) when calling the PutObject operation: no; check the name",
        ),
        (NoCredentialsError(), "Unable to locate credentials; set --region, and credentials"),
    ],
)
@pytest.mark.parametrize("place", [("--to", URI), ("--environment", "dev")])
def test_a_refusal_of_aws_is_shown(
    aws: FakeAws,
    table: Path,
    capsys: pytest.CaptureFixture[str],
    failure: Exception,
    message: str,
    place: tuple[str, str],
) -> None:
    aws.failure = failure

    assert label(table, *place, "--region", "eu-central-1") == 2
    assert message in capsys.readouterr().err


def test_an_environment_that_awaits_no_labels_is_shown(
    aws: FakeAws, table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    aws.outputs = [{"OutputKey": "TopicArn", "OutputValue": "arn"}]

    assert label(table, "--environment", "dev", "--region", "eu-central-1") == 2
    assert "plumbline-dev-foundation must have the output GroundTruthUri, got none" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--to", "ftp://x"), "--to must be s3://bucket/prefix or a folder, got 'ftp://x'"),
        (("--to", "gt", "--collected-at", "noon"), "--collected-at must be a time as 2026-01-31T13:00:00Z, got 'noon'"),
        (("--to", "gt", "--collected-at", "2099-01-01"), "got 2099-01-01T00:00:00Z by --collected-at"),
        (("--to", "gt", "--labels", "absent.csv"), "No such file or directory: 'absent.csv'; check the path"),
    ],
)
def test_what_the_user_can_fix_is_shown(
    table: Path, capsys: pytest.CaptureFixture[str], more: tuple[str, ...], message: str
) -> None:
    assert label(table, *more) == 2
    assert message in capsys.readouterr().err


def test_labels_that_contradict_each_other_are_exit_code_1_with_their_ids(
    table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    twice = "".join(f"r{number},{label}\n" for number in range(25) for label in (0, 1))
    table.write_text(f"id,label\n{twice}once,1\n")

    assert label(table, "--to", str(tmp_path / "gt")) == 1
    shown = capsys.readouterr().out.splitlines()
    assert shown[0] == "rows: 51 read, 1 used, 50 rejected"
    assert shown[1].startswith("rejected: 50 contradicted, for example labels.csv:2, ")
    assert shown[2].startswith("labels that contradict each other: r0, r1, ")
    assert shown[2].endswith(
        "r19 and 5 more; give a column time, of which the later one counts, or number the rows of one request from 0 "
        "in a column row"
    )
    assert shown[3].startswith("labels of 1 requests written")


@pytest.mark.parametrize(
    ("rows", "rejected"),
    [
        ("a,1,\na,1.0,\n", "1 duplicate"),
        ("a,0,2026-01-01T00:00:00Z\na,1,2026-01-02T00:00:00Z\n", "1 superseded"),
    ],
)
def test_a_row_that_gives_way_to_another_is_counted_and_no_fault(
    table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], rows: str, rejected: str
) -> None:
    table.write_text(f"id,label,time\n{rows}")

    assert label(table, "--to", str(tmp_path / "gt")) == 0
    shown = capsys.readouterr().out.splitlines()
    assert shown[0] == "rows: 2 read, 1 used, 1 rejected"
    assert shown[1].startswith(f"rejected: {rejected}, for example labels.csv:")
    (file,) = files_below(tmp_path / "gt")
    assert json.loads(file.read_text())["groundTruthData"]["data"] == "1"


def final(event_id: str, data: object, encoding: str = "JSON") -> str:
    record = {
        "groundTruthData": {"data": data, "encoding": encoding},
        "eventMetadata": {"eventId": event_id},
        "eventVersion": "0",
    }
    return json.dumps(record)


def test_a_file_in_sagemakers_own_format_is_passed_on_as_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [
        final("a", '{"label": 1}'),
        final("b", '{"instances": [{"label": 0}, {"label": 1}]}'),
        final("c", "1", "CSV"),
    ]
    path = tmp_path / "labels.jsonl"
    path.write_text("\n".join(lines) + "\n")
    os.utime(path, (WRITTEN.timestamp(),) * 2)

    assert label(path, "--to", str(tmp_path / "gt")) == 0
    assert capsys.readouterr().out.splitlines()[:2] == [
        "the file is in SageMaker's ground-truth format already: its records are passed on as they are",
        "records: 3 read, 3 used, 0 rejected",
    ]
    (file,) = files_below(tmp_path / "gt")
    assert file.parent.relative_to(tmp_path / "gt").as_posix() == "2026/01/05/13"
    assert file.read_text().splitlines() == lines


def test_a_file_in_sagemakers_own_format_is_checked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = [
        final("a", "1", "CSV"),
        final("a", '{"label": 1.0}'),
        final("b", "1"),
        final("b", "0"),
        final("c", ""),
        final("d", "{}"),
        '{"id": "e", "label": 1}',
        "{cut off",
    ]
    path = tmp_path / "labels.jsonl"
    path.write_text("\n".join(lines))

    assert label(path, "--to", str(tmp_path / "gt")) == 1
    shown = capsys.readouterr().out.splitlines()
    assert shown[1] == "records: 8 read, 1 used, 7 rejected"
    assert [line.split(",")[0] for line in shown[2:7]] == [
        "rejected: 1 not_json",
        "rejected: 2 not_a_label_record",
        "rejected: 1 no_label",
        "rejected: 1 duplicate",
        "rejected: 2 contradicted",
    ]
    assert shown[7] == "labels that contradict each other: b; keep one record of each"
    (file,) = files_below(tmp_path / "gt")
    assert file.read_text().splitlines() == lines[:1]


def test_a_file_from_the_future_is_shown(table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    os.utime(table, (datetime(2099, 1, 1, tzinfo=UTC).timestamp(),) * 2)

    assert label(table, "--to", str(tmp_path / "gt")) == 2
    assert "got 2099-01-01T00:00:00Z by the time of the file; give --collected-at" in capsys.readouterr().err


def test_a_table_without_a_usable_row_is_shown(table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table.write_text("id,label\n")

    assert label(table, "--to", str(tmp_path / "gt")) == 2
    assert "--labels must hold a row that can be used, got none" in capsys.readouterr().err
    assert not (tmp_path / "gt").exists()
