"""Labels are written as SageMaker's merge jobs read them, under keys that sort as the labels came."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from plumbline.labels import records as labels
from plumbline.labels.destination import check_place, store
from plumbline.labels.records import RequestLabels, label_files

NOON = datetime(2026, 1, 5, 12, 30, 7, tzinfo=UTC)


def request(name: str, *values: str, collected: datetime = NOON) -> RequestLabels:
    return RequestLabels(name, values or ("1",), collected)


def no_client() -> object:
    raise AssertionError("a folder needs no client")


def test_a_record_is_that_of_the_developer_guide() -> None:
    # Developer Guide, "Ingest Ground Truth labels", with the label as CSV.
    assert json.loads(request("aaaa-bbbb-cccc").to_json()) == {
        "groundTruthData": {"data": "1", "encoding": "CSV"},
        "eventMetadata": {"eventId": "aaaa-bbbb-cccc"},
        "eventVersion": "0",
    }


def test_labels_of_several_rows_are_lines_in_their_order() -> None:
    assert json.loads(request("r", "1", "0", "1").to_json())["groundTruthData"]["data"] == "1\n0\n1"


@pytest.mark.parametrize("label", ["<=50K", "a,b", 'say "x"', "two\nlines", " spaced ", "größer"])
def test_any_label_is_read_back_as_csv(label: str) -> None:
    data = json.loads(request("r", label, "plain").to_json())["groundTruthData"]["data"]

    assert list(csv.reader(io.StringIO(data, newline=""))) == [[label], ["plain"]]


def test_the_key_is_hour_minute_and_second_of_the_latest_label() -> None:
    early, late = request("a", collected=NOON - timedelta(minutes=3)), request("b")
    (file,) = label_files([late, early])

    folder, _, name = file.key.rpartition("/")
    assert folder == "2026/01/05/12"
    assert name.startswith("30-07-")
    assert name.endswith(".jsonl")
    assert [json.loads(line)["eventMetadata"]["eventId"] for line in file.body.splitlines()] == ["a", "b"]


def test_hours_are_those_of_utc() -> None:
    moment = datetime(2026, 1, 5, 0, 45, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    (file,) = label_files([request("a", collected=moment)])

    assert file.key.startswith("2026/01/04/19/15-00-")


def test_each_hour_has_a_file_of_its_own() -> None:
    files = list(label_files([request("b", collected=NOON + timedelta(hours=1)), request("a")]))

    assert [(file.key[:13], file.n_records) for file in files] == [("2026/01/05/12", 1), ("2026/01/05/13", 1)]


def test_the_same_labels_have_the_same_key_and_others_another() -> None:
    (once,), (again,), (other,) = (list(label_files([request("a", value)])) for value in ("1", "1", "0"))

    assert once == again
    assert other.key != once.key


def test_a_correction_stands_after_what_it_corrects() -> None:
    (first,) = label_files([request("a", "1")])
    (second,) = label_files([request("a", "0", collected=NOON + timedelta(seconds=1))])

    assert sorted([second.key, first.key]) == [first.key, second.key]


def test_many_labels_of_one_hour_are_divided(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(labels, "RECORDS_PER_FILE", 2)

    files = list(label_files(request(name) for name in "abcde"))

    assert [file.n_records for file in files] == [2, 2, 1]
    assert len({file.key for file in files}) == 3


def test_a_folder_gets_the_layout_and_the_same_labels_overwrite(tmp_path: Path) -> None:
    for _ in range(2):
        store(label_files([request("a"), request("b", collected=NOON + timedelta(hours=1))]), str(tmp_path), no_client)

    assert sorted(path.relative_to(tmp_path).parent.as_posix() for path in tmp_path.rglob("*") if path.is_file()) == [
        "2026/01/05/12",
        "2026/01/05/13",
    ]


@pytest.mark.parametrize("place", ["s3://", "s3:///prefix", "https://bucket/prefix", "gs://bucket"])
def test_a_place_without_a_bucket_is_refused(place: str) -> None:
    with pytest.raises(ValueError, match="--to must be s3://bucket/prefix or a folder, got"):
        check_place(place)


def test_a_file_is_no_place(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(ValueError, match="got the file"):
        check_place(str(tmp_path / "file"))
