"""Who reads a window's files: this process, or Spark."""

from functools import partial
from pathlib import Path

from drift.capture import SUFFIXES, Count, capture_files, count_folder
from drift.distribution import Distribution
from drift.settings import CaptureHour
from drift.sources import CaptureFile, Connect, fetch_hour, list_hour


def reader(
    source: Path | CaptureHour, distribution: Distribution, *, region: str | None, connect: Connect, workspace: Path
) -> Count:
    """Return what reads the files of a folder or of an hour in S3.

    Parameters
    ----------
    region
        AWS region of the S3 clients that Spark's machines make.
    workspace
        Folder for copies and for Spark's own files.

    Raises
    ------
    ConfigError
        If the files cannot be listed.
    """
    if distribution.may_want_spark:
        files = _files(source, connect)
        if files and distribution.wants_spark(sum(file.n_bytes for file in files)):
            # Deferred: nothing of Spark is looked at unless it is asked for.
            from drift.spark.entry import count_on_spark

            return partial(
                count_on_spark, files, distribution=distribution, region=region, workspace=workspace / "spark"
            )
    return partial(count_folder, _local(source, connect, workspace))


def _files(source: Path | CaptureHour, connect: Connect) -> list[CaptureFile]:
    if isinstance(source, Path):
        return [CaptureFile(name, str(file.resolve()), file.stat().st_size) for file, name in capture_files(source)]
    found = list_hour(source.uri, source.start, connect)
    return [file for file in found if file.name.endswith(SUFFIXES)]


def _local(source: Path | CaptureHour, connect: Connect, workspace: Path) -> Path:
    if isinstance(source, Path):
        return source
    return fetch_hour(source.uri, source.start, workspace / "capture", connect)
