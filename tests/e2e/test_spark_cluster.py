"""Two instances of one job are a Spark cluster, and its report is that of one process to the last byte."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from plumbline.contract.names import MonitorVariable, ReportFile, Variable
from plumbline.contract.records import DriftReport
from plumbline.local import environments
from tests.e2e.local_account import ROOT
from tests.e2e.spark_window import (
    BASELINE,
    END,
    ENDPOINT,
    N_FILES,
    ROWS_PER_FILE,
    START,
    TARGET,
    on_linux,
    write_window,
)

pytestmark = pytest.mark.e2e

_NETWORK = f"127.{64 + os.getpid() // 256 % 128}.{os.getpid() % 256}"
HOSTS = (f"{_NETWORK}.1", f"{_NETWORK}.2")
"""Of this process alone: Spark's master has one port on every host."""
LOCKS = ("requirements.txt", "requirements-spark-build.txt", "requirements-spark.txt")
PATIENCE_SECONDS = 240
NO_VARIABLES: Mapping[str, str] = {}


@pytest.fixture(scope="session")
def with_spark() -> Path:
    """The interpreter of the image with Spark."""
    return environments.ensure(*(ROOT / "container" / lock for lock in LOCKS), name="image")


@pytest.fixture(scope="module")
def capture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_window(tmp_path_factory.mktemp("capture"))


def start(
    python: Path,
    capture: Path,
    folder: Path,
    *,
    host: str = "",
    baseline: Path = BASELINE,
    variables: Mapping[str, str] = NO_VARIABLES,
) -> "subprocess.Popen[str]":
    """Start the container program as an instance of a job."""
    if host:
        config = folder / "opt" / "config"
        config.mkdir(parents=True)
        (config / "resourceconfig.json").write_text(json.dumps({"current_host": host, "hosts": HOSTS}))
    temporary = folder / "tmp"
    temporary.mkdir(parents=True)
    environment: Mapping[str, str] = {
        "PATH": "/usr/bin:/bin",
        "PYTHONPATH": str(ROOT),
        "PYTHONDONTWRITEBYTECODE": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "TMPDIR": str(temporary),
        MonitorVariable.DATASET_SOURCE: str(capture),
        MonitorVariable.OUTPUT_PATH: str(folder / "reports"),
        MonitorVariable.ENDPOINT_NAME: ENDPOINT,
        MonitorVariable.START_TIME: START,
        MonitorVariable.END_TIME: END,
        Variable.ML_ROOT: str(folder / "opt"),
        **variables,
    }
    arguments = ["-m", "plumbline.drift", "--baseline_s3_uri", str(baseline), "--target_label", TARGET]
    return subprocess.Popen(
        [python, *arguments], cwd=folder, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )


def end(process: "subprocess.Popen[str]", code: int = 0) -> str:
    """Wait for a program, and return what it said."""
    try:
        said, _ = process.communicate(timeout=PATIENCE_SECONDS)
    finally:
        process.kill()
    assert process.returncode == code, said
    return said


def reports(folder: Path) -> dict[str, bytes]:
    return {name: (folder / "reports" / name).read_bytes() for name in ReportFile}


@pytest.fixture(scope="module")
def alone(capture: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What one process without Spark reports."""
    folder = tmp_path_factory.mktemp("alone")
    end(start(Path(sys.executable), capture, folder))
    return reports(folder)


def test_the_window_tells_ways_of_reading_apart(alone: dict[str, bytes]) -> None:
    report = DriftReport.from_json(alone[ReportFile.DRIFT_REPORT].decode())

    rejected = {reason for one in report.variants for reason in one.records.rejected}
    reasons = {"duplicate_event_id", "not_json", "field_count", "compressed_file", "invalid_time", "outside_window"}
    assert reasons == rejected
    assert [one.variant for one in report.variants] == ["A", "B"]
    assert all(one.records.rejected["duplicate_event_id"] > 5 for one in report.variants)
    assert sum(one.n_rows for one in report.variants) > N_FILES * ROWS_PER_FILE * 0.9
    assert len(report.segments) == 2


@on_linux
def test_two_instances_report_what_one_process_reports(
    with_spark: Path, capture: Path, tmp_path: Path, alone: dict[str, bytes]
) -> None:
    leader, follower = (start(with_spark, capture, tmp_path / host, host=host) for host in HOSTS)

    end(leader)
    said = end(follower)

    assert reports(tmp_path / HOSTS[0]) == alone
    assert not (tmp_path / HOSTS[1] / "reports").exists(), said


@pytest.mark.parametrize(
    "asked_for",
    [
        pytest.param({Variable.SPARK_ABOVE_GB: "0"}, id="large window"),
        pytest.param({Variable.SPARK_MASTER: "local-cluster[2,1,1024]", "SPARK_LOCAL_IP": "127.0.0.1"}, id="cluster"),
    ],
)
def test_spark_beside_one_instance_leaves_the_same_report(
    with_spark: Path, capture: Path, tmp_path: Path, alone: dict[str, bytes], asked_for: Mapping[str, str]
) -> None:
    end(start(with_spark, capture, tmp_path, variables={**asked_for, "PYSPARK_PYTHON": str(with_spark)}))

    assert reports(tmp_path) == alone


@on_linux
def test_every_instance_fails_with_the_run(with_spark: Path, capture: Path, tmp_path: Path) -> None:
    absent = tmp_path / "absent"
    leader, follower = (start(with_spark, capture, tmp_path / host, host=host, baseline=absent) for host in HOSTS)

    assert "must exist, got no such file or folder" in end(leader, code=2)
    assert f"the run must succeed on {HOSTS[0]}, got no word of it on {HOSTS[1]}" in end(follower, code=2)
    # One run, one message: the leader's.
    assert (tmp_path / HOSTS[0] / "opt" / "output" / "message").read_text().startswith("Failed: ")
    assert not (tmp_path / HOSTS[1] / "opt" / "output").exists()
