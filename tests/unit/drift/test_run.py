import csv
import json
import random
import re
import resource
import subprocess
import sys
import zipfile
from argparse import Namespace
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from plumbline.contract.reasons import ReasonCode
from plumbline.contract.records import DriftReport, Status, Verdict, WindowBounds
from plumbline.drift import cli
from plumbline.drift.aws import Clients
from plumbline.drift.errors import ConfigError
from plumbline.drift.projection.learn_history import learn_reference
from plumbline.drift.reference.baseline import load, save
from plumbline.drift.reference.csv_inputs import ReferenceFiles
from plumbline.drift.run import monitor, run
from plumbline.drift.settings.policy import FeaturePolicy, Policy
from plumbline.drift.settings.run import OptionalAnalyses, read_settings
from tests.unit.drift.builders import learn_baseline, record, write_capture

NAMES = ("age", "workclass", "hours", "income")
NOW = datetime(2026, 11, 22, 13, 5, tzinfo=UTC)
TREE = Path(__file__).parents[3]


def rows(seed: int, count: int, *, later: int = 0) -> list[tuple[str, ...]]:
    """Rows whose label follows hours; `later` moves hours."""
    source = random.Random(seed)
    made: list[tuple[str, ...]] = []
    for _ in range(count):
        hours = source.choice([20, 30, 40, 40, 40, 50])
        income = ">50K" if source.random() < hours / 80 else "<=50K"
        work = source.choice(["Private", "Self", "Gov", "?"])
        made.append((str(source.randint(17, 90)), work, str(hours + later), income))
    return made


def probability(row: Sequence[str]) -> str:
    return repr(int(row[2]) / 80)


def write_csv(file: Path, header: Sequence[str], content: Sequence[Sequence[str]]) -> Path:
    with file.open("w", newline="") as handle:
        csv.writer(handle).writerows([header, *content])
    return file


def learned(folder: Path) -> Path:
    """Write train.csv, test.csv, predictions.csv and the baseline learned from them, and return its folder."""
    test = rows(2, 1500)
    learn_baseline(
        train=write_csv(folder / "train.csv", NAMES, rows(1, 3000)),
        test=write_csv(folder / "test.csv", NAMES, test),
        predictions=write_csv(folder / "predictions.csv", ["probability"], [[probability(row)] for row in test]),
        target_label="income",
        output=folder / "baseline",
    )
    return folder / "baseline"


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with train.csv, test.csv, predictions.csv and the baseline learned from them."""
    return learned(tmp_path_factory.mktemp("reference")).parent


def capture(folder: Path, content: Sequence[Sequence[str]]) -> Path:
    records = [record(", ".join(row[:-1]), f"{probability(row)}\n", event_id=str(n)) for n, row in enumerate(content)]
    return write_capture(folder, records)


def environment(folder: Path, **changes: str) -> dict[str, str]:
    return {
        "dataset_source": str(folder / "data"),
        "output_path": str(folder / "results"),
        "PLUMBLINE_ML_ROOT": str(folder / "ml"),
        "publish_cloudwatch_metrics": "Disabled",
        "sagemaker_endpoint_name": "plumbline-dev",
        "sagemaker_monitoring_schedule_name": "plumbline-dev",
        "start_time": "2026-11-22T12:00:00Z",
        "end_time": "2026-11-22T13:00:00Z",
        **changes,
    }


def test_an_unchanged_window_is_quiet(tmp_path: Path, reference: Path) -> None:
    report = monitor(
        dataset_source=capture(tmp_path / "data", rows(3, 1000)),
        baseline=reference / "baseline",
        output=tmp_path / "results",
    )
    assert report.verdict is Verdict.NO_DRIFT
    assert (report.n_rows, report.records.used, report.window) == (1000, 1000, WindowBounds())
    assert report.projected_accuracy.status is Status.ESTIMATED
    assert json.loads((tmp_path / "results" / "constraint_violations.json").read_text()) == {"violations": []}


def test_a_shift_is_caught_by_name(tmp_path: Path, reference: Path) -> None:
    report = monitor(
        dataset_source=capture(tmp_path / "data", rows(3, 1000, later=7)),
        baseline=reference / "baseline",
        output=tmp_path / "results",
    )
    assert report.verdict is Verdict.DRIFT
    assert report.drifted_features == ("hours",)
    written = json.loads((tmp_path / "results" / "constraint_violations.json").read_text())["violations"]
    assert "hours" in {violation["feature_name"] for violation in written}


def test_the_container_writes_what_monitor_writes(tmp_path: Path, reference: Path) -> None:
    data = capture(tmp_path / "data", rows(3, 500))
    variables = environment(tmp_path, sagemaker_endpoint_name="", sagemaker_monitoring_schedule_name="")
    settings = read_settings(arguments(baseline=str(reference / "baseline")), variables)
    run(settings, now=NOW, clients=Clients(s3=no_client, cloudwatch=no_client))
    monitor(
        dataset_source=data,
        baseline=reference / "baseline",
        output=tmp_path / "plain",
        start_time="2026-11-22T12:00:00Z",
        end_time="2026-11-22T13:00:00Z",
    )
    written = list((tmp_path / "plain").iterdir())
    assert "drift_report.json" in [file.name for file in written]
    for file in written:
        assert file.read_bytes() == (tmp_path / "results" / file.name).read_bytes()


def arguments(**given: str | None) -> Namespace:
    return Namespace(
        **{"baseline": None, "train": None, "test": None, "predictions": None, "target_label": None, "policy": None}
        | given
    )


def no_client() -> Any:
    pytest.fail("no AWS here")


def test_a_baseline_learned_on_the_fly_gives_the_same_report(tmp_path: Path, reference: Path) -> None:
    capture(tmp_path / "data", rows(3, 500))
    files = {name: str(reference / f"{name}.csv") for name in ("train", "test", "predictions")}
    reports = [
        run(read_settings(given, environment(tmp_path)), now=NOW, clients=Clients(s3=no_client, cloudwatch=no_client))
        for given in (
            arguments(**files, target_label="income"),
            arguments(baseline=str(reference / "baseline"), target_label="income"),
        )
    ]
    assert reports[0] == reports[1]


def test_a_past_learned_on_the_fly_gives_the_same_report(tmp_path: Path, reference: Path) -> None:
    capture(tmp_path / "data", rows(3, 500))
    past = [
        (*row, probability(row), f"2026-{1 + number // 672:02}-{1 + number // 24 % 28:02}T{number % 24:02}:00")
        for number, row in enumerate(rows(4, 1200))
    ]
    history = write_csv(tmp_path / "history.csv", (*NAMES, "probability", "when"), past)
    names = {name: reference / f"{name}.csv" for name in ("train", "test", "predictions")} | {"history": history}
    columns = {"target_label": "income", "time_column": "when"}
    save(learn_reference(ReferenceFiles(**names, **columns)), tmp_path / "baseline")  # type: ignore[arg-type]
    reports = [
        run(read_settings(given, environment(tmp_path)), now=NOW, clients=Clients(s3=no_client, cloudwatch=no_client))
        for given in (
            arguments(**{name: str(path) for name, path in names.items()}, **columns),
            arguments(baseline=str(tmp_path / "baseline"), target_label="income"),
        )
    ]
    assert reports[0] == reports[1]
    history_of_baseline = load(tmp_path / "baseline").history
    assert history_of_baseline is not None
    assert len(history_of_baseline.windows[200]) == 6


def test_training_rows_without_a_target_are_reference_enough(tmp_path: Path, reference: Path) -> None:
    header, *lines = (reference / "train.csv").read_text().splitlines()
    assert header.endswith(",income")
    (tmp_path / "features.csv").write_text("".join(line.rpartition(",")[0] + "\n" for line in [header, *lines]))
    capture(tmp_path / "data", rows(3, 500))
    settings = read_settings(arguments(train=str(tmp_path / "features.csv")), environment(tmp_path))
    report = run(settings, now=NOW, clients=Clients(s3=no_client, cloudwatch=no_client))
    assert report.verdict is Verdict.NO_DRIFT
    assert [feature.name for feature in report.features] == header.split(",")[:-1]


def test_a_zipped_baseline_is_unpacked(tmp_path: Path, reference: Path) -> None:
    with zipfile.ZipFile(tmp_path / "baseline.zip", "w") as archive:
        for file in (reference / "baseline").iterdir():
            archive.write(file, file.name)
    capture(tmp_path / "data", rows(3, 300))
    settings = read_settings(arguments(baseline=str(tmp_path / "baseline.zip")), environment(tmp_path))
    report = run(settings, now=NOW, clients=Clients(s3=no_client, cloudwatch=no_client))
    assert report.n_rows == 300


def test_another_target_than_the_baselines_is_refused(tmp_path: Path, reference: Path) -> None:
    settings = read_settings(arguments(baseline=str(reference / "baseline"), target_label="sex"), environment(tmp_path))
    with pytest.raises(ConfigError, match="--target_label must be the baseline's target 'income', got 'sex'"):
        run(settings, now=NOW, clients=Clients(s3=no_client, cloudwatch=no_client))


class FakeBucket:
    """An S3 client with capture of one hour."""

    def __init__(self, file: Path, key: str) -> None:
        self.file, self.key = file, key

    def get_paginator(self, _: str) -> "FakeBucket":
        return self

    def paginate(self, **filters: str) -> list[dict[str, Any]]:
        if "Delimiter" in filters:
            return [{"CommonPrefixes": [{"Prefix": "capture/ep/AllTraffic/"}]}]
        entry = {"Key": self.key, "Size": self.file.stat().st_size}
        return [{"Contents": [entry] if self.key.startswith(filters["Prefix"]) else []}]

    def download_file(self, _: str, key: str, file: str) -> None:
        assert key == self.key
        Path(file).write_bytes(self.file.read_bytes())


def test_our_own_schedule_fetches_its_hour_and_lays_out_its_results(tmp_path: Path, reference: Path) -> None:
    folder = capture(tmp_path / "source", rows(3, 300))
    bucket = FakeBucket(next(folder.rglob("*.jsonl")), "capture/ep/AllTraffic/2026/11/22/12/00-00-000-x.jsonl")
    variables = environment(
        tmp_path,
        PLUMBLINE_SCHEDULED_TIME="2026-11-22T13:00:00Z",
        PLUMBLINE_CAPTURE_S3_URI="s3://bucket/capture/ep",
    )
    settings = read_settings(arguments(baseline=str(reference / "baseline")), variables)
    report = run(settings, now=NOW, clients=Clients(s3=lambda: bucket, cloudwatch=no_client))
    assert report.records.used == 300
    assert report.window == WindowBounds("2026-11-22T12:00:00Z", "2026-11-22T13:00:00Z")
    file = tmp_path / "results" / "plumbline-dev" / "plumbline-dev" / "2026/11/22/12" / "drift_report.json"
    assert DriftReport.from_json(file.read_text()) == report


def test_the_policy_reaches_the_verdict(tmp_path: Path, reference: Path) -> None:
    report = monitor(
        dataset_source=capture(tmp_path / "data", rows(3, 100)),
        baseline=reference / "baseline",
        output=tmp_path / "results",
        policy=Policy(minimum_rows=101),
    )
    assert report.verdict is Verdict.NOT_JUDGED
    assert "fewer than the minimum of 101" in str(report.reason)


def test_the_policy_file_reaches_the_verdict_and_the_report(tmp_path: Path, reference: Path) -> None:
    capture(tmp_path / "data", rows(3, 1000, later=7))
    file = tmp_path / "policy.json"
    file.write_text('{"version": 2, "features": {"hours": {"ignore": true}, "age": {"critical": true}}}')
    settings = read_settings(
        arguments(baseline=str(reference / "baseline"), policy=str(file)), environment(tmp_path, PLUMBLINE_ALPHA="0.01")
    )
    report = run(settings, now=NOW, clients=Clients(s3=no_client, cloudwatch=no_client))
    assert "hours" not in report.drifted_features
    assert [feature.name for feature in report.features if feature.critical] == ["age"]
    constraints = json.loads((tmp_path / "results" / "constraints.json").read_text())
    assert constraints["monitoring_config"]["distribution_constraints"]["comparison_threshold"] == 0.1


def test_an_ignored_feature_refuses_no_projection_and_tells_no_rows_apart(tmp_path: Path, reference: Path) -> None:
    strange = [(age, f"new {n}", *rest) for n, (age, _, *rest) in enumerate(rows(3, 1000))]
    source = capture(tmp_path / "data", strange)

    def judged(policy: Policy) -> DriftReport:
        return monitor(
            dataset_source=source,
            baseline=reference / "baseline",
            output=tmp_path / "results",
            policy=policy,
            analyses=OptionalAnalyses(multivariate=True),
        )

    plain, lenient = judged(Policy()), judged(Policy(features={"workclass": FeaturePolicy(ignore=True)}))
    assert "(workclass)" in str(plain.projected_accuracy.reason)
    assert lenient.projected_accuracy.status is Status.ESTIMATED
    assert plain.multivariate.area_under_curve == pytest.approx(1, abs=0.05)
    assert lenient.multivariate.area_under_curve == pytest.approx(0.5, abs=0.06)


def test_rules_for_a_feature_that_the_baseline_lacks_are_refused(tmp_path: Path, reference: Path) -> None:
    capture(tmp_path / "data", rows(3, 300))
    file = tmp_path / "policy.json"
    file.write_text('{"version": 2, "features": {"height": {"ignore": true}}}')
    settings = read_settings(arguments(baseline=str(reference / "baseline"), policy=str(file)), environment(tmp_path))
    with pytest.raises(ConfigError, match="the policy's features must be the baseline's, got 'height'"):
        run(settings, now=NOW, clients=Clients(s3=no_client, cloudwatch=no_client))


def test_records_of_another_variant_are_rejected(tmp_path: Path, reference: Path) -> None:
    capture(tmp_path / "data", rows(3, 300))
    variables = environment(tmp_path, PLUMBLINE_VARIANT="Elsewhere")
    report = run(
        read_settings(arguments(baseline=str(reference / "baseline")), variables),
        now=NOW,
        clients=Clients(s3=no_client, cloudwatch=no_client),
    )
    assert report.records.rejected == {"other_variant": 300}


def test_multivariate_drift_is_judged_when_switched_on(tmp_path: Path, reference: Path) -> None:
    capture(tmp_path / "data", rows(3, 300))
    settings = read_settings(
        arguments(baseline=str(reference / "baseline")), environment(tmp_path, PLUMBLINE_MULTIVARIATE="Enabled")
    )
    report = run(settings, now=NOW, clients=Clients(s3=no_client, cloudwatch=no_client))
    assert report.multivariate.status is Status.ESTIMATED


HOURS = [f"2026-11-22T{hour}:00:00Z" for hour in range(10, 14)]


def judged_hour(folder: Path, reference: Path, number: int, *, later: int) -> DriftReport:
    """Judge the hour `number` of `HOURS`, going on from the hour before it."""
    data = [
        record(", ".join(row[:-1]), f"{probability(row)}\n", event_id=str(n), time=HOURS[number])
        for n, row in enumerate(rows(20 + number, 600, later=later))
    ]
    return monitor(
        dataset_source=write_capture(folder / f"data{number}", data),
        baseline=reference / "baseline",
        output=folder / "results" / str(number),
        start_time=HOURS[number],
        end_time=HOURS[number + 1],
        recent=folder / "results",
    )


def test_a_window_that_is_judged_again_gets_the_same_report(tmp_path: Path, reference: Path) -> None:
    first, *_ = (judged_hour(tmp_path, reference, number, later=0) for number in (1, 2))
    assert judged_hour(tmp_path, reference, 1, later=0) == first


EARLIER = {"PLUMBLINE_REPORTS_S3_URI": "s3://bucket/reports"}


def test_each_run_goes_on_from_the_state_of_the_last_one(tmp_path: Path, reference: Path) -> None:
    reports = [judged_hour(tmp_path, reference, number, later=0) for number in range(3)]
    assert [report.over_time.verdict for report in reports] == [Verdict.NOT_JUDGED] * 3
    assert [(report.over_time.n_windows, report.over_time.n_rows) for report in reports] == [
        (1, 600),
        (2, 1200),
        (3, 1800),
    ]
    assert str(reports[2].over_time.reason) == "usable windows cover 3 of the last 24 hours, fewer than 18"


def test_the_state_comes_from_the_schedules_own_reports(tmp_path: Path, reference: Path) -> None:
    judged_hour(tmp_path, reference, 1, later=0)
    state = tmp_path / "results" / "1" / "window_state.json"
    bucket = FakeBucket(state, "reports/plumbline-dev/plumbline-dev/2026/11/22/11/window_state.json")
    capture(tmp_path / "data", rows(3, 600, later=7))
    settings = read_settings(arguments(baseline=str(reference / "baseline")), environment(tmp_path, **EARLIER))
    report = run(settings, now=NOW, clients=Clients(s3=lambda: bucket, cloudwatch=no_client))
    assert report.over_time.n_windows == 2


class ClosedBucket:
    """An S3 client whose role may not list."""

    def get_paginator(self, _: str) -> Any:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "ListObjectsV2")


def test_the_verdict_against_training_stands_without_earlier_windows(tmp_path: Path, reference: Path) -> None:
    capture(tmp_path / "data", rows(3, 600, later=7))
    settings = read_settings(arguments(baseline=str(reference / "baseline")), environment(tmp_path, **EARLIER))
    report = run(settings, now=NOW, clients=Clients(s3=ClosedBucket, cloudwatch=no_client))
    assert (report.verdict, report.over_time.verdict) == (Verdict.DRIFT, Verdict.NOT_JUDGED)
    assert "s3://bucket/reports/plumbline-dev/plumbline-dev must be readable" in str(report.over_time.reason)


def test_no_window_is_earlier_than_one_without_times(tmp_path: Path, reference: Path) -> None:
    capture(tmp_path / "data", rows(3, 600))
    variables = environment(tmp_path, **EARLIER, start_time="", end_time="")
    settings = read_settings(arguments(baseline=str(reference / "baseline")), variables)
    report = run(settings, now=NOW, clients=Clients(s3=no_client, cloudwatch=no_client))
    assert "the window has no times" in str(report.over_time.reason)


@pytest.mark.parametrize("target", ["projection.Projector.project", "compare.attribution.attribution_drift"])
def test_the_log_has_the_traceback_of_a_fault_and_the_report_names_it(
    tmp_path: Path,
    reference: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    target: str,
) -> None:
    def failing(*_: object, **__: object) -> None:
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr(f"plumbline.drift.{target}", failing)
    report = monitor(
        dataset_source=capture(tmp_path / "data", rows(3, 1000)),
        baseline=reference / "baseline",
        output=tmp_path / "results",
        analyses=OptionalAnalyses(model=str(tmp_path)),
    )
    written = DriftReport.from_json((tmp_path / "results" / "drift_report.json").read_text())
    assert written == report
    assert (report.verdict, report.reason and report.reason.code) == (Verdict.NOT_JUDGED, ReasonCode.INTERNAL_FAULT)
    (fault,) = report.internal_faults
    assert fault.text == "ZeroDivisionError: by zero"
    assert f"internal fault in {fault.name}" in caplog.text
    assert "Traceback (most recent call last)" in caplog.text


@pytest.mark.parametrize("megabytes", [512, 640, 768])
def test_too_little_memory_is_never_an_all_clear(tmp_path: Path, reference: Path, megabytes: int) -> None:
    capture(tmp_path / "data", rows(3, 1000))
    finished = program(tmp_path, "--baseline_s3_uri", str(reference / "baseline"), megabytes=megabytes)
    # How far a run comes in so little memory depends on the machine: it fails, or says what it could not compute.
    if finished.returncode == 0:
        report = DriftReport.from_json((tmp_path / "results" / "drift_report.json").read_text())
        assert report.verdict is Verdict.NOT_JUDGED
        assert report.internal_faults
        assert "Traceback (most recent call last)" in finished.stderr


def program(
    folder: Path, *given: str, megabytes: int | None = None, **changes: str
) -> "subprocess.CompletedProcess[str]":
    """Run the container's entry point as the platform does, in an environment of its own and so much memory."""

    def limited() -> None:
        if megabytes is not None:
            resource.setrlimit(resource.RLIMIT_AS, (megabytes << 20, megabytes << 20))

    variables: Mapping[str, str] = {
        **environment(folder, **changes),
        "PYTHONPATH": str(TREE),
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    return subprocess.run(
        [sys.executable, "-m", "plumbline.drift", *given],
        env=variables,
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        preexec_fn=limited,
    )


def test_the_program_finishes_with_a_report_and_a_message(tmp_path: Path, reference: Path) -> None:
    capture(tmp_path / "data", rows(3, 400, later=7))
    finished = program(tmp_path, "--baseline_s3_uri", str(reference / "baseline"), "--target_label", "income")
    assert (finished.returncode, finished.stdout) == (0, ""), finished.stderr
    assert (tmp_path / "ml/output/message").read_text().startswith("CompletedWithViolations: drift in hours")
    report = DriftReport.from_json((tmp_path / "results/drift_report.json").read_text())
    assert (report.endpoint, report.schedule) == ("plumbline-dev", "plumbline-dev")
    text = (tmp_path / "ml/output/metrics/cloudwatch/cloudwatch_metrics.jsonl").read_text()
    metrics = [json.loads(line) for line in text.splitlines()]
    assert {line["MetricName"] for line in metrics} >= {"DriftVerdict", "MonitorRuns"}
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", line["Timestamp"]) for line in metrics)


def test_an_empty_hour_is_finished_and_not_judged(tmp_path: Path, reference: Path) -> None:
    (tmp_path / "data").mkdir()
    finished = program(tmp_path, "--baseline_s3_uri", str(reference / "baseline"))
    assert finished.returncode == 0, finished.stderr
    assert (tmp_path / "ml/output/message").read_text() == "Completed: not judged, no records in the window (0 rows)"


def test_an_operators_error_is_one_line_without_traceback(tmp_path: Path) -> None:
    finished = program(tmp_path, "--baseline_s3_uri", str(tmp_path / "nowhere"))
    assert finished.returncode == 2
    told = finished.stderr.splitlines()
    assert told[1:] == [f"error: {tmp_path}/nowhere must exist, got no such file or folder; check the path"]
    assert (tmp_path / "ml/output/message").read_text().startswith("Failed: ")
    assert "MonitorFailures" in (tmp_path / "ml/output/metrics/cloudwatch/cloudwatch_metrics.jsonl").read_text()


@pytest.mark.parametrize("given", [["--unknown", "x"], ["--target_label"], ["stray"], ["--baseline", "x"]])
def test_unknown_arguments_are_an_operators_error(tmp_path: Path, given: list[str]) -> None:
    finished = program(tmp_path, *given)
    assert finished.returncode == 2
    assert finished.stderr.startswith("error: arguments must be those of --help, got: ")
    assert finished.stderr.count("\n") == 1


def test_a_switch_that_says_neither_is_one_error_that_the_platform_hears_of(tmp_path: Path) -> None:
    finished = program(tmp_path, "--baseline_s3_uri", "x", publish_cloudwatch_metrics="perhaps")
    assert finished.returncode == 2
    assert finished.stderr.startswith("error: environment variable publish_cloudwatch_metrics must be")
    assert finished.stderr.count("\n") == 1
    assert (tmp_path / "ml/output/message").read_text().startswith("Failed: environment variable publish_cloudwatch")


def test_exit_codes_tell_whose_turn_it_is(
    tmp_path: Path, reference: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    capture(tmp_path / "data", rows(3, 300))
    for name, value in environment(tmp_path).items():
        monkeypatch.setenv(name, value)
    given = ["--baseline_s3_uri", str(reference / "baseline")]
    assert cli.main(given) == 0
    monkeypatch.setenv("dataset_source", str(tmp_path / "nowhere"))
    assert cli.main(given) == 2
    assert "error: dataset_source must be a folder of capture files" in capsys.readouterr().err
    monkeypatch.setenv("publish_cloudwatch_metrics", "perhaps")
    assert cli.main(given) == 2


def test_a_baseline_without_test_set_projects_no_accuracy(tmp_path: Path, reference: Path) -> None:
    learn_baseline(
        train=reference / "train.csv", test=None, predictions=None, target_label="income", output=tmp_path / "baseline"
    )
    report = monitor(
        dataset_source=capture(tmp_path / "data", rows(3, 300)),
        baseline=tmp_path / "baseline",
        output=tmp_path / "results",
    )
    assert report.verdict is Verdict.NO_DRIFT
    assert report.projected_accuracy.status is Status.NOT_JUDGED


def test_our_fault_is_exit_code_three_with_a_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for name, value in environment(tmp_path).items():
        monkeypatch.setenv(name, value)

    def broken(_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(cli, "read_settings", broken)
    assert cli.main(["--baseline_s3_uri", "x"]) == 3
    assert "ZeroDivisionError" in caplog.text
    assert (
        tmp_path / "ml/output/message"
    ).read_text() == "Failed: internal error, ZeroDivisionError; see the job's log"


HEAVY = {"boto3", "botocore", "ddsketch", "msgspec", "numpy", "pyarrow", "pyspark", "scipy", "sklearn", "xxhash"}
"""What takes long to import; the container's other imports are the standard library's and ours."""

UNTIL_THE_FIRST_LINE = f"""
import logging, os, sys

class First(logging.Handler):
    def emit(self, record):
        print(record.getMessage())
        print(*sorted({HEAVY!r} & set(sys.modules)))
        sys.stdout.flush()
        os._exit(0)

logging.basicConfig(handlers=[First()], level=logging.INFO)
from plumbline.drift import cli
cli.main(sys.argv[1:])
"""


def until_the_first_line(folder: Path, *given: str, **changes: str) -> list[str]:
    """Return what the program logs first, and the heavy modules that it has imported by then."""
    variables = {**environment(folder, **changes), "PYTHONPATH": str(TREE)}
    ran = subprocess.run(
        [sys.executable, "-c", UNTIL_THE_FIRST_LINE, *given], env=variables, capture_output=True, text=True, check=True
    )
    return ran.stdout.splitlines()


def test_the_first_line_says_what_runs_and_waits_for_no_heavy_import(tmp_path: Path) -> None:
    assert until_the_first_line(tmp_path, "--baseline_s3_uri", "s3://bucket/baseline") == [
        "plumbline 0.1.0 judges the window 2026-11-22T12:00:00Z to 2026-11-22T13:00:00Z of plumbline-dev",
        "",
    ]
    bare = {"start_time": "", "end_time": "", "sagemaker_endpoint_name": ""}
    line, _ = until_the_first_line(tmp_path, "--baseline_s3_uri", "x", **bare)
    assert line == "plumbline 0.1.0 judges all captured records of an endpoint without a name"


def test_a_refused_setting_costs_no_heavy_import(tmp_path: Path) -> None:
    text = "; ".join(
        [
            "import sys",
            "from plumbline.drift import cli",
            "cli.main(['--nope'])",
            f"sys.exit(bool({HEAVY!r} & set(sys.modules)))",
        ]
    )
    variables = {**environment(tmp_path), "PYTHONPATH": str(TREE)}
    assert subprocess.run([sys.executable, "-c", text], env=variables, check=False).returncode == 0
