"""Training jobs in script mode: channels in, the user's script, model.tar.gz and output.tar.gz out."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from botocore.exceptions import ClientError

from plumbline.local.aws import objects
from plumbline.local.aws.hosting.serving import HostingError, check_xgboost, fetch_source
from plumbline.local.aws.jobs.engine import Job, JobError, fetch
from plumbline.local.aws.objects import S3Location
from plumbline.local.aws.sagemaker.kinds import MAX_REASON

_SCRIPT: Final = Path(__file__).with_name("training_toolkit.py")
_SUBMIT: Final = "sagemaker_submit_directory"
_PROGRAM: Final = "sagemaker_program"

Record = Mapping[str, Any]


@dataclass(frozen=True)
class TrainingWork:
    """Does one training job.

    `s3` and `credentials` take a role's ARN; `interpreter` returns the Python of the XGBoost libraries.
    """

    s3: Callable[[str], Any]
    credentials: Callable[[str], Mapping[str, str]]
    interpreter: Callable[[], Path]

    def __call__(self, job: Job) -> dict[str, Any]:
        """Train and return where the model is.

        Raises
        ------
        JobError, JobStopped
            When it does not end with a model.
        """
        client = self.s3(job.record["RoleArn"])
        self._prepare(job, client)
        code = job.run(
            [str(self.interpreter()), "-P", str(_SCRIPT)],
            cwd=job.root / "code",
            environment={
                "PATH": "/usr/bin:/bin",
                # Threads that spin while they wait starve each other when this machine's cores are busy.
                "OMP_WAIT_POLICY": "PASSIVE",
                "SAGEMAKER_BASE_DIR": str(job.root),
                "TRAINING_JOB_NAME": job.name,
                **self.credentials(job.record["RoleArn"]),
                **job.record.get("Environment", {}),
            },
        )
        if code:
            raise JobError(_reason(job.root / "output" / "failure", code))
        return {"ModelArtifacts": {"S3ModelArtifacts": _upload(job, client)}}

    def _prepare(self, job: Job, client: Any) -> None:
        for folder in ("model", "output/data", "input/data", "code"):
            (job.root / folder).mkdir(parents=True, exist_ok=True)
        parameters = job.record.get("HyperParameters", {})
        job.write_json("input/config/hyperparameters.json", parameters)
        job.write_json("input/config/resourceconfig.json", {"current_host": "algo-1", "hosts": ["algo-1"]})
        channels = job.record.get("InputDataConfig", [])
        job.write_json("input/config/inputdataconfig.json", {c["ChannelName"]: _channel_config(c) for c in channels})
        try:
            check_xgboost(job.record["AlgorithmSpecification"].get("TrainingImage", ""))
            fetch_source(client, _script_mode(parameters), job.root / "code")
        except (HostingError, objects.ArchiveError, ClientError, ValueError) as error:
            raise JobError(f"ClientError: {error}") from error
        for channel in channels:
            fetch(client, _source(channel), job.root / "input" / "data" / channel["ChannelName"], job.record["RoleArn"])


def _script_mode(parameters: Mapping[str, str]) -> str:
    """Return the URI of the source archive; the values are JSON texts."""
    missing = [name for name in (_PROGRAM, _SUBMIT) if name not in parameters]
    if missing:
        raise ValueError(f"the embedded AWS trains in script mode only: hyperparameters must have {', '.join(missing)}")
    return str(json.loads(parameters[_SUBMIT]))


def _channel_config(channel: Record) -> dict[str, str]:
    return {
        "TrainingInputMode": channel.get("InputMode", "File"),
        "S3DistributionType": "FullyReplicated",
        "RecordWrapperType": channel.get("RecordWrapperType", "None"),
        **({"ContentType": channel["ContentType"]} if "ContentType" in channel else {}),
    }


def _source(channel: Record) -> str:
    """Return a channel's S3 prefix, and refuse every other way to bring data."""
    source = channel["DataSource"].get("S3DataSource", {})
    if source.get("S3DataType") != "S3Prefix" or channel.get("InputMode", "File") != "File":
        name = channel["ChannelName"]
        raise JobError(f"ClientError: the embedded AWS reads S3Prefix channels in File mode only, not {name!r}")
    return str(source["S3Uri"])


def _reason(failure: Path, code: int) -> str:
    text = failure.read_text(encoding="utf-8", errors="replace") if failure.exists() else ""
    return f"AlgorithmError: {text[: MAX_REASON - 100]}, exit code: {code}"


def _upload(job: Job, client: Any) -> str:
    """Upload what the script left and return the model's URI."""
    config = job.record["OutputDataConfig"]
    prefix = S3Location.parse(config["S3OutputPath"]).joined(job.name, "output")
    sources = {"model.tar.gz": job.root / "model"}
    if any((job.root / "output" / "data").iterdir()):
        sources["output.tar.gz"] = job.root / "output" / "data"
    try:
        for name, folder in sources.items():
            objects.pack(folder, job.folder / name)
            objects.upload(client, job.folder / name, prefix.joined(name), config.get("KmsKeyId"))
    except ClientError as error:
        raise JobError(f"ClientError: Failed to upload artifacts to {prefix}: {error}") from error
    return str(prefix.joined("model.tar.gz"))
