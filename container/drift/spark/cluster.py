"""The instances of one processing job as a Spark cluster: one master, a worker on each, and the driver on the first."""

import os
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeAlias

from plumbline.drift.errors import ClusterError

Wait: TypeAlias = Callable[[Callable[[], bool]], bool]
MASTER_PORT = 7077
_GRACE_SECONDS = 10


def security(secret: str) -> dict[str, str]:
    """Return the Spark properties that let only those join who know the job's secret."""
    return {
        "spark.authenticate": "true",
        "spark.authenticate.secret": secret,
        "spark.network.crypto.enabled": "true",
    }


@contextmanager
def lead(host: str, environment: Mapping[str, str]) -> Iterator[str]:
    """Run master and a worker on this instance; yield the master's URL."""
    url = f"spark://{host}:{MASTER_PORT}"
    with (
        _running("master.Master", "--host", host, "--port", str(MASTER_PORT), environment=environment),
        _running("worker.Worker", "--host", host, url, environment=environment),
    ):
        yield url


def follow(host: str, leader: str, environment: Mapping[str, str], wait: Wait) -> None:
    """Work for the first instance until it is done.

    Parameters
    ----------
    wait
        Waits for the end of the leader's run as long as the worker lives, and returns whether it succeeded.

    Raises
    ------
    ClusterError
        If the run failed there, or the worker ended here.
    """
    url = f"spark://{leader}:{MASTER_PORT}"
    with _running("worker.Worker", "--host", host, url, environment=environment) as worker:
        finished = wait(lambda: worker.poll() is None)
        code = worker.poll()
    if finished:
        return
    if code is not None:
        raise ClusterError(f"the worker on {host} must run to the end, got exit code {code}; read the log of {host}")
    raise ClusterError(f"the run must succeed on {leader}, got no word of it on {host}; read the log of {leader}")


@contextmanager
def _running(daemon: str, *arguments: str, environment: Mapping[str, str]) -> Iterator["subprocess.Popen[bytes]"]:
    """Run one of Spark's daemons as a child of this process."""
    command = [f"{environment['SPARK_HOME']}/bin/spark-class", f"org.apache.spark.deploy.{daemon}"]
    process = subprocess.Popen(  # noqa: S603 - Spark's own program
        [*command, "--webui-port", "0", *arguments], env={**os.environ, **environment}, stdin=subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(_GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
