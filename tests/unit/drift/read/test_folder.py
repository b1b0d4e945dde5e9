"""What lies in a folder of captures or labels and is no file to read: passed over, counted, never opened."""

import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from plumbline.contract.records import WindowBounds
from plumbline.contract.rejection import LabelRejectionReason, RejectionReason
from plumbline.drift.data.table import table
from plumbline.drift.errors import BaselineError, ConfigError
from plumbline.drift.ground_truth.labels import Classes, LabelBook
from plumbline.drift.judge.window_state import EarlierFiles, last_state
from plumbline.drift.read.folder import listed, printable
from plumbline.drift.reference.baseline import load, save
from plumbline.drift.reference.csv_inputs import read_training
from plumbline.drift.reference.learn import learn
from tests.unit.drift.builders import SPECS, read_window, record, write_capture

BASELINE = learn(train=table(SPECS, [(17.0, "Private", 1.0), (90.0, "Self", 99.0)]), target_label="income")
EVERYTHING = WindowBounds()
Make = Callable[[Path, Path], object]
"""Makes something odd in the first folder; the second is another folder with a file `a.jsonl`."""

ODD: dict[str, tuple[Make, RejectionReason]] = {
    "pipe": (lambda folder, _: os.mkfifo(folder / "odd.jsonl"), RejectionReason.NOT_A_FILE),
    "folder": (lambda folder, _: (folder / "odd.jsonl").mkdir(), RejectionReason.NOT_A_FILE),
    "folder named like a compressed file": (
        lambda folder, _: (folder / "odd.jsonl.gz").mkdir(), RejectionReason.NOT_A_FILE,
    ),
    "link to a folder inside": (
        lambda folder, _: (folder / "odd.jsonl").symlink_to(folder), RejectionReason.NOT_A_FILE,
    ),
    "broken link": (lambda folder, _: (folder / "odd.jsonl").symlink_to("gone"), RejectionReason.UNUSABLE_LINK),
    "link to itself": (lambda folder, _: (folder / "odd.jsonl").symlink_to("odd.jsonl"), RejectionReason.UNUSABLE_LINK),
    "link to a file outside": (
        lambda folder, other: (folder / "odd.jsonl").symlink_to(other / "a.jsonl"), RejectionReason.UNUSABLE_LINK,
    ),
    "link to a device": (
        lambda folder, _: (folder / "odd.jsonl").symlink_to("/dev/zero"), RejectionReason.UNUSABLE_LINK,
    ),
    "link to a folder outside": (
        lambda folder, other: (folder / "hour").symlink_to(other), RejectionReason.UNUSABLE_LINK,
    ),
    "name that is not UTF-8": (
        lambda folder, _: Path(os.fsdecode(os.fsencode(folder) + b"/\xff.jsonl")).touch(),
        RejectionReason.UNREADABLE_NAME,
    ),
    "newline in the name": (lambda folder, _: (folder / "a\nb.jsonl").touch(), RejectionReason.UNREADABLE_NAME),
    "newline in a folder's name": (
        lambda folder, _: write_capture(folder, [record()], "a\nb/c.jsonl"),
        RejectionReason.UNREADABLE_NAME,
    ),
    "escape sequence in the name": (
        lambda folder, _: (folder / "\x1b[31m.jsonl").touch(), RejectionReason.UNREADABLE_NAME,
    ),
}  # fmt: skip


@pytest.fixture
def other(tmp_path: Path) -> Path:
    return write_capture(tmp_path / "other", [record()], "a.jsonl")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_capture(tmp_path / "captures", [record(event_id="a")])


@pytest.fixture
def listening(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(folder)  # a socket's path has a hundred characters at most
    with socket.socket(socket.AF_UNIX) as open_socket:
        open_socket.bind("odd.jsonl")
        yield


@pytest.mark.parametrize("case", ODD)
def test_what_is_no_capture_file_is_passed_over_and_counted(case: str, folder: Path, other: Path) -> None:
    make, reason = ODD[case]
    make(folder, other)
    records = read_window(folder, BASELINE, EVERYTHING).records
    assert (records.read, records.used, dict(records.rejected)) == (2, 1, {reason: 1})
    assert all(place.isprintable() and place.encode() for place in records.examples[reason])


@pytest.mark.usefixtures("listening")
def test_a_socket_is_passed_over_and_counted(folder: Path) -> None:
    assert read_window(folder, BASELINE, EVERYTHING).records.rejected == {RejectionReason.NOT_A_FILE: 1}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes devices")
def test_a_device_is_passed_over_and_counted(folder: Path) -> None:
    try:
        os.mknod(folder / "odd.jsonl", 0o20600, os.makedev(1, 5))  # /dev/zero, which has no end
    except PermissionError:
        pytest.skip("not even root makes devices here")
    assert read_window(folder, BASELINE, EVERYTHING).records.rejected == {RejectionReason.NOT_A_FILE: 1}


def test_a_link_that_stays_in_the_folder_is_read(folder: Path) -> None:
    source = next(folder.rglob("*.jsonl"))
    (folder / "again.jsonl").symlink_to(source)
    (folder / "hours").symlink_to(source.parent)
    assert read_window(folder, BASELINE, EVERYTHING).records.rejected == {RejectionReason.DUPLICATE_EVENT_ID: 1}


def test_a_folder_that_is_a_link_itself_is_read(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(folder)
    assert read_window(tmp_path / "link", BASELINE, EVERYTHING).records.used == 1


def test_files_of_a_folder_with_a_capture_files_name_are_read(tmp_path: Path) -> None:
    write_capture(tmp_path / "2026.jsonl", [record()])
    records = read_window(tmp_path, BASELINE, EVERYTHING).records
    assert (records.used, dict(records.rejected)) == (1, {RejectionReason.NOT_A_FILE: 1})


def test_a_folder_that_cannot_be_listed_is_the_operators_error(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "iterdir", refuse)
    with pytest.raises(ConfigError, match="must be readable, got Permission denied"):
        listed(folder)


@pytest.mark.parametrize("case", ODD)
def test_what_is_no_label_file_is_passed_over_and_counted(case: str, folder: Path, other: Path) -> None:
    make, reason = ODD[case]
    next(folder.rglob("*.jsonl")).unlink()
    make(folder, other)
    found, book = listed(folder), LabelBook(Classes(("0", "1")))
    book.read(found.files, found.odd)
    account = book.account()
    assert (account.read, account.used, dict(account.rejected)) == (1, 0, {LabelRejectionReason(reason.value): 1})


@pytest.mark.parametrize(
    "make",
    [
        lambda file, _: os.mkfifo(file),
        lambda file, _: file.mkdir(),
        lambda file, _: file.symlink_to(file),
        lambda file, _: file.symlink_to("gone"),
        lambda file, other: file.symlink_to(other / "a.jsonl"),
    ],
    ids=["pipe", "folder", "link to itself", "broken link", "link outside"],
)
def test_what_is_no_earlier_windows_file_is_skipped_with_its_reason(make: Make, tmp_path: Path, other: Path) -> None:
    folder = tmp_path / "reports"
    folder.mkdir()
    make(folder / "window_state.json", other)
    hour = WindowBounds("2026-01-01T00:00:00Z", "2026-01-01T01:00:00Z")
    earlier = last_state(EarlierFiles(folder), hour, besides=tmp_path)
    assert [text.partition(":")[0] for text in earlier.skipped] == ["window_state.json"]
    assert any(reason in earlier.skipped[0] for reason in (RejectionReason.NOT_A_FILE, RejectionReason.UNUSABLE_LINK))


def test_what_no_report_can_show_is_escaped() -> None:
    assert printable("a\nb\x1b\udcffé\u2028.jsonl") == "a\\nb\\x1b\\udcffé\\u2028.jsonl"


BATCH = "2023/01/19/06/fb6e1338-3d5c-4268-9f33-3fde11467816.json"


@pytest.mark.parametrize("name", [BATCH, f"input/{BATCH}", f"job/output/{BATCH}"])
def test_what_a_batch_transform_captured_is_named_as_such(tmp_path: Path, name: str) -> None:
    folder = write_capture(tmp_path, [record()])
    (folder / name).parent.mkdir(parents=True)
    (folder / name).write_text('[\n    {\n        "prefix": "s3://bucket/rows.csv"\n    },\n    ""\n]')
    window = read_window(folder, BASELINE, EVERYTHING)
    assert (window.records.used, window.records.rejected) == (1, {RejectionReason.BATCH_TRANSFORM: 1})
    assert window.records.examples == {RejectionReason.BATCH_TRANSFORM: (name,)}
    assert listed(folder).odd == ()


@pytest.mark.parametrize("name", ["statistics.json", "2023/01/19/06/statistics.json", BATCH.removeprefix("2023/")])
def test_other_files_of_a_folder_are_nothing(tmp_path: Path, name: str) -> None:
    folder = write_capture(tmp_path, [record()])
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text("[]")
    assert read_window(folder, BASELINE, EVERYTHING).records.read == 1


@pytest.mark.parametrize("name", ["baseline.json", "sample.csv"])
def test_a_pipe_in_a_baseline_is_no_baseline(name: str, tmp_path: Path) -> None:
    save(BASELINE, tmp_path)
    (tmp_path / name).unlink()
    os.mkfifo(tmp_path / name)
    with pytest.raises(BaselineError, match=f"must hold a readable {name}, got {name} is no file"):
        load(tmp_path)


def test_a_pipe_among_training_files_is_the_operators_error(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "train.csv")
    with pytest.raises(BaselineError, match=r"train\.csv must be a file, got something else"):
        read_training(tmp_path, None)
