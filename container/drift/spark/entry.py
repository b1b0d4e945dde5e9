"""Count a window's files by Spark: in this process, on the job's instances or on a given cluster."""

import logging
import os
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import plumbline
from plumbline.drift.read.kernel.partial_counts import PartialCounts
from plumbline.drift.read.kernel.plan import WindowPlan
from plumbline.drift.read.s3 import CaptureFile
from plumbline.drift.settings.distribution import Distribution
from plumbline.drift.spark.cluster import follow, lead, security
from plumbline.drift.spark.counting import count_files
from plumbline.drift.spark.ending import connection_to, wait_for_end
from plumbline.drift.spark.installation import prepare


def count_on_spark(
    files: Sequence[CaptureFile], plan: WindowPlan, distribution: Distribution, region: str | None, workspace: Path
) -> PartialCounts:
    """Return the sum of the files, without the events that were captured before.

    Parameters
    ----------
    region
        AWS region of the executors' S3 clients.
    workspace
        Folder for Spark's own files.

    Raises
    ------
    DriftError
        If Spark is not there or gives up.
    """
    with _session(distribution, workspace) as spark:
        return count_files(spark, files, plan, region)


def follow_leader(distribution: Distribution, workspace: Path) -> None:
    """Work for the job's first instance until its run is over.

    Raises
    ------
    ClusterError
        If that run failed, or the worker ended here.
    """
    host, leader = distribution.host, distribution.leader
    follow(host, leader, _environment(distribution, workspace), partial(wait_for_end, partial(connection_to, leader)))


def _environment(distribution: Distribution, workspace: Path) -> dict[str, str]:
    return prepare(workspace, security(distribution.secret)) | {"SPARK_LOCAL_HOSTNAME": distribution.host}


@contextmanager
def _session(distribution: Distribution, workspace: Path) -> Iterator[Any]:
    if distribution.master:
        # What the operator set for that cluster stays, and its machines have paths of their own.
        theirs = {"PYSPARK_PYTHON", "PYTHONPATH", *os.environ}
        environment = {name: text for name, text in prepare(workspace, {}).items() if name not in theirs}
        with session(distribution.master, environment) as spark:
            send_packages(spark, workspace)
            yield spark
    elif distribution.hosts:
        environment = _environment(distribution, workspace)
        with (
            lead(distribution.leader, environment) as master,
            session(master, environment) as spark,
        ):
            yield spark
    else:
        with session("local[*]", prepare(workspace, {}) | {"SPARK_LOCAL_IP": "127.0.0.1"}) as spark:
            yield spark


_PACKAGE = Path(plumbline.__file__).parent
_PARTS = ("contract", "drift")
"""What executors import. In the source tree they are links."""
APPLICATION = "plumbline"


@contextmanager
def session(master: str, environment: Mapping[str, str]) -> Iterator[Any]:
    """Yield a session on `master`; Java starts in `environment` on top of this process's own."""
    logging.getLogger("py4j").setLevel(logging.WARNING)
    with _set(environment):
        from pyspark.sql import SparkSession

        spark = SparkSession.builder.master(master).appName(APPLICATION).getOrCreate()
        try:
            yield spark
        finally:
            spark.stop()


def send_packages(spark: Any, folder: Path) -> None:
    """Give executors that have another image this package and the contract; what they import has to be there."""
    archive = folder / "plumbline.zip"
    with zipfile.ZipFile(archive, "w") as written:
        modules = (file for part in _PARTS for file in sorted((_PACKAGE / part).rglob("*.py")))
        for file in (_PACKAGE / "__init__.py", *modules):
            written.write(file, file.relative_to(_PACKAGE.parent))
    spark.sparkContext.addPyFile(str(archive))


@contextmanager
def _set(variables: Mapping[str, str]) -> Iterator[None]:
    """Set environment variables: PySpark hands them to Java in no other way."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
