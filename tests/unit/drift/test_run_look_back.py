"""Windows with too few rows: which hours are added, on both engines and on plain files."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from plumbline.contract.champion import Champion, ChampionHistory
from plumbline.contract.reasons import ReasonCode
from plumbline.contract.records import DriftReport, Verdict, WindowBounds
from plumbline.drift.aws import Clients
from plumbline.drift.data.times import HOUR, format_time
from plumbline.drift.run import monitor, run
from plumbline.drift.settings.policy import Policy
from plumbline.drift.settings.run import read_settings
from tests.unit.drift.builders import record
from tests.unit.drift.fake_s3 import FakeS3
from tests.unit.drift.ground_truth.builders import label
from tests.unit.drift.test_run import arguments, learned, no_client, probability, rows

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
"""Start of the run's own window, which is an hour long."""
NOW = datetime(2026, 11, 22, 13, 20, tzinfo=UTC)
CAPTURE = "capture/plumbline-dev"
ENGINES = ("model_monitor", "scheduler")
Hours = Mapping[int, int]
"""Rows by hour of the day."""


@pytest.fixture(scope="module")
def baseline(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return learned(tmp_path_factory.mktemp("reference"))


def lines(hour: int, n_rows: int, *, later: int = 0) -> str:
    time = format_time(NOON.replace(hour=hour, minute=30))
    made = (
        record(",".join(row[:-1]), probability(row), event_id=f"{hour}-{number}", time=time)
        for number, row in enumerate(rows(hour, n_rows, later=later))
    )
    return "".join(json.dumps(one) + "\n" for one in made)


def bucket(hours: Hours, **more: str) -> FakeS3:
    objects = {
        f"{CAPTURE}/AllTraffic/2026/11/22/{hour:02}/30-00-000-a.jsonl": lines(hour, n) for hour, n in hours.items()
    }
    return FakeS3(objects | more)


def judged(engine: str, folder: Path, baseline: Path, s3: FakeS3, **variables: str) -> DriftReport:
    """Run the container as an engine starts it: Model Monitor hands over the window's own hour, and nothing else."""
    own = folder / "data" / "plumbline-dev"
    for key, text in s3.objects.items():
        if "/2026/11/22/12/" in key:
            file = own / key.removeprefix(f"{CAPTURE}/")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
    own.mkdir(parents=True, exist_ok=True)
    environment = {
        "dataset_source": str(folder / "data"),
        "output_path": str(folder / "results"),
        "PLUMBLINE_ML_ROOT": str(folder / "ml"),
        "publish_cloudwatch_metrics": "Disabled",
        "sagemaker_endpoint_name": "plumbline-dev",
        "sagemaker_monitoring_schedule_name": "plumbline-dev-monitor",
        "PLUMBLINE_CAPTURE_S3_URI": f"s3://bucket/{CAPTURE}",
        "PLUMBLINE_LOOK_BACK_HOURS": "6",
        **variables,
    }
    if engine == "scheduler":
        environment["PLUMBLINE_SCHEDULED_TIME"] = format_time(NOW)
    else:
        environment |= {"start_time": format_time(NOON), "end_time": format_time(NOON + HOUR)}
    settings = read_settings(arguments(baseline=str(baseline)), environment)
    return run(settings, now=NOW, clients=Clients(s3=s3, cloudwatch=no_client))


Judge = Callable[..., DriftReport]


@pytest.fixture(params=ENGINES)
def judge(request: pytest.FixtureRequest, tmp_path: Path, baseline: Path) -> Judge:
    def of(hours: Hours, more: Mapping[str, str] | None = None, **variables: str) -> DriftReport:
        return judged(request.param, tmp_path, baseline, bucket(hours, **(more or {})), **variables)

    return of


def window(start: int) -> WindowBounds:
    return WindowBounds(format_time(NOON.replace(hour=start)), format_time(NOON + HOUR))


def test_an_hour_with_enough_rows_looks_nowhere(judge: Judge) -> None:
    report = judge({10: 500, 11: 500, 12: 300})
    assert (report.window, report.hours_added, report.n_rows) == (window(12), 0, 300)


@pytest.mark.parametrize(
    ("hours", "start", "n_rows"),
    [
        ({11: 150, 12: 50}, 11, 200),
        ({10: 90, 11: 60, 12: 60}, 10, 210),
        ({7: 900, 8: 39, 9: 39, 10: 39, 11: 39, 12: 39}, 7, 1095),
        ({9: 180, 12: 40}, 9, 220),
        ({11: 5000, 12: 1}, 11, 5001),
    ],
    ids=["next hour", "several", "many", "hours without traffic between", "busy hour before"],
)
def test_hours_are_added_until_there_are_enough_rows_and_no_further(
    judge: Judge, hours: Hours, start: int, n_rows: int
) -> None:
    report = judge({5: 900, **hours})
    assert (report.window, report.hours_added, report.n_rows) == (window(start), 12 - start, n_rows)
    assert report.own_window == window(12)


def test_drift_that_no_single_hour_could_show_is_found(judge: Judge) -> None:
    hours = range(7, 13)
    objects = {f"{CAPTURE}/AllTraffic/2026/11/22/{hour:02}/b.jsonl": lines(hour, 50, later=7) for hour in hours}
    report = judge({}, objects)
    assert (report.verdict, report.drifted_features, report.hours_added) == (Verdict.DRIFT, ("hours",), 3)


def test_it_looks_back_so_many_hours_at_most_and_says_what_there_was(judge: Judge) -> None:
    report = judge({5: 900, 10: 20, 11: 20, 12: 20}, PLUMBLINE_LOOK_BACK_HOURS="3")
    assert (report.verdict, report.window, report.hours_added) == (Verdict.NOT_JUDGED, window(9), 3)
    assert str(report.reason).startswith("60 rows, fewer than the minimum of 200")


def test_the_thresholds_of_the_run_decide_what_is_enough(judge: Judge) -> None:
    report = judge({10: 300, 11: 300, 12: 300}, PLUMBLINE_MINIMUM_ROWS="600")
    assert (report.hours_added, report.n_rows) == (1, 600)


def test_an_hour_without_a_record_hides_behind_no_earlier_one(judge: Judge) -> None:
    report = judge({11: 900})
    assert (report.verdict, report.hours_added, report.window) == (Verdict.NOT_JUDGED, 0, window(12))
    assert report.reason is not None
    assert report.reason.code is ReasonCode.NO_RECORDS


def test_an_hour_of_unusable_records_hides_behind_no_earlier_one(judge: Judge) -> None:
    report = judge({11: 900}, {f"{CAPTURE}/AllTraffic/2026/11/22/12/b.jsonl": "{}\n" * 50})
    assert (report.verdict, report.hours_added, report.n_rows) == (Verdict.NOT_JUDGED, 0, 0)


def test_an_event_that_two_hours_captured_counts_once(judge: Judge) -> None:
    again = lines(11, 150)
    report = judge({11: 150, 12: 100}, {f"{CAPTURE}/AllTraffic/2026/11/22/11/31-00-000-again.jsonl": again})
    assert (report.hours_added, report.n_rows, report.records.rejected) == (1, 250, {"duplicate_event_id": 150})


def test_late_files_of_the_hour_before_the_first_come_along(judge: Judge) -> None:
    late = json.dumps(record(time="2026-11-22T11:00:01Z", event_id="late")) + "\n"
    report = judge({11: 199, 12: 1}, {f"{CAPTURE}/AllTraffic/2026/11/22/10/59-59-000-late.jsonl": late})
    assert (report.hours_added, report.n_rows) == (1, 201)


def test_rows_of_another_model_are_not_added(judge: Judge, baseline: Path) -> None:
    first = Champion("s3://bucket/old.tar.gz", str(baseline))
    second = Champion(
        "s3://bucket/new.tar.gz", str(baseline), None, "2026-11-22T09:10:00Z", "2026-11-22T09:40:00Z", "drift"
    )
    history = ChampionHistory((first, second)).to_json()
    hours = dict.fromkeys(range(6, 13), 30)
    report = judge(
        hours, {"champion/history.json": history}, PLUMBLINE_CHAMPION_S3_URI="s3://bucket/champion/history.json"
    )
    assert (report.verdict, report.window, report.n_rows) == (Verdict.NOT_JUDGED, window(10), 90)


def test_without_looking_back_a_small_window_stays_small(judge: Judge) -> None:
    report = judge({11: 900, 12: 50}, PLUMBLINE_LOOK_BACK_HOURS="0")
    assert (report.verdict, report.window, report.hours_added) == (Verdict.NOT_JUDGED, window(12), 0)


def test_both_engines_report_the_same(tmp_path: Path, baseline: Path) -> None:
    hours = {10: 90, 11: 60, 12: 60}
    found = [judged(engine, tmp_path / engine, baseline, bucket(hours)) for engine in ENGINES]
    assert found[0] == found[1]


def test_windows_of_several_hours_look_back_by_the_hour(tmp_path: Path, baseline: Path) -> None:
    s3 = bucket({8: 190, 9: 20, 12: 10})
    report = judged("scheduler", tmp_path, baseline, s3, PLUMBLINE_WINDOW_HOURS="4")
    assert (report.own_window, report.window, report.hours_added) == (window(9), window(8), 1)


@pytest.mark.parametrize("engine", ENGINES)
def test_the_second_reference_holds_no_row_of_a_window_that_looked_back(
    tmp_path: Path, baseline: Path, engine: str
) -> None:
    """Runs at 10, 11 and 12: each looked back over the hours of those before it."""
    reports = {}
    stored: dict[str, str] = {}
    hours = dict.fromkeys(range(6, 13), 100)
    for end in (10, 11, 12):
        own = {hour: n for hour, n in hours.items() if hour < end}
        report = monitor(
            dataset_source=written(tmp_path / f"own-{end}", own),
            baseline=baseline,
            output=tmp_path / f"reports-{end}",
            start_time=f"2026-11-22T{end - 1:02}:00:00Z",
            end_time=f"2026-11-22T{end:02}:00:00Z",
            look_back_hours=6,
            recent=tmp_path,
        )
        reports[end] = report
        state = (tmp_path / f"reports-{end}" / "window_state.json").read_text()
        stored[f"reports/plumbline-dev/plumbline-dev-monitor/2026/11/22/{end - 1:02}/window_state.json"] = state
    assert [report.hours_added for report in reports.values()] == [1, 1, 1]

    report = judged(
        engine,
        tmp_path,
        baseline,
        bucket(hours, **stored),
        PLUMBLINE_REPORTS_S3_URI="s3://bucket/reports",
    )

    # This window is 11 to 13 o'clock. That of 10 to 12 overlaps it; 9 to 11 does not, and 8 to 10 overlaps that.
    assert (report.window, report.over_time.n_windows, report.over_time.n_rows) == (window(11), 2, 400)


def test_labels_of_the_hour_that_is_due_look_back_in_s3(judge: Judge) -> None:
    hours = dict.fromkeys(range(6, 13), 150)
    labels = {
        f"ground-truth/2026/11/22/{hour + 1:02}/a.jsonl": "".join(
            json.dumps(label(f"{hour}-{number}", row[-1])) + "\n" for number, row in enumerate(rows(hour, n))
        )
        for hour, n in hours.items()
    }
    report = judge(hours, labels, PLUMBLINE_LABELS_S3_URI="s3://bucket/ground-truth", PLUMBLINE_LABEL_LAG_HOURS="2")
    final, *others = report.quality.windows
    assert (final.hours_added, final.n_labelled, final.verdict) == (1, 300, Verdict.NO_DRIFT)
    assert [(one.own_window, one.hours_added) for one in others] == [
        (WindowBounds("2026-11-22T11:00:00Z", "2026-11-22T12:00:00Z"), 0),
        (window(12), 0),
    ]


def written(folder: Path, hours: Hours) -> Path:
    for hour, n_rows in hours.items():
        file = folder / f"ep/AllTraffic/2026/11/22/{hour:02}/a.jsonl"
        file.parent.mkdir(parents=True)
        file.write_text(lines(hour, n_rows))
    return folder


def test_plain_files_are_looked_back_in_as_the_container_does(tmp_path: Path, baseline: Path) -> None:
    hours = {10: 90, 11: 60, 12: 60}
    plain = monitor(
        dataset_source=written(tmp_path / "plain", hours),
        baseline=baseline,
        output=tmp_path / "out",
        start_time=format_time(NOON),
        end_time=format_time(NOON + HOUR),
        look_back_hours=6,
        policy=Policy(),
    )
    contained = judged("scheduler", tmp_path, baseline, bucket(hours))
    assert (plain.window, plain.hours_added, plain.features) == (
        contained.window,
        contained.hours_added,
        contained.features,
    )
