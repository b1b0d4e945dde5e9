"""`plumbline demo` as a person runs it: what it leaves, what it says, and that nothing of it stays behind."""

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from plumbline.contract.names import ReportFile
from plumbline.data import census
from tests.e2e.local_account import ROOT, processes_below

pytestmark = pytest.mark.e2e

HOURS = 4
HOUR_FILES = set(ReportFile)
PLOTS = {"drift_score.png", "projected_accuracy.png", "p_values.png"}
STEP_SECONDS = 120


N_ROWS = 1000
SYNTHETIC = ("--synthetic", "--rows-per-hour", str(N_ROWS))


def demo(output: Path, *more: str) -> list[str]:
    """Return the command line of a demo of four hours."""
    return [str(ROOT / ".venv" / "bin" / "plumbline"), "demo", "--hours", str(HOURS), "--output", str(output), *more]


def play(output: Path, *more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(demo(output, *more), cwd=ROOT, capture_output=True, text=True, check=False)


@contextmanager
def started(output: Path) -> Iterator[subprocess.Popen[str]]:
    """Start a demo at the head of a process group of its own, as a terminal does."""
    command = demo(output, *SYNTHETIC)
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


def wait_for_line(process: subprocess.Popen[str], pattern: str) -> None:
    """Read the demo's output until a line has the pattern."""
    assert process.stdout
    for line in process.stdout:
        if re.search(pattern, line):
            return
    pytest.fail(f"the demo ended without a line like {pattern}")


def summary_of(output: Path) -> Any:
    return json.loads((output / "summary.json").read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Left:
    """An interrupted demo, and the whole one that followed on the same output folder."""

    output: Path
    interrupted_code: int
    interrupted_error: str
    processes: list[str]
    finished: subprocess.CompletedProcess[str]


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> Left:
    output = tmp_path_factory.mktemp("demo") / "output"
    with started(output) as process:
        wait_for_line(process, r"^ +1 +1000 ")
        time.sleep(0.5)  # into the second hour: requests are on their way
        os.killpg(process.pid, signal.SIGINT)
        _, error = process.communicate(timeout=STEP_SECONDS)
    return Left(output, process.returncode, error, processes_below(output), play(output, *SYNTHETIC))


def test_ctrl_c_in_an_hour_leaves_nothing_running(left: Left) -> None:
    assert (left.interrupted_code, left.interrupted_error) == (130, "plumbline: interrupted\n")
    assert left.processes == []


def test_ctrl_c_while_deploying_leaves_nothing_running(tmp_path: Path) -> None:
    with started(tmp_path / "output") as process:
        wait_for_line(process, "start the embedded AWS")
        time.sleep(2)  # the CDK CLI, its bootstrap and the app are at work
        assert len(processes_below(tmp_path)) > 2
        os.killpg(process.pid, signal.SIGINT)
        _, error = process.communicate(timeout=STEP_SECONDS)

    assert process.returncode == 130, error
    assert processes_below(tmp_path) == []


def test_next_demo_on_the_same_folder_succeeds_and_ends_all_it_started(left: Left) -> None:
    assert left.finished.returncode == 0, left.finished.stderr
    assert processes_below(left.output) == []
    assert not (left.output / ".state").exists()


def test_screen_says_what_happened_hour_by_hour(left: Left) -> None:
    screen = left.finished.stdout

    assert "data: a synthetic census-like population (--synthetic)" in screen
    assert re.findall(r"^ +(\d) +1000 +(\w+)", screen, re.MULTILINE) == [
        ("1", "no_drift"),
        ("2", "no_drift"),
        ("3", "drift"),
        ("4", "drift"),
    ]
    assert "alarm plumbline-dev-drift fired" in screen
    assert f"Read {left.output / 'report.html'} next." in screen


def test_output_folder_holds_report_plots_reports_and_log(left: Left) -> None:
    names = {path.name for path in left.output.iterdir()}
    assert PLOTS | {"report.html", "summary.json", "server.log", "reports"} <= names
    assert [path.stat().st_size > 0 for path in (left.output / "server.log", left.output / "report.html")] == [True] * 2

    by_hour = {folder.name: {file.name for file in folder.iterdir()} for folder in (left.output / "reports").iterdir()}
    assert len(by_hour) == HOURS
    assert set(map(frozenset, by_hour.values())) == {frozenset(HOUR_FILES)}


def test_report_is_one_file_that_loads_nothing(left: Left) -> None:
    page = (left.output / "report.html").read_text(encoding="utf-8")

    assert "hours-per-week" in page
    assert re.findall(r"""(?:src|href|action)\s*=\s*["']?(?!data:|#)[^"'>\s]+""", page) == []
    assert re.findall(r"@import|url\((?!['\"]?(?:data:|#))", page) == []


def test_summary_has_exactly_the_promised_keys(left: Left) -> None:
    summary = summary_of(left.output)

    assert set(summary) == {"data_source", "hours", "alarms", "retrainings", "promotions"}
    assert summary["data_source"] == "synthetic"
    hour_keys = {"window", "n_rows", "verdict", "drifted_features", "true_accuracy", "projected_accuracy"}
    hour_keys |= {"realised_accuracy", "shifts", "reason", "model"}
    assert [set(hour) for hour in summary["hours"]] == [hour_keys] * HOURS
    assert [set(hour["projected_accuracy"]) for hour in summary["hours"]] == [
        {"status", "estimate", "lower", "upper", "verdict"}
    ] * HOURS
    assert [set(hour["realised_accuracy"]) for hour in summary["hours"]] == [
        {"status", "value", "lower", "upper", "verdict", "labelled_fraction", "projection_error", "known_in_hour"}
    ] * HOURS
    assert {frozenset(alarm) for alarm in summary["alarms"]} == {frozenset({"name", "fired_in_hour"})}


def test_summary_tells_the_loop(left: Left) -> None:
    summary = summary_of(left.output)

    assert_caught_in_its_first_hour(summary)
    assert [hour["realised_accuracy"]["known_in_hour"] for hour in summary["hours"]] == [2, 3, 4, None]
    assert [hour["n_rows"] for hour in summary["hours"]] == [N_ROWS] * HOURS


def assert_caught_in_its_first_hour(summary: Mapping[str, Any]) -> None:
    """Two quiet hours; hours-per-week is caught in hour 3, when too few labels are there to retrain."""
    hours = summary["hours"]
    assert [hour["verdict"] for hour in hours] == ["no_drift", "no_drift", "drift", "drift"]
    assert "hours-per-week" in hours[2]["drifted_features"]
    assert {"name": "plumbline-dev-drift", "fired_in_hour": 3} in summary["alarms"]
    assert min(alarm["fired_in_hour"] for alarm in summary["alarms"]) == 3
    assert summary["retrainings"] == []


@pytest.fixture(scope="module")
def concept(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Any]:
    """Screen and summary of a demo in which the labels change from hour 3 on, and the rows do not."""
    output = tmp_path_factory.mktemp("concept") / "output"
    finished = play(output, "--synthetic", "--scenario", "concept")
    assert finished.returncode == 0, finished.stderr
    return finished.stdout, summary_of(output)


def test_pure_concept_shift_leaves_features_and_projection_calm(concept: tuple[str, Any]) -> None:
    _, summary = concept

    assert [hour["verdict"] for hour in summary["hours"]] == ["no_drift"] * HOURS
    assert [hour["projected_accuracy"]["verdict"] for hour in summary["hours"]] == ["no_drift"] * HOURS
    assert summary["hours"][1]["true_accuracy"] - summary["hours"][2]["true_accuracy"] > 0.03


def test_labels_reveal_concept_shift_an_hour_later(concept: tuple[str, Any]) -> None:
    _, summary = concept

    realised = [hour["realised_accuracy"] for hour in summary["hours"]]
    assert [known["known_in_hour"] for known in realised] == [2, 3, 4, None]
    assert [known["verdict"] for known in realised] == ["no_drift", "no_drift", "drift", "not_judged"]
    assert [hour["shifts"]["concept_shift"]["with_labels"] for hour in summary["hours"]] == [
        "no_drift",
        "no_drift",
        "drift",
        "not_judged",
    ]
    for hour, known in zip(summary["hours"][:3], realised, strict=False):
        assert 0.2 < known["labelled_fraction"] < 0.4
        assert_no_miss_beyond_chance(known, hour["true_accuracy"])


def test_concept_shift_alarms_and_asks_for_labels(concept: tuple[str, Any]) -> None:
    screen, summary = concept

    assert {"name": "plumbline-dev-concept-shift", "fired_in_hour": 4} in summary["alarms"]
    assert {alarm["fired_in_hour"] for alarm in summary["alarms"]} == {4}
    assert summary["retrainings"] == []
    assert "message: Retraining not started, labels needed: plumbline-dev" in screen
    assert "labels of hour 3 show concept shift" in screen
    assert "the projection stayed calm" in screen


def assert_no_miss_beyond_chance(interval: dict[str, float], truth: float) -> None:
    """Hold a 95 % interval to the truth: it misses one hour in twenty, but never by its own half-width."""
    half_width = (interval["upper"] - interval["lower"]) / 2
    assert interval["lower"] - half_width <= truth <= interval["upper"] + half_width


WHOLE_HOURS = 10


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, Any]:
    """Output folder, screen and summary of the demo as `make demo` plays it, but for the data."""
    output = tmp_path_factory.mktemp("whole") / "output"
    command = [*demo(output, "--synthetic"), "--hours", str(WHOLE_HOURS)]
    finished = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr
    return output, finished.stdout, summary_of(output)


def test_the_loop_waits_for_labels_then_promotes_a_challenger_that_beat_the_champion(
    whole: tuple[Path, str, Any],
) -> None:
    _, screen, summary = whole

    started = screen.index("message: Retraining started")
    assert screen.index("labels needed") < started < screen.index("version 1 serves")
    (run,) = summary["retrainings"]
    assert (run["status"], run["version"], run["approval"]) == ("Succeeded", 1, "Approved")
    assert run["challenger"] > run["champion"] + 0.05
    (promotion,) = summary["promotions"]
    assert promotion["version"] == 1
    assert promotion["outcome"] == "serves"


def test_the_episode_ends_without_drift_and_with_the_accuracy_back(whole: tuple[Path, str, Any]) -> None:
    _, _, summary = whole

    hours, changed = summary["hours"], summary["promotions"][0]["hour"]
    before, after = hours[2 : changed - 1], hours[changed:]
    assert hours[changed - 1]["verdict"] == "not_judged"
    assert hours[changed - 1]["reason"] == "model changed"
    assert {hour["verdict"] for hour in before} == {"drift"}
    assert len(after) >= 2
    assert {hour["verdict"] for hour in after} == {"no_drift"}
    # What the first model would still reach if only the rows had moved is the most that can come back; of it a model of
    # a few hours' labels, on rows that it never saw, reaches the larger part.
    for hour in after:
        assert hour["true_accuracy"] > hours[changed - 2]["true_accuracy"] + 0.06
        assert hour["true_accuracy"] > hours[changed - 2]["projected_accuracy"]["estimate"] - 0.06
        assert_no_miss_beyond_chance(hour["projected_accuracy"], hour["true_accuracy"])
    assert {hour["model"] for hour in before} != {hour["model"] for hour in after}


def test_the_report_shows_before_and_after(whole: tuple[Path, str, Any]) -> None:
    output, screen, _ = whole

    page = (output / "report.html").read_text(encoding="utf-8")
    assert '<section id="models"><h2>Which model served</h2>' in page
    assert "Version 1 took over from first model" in page
    assert "Version 1 serves since hour" in screen


def test_foreign_output_folder_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work", encoding="utf-8")

    refused = play(tmp_path, *SYNTHETIC)

    assert refused.returncode == 2
    assert refused.stderr == (
        f"plumbline demo: error: --output must be a new folder or an earlier demo's, got {tmp_path}; choose another\n"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


@pytest.mark.skipif(census.acquire(fetch=None) is None, reason="Census Income is neither in the cache nor beside us")
def test_hours_per_week_shift_of_real_census_income_is_caught_at_once(tmp_path: Path) -> None:
    finished = play(tmp_path / "output")

    assert finished.returncode == 0, finished.stderr
    summary = summary_of(tmp_path / "output")
    assert summary["data_source"] == "census"
    assert_caught_in_its_first_hour(summary)
    for hour in summary["hours"]:
        projected = hour["projected_accuracy"]
        assert projected["lower"] <= projected["estimate"] <= projected["upper"]
