from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from research.benchmarks.captures import ReferenceCsv
from research.benchmarks.programs import BenchmarkTask, ProgramCommand
from research.benchmarks.results import NotRun
from research.benchmarks.runner import BenchmarkError, BenchmarkPlan, Runner

_FOUND = {"seconds": 2.0, "cpu_seconds": 1.5, "peak_bytes": 10, "first_line_seconds": None}

_REFERENCE = ReferenceCsv(Path("train.csv"), Path("test.csv"), Path("predictions.csv"))


@dataclass(frozen=True)
class _Program:
    name: str
    rows: int | None = None
    versions: Mapping[str, str] = field(default_factory=dict)

    def command(self, task: BenchmarkTask) -> ProgramCommand:
        return ProgramCommand((self.name,), {}, task.output)

    def rows_judged(self, task: BenchmarkTask) -> int:
        return int(task.window.name) if self.rows is None else self.rows


@dataclass
class _Measure:
    """Stands for the measuring process: names in `failing` end with exit code 1."""

    failing: frozenset[str] = frozenset()
    started: list[str] = field(default_factory=list)

    def __call__(self, command: ProgramCommand, log: Path) -> Mapping[str, Any]:
        self.started.append(command.words[0])
        log.write_text("reading\nout of memory\n\n")
        return {**_FOUND, "exit_code": int(command.words[0] in self.failing)}


def _runner(folder: Path, measure: _Measure) -> Runner:
    def task(records: int) -> BenchmarkTask:
        return BenchmarkTask(_REFERENCE, folder / "baseline", folder / str(records), folder / "output")

    return Runner(task, measure, report_progress=lambda text: None)


def test_each_repetition_starts_with_another_program() -> None:
    turns = BenchmarkPlan([10], repetitions=3, largest_of_peers=10).turns(["plumbline", "one", "two"])
    assert [name for _, _, name in turns] == [
        "plumbline", "one", "two", "one", "two", "plumbline", "two", "plumbline", "one",
    ]  # fmt: skip


def test_sizes_come_in_ascending_order() -> None:
    turns = BenchmarkPlan([20, 10], repetitions=1, largest_of_peers=20).turns(["plumbline", "one"])
    assert [(records, name) for records, _, name in turns] == [
        (10, "plumbline"), (10, "one"), (20, "plumbline"), (20, "one"),
    ]  # fmt: skip


def test_windows_above_a_million_run_once() -> None:
    turns = list(BenchmarkPlan([1_000_000, 1_000_001], repetitions=2, largest_of_peers=1).turns(["plumbline"]))
    assert [records for records, _, _ in turns] == [1_000_000, 1_000_000, 1_000_001]


def test_spark_runs_on_its_window_alone_and_peers_do_not() -> None:
    plan = BenchmarkPlan([10], repetitions=1, largest_of_peers=10, size_on_spark=20)
    assert [(records, name) for records, _, name in plan.turns(["plumbline", "plumbline on Spark", "one"])] == [
        (10, "plumbline"), (10, "one"), (20, "plumbline"), (20, "plumbline on Spark"),
    ]  # fmt: skip


def test_large_windows_are_ours_alone_and_reported(tmp_path: Path) -> None:
    runner = _runner(tmp_path, _Measure())
    runner.run(BenchmarkPlan([10, 20], 1, largest_of_peers=10), [_Program("plumbline"), _Program("one")])
    assert [(entry.program, entry.records) for entry in runner.measurements] == [
        ("plumbline", 10), ("one", 10), ("plumbline", 20),
    ]  # fmt: skip
    assert runner.not_run == [NotRun("one", 20, "above --largest-of-peers 10")]


def test_measurement_carries_what_was_measured(tmp_path: Path) -> None:
    runner = _runner(tmp_path, _Measure())
    runner.run(BenchmarkPlan([10], 1, 10), [_Program("plumbline")])
    (entry,) = runner.measurements
    assert (entry.seconds, entry.cpu_seconds, entry.peak_bytes, entry.first_line_seconds) == (2.0, 1.5, 10, None)


def test_failed_peer_is_reported_with_its_last_line_and_not_run_again(tmp_path: Path) -> None:
    measure = _Measure(failing=frozenset({"one"}))
    runner = _runner(tmp_path, measure)
    runner.run(BenchmarkPlan([10, 20], 2, 20), [_Program("plumbline"), _Program("one")])
    assert runner.not_run == [NotRun("one", 10, "exit code 1: out of memory")]
    assert measure.started.count("one") == 1
    assert measure.started.count("plumbline") == 4


def test_peer_that_lost_rows_has_no_measurement(tmp_path: Path) -> None:
    runner = _runner(tmp_path, _Measure())
    runner.run(BenchmarkPlan([10], 1, 10), [_Program("plumbline"), _Program("one", rows=9)])
    assert [entry.program for entry in runner.measurements] == ["plumbline"]
    assert runner.not_run == [NotRun("one", 10, "rows judged must be 10, got 9")]


def test_failure_of_ours_ends_the_benchmark(tmp_path: Path) -> None:
    runner = _runner(tmp_path, _Measure(failing=frozenset({"plumbline"})))
    with pytest.raises(BenchmarkError, match="exit code 1: out of memory"):
        runner.run(BenchmarkPlan([10], 1, 10), [_Program("plumbline")])
