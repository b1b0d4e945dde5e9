import csv
import json
import random
from collections.abc import Sequence
from pathlib import Path

import pytest

from contract.records import (
    DriftReport,
    ProjectedAccuracy,
    RecordCounts,
    Status,
    Verdict,
)
from plumbline.cli import main
from plumbline.commands.monitor import verdict_lines
from tests.unit.report.builders import REFUSED, feature, report

HEADER = ("age", "colour", "label")


def rows(n: int, seed: int, *, age: float = 40.0) -> list[tuple[str, ...]]:
    rng = random.Random(seed)
    found: list[tuple[str, ...]] = []
    for _ in range(n):
        years = rng.gauss(age, 10)
        found.append((f"{years:.1f}", rng.choice(["red", "blue"]), "1" if years + rng.gauss(0, 5) > 45 else "0"))
    return found


def probability(row: Sequence[str]) -> float:
    return min(0.99, max(0.01, (float(row[0]) - 30) / 30))


def write_csv(path: Path, header: Sequence[str], lines: Sequence[Sequence[object]]) -> Path:
    with path.open("w", newline="") as stream:
        csv.writer(stream).writerows([header, *lines])
    return path


def write_capture(folder: Path, lines: Sequence[Sequence[str]], *, broken: int = 0) -> Path:
    folder.mkdir()
    records = [
        json.dumps(
            {
                "captureData": {
                    "endpointInput": {
                        "observedContentType": "text/csv",
                        "mode": "INPUT",
                        "data": ",".join(row[:-1]),
                        "encoding": "CSV",
                    },
                    "endpointOutput": {
                        "observedContentType": "text/csv; charset=utf-8",
                        "mode": "OUTPUT",
                        "data": f"{probability(row)}\n",
                        "encoding": "CSV",
                    },
                },
                "eventMetadata": {"eventId": f"event-{number}", "inferenceTime": "2026-03-01T00:30:00Z"},
                "eventVersion": "0",
            }
        )
        for number, row in enumerate(lines)
    ]
    (folder / "30-00-000-capture.jsonl").write_text("\n".join([*records, *["{oops"] * broken]) + "\n")
    return folder


@pytest.fixture(scope="module")
def baseline(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("baseline")
    test = rows(800, seed=2)
    predictions = [[probability(row)] for row in test]
    files = {
        "--train": write_csv(folder / "train.csv", HEADER, rows(2000, seed=1)),
        "--test": write_csv(folder / "test.csv", HEADER, test),
        "--predictions": write_csv(folder / "predictions.csv", ["probability"], predictions),
        "--output": folder / "learned",
    }
    arguments = [text for option, path in files.items() for text in (option, str(path))]
    assert main(["baseline", "--target-label", "label", *arguments]) == 0
    return folder / "learned"


def monitor(baseline: Path, source: Path, *more: str) -> int:
    output = str(source.parent / "out")
    paths = ("--dataset-source", str(source), "--baseline", str(baseline), "--output", output)
    return main(["monitor", *paths, *more])


def test_quiet_traffic_is_judged_quiet(baseline: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = write_capture(tmp_path / "capture", rows(600, seed=3), broken=2)
    assert monitor(baseline, source, "--fail-on-violation") == 0
    shown = capsys.readouterr().out
    assert "verdict: no drift" in shown
    assert "records: 602 read, 600 used with 600 rows, 2 rejected (2 not_json)" in shown
    assert "on the labelled test set" in shown
    written = DriftReport.from_json((tmp_path / "out" / "drift_report.json").read_text())
    assert written.verdict is Verdict.NO_DRIFT


def test_drift_is_a_result_and_not_a_failure_unless_asked(
    baseline: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = write_capture(tmp_path / "capture", rows(600, seed=3, age=60))
    assert monitor(baseline, source) == 0
    assert "drifted features: age\n" in capsys.readouterr().out
    assert monitor(baseline, source, "--fail-on-violation") == 1


def test_times_choose_the_window(baseline: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = write_capture(tmp_path / "capture", rows(600, seed=3))
    times = ("--start-time", "2026-03-01T01:00:00Z", "--end-time", "2026-03-01T02:00:00Z")
    assert monitor(baseline, source, *times) == 0
    shown = capsys.readouterr().out
    assert "verdict: not judged" in shown
    assert "600 rejected (600 outside_window)" in shown


def test_thresholds_reach_the_verdict(baseline: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = write_capture(tmp_path / "capture", rows(600, seed=3))
    assert monitor(baseline, source, "--minimum-rows", "601") == 0
    assert "600 rows, fewer than the minimum of 601" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--alpha", "2"), "alpha must lie between 0 and 1, got 2.0"),
        (("--seed", "-1"), "--seed must be 0 or more, got -1"),
        (("--output", __file__), "--output must be a folder to write to, got [Errno 17]"),
        (("--start-time", "2026-03-01T00:00:00Z"), "must be given together"),
        (("--dataset-source", "absent"), "absent"),
        (("--baseline", "absent"), "absent"),
    ],
)
def test_what_the_user_can_fix_is_one_line_and_exit_code_2(
    baseline: Path, tmp_path: Path, more: tuple[str, str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert monitor(baseline, write_capture(tmp_path / "capture", rows(10, seed=3)), *more) == 2
    error = capsys.readouterr().err
    assert error.startswith("plumbline monitor: error: ")
    assert message in error
    assert error.count("\n") == 1


def test_predictions_without_test_set_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths = ["--train", "t", "--predictions", "p", "--target-label", "label", "--output", str(tmp_path)]
    assert main(["baseline", *paths]) == 2
    assert "--predictions must come with --test" in capsys.readouterr().err


def test_missing_training_file_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    absent = str(tmp_path / "absent.csv")
    assert main(["baseline", "--train", absent, "--target-label", "label", "--output", str(tmp_path / "b")]) == 2
    assert "absent.csv" in capsys.readouterr().err


def test_baseline_without_test_set_says_what_it_costs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    train = str(write_csv(tmp_path / "train.csv", HEADER, rows(300, seed=1)))
    assert main(["baseline", "--train", train, "--target-label", "label", "--output", str(tmp_path / "b")]) == 0
    assert "the accuracy cannot be projected" in capsys.readouterr().out


def test_verdict_is_told_in_lines() -> None:
    drifted = report(
        0,
        features=(feature("age", 30.0, drift=True), feature("sex")),
        reason="age drifted",
        rejected={"not_json": 2, "field_count": 1},
        projected=ProjectedAccuracy(status=Status.ESTIMATED, estimate=0.8, lower=0.79, upper=0.81, reference=0.9),
    )
    assert list(verdict_lines(drifted)) == [
        "verdict: drift",
        "drifted features: age",
        "projected accuracy: 80.0 % (95 % interval 79.0 to 81.0 %), 90.0 % on the labelled test set",
        "records: 503 read, 500 used with 2000 rows, 3 rejected (1 field_count, 2 not_json)",
    ]
    assert RecordCounts(read=503, used=500, rejected={"not_json": 2, "field_count": 1}) == drifted.records


def test_refused_projection_gives_its_reason() -> None:
    assert "projected accuracy: not judged: no predictions were captured" in list(
        verdict_lines(report(0, projected=REFUSED))
    )
