"""Accepted windows in the container, on both engines: what the environment states, what the command recorded."""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from plumbline.contract.accepted import Acceptance
from plumbline.contract.champion import Champion, ChampionHistory
from plumbline.contract.description import report_lines
from plumbline.contract.reasons import ReasonCode
from plumbline.contract.records import DriftReport, Verdict, WindowBounds
from plumbline.drift.aws import Clients
from plumbline.drift.data.times import HOUR, format_time
from plumbline.drift.judge.accepted import take
from plumbline.drift.reference.accepted import Undone, accepted_text, record_name, undone_text
from plumbline.drift.reference.baseline import load
from plumbline.drift.run import monitor, run
from plumbline.drift.settings.policy import Policy
from plumbline.drift.settings.run import read_settings
from tests.unit.drift.fake_s3 import FakeS3
from tests.unit.drift.test_run import arguments, learned, no_client
from tests.unit.drift.test_run_look_back import CAPTURE, ENGINES, NOON, NOW, lines

REPORTS = "reports/plumbline-dev/plumbline-dev-monitor/2026/11/22"
WINDOWS = (WindowBounds("2026-11-22T09:00:00Z", "2026-11-22T11:00:00Z"),)
STATED = Acceptance(windows=WINDOWS, at="2026-11-22T11:30:00Z", by="Ada", reason="the new region")


@pytest.fixture(scope="module")
def baseline(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return learned(tmp_path_factory.mktemp("reference"))


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory, baseline: Path) -> dict[str, str]:
    """What the runs of the two drifted hours before left, by key."""
    folder, found = tmp_path_factory.mktemp("left"), {}
    for hour in (9, 10):
        data = folder / f"data{hour}" / "a.jsonl"
        data.parent.mkdir()
        data.write_text(lines(hour, 700, later=7))
        times = [format_time(NOON.replace(hour=one)) for one in (hour, hour + 1)]
        output = folder / f"reports/{hour:02}"
        monitor(
            dataset_source=data.parent, baseline=baseline, output=output, start_time=times[0], end_time=times[1]
        )  # fmt: skip
        found[f"{REPORTS}/{hour:02}/window_counts.json"] = (output / "window_counts.json").read_text()
    return found


def judged(
    engine: str,
    folder: Path,
    baseline: Path,
    objects: Mapping[str, str],
    *,
    stated: bool = False,
    champions: str = "",
    minimum_rows: str = "",
) -> DriftReport:
    """Judge the drifted hour from noon as an engine starts the container."""
    captured = {f"{CAPTURE}/AllTraffic/2026/11/22/12/30-00-000-a.jsonl": lines(12, 700, later=7)}
    for key, text in captured.items():
        file = folder / "data" / "plumbline-dev" / key.removeprefix(f"{CAPTURE}/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    environment = {
        "dataset_source": str(folder / "data"),
        "output_path": str(folder / "results"),
        "PLUMBLINE_ML_ROOT": str(folder / "ml"),
        "publish_cloudwatch_metrics": "Disabled",
        "sagemaker_endpoint_name": "plumbline-dev",
        "sagemaker_monitoring_schedule_name": "plumbline-dev-monitor",
        "PLUMBLINE_CAPTURE_S3_URI": f"s3://bucket/{CAPTURE}",
        "PLUMBLINE_REPORTS_S3_URI": "s3://bucket/reports",
        "PLUMBLINE_ACCEPTED_S3_URI": "s3://bucket/accepted",
        "PLUMBLINE_CHAMPION_S3_URI": champions,
        "PLUMBLINE_MINIMUM_ROWS": minimum_rows,
    }
    if engine == "scheduler":
        environment["PLUMBLINE_SCHEDULED_TIME"] = format_time(NOW)
    else:
        environment |= {"start_time": format_time(NOON), "end_time": format_time(NOON + HOUR)}
    more = {"accepted": "s3://bucket/stated.json"} if stated else {}
    settings = read_settings(arguments(baseline=str(baseline), **more), environment)
    s3 = FakeS3({**captured, **objects})
    return run(settings, now=NOW, clients=Clients(s3=s3, cloudwatch=no_client))


def recorded(left: Mapping[str, str], folder: Path, baseline: Path) -> str:
    """Return the record of the command for the windows of `WINDOWS`."""
    for key, text in left.items():
        file = folder / "left" / key
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return accepted_text(take(folder / "left", STATED, load(baseline), Policy()))


def name(at: str) -> str:
    return f"accepted/{record_name(at)}"


@pytest.mark.parametrize("engine", ENGINES)
def test_nothing_accepted_changes_nothing(tmp_path: Path, baseline: Path, engine: str) -> None:
    report = judged(engine, tmp_path, baseline, {})
    assert (report.verdict, report.accepted.is_stated, report.warnings) == (Verdict.DRIFT, False, ())


@pytest.mark.parametrize("engine", ENGINES)
def test_windows_that_the_environment_states_are_the_reference(
    tmp_path: Path, baseline: Path, left: dict[str, str], engine: str
) -> None:
    report = judged(engine, tmp_path, baseline, {**left, "stated.json": STATED.to_json()}, stated=True)
    assert report.verdict is Verdict.NO_DRIFT
    assert (report.accepted.n_windows, report.accepted.n_rows, report.accepted.accepted_by) == (2, 1400, "Ada")
    assert [one.name for one in report.accepted.features] == ["hours"]


def test_evidence_over_time_begins_anew_with_the_accepted_reference(
    tmp_path: Path, baseline: Path, left: dict[str, str]
) -> None:
    def state(folder: str, objects: Mapping[str, str]) -> list[str]:
        judged("scheduler", tmp_path / folder, baseline, objects, stated=bool(objects))
        (file,) = (tmp_path / folder / "results").rglob("window_state.json")
        return re.findall(r'"(?:digest|reference)": ?"(\w+)"', file.read_text())

    before, after = state("before", {}), state("after", {**left, "stated.json": STATED.to_json()})
    assert len(before) == len(after) > 0
    assert not set(before) & set(after)


def test_the_command_records_the_same_reference_and_needs_no_report_any_more(
    tmp_path: Path, baseline: Path, left: dict[str, str]
) -> None:
    stated = judged("scheduler", tmp_path, baseline, {**left, "stated.json": STATED.to_json()}, stated=True)
    text = recorded(left, tmp_path, baseline)
    found = judged("scheduler", tmp_path, baseline, {name(STATED.at): text})
    assert found == stated


@pytest.mark.parametrize(
    ("undone_at", "verdict"), [("2026-11-22T11:40:00Z", Verdict.DRIFT), ("2026-11-22T11:20:00Z", Verdict.NO_DRIFT)]
)
def test_the_later_of_an_undoing_and_the_environments_statement_counts(
    tmp_path: Path, baseline: Path, left: dict[str, str], undone_at: str, verdict: Verdict
) -> None:
    undone = undone_text(Undone(at=undone_at, by="Bob", reason="a fault after all"))
    objects = {**left, "stated.json": STATED.to_json(), name(undone_at): undone}
    report = judged("scheduler", tmp_path, baseline, objects, stated=True)
    assert report.verdict is verdict
    assert report.accepted.is_used is (verdict is Verdict.NO_DRIFT)


@pytest.mark.parametrize(
    ("lost", "text"),
    [
        ({f"{REPORTS}/10/window_counts.json"}, "got none that begins at 2026-11-22T10:00:00Z"),
        ({f"{REPORTS}/09/window_counts.json", f"{REPORTS}/10/window_counts.json"}, "begins at 2026-11-22T09:00:00Z"),
    ],
)
def test_stated_windows_that_left_no_counts_are_warned_of_and_training_judges(
    tmp_path: Path, baseline: Path, left: dict[str, str], lost: set[str], text: str
) -> None:
    kept = {key: content for key, content in left.items() if key not in lost}
    report = judged("scheduler", tmp_path, baseline, {**kept, "stated.json": STATED.to_json()}, stated=True)
    assert report.verdict is Verdict.DRIFT
    assert [warning.code for warning in report.warnings] == [ReasonCode.ACCEPTED_UNUSABLE]
    assert text in str(report.warnings[0])
    assert report.accepted.accepted_by == "Ada"


def test_stated_windows_with_damaged_counts_are_warned_of(tmp_path: Path, baseline: Path, left: dict[str, str]) -> None:
    damaged = {key: text.replace('"n_rows": 700', '"n_rows": 701') for key, text in left.items()}
    report = judged("scheduler", tmp_path, baseline, {**damaged, "stated.json": STATED.to_json()}, stated=True)
    assert report.verdict is Verdict.DRIFT
    assert "edited or damaged" in str(report.warnings[0])


@pytest.mark.parametrize("content", ["no json", "{}", '{"version": 9}', json.dumps({"version": 1, "windows": []})])
@pytest.mark.parametrize("key", ["stated.json", name(STATED.at)])
def test_what_cannot_be_read_is_warned_of_and_training_judges(
    tmp_path: Path, baseline: Path, content: str, key: str
) -> None:
    report = judged("scheduler", tmp_path, baseline, {"stated.json": STATED.to_json(), key: content}, stated=True)
    assert report.verdict is Verdict.DRIFT
    assert [warning.code for warning in report.warnings] == [ReasonCode.ACCEPTED_UNUSABLE]


def test_what_else_lies_beside_the_records_hides_none(tmp_path: Path, baseline: Path, left: dict[str, str]) -> None:
    objects = {
        name(STATED.at): recorded(left, tmp_path, baseline),
        "accepted/readme.txt": "x",
        "accepted/z/a.json": "{}",
    }
    report = judged("scheduler", tmp_path, baseline, objects)
    assert (report.verdict, report.accepted.is_used) == (Verdict.NO_DRIFT, True)


def test_a_window_that_is_not_judged_does_not_say_that_nothing_differs(
    tmp_path: Path, baseline: Path, left: dict[str, str]
) -> None:
    objects = {name(STATED.at): recorded(left, tmp_path, baseline)}
    report = judged("scheduler", tmp_path, baseline, objects, minimum_rows="1400")
    assert (report.verdict, report.accepted.is_used) == (Verdict.NOT_JUDGED, True)
    assert not [line for line in report_lines(report) if "nothing of it differs" in line]


def test_a_missing_stated_file_is_warned_of(tmp_path: Path, baseline: Path) -> None:
    report = judged("scheduler", tmp_path, baseline, {}, stated=True)
    assert report.verdict is Verdict.DRIFT
    assert [warning.code for warning in report.warnings] == [ReasonCode.ACCEPTED_UNUSABLE]


def history(baseline: Path, changed: str) -> dict[str, str]:
    """A second model with an equal baseline serves since an hour."""
    first, second = (Champion(f"s3://bucket/{one}.tar.gz", str(baseline)) for one in ("old", "new"))
    since = f"2026-11-22T{changed}:10:00Z"
    return {
        "champion/history.json": ChampionHistory(
            (first, replace(second, changing_from=since, live_from=since))
        ).to_json()
    }


CHAMPIONS = "s3://bucket/champion/history.json"


def test_another_model_ends_what_the_environment_states(tmp_path: Path, baseline: Path, left: dict[str, str]) -> None:
    objects = {**left, **history(baseline, "11"), "stated.json": STATED.to_json()}
    report = judged("scheduler", tmp_path, baseline, objects, stated=True, champions=CHAMPIONS)
    assert report.verdict is Verdict.DRIFT
    assert report.accepted.reason is not None
    assert report.accepted.reason.code is ReasonCode.ACCEPTED_ENDED
    assert report.warnings == ()


def test_the_prediction_is_accepted_as_answered_by_the_same_model_only(
    tmp_path: Path, baseline: Path, left: dict[str, str]
) -> None:
    for file, text in left.items():
        (tmp_path / "left" / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "left" / file).write_text(text)
    windows = replace(take(tmp_path / "left", STATED, load(baseline), Policy()), model="s3://bucket/old.tar.gz")
    objects = {name(STATED.at): accepted_text(windows), **history(baseline, "11")}
    report = judged("scheduler", tmp_path, baseline, objects, champions=CHAMPIONS)
    assert report.drifted_features == ()
    assert report.prediction.verdict is Verdict.DRIFT
    assert not report.accepted.accepted_prediction
    objects = {
        name(STATED.at): accepted_text(replace(windows, model="s3://bucket/new.tar.gz")),
        **history(baseline, "11"),
    }
    assert judged("scheduler", tmp_path, baseline, objects, champions=CHAMPIONS).verdict is Verdict.NO_DRIFT
