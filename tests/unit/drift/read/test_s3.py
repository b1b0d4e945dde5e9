import zipfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from plumbline.drift.aws import client
from plumbline.drift.data.times import HOUR
from plumbline.drift.errors import BaselineError, ConfigError
from plumbline.drift.read.s3 import (
    CaptureFile,
    extract,
    fetch,
    fetch_captures,
    fetch_hours,
    fetch_window_states,
    list_captures,
    local_copy,
    store_folder,
)
from tests.unit.drift.fake_s3 import FakeS3

START = datetime(2026, 11, 22, 0, tzinfo=UTC)


def no_s3() -> Any:
    pytest.fail("a local path needs no S3")


def test_a_local_path_is_used_where_it_is(tmp_path: Path) -> None:
    assert fetch(str(tmp_path), tmp_path / "workspace", no_s3) == tmp_path
    assert not (tmp_path / "workspace").exists()


def test_an_object_is_stored_under_its_name(tmp_path: Path) -> None:
    file = fetch("s3://bucket/a/train.csv", tmp_path, FakeS3({"a/train.csv": "x"}))
    assert file == tmp_path / "train.csv"
    assert file.read_text() == "x"


@pytest.mark.parametrize("uri", ["s3://bucket/a/b", "s3://bucket/a/b/"])
def test_a_prefix_is_a_folder_of_its_objects_only(tmp_path: Path, uri: str) -> None:
    objects = {"a/b/": "", "a/b/baseline.json": "1", "a/b/c/test.csv": "2", "a/bc/other": "3"}
    folder = fetch(uri, tmp_path, FakeS3(objects))
    found = {str(file.relative_to(folder)): file.read_text() for file in folder.rglob("*") if file.is_file()}
    assert found == {"baseline.json": "1", "c/test.csv": "2"}


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("s3://bucket/empty", "s3://bucket/empty must hold objects, got none"),
        ("s3://bucket/no.csv", "s3://bucket/no.csv must be readable, got An error occurred (404)"),
        ("s3://", "must look like s3://bucket/prefix"),
    ],
)
def test_what_cannot_be_fetched_is_the_operators_error(tmp_path: Path, uri: str, message: str) -> None:
    with pytest.raises(ConfigError) as error:
        fetch(uri, tmp_path, FakeS3({"x/y": ""}))
    assert message in str(error.value)


def test_a_local_path_that_is_not_there_is_the_operators_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="must exist, got no such file or folder"):
        fetch(str(tmp_path / "nowhere"), tmp_path, no_s3)


def test_a_key_may_not_leave_its_folder(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="must stay below its prefix"):
        fetch("s3://bucket/a", tmp_path / "in", FakeS3({"a/../../evil": "x"}))
    assert not (tmp_path / "evil").exists()


def test_the_hour_of_every_variant_is_fetched_with_late_files_of_the_hour_before(tmp_path: Path) -> None:
    files = [
        "A/2026/11/22/00/00-10-000-x.jsonl",
        "A/2026/11/21/23/59-30-000-x.jsonl",
        "A/2026/11/21/23/49-59-999-x.jsonl",
        "A/2026/11/22/01/00-00-000-x.jsonl",
        "B/2026/11/22/00/30-00-000-x.jsonl",
    ]
    objects = {f"capture/ep/{name}": name for name in files} | {"capture/ep2/A/2026/11/22/00/00-00-000-x.jsonl": ""}
    folder = fetch_captures("s3://bucket/capture/ep", START, START + HOUR, tmp_path / "hour", FakeS3(objects))
    found = {str(file.relative_to(folder)) for file in folder.rglob("*.jsonl")}
    assert found == {files[0], files[1], files[4]}


def test_the_hours_of_a_longer_window_are_fetched_with_late_files_of_the_hour_before_all(tmp_path: Path) -> None:
    hours = ["2026/11/21/23", "2026/11/22/00", "2026/11/22/01", "2026/11/22/02", "2026/11/22/03"]
    objects = {f"capture/ep/A/{hour}/{name}-00-000-x.jsonl": hour for hour in hours for name in ("05", "55")}
    end = START + 3 * HOUR

    folder = fetch_captures("s3://bucket/capture/ep", START, end, tmp_path / "hours", FakeS3(objects))

    found = sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*.jsonl"))
    _early_before, *expected = (f"A/{hour}/{name}-00-000-x.jsonl" for hour in hours[:4] for name in ("05", "55"))
    assert found == expected


def test_a_window_that_begins_within_an_hour_has_that_whole_hour_fetched() -> None:
    objects = {f"capture/ep/A/2026/11/22/0{hour}/10-00-000-x.jsonl": "" for hour in range(4)}
    start, end = START + HOUR * 1.5, START + HOUR * 2.5
    found = list_captures("s3://bucket/capture/ep", start, end, FakeS3(objects))
    assert [file.name for file in found] == [f"A/2026/11/22/0{hour}/10-00-000-x.jsonl" for hour in (1, 2)]


REPORTS = "reports/ep/ep-monitor"


def stored(folder: Path) -> list[str]:
    return sorted(str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file())


def states(*hours: str) -> FakeS3:
    files = ("drift_report.json", "window_counts.json", "window_state.json")
    return FakeS3({f"{REPORTS}/{hour}/{file}": hour for hour in hours for file in files})


def test_the_last_states_are_fetched_and_nothing_else(tmp_path: Path) -> None:
    bucket = states(*(f"2026/11/21/{hour:02}" for hour in range(24)), "2026/11/22/00", "2026/11/22/01")
    found = stored(fetch_window_states(f"s3://bucket/{REPORTS}", START, tmp_path, bucket))
    hours = [*(f"21/{hour}" for hour in range(17, 24)), "22/00"]
    assert found == [f"2026/11/{hour}/window_state.json" for hour in hours]


def test_no_earlier_reports_are_an_empty_folder(tmp_path: Path) -> None:
    folder = fetch_window_states(f"s3://bucket/{REPORTS}", START, tmp_path / "earlier", FakeS3({}))
    assert folder.is_dir()
    assert stored(folder) == []


def test_states_of_a_week_of_missing_runs_are_found_and_older_ones_not(tmp_path: Path) -> None:
    bucket = states("2026/11/13/23", "2026/11/14/05")
    found = stored(fetch_window_states(f"s3://bucket/{REPORTS}", START, tmp_path, bucket))
    assert found == ["2026/11/14/05/window_state.json"]


def test_reports_that_may_not_be_read_are_the_operators_error(tmp_path: Path) -> None:
    refusal = ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "ListObjectsV2")
    with pytest.raises(ConfigError, match="check the URI and the monitoring role's rights"):
        fetch_window_states(f"s3://bucket/{REPORTS}", START, tmp_path, FakeS3({}, refusal))


def test_an_hour_without_files_is_an_empty_folder(tmp_path: Path) -> None:
    folder = fetch_captures("s3://bucket/capture/ep", START, START + HOUR, tmp_path / "hour", FakeS3({}))
    assert folder.is_dir()
    assert list(folder.iterdir()) == []


def test_capture_that_may_not_be_listed_is_the_operators_error(tmp_path: Path) -> None:
    refusal = ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "ListObjectsV2")
    with pytest.raises(ConfigError, match="check the URI and the monitoring role's rights"):
        fetch_captures("s3://bucket/capture/ep", START, START + HOUR, tmp_path, FakeS3({}, refusal))


def test_capture_is_in_s3(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="must look like s3://bucket/prefix, got '/local/'"):
        fetch_captures("/local", START, START + HOUR, tmp_path, no_s3)


def test_the_client_has_the_given_region(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "x")  # without any, the instance metadata service would be asked
    assert client("s3", "eu-west-1").meta.region_name == "eu-west-1"


def zipped(file: Path, members: Mapping[str, str]) -> Path:
    with zipfile.ZipFile(file, "w") as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return file


def test_an_archive_becomes_its_folder(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "b.zip", {"baseline.json": "{}", "more/": "", "more/test.csv": "x"})
    folder = fetch(str(archive), tmp_path / "workspace", no_s3)
    assert (folder / "baseline.json").read_text() == "{}"
    assert (folder / "more" / "test.csv").read_text() == "x"


@pytest.mark.parametrize("name", ["../evil", "/tmp/evil", "a/../../evil"])
def test_a_member_may_not_leave_the_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(BaselineError, match="must hold paths below its root"):
        extract(zipped(tmp_path / "b.zip", {name: "x"}), tmp_path / "in")
    assert not (tmp_path / "evil").exists()


def test_an_archive_that_swells_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "b.zip", {str(number): "" for number in range(1001)})
    with pytest.raises(BaselineError, match="in 1000 files at most, got 0 in 1001"):
        extract(archive, tmp_path / "in")
    assert not (tmp_path / "in").exists()


def test_a_damaged_archive_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "b.zip"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("baseline.json", "{" * 1000)
    damaged = bytearray(file.read_bytes())
    # The first byte after the member's header says how it is compressed: 0xff names a kind that does not exist.
    damaged[30 + len("baseline.json")] = 0xFF
    file.write_bytes(damaged)

    with pytest.raises(BaselineError, match="must be a readable zip archive"):
        extract(file, tmp_path / "in")


def test_a_file_that_is_no_archive_is_refused(tmp_path: Path) -> None:
    (tmp_path / "b.zip").write_text("text")
    with pytest.raises(BaselineError, match="must be a readable zip archive"):
        extract(tmp_path / "b.zip", tmp_path / "in")


def test_the_files_of_an_hour_have_names_places_and_sizes() -> None:
    keys = [
        "A/2026/11/22/00/00-10-000-x.jsonl",
        "A/2026/11/21/23/59-30-000-x.jsonl",
        "A/2026/11/21/23/10-00-000-x.jsonl",
    ]
    objects = {f"capture/ep/{key}": "text" for key in keys}
    assert list_captures("s3://bucket/capture/ep/", START, START + HOUR, FakeS3(objects)) == [
        CaptureFile(key, f"s3://bucket/capture/ep/{key}", 4) for key in (keys[1], keys[0])
    ]


def test_a_listed_key_may_not_leave_its_folder() -> None:
    objects = {"capture/ep/A/2026/11/22/00/../../../../../../../evil.jsonl": "x"}
    with pytest.raises(ConfigError, match="must stay below its prefix"):
        list_captures("s3://bucket/capture/ep", START, START + HOUR, FakeS3(objects))


def test_a_copy_of_an_object_goes_when_it_was_read() -> None:
    with local_copy("s3://bucket/a/b.jsonl", FakeS3({"a/b.jsonl": "text"})) as file:
        assert file.read_text() == "text"
    assert not file.exists()


def test_a_local_file_needs_no_copy(tmp_path: Path) -> None:
    with local_copy(str(tmp_path / "a.jsonl"), no_s3) as file:
        assert file == tmp_path / "a.jsonl"


def test_an_object_that_is_gone_is_the_operators_error() -> None:
    with (
        pytest.raises(ConfigError, match="s3://bucket/gone must be readable"),
        local_copy("s3://bucket/gone", FakeS3({})),
    ):
        pytest.fail("there is nothing to read")


def test_the_objects_of_some_hours_are_those_of_their_folders(tmp_path: Path) -> None:
    objects = {f"gt/ep/2026/11/{hour}/a.jsonl": hour for hour in ("21/23", "22/00", "22/01", "22/02")}
    objects |= {"gt/ep/2026/11/22/01/": "", "gt/ep2/2026/11/22/00/a.jsonl": "another endpoint"}
    end = datetime(2026, 11, 22, 2, tzinfo=UTC)
    folder = fetch_hours("s3://bucket/gt/ep", START, end, tmp_path / "labels", FakeS3(objects))
    found = sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file())
    assert found == ["2026/11/22/00/a.jsonl", "2026/11/22/01/a.jsonl"]


def test_a_folder_is_stored_below_a_prefix(tmp_path: Path) -> None:
    (tmp_path / "ep" / "A").mkdir(parents=True)
    (tmp_path / "ep" / "A" / "part-00000.jsonl").write_text("{}\n")
    s3 = FakeS3({})
    store_folder(tmp_path, "s3://bucket/merged/", s3)
    assert s3.stored == {"merged/ep/A/part-00000.jsonl": "{}\n"}


def test_an_object_with_the_same_bytes_is_left(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text("1")
    (tmp_path / "b.jsonl").write_text("1")
    s3 = FakeS3({})
    store_folder(tmp_path, "s3://bucket/merged", s3)
    (tmp_path / "b.jsonl").write_text("2")
    store_folder(tmp_path, "s3://bucket/merged", s3)
    assert s3.stored == {"merged/a.jsonl": "1", "merged/b.jsonl": "2"}
    assert s3.n_uploads == 3


def test_a_folder_that_cannot_be_stored_is_the_operators_error(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("")
    denied = ClientError({"Error": {"Code": "403", "Message": "no"}}, "HeadObject")
    with pytest.raises(ConfigError, match="s3://bucket/merged must be writable, got An error occurred"):
        store_folder(tmp_path, "s3://bucket/merged", FakeS3({}, denied))
