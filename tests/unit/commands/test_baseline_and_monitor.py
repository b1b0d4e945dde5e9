import csv
import gzip
import json
import random
from collections.abc import Sequence
from pathlib import Path

import pytest

from plumbline.cli import main
from plumbline.contract.records import DriftReport, EffectMeasure, Verdict
from plumbline.contract.thresholds import DEFAULT_EFFECT_THRESHOLDS
from plumbline.drift.reference.baseline import load

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
    assert "records: 602 read, 600 used with 600 rows, 2 rejected\n" in shown
    file = "30-00-000-capture.jsonl"
    assert f"rejected: 2 not_json, for example {file}:601, {file}:602\n" in shown
    assert "on the labelled test set" in shown
    written = DriftReport.from_json((tmp_path / "out" / "drift_report.json").read_text())
    assert written.verdict is Verdict.NO_DRIFT


def test_drift_is_a_result_and_not_a_failure_unless_requested(
    baseline: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = write_capture(tmp_path / "capture", rows(600, seed=3, age=60))
    assert monitor(baseline, source) == 0
    assert "verdict: drift: drift in age, the prediction\nage: Jensen-Shannon distance 0." in capsys.readouterr().out
    assert monitor(baseline, source, "--fail-on-violation") == 1


def test_times_choose_the_window(baseline: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = write_capture(tmp_path / "capture", rows(600, seed=3))
    times = ("--start-time", "2026-03-01T01:00:00Z", "--end-time", "2026-03-01T02:00:00Z")
    assert monitor(baseline, source, *times) == 0
    shown = capsys.readouterr().out
    assert "verdict: not judged" in shown
    assert "rejected: 600 outside_window, for example" in shown


def test_thresholds_reach_the_verdict(baseline: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = write_capture(tmp_path / "capture", rows(600, seed=3))
    assert monitor(baseline, source, "--minimum-rows", "601") == 0
    assert "600 rows, fewer than the minimum of 601" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--alpha", "2"), "alpha must be above 0, below 1, got 2.0"),
        (("--seed", "-1"), "--seed must be 0 or more, got -1"),
        (("--output", __file__), "--output must be a folder to write to, got [Errno 17]"),
        (("--start-time", "2026-03-01T00:00:00Z"), "must be given together"),
        (("--dataset-source", "absent"), "absent"),
        (("--baseline", "absent"), "absent"),
        (("--test", "t.csv"), "--test and --predictions must come with --train"),
        (("--target-label", "wage"), "--target-label must be the baseline's (label), got 'wage'"),
        (("--segment-column", "colour"), "--segment-column must be the baseline's (it has none), got 'colour'"),
        (("--policy", "absent"), "policy file absent must be readable JSON"),
        (("--recent", __file__), f"--recent must be a folder, got {__file__!r}"),
        (("--effect-threshold", "1.5"), "effect_threshold must be above 0, below 1 for the jensen_shannon_distance"),
        (("--drifted-fraction", "0"), "drifted_fraction must be above 0"),
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


def test_a_test_set_without_target_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["baseline", "--train", "t", "--test", "t", "--output", str(tmp_path)]) == 2
    assert "--test must come with --target-label" in capsys.readouterr().err


def test_a_baseline_without_target_has_every_column_as_a_feature(tmp_path: Path) -> None:
    train = str(write_csv(tmp_path / "train.csv", HEADER, rows(300, seed=1)))
    assert main(["baseline", "--train", train, "--output", str(tmp_path / "b")]) == 0
    learned = load(tmp_path / "b")
    assert learned.target_label is None
    assert [spec.name for spec in learned.specs] == list(HEADER)


def test_missing_training_file_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    absent = str(tmp_path / "absent.csv")
    assert main(["baseline", "--train", absent, "--target-label", "label", "--output", str(tmp_path / "b")]) == 2
    assert "absent.csv" in capsys.readouterr().err


def test_baseline_without_test_set_shows_what_it_costs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    train = str(write_csv(tmp_path / "train.csv", HEADER, rows(300, seed=1)))
    assert main(["baseline", "--train", train, "--target-label", "label", "--output", str(tmp_path / "b")]) == 0
    assert "the accuracy cannot be projected" in capsys.readouterr().out


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("files")
    write_csv(folder / "train.csv", HEADER, rows(2000, seed=1))
    test = write_csv(folder / "test.csv", HEADER, rows(800, seed=2))
    predictions = [[probability(row)] for row in rows(800, seed=2)]
    write_csv(folder / "predictions.csv", ["probability"], predictions)
    assert test.exists()
    return folder


def from_files(files: Path, source: Path, *more: str) -> int:
    paths = (
        "--dataset-source",
        str(source),
        "--train",
        str(files / "train.csv"),
        "--output",
        str(source.parent / "out"),
    )
    return main(["monitor", *paths, *more])


def test_one_command_leads_from_csv_files_to_the_report_that_a_saved_baseline_gives(
    baseline: Path, files: Path, tmp_path: Path
) -> None:
    source = write_capture(tmp_path / "capture", rows(600, seed=3, age=44))
    assert monitor(baseline, source) == 0
    expected = (tmp_path / "out" / "drift_report.json").read_bytes()
    labelled = ("--test", str(files / "test.csv"), "--predictions", str(files / "predictions.csv"))
    assert from_files(files, source, "--target-label", "label", *labelled) == 0
    assert (tmp_path / "out" / "drift_report.json").read_bytes() == expected


def test_without_a_target_every_column_of_the_reference_is_a_feature(files: Path, tmp_path: Path) -> None:
    write_csv(tmp_path / "features.csv", HEADER[:-1], [row[:-1] for row in rows(2000, seed=1)])
    source = write_capture(tmp_path / "capture", rows(600, seed=3))
    assert from_files(files, source, "--train", str(tmp_path / "features.csv")) == 0
    found = DriftReport.from_json((tmp_path / "out" / "drift_report.json").read_text())
    assert [(one.name, one.verdict) for one in found.features] == [
        ("age", Verdict.NO_DRIFT),
        ("colour", Verdict.NO_DRIFT),
    ]


def test_segments_of_a_column_are_judged_apart(files: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    traffic = [
        (age if colour == "red" else str(float(age) + 20), colour, label) for age, colour, label in rows(2000, 3)
    ]
    source = write_capture(tmp_path / "capture", traffic)
    assert from_files(files, source, "--target-label", "label", "--segment-column", "colour") == 0
    shown = capsys.readouterr().out
    n_red = sum(row[1] == "red" for row in traffic)
    assert f"segment blue ({2000 - n_red:,} rows): drift: drift in age\n" in shown
    assert f"segment red ({n_red} rows): no drift" in shown


def test_the_joint_distribution_is_judged_on_request(
    files: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = write_capture(tmp_path / "capture", rows(600, seed=3))
    assert from_files(files, source, "--target-label", "label") == 0
    assert "classifier" not in capsys.readouterr().out
    assert from_files(files, source, "--target-label", "label", "--multivariate") == 0
    assert "whole rows: a classifier separates them with AUC 0." in capsys.readouterr().out


def test_over_time_nothing_is_judged_without_times(
    baseline: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = write_capture(tmp_path / "capture", rows(600, seed=3))
    assert monitor(baseline, source, "--recent", str(tmp_path / "runs")) == 0
    shown = capsys.readouterr().out
    assert "over time (0 windows of the last day, 0 rows): not judged: the window has no times" in shown
    assert not (tmp_path / "runs").exists()


def test_one_variant_is_judged_when_named(baseline: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "capture").mkdir()
    for variant, n, seed in (("blue", 300, 3), ("green", 250, 4)):
        hour = tmp_path / "capture" / variant / "2026" / "03" / "01"
        hour.mkdir(parents=True)
        write_capture(hour / "00", rows(n, seed=seed))
    assert monitor(baseline, tmp_path / "capture", "--variant", "green") == 0
    assert "250 used with 250 rows, 300 rejected\nrejected: 300 other_variant" in capsys.readouterr().out


def test_a_policy_file_reaches_the_verdict(baseline: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = write_capture(tmp_path / "capture", rows(600, seed=3, age=60))
    policy = tmp_path / "policy.json"
    policy.write_text(json.dumps({"version": 2, "features": {"age": {"ignore": True}}}))
    assert monitor(baseline, source, "--policy", str(policy)) == 0
    shown = capsys.readouterr().out
    assert "verdict: drift: drift in the prediction\nprediction: " in shown
    assert "not judged: age: " in shown


def test_the_effect_measure_brings_its_own_threshold(baseline: Path, tmp_path: Path) -> None:
    source = write_capture(tmp_path / "capture", rows(600, seed=3, age=60))
    measure = EffectMeasure.WASSERSTEIN_DISTANCE
    assert monitor(baseline, source, "--effect-measure", measure) == 0
    age, _ = DriftReport.from_json((tmp_path / "out" / "drift_report.json").read_text()).features
    assert (age.effect_measure, age.effect_threshold) == (measure, DEFAULT_EFFECT_THRESHOLDS[measure])


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ((), "must fit the captured rows: it has 3 columns (age, colour, label), got 40 records with other rows"),
        ((), "; if the file has a target column, name it with --target-label"),
        (("--target-label", "salary"), "must have the target column 'salary', got ['age', 'colour', 'label']"),
        (("--target-label", "label", "--segment-column", "age"), "got the numeric column 'age'"),
        (("--test", "test.csv"), "--test must come with --target-label"),
        (("--target-label", "label", "--predictions", "p.csv"), "--predictions must come with --test"),
        (("--baseline", "b"), "argument --baseline: not allowed with argument --train"),
    ],
)
def test_what_does_not_fit_the_files_is_one_line_and_exit_code_2(
    files: Path, tmp_path: Path, more: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    source = write_capture(tmp_path / "capture", rows(40, seed=3))
    try:
        code = from_files(files, source, *more)
    except SystemExit as stopped:  # argparse's own way out
        code = int(stopped.code or 0)
    assert code == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith("plumbline monitor: error: ")
    assert message in error


def test_a_folder_without_capture_files_is_refused(
    files: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "capture").mkdir()
    (tmp_path / "capture" / "capture.csv").write_text("41,red\n")
    assert from_files(files, tmp_path / "capture", "--target-label", "label") == 2
    assert "must hold capture files, *.jsonl or *.jsonl.gz, got none below" in capsys.readouterr().err


def test_compressed_captures_are_counted_and_printed(
    baseline: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write_capture(tmp_path / "capture", rows(300, seed=3)) / "30-00-000-capture.jsonl"
    file.with_suffix(".jsonl.gz").write_bytes(gzip.compress(file.read_bytes()))
    file.unlink()
    assert monitor(baseline, tmp_path / "capture") == 0
    shown = capsys.readouterr().out
    assert (
        "verdict: not judged: none of the 1 records in the window could be used: 1 as compressed_file; unpack" in shown
    )
    assert "rejected: 1 compressed_file, for example 30-00-000-capture.jsonl.gz" in shown


def history_csv(path: Path, n: int, *, moves_at: int) -> Path:
    """Rows of the past, one an hour, whose labels turn from row `moves_at` on."""
    lines = []
    for number, row in enumerate(rows(n, seed=3)):
        label = row[-1] if number < moves_at else str(1 - int(row[-1]))
        time = f"2025-{1 + number // 672 % 12:02}-{1 + number // 24 % 28:02}T{number % 24:02}:00:00Z"
        lines.append((*row[:-1], label, time, probability(row)))
    return write_csv(path, (*HEADER, "when", "probability"), lines)


def test_a_baseline_is_told_what_its_past_shows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    test = rows(800, seed=2)
    files = {
        "--train": write_csv(tmp_path / "train.csv", HEADER, rows(2000, seed=1)),
        "--test": write_csv(tmp_path / "test.csv", HEADER, test),
        "--predictions": write_csv(tmp_path / "predictions.csv", ["probability"], [[probability(row)] for row in test]),
        "--history": history_csv(tmp_path / "history.csv", 3000, moves_at=2000),
        "--output": tmp_path / "learned",
    }
    arguments = [text for option, path in files.items() for text in (option, str(path))]
    assert main(["baseline", "--target-label", "label", "--time-column", "when", *arguments]) == 0

    learned = load(tmp_path / "learned")
    assert learned.history is not None
    assert [spec.name for spec in learned.specs] == ["age", "colour"]
    windows = learned.history.windows[500]
    assert [window.start for window in windows] == [windows[0].start, *(window.start for window in windows[1:])]
    assert windows[-1].miss is not None
    assert windows[-1].miss < -0.3
    shown = capsys.readouterr().out
    assert "history: 3000 rows from 2025-01-01T00:00:00Z to 2025-05-13T23:00:00Z" in shown
    assert "  6 windows of 500 rows; " in shown
    assert "note: the past shows little: 20 windows of a size were enough, from 4000 rows on" in shown


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--history", "h.csv", "--target-label", "label"], "--history must come with --time-column, got it alone"),
        (["--time-column", "when"], "--time-column must come with a --target-label of another name, got None"),
        (["--time-column", "y", "--target-label", "y"], "must come with a --target-label of another name, got 'y'"),
        (
            ["--time-column", "when", "--target-label", "y", "--test", "t.csv"],
            "--time-column must come with --history, or with --test and --predictions",
        ),
    ],
)
def test_half_a_history_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], message: str
) -> None:
    train = write_csv(tmp_path / "train.csv", HEADER, rows(20, seed=1))
    assert main(["baseline", "--train", str(train), "--output", str(tmp_path / "out"), *options]) == 2
    assert message in capsys.readouterr().err


def test_a_baseline_brings_its_own_history(baseline: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capture = write_capture(tmp_path / "capture", rows(50, seed=5))
    options = ["--dataset-source", str(capture), "--baseline", str(baseline), "--output", str(tmp_path / "out")]
    assert main(["monitor", *options, "--time-column", "when", "--target-label", "label", "--history", "h.csv"]) == 2
    assert "--history and --time-column must come with --train, got --baseline" in capsys.readouterr().err


def test_the_monitor_learns_the_past_with_the_rest(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    train = write_csv(tmp_path / "train.csv", HEADER, rows(2000, seed=1))
    past = history_csv(tmp_path / "history.csv", 1000, moves_at=1000)
    capture = write_capture(tmp_path / "capture", rows(500, seed=5))
    options = ["--dataset-source", str(capture), "--train", str(train), "--output", str(tmp_path / "out")]
    options += ["--target-label", "label", "--history", str(past)]
    assert main(["monitor", *options, "--time-column", "when"]) == 0
    assert main(["monitor", *options, "--time-column", "label2"]) == 2
    assert "must have the time column 'label2'" in capsys.readouterr().err
