"""The instances of one processing job: processes that see folders and a network address of their own."""

import hashlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from local.aws.jobs import Job


@dataclass(frozen=True)
class Instance:
    """One instance; `job` is the job as this instance sees it."""

    host: str
    hosts: tuple[str, ...]
    job: Job

    @property
    def resources(self) -> dict[str, object]:
        """What resourceconfig.json says here."""
        return {"current_host": self.host, "hosts": list(self.hosts)}


def instances(job: Job) -> list[Instance]:
    """Return the job's instances, the first with the job's own folder.

    One alone is ``algo-1``, as in SageMaker. Several are loopback addresses in place of names that nothing would
    resolve, and each job has its own, so that jobs which listen on one port do not meet.
    """
    count = int(job.record.get("ProcessingResources", {}).get("ClusterConfig", {}).get("InstanceCount", 1))
    hosts = ("algo-1",) if count == 1 else tuple(f"{_network(job.name)}.{number}" for number in range(1, count + 1))
    folders = [job.folder, *(job.folder / host for host in hosts[1:])]
    return [Instance(host, hosts, replace(job, folder=folder)) for host, folder in zip(hosts, folders, strict=True)]


def run_together(members: Sequence[Instance], run: Callable[[Instance], int]) -> int:
    """Run all instances at once; return the first exit code that is not 0, after every one has ended.

    Raises
    ------
    JobStopped
        When the job was stopped or its MaxRuntimeInSeconds has passed.
    """
    with ThreadPoolExecutor(len(members)) as pool:
        return next(filter(None, pool.map(run, members)), 0)


def _network(name: str) -> str:
    second, third = hashlib.sha256(name.encode()).digest()[:2]
    return f"127.{second}.{third}"
