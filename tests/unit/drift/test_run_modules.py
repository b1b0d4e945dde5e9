"""How much of the container one window passes through: its way from file to verdict stays short enough to follow."""

import csv
import json
import runpy
from pathlib import Path

import pytest

from plumbline.cli import main
from plumbline.drift.run import perform
from plumbline.local.environments import ROOT
from tests.entered_modules import entered_modules

MAX_MODULES = 66
STARTER = ROOT / "starter"
BASELINE = ["--baseline", str(STARTER / "baseline")]
CSV_FILES = [
    *("--train", str(STARTER / "data" / "train.csv"), "--target-label", "income"),
    *("--test", str(STARTER / "data" / "test.csv"), "--predictions", str(STARTER / "baseline" / "predictions.csv")),
]


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    """Captured requests of the test rows of people aged 40 and over, as in the README."""
    folder = tmp_path / "capture"
    folder.mkdir()
    record = runpy.run_path(str(ROOT / "docs" / "examples" / "capture_from_csv.py"))["record"]
    scores = (STARTER / "baseline" / "predictions.csv").read_text().split()[1:]
    with (STARTER / "data" / "test.csv").open(newline="") as rows:
        lines = [
            json.dumps(record(number, {**row, "probability": score}, "2026-01-31T13:30:00Z"))
            for number, (row, score) in enumerate(zip(csv.DictReader(rows), scores, strict=True))
            if int(row["age"]) >= 40 and row.pop("income")
        ]
    (folder / "capture.jsonl").write_text("\n".join(lines) + "\n")
    return folder


@pytest.mark.parametrize("reference", [BASELINE, CSV_FILES], ids=["baseline", "csv files"])
def test_one_run_enters_few_modules(capture: Path, tmp_path: Path, reference: list[str]) -> None:
    command = ["monitor", "--dataset-source", str(capture), *reference, "--output", str(tmp_path / "results")]
    entered = entered_modules(lambda: main(command))
    assert (tmp_path / "results" / "drift_report.json").exists()
    assert "run.py" in entered
    assert len(entered) <= MAX_MODULES, sorted(entered)


def test_the_run_fits_on_one_screen() -> None:
    code = perform.__code__
    lines = {line for _, _, line in code.co_lines() if line is not None}
    assert max(lines) - min(lines) < 50
