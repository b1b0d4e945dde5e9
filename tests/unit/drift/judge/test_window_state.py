import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from plumbline.contract.quality import KnownMiss
from plumbline.contract.records import WindowBounds
from plumbline.drift.data.documents import sha256, signed
from plumbline.drift.judge.window_state import (
    Course,
    EarlierFiles,
    PartOfDay,
    WindowState,
    last_state,
    read_window_state,
    window_state_text,
)
from plumbline.drift.statistics.day_test import Dispersion
from plumbline.drift.statistics.sequential import EvidenceSum
from plumbline.drift.statistics.series import SeriesMean


def bounds(hour: int) -> WindowBounds:
    return WindowBounds(f"2026-01-01T{hour:02}:00:00Z", f"2026-01-01T{hour + 1:02}:00:00Z")


def state(hour: int) -> WindowState:
    own = bounds(hour)
    part = PartOfDay(start=own.start or "", end=own.end or "", n_rows=7, means={"age": (SeriesMean(7, 0.25),)})
    course = Course(
        reference="abc", dispersions=(Dispersion(1.5, 2.0),), evidence={"01:00:00": EvidenceSum(2.5, "2026-01-01")}
    )
    miss = KnownMiss(window=own, n_rows=7, miss=-0.125, half_width=0.5)
    return WindowState(bounds=own, day=(part,), courses={"age": course}, misses=(miss,))


def left(folder: Path, hour: int, text: str | None = None) -> Path:
    """Leave the state of one hour's window as a run does."""
    path = folder / f"2026/01/01/{hour:02}" / "window_state.json"
    path.parent.mkdir(parents=True)
    path.write_bytes((text or window_state_text(state(hour))).encode())
    return path


def test_a_state_survives_its_file_byte_for_byte() -> None:
    text = window_state_text(state(3))
    assert read_window_state(text) == state(3)
    assert window_state_text(read_window_state(text)) == text


def test_keys_of_later_versions_are_left_out_and_absent_ones_have_their_default() -> None:
    document = json.loads(window_state_text(state(3)))
    del document["checksum"], document["courses"], document["misses"]
    document["more"] = {"a": 1}
    assert read_window_state(signed(document, before="day")) == replace(state(3), courses={}, misses=())


def test_the_last_state_before_the_window_is_read(tmp_path: Path) -> None:
    for hour in (1, 2, 3, 5):
        left(tmp_path, hour)
    found = last_state(EarlierFiles(tmp_path), bounds(4), besides=tmp_path / "own")
    assert found.state == state(3)
    # A missing run, and a window that is judged again.
    assert last_state(EarlierFiles(tmp_path), bounds(5), besides=tmp_path / "own").state == state(3)
    assert last_state(EarlierFiles(tmp_path), bounds(1), besides=tmp_path / "own").state is None


def test_a_runs_own_state_is_not_before_it(tmp_path: Path) -> None:
    path = left(tmp_path, 3)
    assert last_state(EarlierFiles(tmp_path), bounds(4), besides=path.parent).state is None


def test_no_folder_and_no_times_are_no_state(tmp_path: Path) -> None:
    left(tmp_path, 3)
    assert last_state(EarlierFiles(tmp_path / "absent"), bounds(4), besides=tmp_path).state is None
    assert last_state(EarlierFiles(tmp_path), WindowBounds(), besides=tmp_path / "own").state is None
    failed = last_state(EarlierFiles(tmp_path, "denied"), bounds(4), besides=tmp_path / "own")
    assert (failed.state, failed.failure, failed.is_searched) == (None, "denied", True)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda text: text.replace('"version": 1', '"version": 2'), "must be of version 1, got 2"),
        (lambda text: text.replace('"n_rows": 7', '"n_rows": 8'), "another checksum"),
        (lambda _: "[]", "must be of version 1, got None"),
        (lambda text: text[:100], "Expecting|Unterminated"),
    ],
)
def test_a_damaged_file_is_skipped_and_told(tmp_path: Path, change: Callable[[str], str], why: str) -> None:
    left(tmp_path, 1)
    left(tmp_path, 2, change(window_state_text(state(2))))
    found = last_state(EarlierFiles(tmp_path), bounds(9), besides=tmp_path / "own")
    assert found.state == state(1)
    (told,) = found.skipped
    assert told.startswith("2026/01/01/02/window_state.json: ")
    assert re.search(why, told)


@pytest.mark.parametrize(
    "change",
    [
        {"day": 5},
        {"start": None},
        {"courses": {"age": {}}},
        {"day": [{"start": "2026-01-01T02:00:00Z", "end": "2026-01-01T01:00:00Z", "n_rows": 1, "means": {}}]},
        {"day": [{"start": "x", "end": "y", "n_rows": 1, "means": {}}]},
        {"misses": [{"window": {"start": None, "end": None}, "n_rows": 7, "miss": 0.0, "half_width": 0.5}]},
        {"misses": [{"window": {"start": None, "end": bounds(2).end}, "n_rows": 7, "miss": 0.0, "half_width": -0.5}]},
        {"misses": [{"window": {"start": None, "end": bounds(2).end}, "n_rows": 7, "miss": "x", "half_width": 0.5}]},
        {"courses": {"age": {"reference": "a", "evidence": {"01:00:00": {"log_e": 1.0, "start": "now"}}}}},
    ],
)
def test_a_file_of_another_shape_is_refused_though_its_checksum_is_right(change: dict[str, object]) -> None:
    document = {**json.loads(window_state_text(state(3))), **change}
    del document["checksum"]
    with pytest.raises(ValueError, match="it must fit its schema"):
        read_window_state(signed(document, before="day"))


def test_a_number_that_is_none_is_refused() -> None:
    text = window_state_text(state(3)).replace('"total": 1.5', '"total": NaN')
    text = re.sub('  "checksum": "[0-9a-f]{64}",\n', "", text)
    signed_text = text.replace('\n  "day"', f'\n  "checksum": "{sha256(text)}",\n  "day"', 1)
    with pytest.raises(ValueError, match="numbers must be finite"):
        read_window_state(signed_text)
