"""Count a window's files by Spark: in this process, on the job's instances or on a given cluster."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from plumbline.contract.records import WindowBounds
from plumbline.drift.read.kernel.partial_counts import PartialCounts, window_counts
from plumbline.drift.read.kernel.plan import WindowPlan
from plumbline.drift.read.s3 import CaptureFile
from plumbline.drift.settings.distribution import Distribution
from plumbline.drift.spark.cluster import follow, lead, security
from plumbline.drift.spark.counting import count_files
from plumbline.drift.spark.ending import connection_to, wait_for_end
from plumbline.drift.spark.installation import prepare, send_packages, session


@dataclass(eq=False)
class SparkReader:
    """Counts a window's files; several variants are counted one by one in the same session.

    A job's other instances work for one session alone. `region` is that of the executors' S3 clients, and `workspace`
    the folder for Spark's own files.
    """

    files: Sequence[CaptureFile]
    distribution: Distribution
    region: str | None
    workspace: Path
    _of_variant: dict[tuple[WindowBounds, str], PartialCounts] = field(default_factory=dict)

    def __call__(self, plan: WindowPlan) -> PartialCounts:
        """Return the sum of the files, without the events that were captured before.

        Raises
        ------
        DriftError
            If Spark is not there or gives up.
        """
        known = self._of_variant.pop((plan.bounds, plan.variant or ""), None)
        if known is not None:
            return known
        with _session(self.distribution, self.workspace) as spark:
            counts = count_files(spark, self.files, plan, self.region)
            for one in window_counts(counts, plan).variants:
                own = replace(plan, variant=one.name)
                self._of_variant[plan.bounds, one.name] = count_files(spark, self.files, own, self.region)
        return counts


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
