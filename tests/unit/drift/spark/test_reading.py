"""Nothing of Spark is looked at unless a run asks for it; where it is asked for in vain, the run says so."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from plumbline.drift import cli
from plumbline.drift.errors import ConfigError
from plumbline.drift.inputs import window_reader
from plumbline.drift.read.kernel.plan import WindowPlan
from plumbline.drift.settings.distribution import Distribution
from plumbline.drift.settings.run import CaptureHours
from tests.unit.drift.builders import SPECS, record, write_capture
from tests.unit.drift.fake_s3 import FakeS3
from tests.unit.drift.spark.test_counting import REFERENCE

ROOT = Path(__file__).parents[4]
PLAN = WindowPlan(specs=SPECS, reference=REFERENCE)
LINE = json.dumps(record()) + "\n"
HOUR = CaptureHours(
    "s3://bucket/capture/ep", datetime(2026, 11, 22, 12, tzinfo=UTC), datetime(2026, 11, 22, 13, tzinfo=UTC)
)
OBJECTS = {f"capture/ep/A/2026/11/22/12/00-00-000-{name}": LINE for name in ("a.jsonl", "b.jsonl", "c.txt")}


def read(source: Path | CaptureHours, workspace: Path, **distribution: Any) -> int:
    """Return the records that were used."""
    s3 = FakeS3(OBJECTS)
    count = window_reader(source, Distribution(**distribution), region=None, connect=s3, workspace=workspace)
    return count(PLAN).records().used


@pytest.mark.parametrize("distribution", [{}, {"above_bytes": 10 * len(LINE)}], ids=["unasked", "small window"])
def test_this_process_reads_folders_and_hours(tmp_path: Path, distribution: dict[str, Any]) -> None:
    folder = write_capture(tmp_path / "capture", [record()])

    assert read(folder, tmp_path, **distribution) == 1
    assert read(HOUR, tmp_path / "workspace", **distribution) == 2


@pytest.mark.parametrize(
    "distribution", [{"above_bytes": len(LINE)}, {"master": "yarn"}, {"hosts": ("algo-1", "algo-2"), "host": "algo-1"}]
)
def test_an_image_without_spark_cannot_do_what_spark_is_asked_for(tmp_path: Path, distribution: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="the image must hold Spark"):
        read(HOUR, tmp_path, **distribution)


def test_an_hour_without_files_starts_no_spark(tmp_path: Path) -> None:
    idle = replace(HOUR, start=datetime(2026, 11, 22, 20, tzinfo=UTC), end=datetime(2026, 11, 22, 21, tzinfo=UTC))
    assert read(idle, tmp_path, master="yarn") == 0


def run(folder: Path, code: str, variables: Mapping[str, str]) -> "subprocess.CompletedProcess[str]":
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PLUMBLINE_ML_ROOT": str(folder / "opt"),
        "dataset_source": str(folder / "capture"),
        "output_path": str(folder / "reports"),
        **variables,
    }
    return subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def test_a_run_that_asks_for_no_spark_imports_none(tmp_path: Path) -> None:
    (tmp_path / "capture").mkdir()
    code = (
        "import sys; from plumbline.drift.cli import main; "
        f"code = main(['--baseline_s3_uri', {str(ROOT / 'starter' / 'baseline')!r}]); "
        "found = [name for name in sys.modules if name.startswith(('plumbline.drift.spark', 'pyspark', 'py4j'))]; "
        "assert not found, found; sys.exit(code)"
    )

    finished = run(tmp_path, code, {})

    assert finished.returncode == 0, finished.stderr
    assert (tmp_path / "reports" / "drift_report.json").exists()


def test_an_instance_that_follows_leaves_the_report_of_a_failure_to_the_first(tmp_path: Path) -> None:
    config = tmp_path / "opt" / "config"
    config.mkdir(parents=True)
    (config / "resourceconfig.json").write_text('{"current_host": "algo-2", "hosts": ["algo-1", "algo-2"]}')
    code = "import sys; from plumbline.drift.cli import main; sys.exit(main(['--baseline_s3_uri', 'anywhere']))"

    finished = run(tmp_path, code, {})

    assert finished.returncode == cli.EXIT_OPERATOR
    assert "is a worker of algo-1 on algo-2" in finished.stderr
    assert "the image must hold Spark" in finished.stderr
    assert not (tmp_path / "opt" / "output").exists()
