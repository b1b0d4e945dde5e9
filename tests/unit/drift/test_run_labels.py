"""Runs with labels, a facet and a model: from files to the report."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from plumbline.contract.accuracy import Measure, Shift
from plumbline.contract.records import SWITCHED_OFF, DriftReport, Verdict
from plumbline.drift.aws import Clients
from plumbline.drift.errors import ConfigError
from plumbline.drift.run import monitor, run
from plumbline.drift.settings.run import LabelSource, OptionalAnalyses, read_settings
from tests.contract.schemas import DRIFT_REPORT
from tests.contract.test_reports_match_schemas import assert_valid, strict
from tests.unit.drift.builders import record, write_capture
from tests.unit.drift.fake_s3 import FakeS3
from tests.unit.drift.ground_truth.builders import label, write_labels
from tests.unit.drift.test_run import NOW, arguments, environment, no_client, probability, reference, rows

__all__ = ["reference"]

HOURS = (10, 11, 12)
"""Windows of the day; the last is the one that is judged."""


def captured(folder: Path, hour: int, n: int = 1200) -> None:
    content, time = rows(hour, n), f"2026-11-22T{hour:02}:30:00Z"
    records = [
        record(", ".join(row[:-1]), f"{probability(row)}\n", event_id=f"{hour}-{number}", time=time)
        for number, row in enumerate(content)
    ]
    write_capture(folder, records, f"AllTraffic/2026/11/22/{hour:02}/30-00-000-a.jsonl")


def labelled(folder: Path, hour: int, n: int = 1200, *, turned: bool = False) -> None:
    """The labels of an hour's rows, collected in the hour after; turned ones are the other class."""
    other = {">50K": "<=50K", "<=50K": ">50K"}
    records = [
        label(f"{hour}-{number}", other[row[-1]] if turned else row[-1]) for number, row in enumerate(rows(hour, n))
    ]
    write_labels(folder, records, f"2026/11/22/{hour + 1:02}/labels.jsonl")


@pytest.fixture
def hours(tmp_path: Path) -> Path:
    """Three captured hours; labels of the first came, those of the second in part and turned."""
    for hour in HOURS:
        captured(tmp_path / "capture" / "plumbline-dev", hour)
    labelled(tmp_path / "labels", 10)
    labelled(tmp_path / "labels", 11, 800, turned=True)
    return tmp_path


def judged(folder: Path, reference: Path, **analyses: Any) -> DriftReport:
    source = LabelSource(
        labels=str(folder / "labels"),
        captures=str(folder / "capture"),
        lag_hours=2,
        merged=str(folder / "merged"),
    )
    return monitor(
        dataset_source=folder / "capture",
        baseline=reference / "baseline",
        output=folder / "results",
        start_time="2026-11-22T12:00:00Z",
        end_time="2026-11-22T13:00:00Z",
        analyses=OptionalAnalyses(labels=source, **analyses),
    )


def test_labels_judge_the_windows_of_the_lag(hours: Path, reference: Path) -> None:
    report = judged(hours, reference)
    verdicts = [(window.n_labelled, window.is_final, window.verdict) for window in report.quality.windows]
    assert verdicts == [
        (1200, True, Verdict.NO_DRIFT),
        (800, False, Verdict.DRIFT),
        (0, False, Verdict.NOT_JUDGED),
    ]
    first, second, _ = report.quality.windows
    assert first.projected is not None
    assert first.projected.lower is not None
    assert first.projected.upper is not None
    accuracy = first.measure(Measure.ACCURACY).value
    assert accuracy is not None
    assert first.projected.lower <= accuracy <= first.projected.upper
    assert second.shift(Shift.CONCEPT).verdict is Verdict.DRIFT
    assert report.quality.labels.used == 2000


def test_the_three_shifts_are_named_whatever_the_labels(hours: Path, reference: Path) -> None:
    report = judged(hours, reference)
    covariate, label_shift, concept = report.shifts
    assert [shift.shift for shift in report.shifts] == [Shift.COVARIATE, Shift.LABEL, Shift.CONCEPT]
    assert covariate.verdict is Verdict.NO_DRIFT
    assert label_shift.verdict is not Verdict.DRIFT
    assert concept.verdict is Verdict.DRIFT
    assert str(concept.reason).startswith("window 2026-11-22T11:00:00Z: ")


def test_without_labels_concept_shift_is_not_judged(hours: Path, reference: Path) -> None:
    report = monitor(dataset_source=hours / "capture", baseline=reference / "baseline", output=hours / "results")
    assert report.quality.reason == SWITCHED_OFF
    concept = report.shifts[-1]
    assert (concept.verdict, str(concept.reason)) == (
        Verdict.NOT_JUDGED,
        "only labels can show it: no labels are awaited",
    )


def test_a_run_again_leaves_the_same_bytes(hours: Path, reference: Path) -> None:
    def bytes_of(folder: str) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in sorted((hours / folder).rglob("*.json*"))}

    judged(hours, reference)
    first = {**bytes_of("results"), **bytes_of("merged")}
    judged(hours, reference)
    assert {**bytes_of("results"), **bytes_of("merged")} == first
    assert len(list((hours / "merged").rglob("part-*.jsonl"))) == 2


def test_a_report_with_labels_has_the_documented_keys_and_types(hours: Path, reference: Path) -> None:
    judged(hours, reference, facet="workclass")
    assert_valid(strict((hours / "results" / "drift_report.json").read_text()), DRIFT_REPORT)


def test_the_container_finds_labels_and_captures_in_s3(hours: Path, reference: Path) -> None:
    objects: Mapping[str, str] = {
        path.relative_to(hours).as_posix(): path.read_text() for path in hours.rglob("*.jsonl")
    }
    write_capture(hours / "data", [])
    variables = environment(
        hours,
        PLUMBLINE_LABELS_S3_URI="s3://bucket/labels",
        PLUMBLINE_CAPTURE_S3_URI="s3://bucket/capture/plumbline-dev",
        PLUMBLINE_LABEL_LAG_HOURS="2",
        PLUMBLINE_MERGED_S3_URI="s3://bucket/merged",
    )
    s3 = FakeS3(objects)
    settings = read_settings(arguments(baseline=str(reference / "baseline")), variables)
    report = run(settings, now=NOW, clients=Clients(s3=s3, cloudwatch=no_client))
    by_hand = judged(hours, reference)
    assert report.quality == by_hand.quality
    for name, text in s3.stored.items():
        assert (hours / name.replace("plumbline-dev", "endpoint")).read_text() == text
    assert len(s3.stored) == 2


def test_a_facet_that_is_no_column_is_refused(hours: Path, reference: Path) -> None:
    with pytest.raises(ConfigError, match="'sex'"):
        judged(hours, reference, facet="sex")


def test_the_facets_groups_are_in_the_report(hours: Path, reference: Path) -> None:
    report = judged(hours, reference, facet="workclass")
    assert report.bias.facet == "workclass"
    assert [group.value for group in report.bias.groups] == ["Gov", "Private", "Self"]
    assert report.quality.windows[0].bias.facet == "workclass"
    assert json.loads((hours / "results" / "drift_report.json").read_text())["bias"]["facet"] == "workclass"


def test_a_model_that_is_none_is_told_and_stops_nothing(hours: Path, reference: Path) -> None:
    report = judged(hours, reference, model=str(reference))
    assert report.attribution.verdict is Verdict.NOT_JUDGED
    assert report.attribution.reason != SWITCHED_OFF


@pytest.fixture
def thin(tmp_path: Path) -> Path:
    """Six hours of 150 rows each, all labelled within the hour after."""
    for hour in range(7, 13):
        captured(tmp_path / "capture" / "plumbline-dev", hour, 150)
        labelled(tmp_path / "labels", hour, 150, turned=hour >= 11)
    return tmp_path


def thinly_judged(folder: Path, reference: Path, look_back_hours: int) -> DriftReport:
    source = LabelSource(
        labels=str(folder / "labels"), captures=str(folder / "capture"), lag_hours=2, merged=str(folder / "merged")
    )
    return monitor(
        dataset_source=folder / "capture",
        baseline=reference / "baseline",
        output=folder / "results",
        start_time="2026-11-22T12:00:00Z",
        end_time="2026-11-22T13:00:00Z",
        look_back_hours=look_back_hours,
        analyses=OptionalAnalyses(labels=source),
    )


def test_the_window_whose_labels_are_due_looks_back_where_they_are_too_few(thin: Path, reference: Path) -> None:
    final, *others = thinly_judged(thin, reference, 5).quality.windows

    assert (final.hours_added, final.n_labelled, final.verdict) == (1, 300, Verdict.NO_DRIFT)
    assert (final.window.start, final.own_window.start) == ("2026-11-22T09:00:00Z", "2026-11-22T10:00:00Z")
    # Their time is not over: the runs that come will judge them.
    assert [(one.hours_added, one.verdict) for one in others] == [(0, Verdict.NOT_JUDGED)] * 2


def test_labels_of_added_hours_are_no_part_of_the_account_and_are_not_kept_again(thin: Path, reference: Path) -> None:
    short = thinly_judged(thin, reference, 0)
    kept = sorted(path.relative_to(thin) for path in (thin / "merged").rglob("*.jsonl"))
    long = thinly_judged(thin, reference, 5)

    assert long.quality.labels == short.quality.labels
    assert sorted(path.relative_to(thin) for path in (thin / "merged").rglob("*.jsonl")) == kept
    assert short.quality.windows[0].verdict is Verdict.NOT_JUDGED


def test_labels_that_no_allowed_hour_makes_enough_leave_the_window_as_it_was(thin: Path, reference: Path) -> None:
    for hour in range(7, 10):
        (thin / "labels" / f"2026/11/22/{hour + 1:02}" / "labels.jsonl").unlink()
    final = thinly_judged(thin, reference, 3).quality.windows[0]
    assert (final.hours_added, final.n_labelled, final.verdict) == (0, 150, Verdict.NOT_JUDGED)


def in_turn(folder: Path, reference: Path, *hours: int) -> list[DriftReport]:
    """Judge hours one after the other, each with the labels of the hour before and the reports of earlier runs."""
    found = []
    for hour in hours:
        source = LabelSource(labels=str(folder / "labels"), captures=str(folder / "capture"), lag_hours=1)
        found.append(
            monitor(
                dataset_source=folder / "capture",
                baseline=reference / "baseline",
                output=folder / "reports" / f"{hour}",
                start_time=f"2026-11-22T{hour:02}:00:00Z",
                end_time=f"2026-11-22T{hour + 1:02}:00:00Z",
                recent=folder / "reports",
                analyses=OptionalAnalyses(labels=source),
            )
        )
    return found


def test_what_labels_showed_goes_from_run_to_run_and_no_window_is_projected_with_its_own(
    tmp_path: Path, reference: Path
) -> None:
    for hour in HOURS:
        captured(tmp_path / "capture" / "plumbline-dev", hour)
        labelled(tmp_path / "labels", hour)
    reports = in_turn(tmp_path, reference, *HOURS)
    assert [report.projected_accuracy.n_labelled_windows for report in reports] == [0, 1, 2]
    misses = [window.miss for window in reports[-1].quality.windows]
    assert [one is not None and one.window.end for one in misses] == ["2026-11-22T12:00:00Z", "2026-11-22T13:00:00Z"]
    # The labels fit the test set: nothing is widened, nothing moved.
    last = reports[-1].projected_accuracy
    assert last.half_widths is not None
    assert (last.half_widths.history, last.half_widths.feedback, last.correction) == (0.0, 0.0, 0.0)
    files = {path: path.read_bytes() for path in (tmp_path / "reports").rglob("*.json")}
    assert in_turn(tmp_path, reference, HOURS[-1]) == reports[-1:]
    assert all(path.read_bytes() == content for path, content in files.items())


def test_labels_that_are_otherwise_correct_the_next_windows_and_not_the_figure_they_are_held_against(
    tmp_path: Path, reference: Path
) -> None:
    for hour in HOURS:
        captured(tmp_path / "capture" / "plumbline-dev", hour)
        # Every second label is the other class's.
        other = {">50K": "<=50K", "<=50K": ">50K"}
        content = [
            label(f"{hour}-{number}", row[-1] if number % 2 else other[row[-1]])
            for number, row in enumerate(rows(hour, 1200))
        ]
        write_labels(tmp_path / "labels", content, f"2026/11/22/{hour + 1:02}/labels.jsonl")
    first, _, last = in_turn(tmp_path, reference, *HOURS)
    assert first.projected_accuracy.correction == 0
    assert last.projected_accuracy.correction < -0.02
    assert last.projected_accuracy.half_widths is not None
    assert last.projected_accuracy.half_widths.feedback > 0
    before, own = (report.quality.windows[-1].projected for report in (first, last))
    assert before is not None
    assert own is not None
    assert before.value is not None
    assert own.value == pytest.approx(before.value, abs=0.03)
