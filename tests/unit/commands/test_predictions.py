"""What answers mean, from the command line: the task, the kind, the positive label and the path."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from plumbline.cli import main
from plumbline.exit_codes import EXIT_FINISHED
from tests.unit.drift.builders import record, side, write_capture

N = 400


def text_of(header: str, rows: Sequence[Sequence[object]]) -> str:
    return "\n".join([header, *(",".join(map(str, row)) for row in rows)]) + "\n"


def training(folder: Path, labels: Sequence[object]) -> Path:
    file = folder / "train.csv"
    file.write_text(text_of("age,y", [(20 + number % 50, label) for number, label in enumerate(labels)]))
    return file


def captured(folder: Path, answers: Sequence[object]) -> Path:
    sides = [side(answer, "JSON", "application/json") if str(answer)[0] in "[{" else answer for answer in answers]
    return write_capture(folder / "capture", [record(str(20 + n % 50), one) for n, one in enumerate(sides)])  # type: ignore[arg-type]


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str]:
    code = main([*map(str, arguments)])
    output = capsys.readouterr()
    return code, output.out + output.err


def report(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "out" / "drift_report.json").read_text())
    return found


def monitored(tmp_path: Path, capsys: pytest.CaptureFixture[str], labels: Sequence[object], answers: Sequence[object],
              *options: str, learning: Sequence[str] = ("--target-label", "y")) -> dict[str, Any]:  # fmt: skip
    train = training(tmp_path, labels)
    code, output = run(capsys, "baseline", "--train", train, "--output", tmp_path / "baseline", *learning)
    assert code == EXIT_FINISHED, output
    code, output = run(
        capsys, "monitor", "--dataset-source", captured(tmp_path, answers), "--baseline", tmp_path / "baseline",
        "--output", tmp_path / "out", *options,
    )  # fmt: skip
    assert code == EXIT_FINISHED, output
    return report(tmp_path)


def test_a_regression_without_a_test_set_loses_no_answer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = monitored(tmp_path, capsys, [n * 7 for n in range(N)], [f"{n * 6.5}" for n in range(N)])
    assert (found["answers"]["used"], found["answers"]["unreadable"], found["n_rows"]) == (N, {}, N)
    assert found["predictions"] == {
        "task": "regression", "kind": "value", "positive_label": None, "path": None, "stated": [],
    }  # fmt: skip


def test_without_a_target_numbers_are_read_as_they_are(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    train = tmp_path / "x.csv"
    train.write_text(text_of("age", [(20 + n % 50,) for n in range(N)]))
    code, output = run(capsys, "baseline", "--train", train, "--output", tmp_path / "baseline")
    assert code == EXIT_FINISHED
    assert "task: not known: name the target with --target-label, or state --task" in output
    folder = captured(tmp_path, [f"{n * 6.5}" for n in range(N)])
    run(
        capsys, "monitor", "--dataset-source", folder, "--baseline", tmp_path / "baseline", "--output", tmp_path / "out"
    )
    found = report(tmp_path)
    assert found["answers"]["used"] == N
    assert (found["predictions"]["task"], found["predictions"]["kind"]) == (None, "value")


@pytest.mark.parametrize(
    ("labels", "options", "told"),
    [
        (["no", "yes"] * 200, [], "task: binary, inferred from the 2 labels of 'y'"),
        ([0, 1] * 200, ["--task", "binary"], "task: binary, stated"),
        (["a", "b", "c", "d"] * 100, [], "task: multiclass, inferred from the 4 labels of 'y'"),
        ([1, 2, 3, 4] * 100, ["--task", "regression"], "task: regression, stated"),
        ([0.5, 1.5, 2.5, 3.5] * 100, [], "task: regression, inferred from the numbers of 'y'"),
        ([*range(N)], ["--task", "multiclass"], "task: multiclass, stated"),
    ],
)
def test_the_task_is_stated_or_inferred_and_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], labels: list[object], options: list[str], told: str
) -> None:
    train = training(tmp_path, labels)
    code, output = run(
        capsys, "baseline", "--train", train, "--target-label", "y", "--output", tmp_path / "baseline", *options
    )
    assert code == EXIT_FINISHED, output
    assert told in output


@pytest.mark.parametrize(
    ("labels", "options", "told"),
    [
        (["a", "b", "c", "d"] * 100, ["--task", "binary"], "must have at most two labels, got 4 labels"),
        (["a", "b"] * 200, ["--task", "regression"], "must have numbers as labels, got 'a'"),
        ([*range(N)], ["--prediction-kind", "log_odds"], "must be value where the task is regression, got log_odds"),
        (
            ["a", "b"] * 200,
            ["--positive-label", "c"],
            "must be one of the two of a binary target, got 'c' for 'a', 'b'",
        ),
        ([*range(N)], ["--positive-label", "1"], "must be one of the two of a binary target, got '1' for none"),
        (["a", "b"] * 200, ["--prediction-path", "a["], "must be a JMESPath expression or a column's number from 0"),
    ],
)
def test_what_does_not_suit_the_target_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], labels: list[object], options: list[str], told: str
) -> None:
    train = training(tmp_path, labels)
    code, output = run(
        capsys, "baseline", "--train", train, "--target-label", "y", "--output", tmp_path / "baseline", *options
    )
    assert code != EXIT_FINISHED
    assert told in output
    assert not (tmp_path / "baseline").exists()


def test_what_is_stated_is_kept_in_the_baseline_and_may_be_stated_anew(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = [f'{{"out": {{"m": {n / 10 - 20}, "p": 0.9}}}}' for n in range(N)]
    learning = ["--target-label", "y", "--prediction-kind", "log_odds", "--prediction-path", "out.m"]
    labels = ["no", "yes"] * 200
    found = monitored(tmp_path, capsys, labels, answers, learning=learning)
    assert (found["answers"]["used"], found["predictions"]["kind"]) == (N, "log_odds")
    assert found["predictions"]["stated"] == ["kind", "path"]
    found = monitored(
        tmp_path, capsys, labels, answers, "--prediction-kind", "probability", "--prediction-path", "out.p",
        learning=learning,
    )  # fmt: skip
    assert (found["answers"]["used"], found["predictions"]["path"]) == (N, "out.p")


def test_ambiguous_answers_are_counted_with_both_readings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = monitored(tmp_path, capsys, [1, 2] * 200, ["1", "2"] * 200)
    assert found["answers"]["unreadable"] == {"ambiguous": 200}
    assert found["answers"]["readings"] == ["the label '1', or a probability of 1 for '2'"]
    assert found["prediction"]["verdict"] == "not_judged"
    found = monitored(tmp_path, capsys, [1, 2] * 200, ["1", "2"] * 200, "--prediction-kind", "label")
    assert found["answers"]["used"] == N


def test_a_run_refuses_what_the_baseline_does_not_suit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    monitored(tmp_path, capsys, ["no", "yes"] * 200, ["0.5"] * N)
    common = [
        "monitor",
        "--dataset-source",
        tmp_path / "capture",
        "--baseline",
        tmp_path / "baseline",
        "--output",
        tmp_path,
    ]
    for options, told in (
        (["--task", "multiclass"], "--task must be the baseline's (binary)"),
        (
            ["--prediction-kind", "value"],
            "must be probability or log_odds or label where the task is binary, got value",
        ),
        (["--positive-label", "maybe"], "must be one of the baseline's two, got 'maybe' for 'no', 'yes'"),
        (["--prediction-path", "["], "must be a JMESPath expression"),
    ):
        code, output = run(capsys, *common, *options)
        assert code != EXIT_FINISHED
        assert told in output
