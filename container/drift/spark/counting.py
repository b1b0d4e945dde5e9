"""A window's files -> partial counts, with the kernel of `plumbline.drift.read.capture` in Spark's tasks."""

import math
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from plumbline.drift.aws import Connect, client
from plumbline.drift.data.documents import temporary_folder
from plumbline.drift.errors import ClusterError
from plumbline.drift.read.kernel.files import FileCounter, Suspects, reject_duplicates
from plumbline.drift.read.kernel.partial_counts import PartialCounts
from plumbline.drift.read.kernel.plan import WindowPlan
from plumbline.drift.read.kernel.records import Rejected
from plumbline.drift.read.s3 import CaptureFile, local_copy
from plumbline.drift.spark.rows import SCHEMA, RowKind, counts_of, event_rows, rows_of

_OUR_ERROR = re.compile(r"^[\w.]*drift\.errors\.\w+: (.+)$", re.MULTILINE)
_TASK_BYTES = 64 << 20
"""A task reads about as much: seconds of work, so that the cost of its start is negligible."""


def count_files(spark: Any, files: Sequence[CaptureFile], plan: WindowPlan, region: str | None) -> PartialCounts:
    """Return the sum of the files, without the events that were captured before.

    Parameters
    ----------
    spark
        Session of Spark SQL.
    region
        AWS region of the executors' S3 clients.

    Raises
    ------
    ClusterError
        If Spark gives up, for example because an executor cannot read a file.
    """
    usable = [file for file in files if file.oddity is None]
    counts = _counted(spark, usable, plan, region) if usable else PartialCounts()
    for file in files:
        if file.oddity is not None:
            counts.reject(Rejected(file.oddity), file.name, 0)
    return counts


def _counted(spark: Any, files: Sequence[CaptureFile], plan: WindowPlan, region: str | None) -> PartialCounts:
    from pyspark import StorageLevel
    from pyspark.errors import PySparkException
    from pyspark.sql import functions

    connect = partial(client, "s3", region)
    names, locations = [file.name for file in files], [file.location for file in files]
    table = spark.createDataFrame(pa.table({"name": names, "location": locations}))
    rows = table.repartition(_n_tasks(spark, files)).mapInArrow(read_files(plan, connect), SCHEMA)
    # The rows are used twice; kept on disk, because all event ids of a window are in it.
    rows = rows.persist(StorageLevel.DISK_ONLY)
    is_event = functions.col("kind") == str(RowKind.EVENT)
    keys = ["kind", "segment", "feature", "value"]
    try:
        summed = rows.where(~is_event).groupBy(*keys).agg(functions.sum("count").alias("count")).toArrow()
        events = rows.where(is_event).select("value", "segment", functions.col("count").alias("line"))
        hashes = events.groupBy("value").count().where("count > 1").select("value")
        repeated = events.join(functions.broadcast(hashes), "value", "left_semi").select("segment", "line").toArrow()
    except PySparkException as error:
        raise failure_of(str(error)) from error
    counts = counts_of(summed, plan)
    reject_repeated(counts, suspects_of(repeated), files, plan, connect)
    return counts


def _n_tasks(spark: Any, files: Sequence[CaptureFile]) -> int:
    by_size = math.ceil(sum(file.n_bytes for file in files) / _TASK_BYTES)
    return min(len(files), max(by_size, 2 * int(spark.sparkContext.defaultParallelism)))


def read_files(plan: WindowPlan, connect: Connect) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """Return what one task does: rows of (name, location) come in, rows of counts and events go out."""

    def read(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        events: list[pa.RecordBatch] = []
        files = _opened(batches, connect)
        counts = FileCounter(plan).count_all(files, lambda *of_file: events.append(event_rows(*of_file)))
        yield from events
        yield from rows_of(counts)

    return read


def _opened(batches: Iterator[pa.RecordBatch], connect: Connect) -> Iterator[tuple[Path, str]]:
    """Yield each file and its name; a copy is there until the next one is requested."""
    for batch in batches:
        for file in batch.to_pylist():
            with local_copy(file["location"], connect) as path:
                yield path, file["name"]


def suspects_of(repeated: pa.Table) -> Suspects:
    """Return the lines of events with repeated hashes by file."""
    places = repeated.group_by("segment", use_threads=False).aggregate([("line", "list")]).to_pylist()
    return {place["segment"]: np.array(sorted(place["line_list"]), dtype=np.int64) for place in places}


def reject_repeated(
    counts: PartialCounts, suspects: Suspects, files: Sequence[CaptureFile], plan: WindowPlan, connect: Connect
) -> None:
    """Read the few files with suspects again, here, and reject all but the first record of each event."""
    with ExitStack() as copies, temporary_folder() as folder:
        for file in files:
            if file.name in suspects:
                link = folder / file.name
                link.parent.mkdir(parents=True, exist_ok=True)
                link.symlink_to(copies.enter_context(local_copy(file.location, connect)).resolve())
        reject_duplicates(counts, suspects, folder, FileCounter(plan))


def failure_of(text: str) -> ClusterError:
    """Return the error of this package that an executor raised, found in Spark's text, or else Spark's first line."""
    if ours := _OUR_ERROR.findall(text):
        return ClusterError(ours[-1].strip())
    first = text.strip().partition("\n")[0]
    return ClusterError(f"Spark must read every capture file, got {first!r}; see the job's log")
