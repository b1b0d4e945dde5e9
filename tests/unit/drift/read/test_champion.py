"""The endpoint's model changes: which windows are judged, against which baseline, with which labels."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from plumbline.contract.champion import Champion, ChampionHistory
from plumbline.contract.names import Metric
from plumbline.contract.records import DriftReport, ModelReport, Verdict
from plumbline.drift.aws import Clients
from plumbline.drift.errors import ConfigError
from plumbline.drift.report.metrics import of_report
from plumbline.drift.run import run
from plumbline.drift.settings.run import read_settings
from tests.contract.schemas import DRIFT_REPORT
from tests.contract.test_reports_match_schemas import assert_valid, strict
from tests.unit.drift.builders import learn_baseline, record, write_capture
from tests.unit.drift.fake_s3 import FakeS3
from tests.unit.drift.test_run import (
    NAMES,
    NOW,
    arguments,
    environment,
    no_client,
    probability,
    reference,
    rows,
    write_csv,
)
from tests.unit.drift.test_run_labels import captured, labelled

__all__ = ["reference"]

DAY = "2026-11-22"
HISTORY = "champion/history.json"
NEW_FOLDER = "retraining/1/baseline"
OLD = Champion("s3://bucket/models/old.tar.gz", "s3://bucket/baselines/old")
NEW = Champion("s3://bucket/models/new.tar.gz", f"s3://bucket/{NEW_FOLDER}", "arn:package/2")
LATER = 7
"""How many hours the new model's population works longer."""


def history(changing: str, live: str) -> ChampionHistory:
    return ChampionHistory((OLD, replace(NEW, changing_from=f"{DAY}T{changing}Z", live_from=f"{DAY}T{live}Z")))


def folder_objects(folder: Path, prefix: str) -> dict[str, str]:
    return {f"{prefix}/{path.name}": path.read_text() for path in folder.iterdir() if path.is_file()}


@pytest.fixture(scope="module")
def baselines(reference: Path, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """The objects of two baselines: the second one learned of a population whose hours moved."""
    folder = tmp_path_factory.mktemp("new")
    test = rows(6, 1500, later=LATER)
    learn_baseline(
        train=write_csv(folder / "train.csv", NAMES, rows(5, 3000, later=LATER)),
        test=write_csv(folder / "test.csv", NAMES, test),
        predictions=write_csv(folder / "predictions.csv", ["probability"], [[probability(row)] for row in test]),
        target_label="income",
        output=folder / "baseline",
    )
    return {
        **folder_objects(reference / "baseline", "baselines/old"),
        **folder_objects(folder / "baseline", NEW_FOLDER),
    }


def judged(
    folder: Path, objects: Mapping[str, str], kept: ChampionHistory | str | None, *, later: int = LATER, **changes: str
) -> DriftReport:
    """Judge the window from 12 to 13 o'clock, whose rows work `later` hours more than those of the first training."""
    content = rows(3, 800, later=later)
    records = [
        record(", ".join(row[:-1]), f"{probability(row)}\n", event_id=f"12-{number}")
        for number, row in enumerate(content)
    ]
    write_capture(folder / "data", records)
    text = kept.to_json() if isinstance(kept, ChampionHistory) else kept
    objects = {**objects, **({} if text is None else {HISTORY: text})}
    variables = environment(folder, PLUMBLINE_CHAMPION_S3_URI=f"s3://bucket/{HISTORY}", **changes)
    settings = read_settings(arguments(baseline=OLD.baseline), variables)
    return run(settings, now=NOW, clients=Clients(s3=FakeS3(objects), cloudwatch=no_client))


def test_without_a_history_the_arguments_baseline_judges(tmp_path: Path, baselines: Mapping[str, str]) -> None:
    report = judged(tmp_path, baselines, None)
    assert (report.verdict, report.model) == (Verdict.DRIFT, None)


def test_a_full_window_of_the_new_model_is_judged_against_its_baseline(
    tmp_path: Path, baselines: Mapping[str, str]
) -> None:
    report = judged(tmp_path, baselines, history("10:20:00", "10:40:00"))
    assert report.verdict is Verdict.NO_DRIFT
    assert report.model == ModelReport(
        artifact=NEW.artifact, baseline=NEW.baseline, model_package="arn:package/2", champion_from=f"{DAY}T10:40:00Z"
    )


def test_a_window_before_the_change_keeps_its_own_models_baseline(tmp_path: Path, baselines: Mapping[str, str]) -> None:
    """A window that is judged again long after, whatever serves by then."""
    report = judged(tmp_path, baselines, history("14:20:00", "14:40:00"))
    assert report.verdict is Verdict.DRIFT
    assert report.model == ModelReport(artifact=OLD.artifact, baseline=OLD.baseline)


@pytest.mark.parametrize(
    "kept",
    [
        pytest.param(history("12:20:00", "12:40:00"), id="within"),
        pytest.param(history("11:50:00", "12:00:01"), id="ends in it"),
        pytest.param(history("12:59:59", "13:30:00"), id="begins in it"),
        pytest.param(history("11:50:00", "13:30:00"), id="all of it"),
        pytest.param(ChampionHistory((OLD,), changing_from=f"{DAY}T12:30:00Z"), id="still changing"),
    ],
)
def test_a_window_in_which_the_model_changes_is_counted_and_not_judged(
    tmp_path: Path, baselines: Mapping[str, str], kept: ChampionHistory
) -> None:
    report = judged(
        tmp_path,
        baselines,
        kept,
        PLUMBLINE_MULTIVARIATE="Enabled",
        PLUMBLINE_FACET="workclass",
        PLUMBLINE_MODEL_S3_URI=OLD.artifact,
    )
    assert (report.verdict, str(report.reason), report.model) == (Verdict.NOT_JUDGED, "model changed", None)
    assert (report.n_rows, report.records.used) == (800, 800)
    told = {
        str(report.prediction.reason),
        str(report.projected_accuracy.reason),
        str(report.multivariate.reason),
        str(report.bias.reason),
        str(report.attribution.reason),
        *(str(feature.reason) for feature in report.features),
        *(str(shift.reason) for shift in report.shifts[:2]),
    }
    assert told == {"the window is not judged: model changed"}
    metrics = {measurement.metric: measurement.value for measurement in of_report(report)}
    assert metrics.keys() == {
        Metric.MONITOR_RUNS,
        Metric.MONITOR_FAILURES,
        Metric.WINDOWS_WITHOUT_DATA,
        Metric.WINDOWS_NOT_JUDGED,
        Metric.RECORDS_READ,
        Metric.RECORDS_REJECTED,
        Metric.UNREADABLE_ANSWER_FRACTION,
        Metric.ROWS_USED,
        Metric.REJECTED_FRACTION,
        Metric.INTERNAL_FAULTS,
        Metric.SCHEMA_VIOLATIONS,
        Metric.PROJECTIONS_NOT_JUDGED,
    }
    assert metrics[Metric.WINDOWS_NOT_JUDGED] == 1
    assert_valid(strict((tmp_path / "results" / "drift_report.json").read_text()), DRIFT_REPORT)


def test_a_broken_payload_is_told_of_a_window_in_which_the_model_changed(
    tmp_path: Path, baselines: Mapping[str, str]
) -> None:
    records = [
        record({"data": '{"age": 40, "workclass": "Gov"}', "encoding": "JSON"}, "0.5\n", event_id=str(number))
        for number in range(50)
    ]
    for number, content in enumerate(records):
        content["captureData"]["endpointInput"] |= {"observedContentType": "application/json", "mode": "INPUT"}
        write_capture(tmp_path / "data", [content], f"ep/AllTraffic/2026/11/22/12/{number}.jsonl")
    kept = history("12:20:00", "12:40:00").to_json()
    variables = environment(tmp_path, PLUMBLINE_CHAMPION_S3_URI=f"s3://bucket/{HISTORY}")
    settings = read_settings(arguments(baseline=OLD.baseline), variables)
    clients = Clients(s3=FakeS3({**baselines, HISTORY: kept}), cloudwatch=no_client)
    report = run(settings, now=NOW, clients=clients)
    assert [feature.name for feature in report.features if feature.violation] == ["hours"]


@pytest.mark.parametrize(
    "text",
    ["no JSON", "{}", '{"champions": [], "changing_from": null, "version": 1}', history("10", "11").to_json()],
    ids=["text", "keys", "empty", "times"],
)
def test_a_history_that_cannot_be_read_stops_the_run(tmp_path: Path, baselines: Mapping[str, str], text: str) -> None:
    if "T10Z" in text:
        text = text.replace("T10Z", "T99Z")
    with pytest.raises(ConfigError, match=r"must be the history of the endpoint's models, got .*; restore"):
        judged(tmp_path, baselines, text)


@pytest.fixture
def three_hours(tmp_path: Path) -> Mapping[str, str]:
    """Captures of 10 to 13 o'clock and the labels of the first two, as objects."""
    for hour in (10, 11, 12):
        captured(tmp_path / "capture" / "plumbline-dev", hour, 400)
    labelled(tmp_path / "labels", 10, 400)
    labelled(tmp_path / "labels", 11, 400)
    files = [*(tmp_path / "capture").rglob("*.jsonl"), *(tmp_path / "labels").rglob("*.jsonl")]
    return {path.relative_to(tmp_path).as_posix(): path.read_text() for path in files}


LABELS = {
    "PLUMBLINE_LABELS_S3_URI": "s3://bucket/labels",
    "PLUMBLINE_CAPTURE_S3_URI": "s3://bucket/capture/plumbline-dev",
    "PLUMBLINE_LABEL_LAG_HOURS": "2",
}


@pytest.mark.parametrize(
    ("live", "expected"),
    [
        ("09:00:00", [Verdict.NO_DRIFT, Verdict.NO_DRIFT]),
        ("10:30:00", [Verdict.NOT_JUDGED, Verdict.NO_DRIFT]),
        ("12:00:00", [Verdict.NOT_JUDGED, Verdict.NOT_JUDGED]),
        ("12:30:00", [Verdict.NOT_JUDGED, Verdict.NOT_JUDGED]),
    ],
)
def test_labels_of_windows_that_another_model_answered_are_kept_and_not_judged(
    tmp_path: Path,
    baselines: Mapping[str, str],
    three_hours: Mapping[str, str],
    live: str,
    expected: list[Verdict],
) -> None:
    served = replace(OLD, artifact="s3://bucket/models/same-population.tar.gz")
    kept = ChampionHistory((OLD, replace(served, changing_from=f"{DAY}T08:59:00Z", live_from=f"{DAY}T{live}Z")))
    report = judged(tmp_path, {**baselines, **three_hours}, kept, later=0, **LABELS)
    told = report.quality.windows
    assert [window.verdict for window in told[:2]] == expected
    refused = [window for window in told[:2] if window.verdict is Verdict.NOT_JUDGED]
    assert all(str(window.reason) == "model changed" and window.n_labelled == 400 for window in refused)
    metrics = {measurement.metric for measurement in of_report(report)}
    assert (Metric.REALISED_ACCURACY in metrics) is (Verdict.NO_DRIFT in expected)
    assert Metric.LABELLED_FRACTION in metrics
    if Verdict.NO_DRIFT not in expected:
        assert str(report.shifts[-1].reason) == "only labels can show it: model changed"


def test_labels_of_another_models_windows_are_joined_and_stored(
    tmp_path: Path, baselines: Mapping[str, str], three_hours: Mapping[str, str]
) -> None:
    s3 = FakeS3({**baselines, **three_hours, HISTORY: history("11:20:00", "11:40:00").to_json()})
    write_capture(tmp_path / "data", [])
    variables = environment(
        tmp_path,
        PLUMBLINE_CHAMPION_S3_URI=f"s3://bucket/{HISTORY}",
        PLUMBLINE_MERGED_S3_URI="s3://bucket/merged",
        **LABELS,
    )
    settings = read_settings(arguments(baseline=OLD.baseline), variables)
    run(settings, now=NOW, clients=Clients(s3=s3, cloudwatch=no_client))
    assert sorted(s3.stored) == [
        f"merged/plumbline-dev/AllTraffic/2026/11/22/{hour}/part-00000.jsonl" for hour in (10, 11)
    ]
