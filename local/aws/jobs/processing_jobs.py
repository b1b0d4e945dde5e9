"""Processing jobs: S3 inputs, containers of an image that the Docker stand-in built, S3 outputs."""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from botocore.exceptions import ClientError

from plumbline.contract.names import PLATFORM_ROOT, MlPath, Variable
from plumbline.local.aws import objects
from plumbline.local.aws.images.store import Image, ImageError, ImageStore
from plumbline.local.aws.jobs.engine import Job, JobError, fetch
from plumbline.local.aws.objects import S3Location
from plumbline.local.aws.sagemaker.kinds import MAX_REASON

_MAX_MESSAGE_BYTES: Final = 1024

Record = Mapping[str, Any]


@dataclass(frozen=True)
class Instance:
    """One instance of a processing job; `job` has this instance's folder."""

    host: str
    hosts: tuple[str, ...]
    job: Job

    @property
    def resources(self) -> dict[str, object]:
        """The content of resourceconfig.json on this instance."""
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


@dataclass(frozen=True)
class ProcessingWork:
    """Does one processing job. `s3` and `credentials` take a role's ARN."""

    images: ImageStore
    s3: Callable[[str], Any]
    credentials: Callable[[str], Mapping[str, str]]

    def __call__(self, job: Job) -> dict[str, Any]:
        """Run a container on each instance and return the job's exit message, if they left one.

        Raises
        ------
        JobError, JobStopped
            When not every container ran to exit code 0.
        """
        client = self.s3(job.record["RoleArn"])
        members = instances(job)
        for instance in members:
            _prepare(instance, client)
        code = run_together(members, self._run)
        message = _exit_message([instance.job.root / MlPath.MESSAGE for instance in members])
        for instance in members:
            _upload(instance.job, client, finished=code == 0)
        exit_members = {"ExitMessage": message} if message else {}
        if code:
            raise JobError(f"AlgorithmError: See job logs for more information, exit code: {code}", **exit_members)
        return exit_members

    def _run(self, instance: Instance) -> int:
        job, specification = instance.job, instance.job.record["AppSpecification"]
        try:
            image = self.images.get(specification["ImageUri"])
            arguments = [job.mapped(text) for text in specification.get("ContainerArguments", [])]
            command = image.command(specification.get("ContainerEntrypoint", []), arguments)
        except ImageError as error:
            raise JobError(f"ClientError: {error}") from error
        return job.run(command, cwd=image.folder, environment=self._environment(job, image))

    def _environment(self, job: Job, image: Image) -> dict[str, str]:
        given = {name: job.mapped(text) for name, text in job.record.get("Environment", {}).items()}
        return {
            **image.variables(),
            **self.credentials(job.record["RoleArn"]),
            **given,
            Variable.ML_ROOT: str(job.root),
        }


def _prepare(instance: Instance, client: Any) -> None:
    """Write the platform's two files, make the output folders and download the inputs."""
    job, record = instance.job, instance.job.record
    job.write_json(MlPath.RESOURCES, instance.resources)
    job.write_json(MlPath.JOB_CONFIG, _job_config(record))
    (job.root / "output").mkdir(parents=True, exist_ok=True)
    for output in _outputs(record):
        _inside(job, output["S3Output"]["LocalPath"]).mkdir(parents=True, exist_ok=True)
    for entry in record.get("ProcessingInputs", []):
        if entry.get("AppManaged"):
            continue
        source = entry.get("S3Input", {})
        if source.get("S3DataType") != "S3Prefix" or source.get("S3InputMode", "File") != "File":
            name = entry["InputName"]
            raise JobError(f"ClientError: the embedded AWS reads S3Prefix inputs in File mode only, not {name!r}")
        fetch(client, source["S3Uri"], _inside(job, source["LocalPath"]), record["RoleArn"])


def _job_config(record: Record) -> dict[str, Any]:
    members = (
        "ProcessingJobArn",
        "ProcessingJobName",
        "AppSpecification",
        "Environment",
        "ProcessingInputs",
        "ProcessingOutputConfig",
        "ProcessingResources",
        "RoleArn",
        "StoppingCondition",
    )
    return {name: record[name] for name in members if name in record}


def _outputs(record: Record) -> list[Record]:
    outputs = record.get("ProcessingOutputConfig", {}).get("Outputs", [])
    return [output for output in outputs if "S3Output" in output and not output.get("AppManaged")]


def _inside(job: Job, local_path: str) -> Path:
    """Return where a LocalPath is on this machine.

    Raises
    ------
    JobError
        If it is not below /opt/ml/processing, as the service demands.
    """
    path = job.host_path(local_path).resolve()
    if not path.is_relative_to((job.root / "processing").resolve()):
        raise JobError(f"ClientError: LocalPath must be below {PLATFORM_ROOT}/processing, got {local_path!r}")
    return path


def _exit_message(files: Iterable[Path]) -> str:
    """Return the first kilobyte of the joined message files; empty when there is none.

    Raises
    ------
    JobError
        If it is not UTF-8, as on SageMaker.
    """
    data = b"".join(file.read_bytes() for file in files if file.exists())
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise JobError(f"ClientError: the exit message must be UTF-8: {error}"[:MAX_REASON]) from error
    return data[:_MAX_MESSAGE_BYTES].decode("utf-8", errors="ignore")


def _upload(job: Job, client: Any, *, finished: bool) -> None:
    """Upload the outputs; those in EndOfJob mode only when the container succeeded."""
    key_id = job.record.get("ProcessingOutputConfig", {}).get("KmsKeyId")
    for output in _outputs(job.record):
        target = output["S3Output"]
        if not finished and target["S3UploadMode"] == "EndOfJob":
            continue
        try:
            objects.upload_folder(client, _inside(job, target["LocalPath"]), S3Location.parse(target["S3Uri"]), key_id)
        except ClientError as error:
            raise JobError(f"ClientError: Failed to upload output to {target['S3Uri']}: {error}") from error
