import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from plumbline.drift.errors import ConfigError
from plumbline.drift.settings.distribution import Distribution, leads, read_distribution
from plumbline.drift.settings.environment import Variables

HOSTS = ("algo-1", "algo-2", "algo-10")


def job(folder: Path, host: str, hosts: Sequence[str] = HOSTS) -> Path:
    """Write what the platform writes on one instance, and return its root."""
    (folder / "config").mkdir(parents=True)
    resources = {"current_host": host, "hosts": list(hosts), "current_instance_type": "ml.m5.large"}
    (folder / "config" / "resourceconfig.json").write_text(json.dumps(resources))
    config = {"ProcessingJobArn": "arn:aws:sagemaker:eu-west-1:1:processing-job/a"}
    (folder / "config" / "processingjobconfig.json").write_text(json.dumps(config))
    return folder


def read(folder: Path, **variables: str) -> Distribution:
    return read_distribution(Variables({f"PLUMBLINE_SPARK_{name}": text for name, text in variables.items()}), folder)


def test_a_run_outside_a_job_is_one_process(tmp_path: Path) -> None:
    assert not read(tmp_path).may_want_spark
    assert not read(tmp_path).follows
    assert leads(tmp_path)


def test_a_job_of_one_instance_is_one_process(tmp_path: Path) -> None:
    assert not read(job(tmp_path, "algo-1", ["algo-1"])).may_want_spark


@pytest.mark.parametrize(("host", "leading"), [("algo-1", True), ("algo-2", False), ("algo-10", False)])
def test_the_first_instance_leads_and_the_others_follow(tmp_path: Path, host: str, leading: bool) -> None:
    distribution = read(job(tmp_path, host))

    assert distribution.leader == "algo-1"
    assert distribution.follows is not leading
    assert leads(tmp_path) is leading
    assert distribution.wants_spark(0)


def test_instances_of_one_job_share_a_secret_and_those_of_others_do_not(tmp_path: Path) -> None:
    first, second, other = (job(tmp_path / name, "algo-1") for name in "abc")
    (other / "config" / "processingjobconfig.json").write_text('{"ProcessingJobArn": "another"}')

    assert read(first).secret == read(second).secret != read(other).secret


@pytest.mark.parametrize(
    ("above", "n_bytes", "wanted"), [("2", 2 * 10**9, False), ("2", 2 * 10**9 + 1, True), ("0", 1, True)]
)
def test_spark_reads_windows_above_the_bound(tmp_path: Path, above: str, n_bytes: int, wanted: bool) -> None:
    distribution = read(tmp_path, ABOVE_GB=above)

    assert distribution.may_want_spark
    assert distribution.wants_spark(n_bytes) is wanted


def test_a_cluster_reads_every_window(tmp_path: Path) -> None:
    assert read(tmp_path, MASTER="yarn").wants_spark(0)


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"ABOVE_GB": "-1"}, "PLUMBLINE_SPARK_ABOVE_GB must be 0 or more, got '-1'"),
        ({"ABOVE_GB": "much"}, "PLUMBLINE_SPARK_ABOVE_GB must be a finite number, got 'much'"),
        ({"MASTER": "yarn"}, "PLUMBLINE_SPARK_MASTER must be unset for a job with 3 instances, got 'yarn'; set"),
    ],
)
def test_fails_for_settings_that_do_not_go_together(tmp_path: Path, variables: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        read(job(tmp_path, "algo-1"), **variables)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            '{"current_host": "algo-9", "hosts": ["algo-1", "algo-2"]}',
            "must have its current_host among its hosts, got 'algo-9'",
        ),
        ("{", "must be readable JSON"),
    ],
)
def test_fails_for_a_file_of_the_platform_that_makes_no_sense(tmp_path: Path, text: str, message: str) -> None:
    (job(tmp_path, "algo-1") / "config" / "resourceconfig.json").write_text(text)

    with pytest.raises(ConfigError, match=message):
        read(tmp_path)
    # Somebody has to report that.
    assert leads(tmp_path)
