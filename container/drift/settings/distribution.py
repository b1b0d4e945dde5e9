"""Where a window is counted: in this process, by Spark on this machine, or by Spark on several."""

import hashlib
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from plumbline.contract.decoding import read_json
from plumbline.contract.names import MlPath, Variable
from plumbline.drift.errors import ConfigError
from plumbline.drift.settings.environment import Variables

_BYTES_PER_GB = 1_000_000_000


@dataclass(frozen=True, kw_only=True)
class Distribution:
    """The machines of one run.

    `hosts` are the job's instances and `host` is this one, where there are several. `master` is a cluster that
    was there before, `above_bytes` the captured bytes from which on Spark reads on this machine. `secret` is known to
    the instances of one job.
    """

    hosts: tuple[str, ...] = ()
    host: str = ""
    master: str | None = None
    above_bytes: float | None = None
    secret: str = ""

    @property
    def leader(self) -> str:
        """The instance that judges and reports: algo-1."""
        return min(self.hosts, default="")

    @property
    def follows(self) -> bool:
        """Whether this instance only counts for the leader."""
        return self.host != self.leader

    @property
    def may_want_spark(self) -> bool:
        """Whether there is a window that Spark would read."""
        return self.wants_spark(sys.maxsize)

    def wants_spark(self, n_bytes: int) -> bool:
        """Return whether Spark reads a window of so many captured bytes."""
        is_large = self.above_bytes is not None and n_bytes > self.above_bytes
        return is_large or bool(self.hosts) or self.master is not None


def read_distribution(variables: Variables, ml_root: Path) -> Distribution:
    """Return where this run is counted.

    Raises
    ------
    ConfigError
        If a variable or the platform's file breaks its rule, or a cluster is named for a job with several instances.
    """
    hosts, host = _instances(ml_root / MlPath.RESOURCES)
    master = variables.text(Variable.SPARK_MASTER)
    if master and hosts:
        raise variables.error(
            Variable.SPARK_MASTER,
            f"must be unset for a job with {len(hosts)} instances",
            "set instance_count to 1, or do without the other cluster",
        )
    above = variables.number(Variable.SPARK_ABOVE_GB, -1) if variables.text(Variable.SPARK_ABOVE_GB) else None
    if above is not None and above < 0:
        raise variables.error(Variable.SPARK_ABOVE_GB, "must be 0 or more")
    return Distribution(
        hosts=hosts,
        host=host,
        master=master,
        above_bytes=None if above is None else above * _BYTES_PER_GB,
        secret=hashlib.sha256(str(_document(ml_root / MlPath.JOB_CONFIG).get("ProcessingJobArn")).encode()).hexdigest(),
    )


def leads(ml_root: Path) -> bool:
    """Return whether this instance reports for the job: the first one does, and one without a readable list."""
    try:
        hosts, host = _instances(ml_root / MlPath.RESOURCES)
    except ConfigError:
        return True
    return host == min(hosts, default="")


def _instances(file: Path) -> tuple[tuple[str, ...], str]:
    """Return the job's instances and this one; nothing where there is only one."""
    resources = _document(file)
    hosts, host = resources.get("hosts"), resources.get("current_host")
    if not isinstance(hosts, list) or len(hosts) < 2:
        return (), ""
    if host not in hosts:
        raise ConfigError(f"{file} must have its current_host among its hosts, got {host!r}; start the job again")
    return tuple(map(str, hosts)), str(host)


def _document(file: Path) -> Mapping[str, object]:
    """Return one of the platform's files; outside a job there are none."""
    try:
        document = read_json(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise ConfigError(f"{file} must be readable JSON, got {error}; start the job again") from error
    return document if isinstance(document, dict) else {}
