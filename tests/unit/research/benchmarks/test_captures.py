import csv
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from plumbline.data.census import FEATURES
from research.benchmarks import captures

_RECORDS = 1_001


@pytest.fixture(scope="module")
def window(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return captures.window(tmp_path_factory.mktemp("cache"), _RECORDS, seed=3)


@pytest.fixture(scope="module")
def records(window: Path) -> list[Mapping[str, Any]]:
    return [json.loads(line) for file in sorted(window.rglob("*.jsonl")) for line in file.read_text().splitlines()]


def test_window_has_as_many_records_as_asked_for(records: list[Mapping[str, Any]]) -> None:
    assert len(records) == _RECORDS


def test_window_is_laid_out_as_an_endpoint_lays_it_out(window: Path) -> None:
    folders = {file.parent.relative_to(window).as_posix() for file in window.rglob("*.jsonl")}
    assert folders == {"benchmark/AllTraffic/2026/01/31/13"}


def test_window_has_several_files(window: Path) -> None:
    assert len(list(window.rglob("*.jsonl"))) == 4


def test_event_ids_are_unique(records: list[Mapping[str, Any]]) -> None:
    assert len({record["eventMetadata"]["eventId"] for record in records}) == _RECORDS


def test_times_rise_within_the_window(records: list[Mapping[str, Any]]) -> None:
    times = [record["eventMetadata"]["inferenceTime"] for record in records]
    assert times == sorted(times)
    assert captures.WINDOW_START <= times[0] < times[-1] < captures.WINDOW_END


def test_payloads_hold_one_row_of_the_features(records: list[Mapping[str, Any]]) -> None:
    payloads = [record["captureData"]["endpointInput"]["data"] for record in records]
    assert {len(fields) for fields in csv.reader(payloads)} == {len(FEATURES)}


def test_outputs_are_probabilities(records: list[Mapping[str, Any]]) -> None:
    assert all(0 <= float(record["captureData"]["endpointOutput"]["data"]) <= 1 for record in records)


def test_same_seed_writes_the_same_files(window: Path, tmp_path: Path) -> None:
    again = captures.window(tmp_path, _RECORDS, seed=3)
    files = [
        {file.relative_to(folder): file.read_bytes() for file in folder.rglob("*.jsonl")} for folder in (window, again)
    ]
    assert files[0] == files[1]


def test_other_seed_writes_other_rows(window: Path, tmp_path: Path) -> None:
    other = captures.window(tmp_path, _RECORDS, seed=4)
    assert {file.name for file in other.rglob("*.jsonl")}.isdisjoint(file.name for file in window.rglob("*.jsonl"))


def test_window_is_written_once(window: Path) -> None:
    before = {file: file.stat().st_mtime_ns for file in window.rglob("*.jsonl")}
    assert captures.window(window.parent, _RECORDS, seed=3) == window
    assert {file: file.stat().st_mtime_ns for file in window.rglob("*.jsonl")} == before


def test_reference_rows_fit_their_predictions(tmp_path: Path) -> None:
    files = captures.reference(tmp_path, seed=3)
    lines = [len(path.read_text().splitlines()) - 1 for path in (files.train, files.test, files.predictions)]
    assert lines == [captures.N_TRAIN, captures.N_TEST, captures.N_TEST]
