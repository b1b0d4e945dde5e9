"""A Spark session in this process, which leaves the process as it was."""

import logging
import os
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import contract
import drift

# As they were imported: the image has them side by side, the source tree has not.
_PACKAGES = Path(drift.__file__).parent, Path(contract.__file__).parent
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
        for package in _PACKAGES:
            for file in sorted(package.rglob("*.py")):
                written.write(file, Path(package.name, file.relative_to(package)))
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
