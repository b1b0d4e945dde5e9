"""An embedded AWS with the few resources that SageMaker's own parts need, made by boto3 alone."""

import gzip
import io
import json
import subprocess
import tarfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from plumbline.local.embedded import EmbeddedAws
from plumbline.stacks.constructs.storage.source_archive import archive as source_archive

_Answer = TypeVar("_Answer")

ROOT = Path(__file__).parents[2]
BUCKET = "plumbline-e2e"
XGBOOST_IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:3.0-5-cpu-py3"


class LocalAccount:
    """A bucket, a key, a role that may use them and a role that may not."""

    def __init__(self, aws: EmbeddedAws) -> None:
        self.aws = aws
        self.sagemaker = aws.client("sagemaker")
        self.runtime = aws.client("sagemaker-runtime")
        self.s3 = aws.client("s3")
        self.s3.create_bucket(Bucket=BUCKET)
        self.key: str = aws.client("kms").create_key()["KeyMetadata"]["Arn"]
        self.role = self._role("sagemaker", allowed=True)
        self.powerless_role = self._role("powerless", allowed=False)

    def put_archive(self, key: str, files: Mapping[str, str | Path]) -> str:
        """Upload a tar.gz of texts or of the contents of files, and return its URI."""
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
            for name, source in files.items():
                data = source.read_bytes() if isinstance(source, Path) else source.encode()
                member = tarfile.TarInfo(name)
                member.size = len(data)
                tar.addfile(member, io.BytesIO(data))
        return self.put(key, buffer.getvalue())

    def put(self, key: str, body: bytes) -> str:
        """Upload an object and return its URI."""
        self.s3.put_object(Bucket=BUCKET, Key=key, Body=body)
        return f"s3://{BUCKET}/{key}"

    def keys(self, prefix: str) -> list[str]:
        """Return the keys below a prefix."""
        return [row["Key"] for row in self.s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])]

    def get(self, key: str) -> bytes:
        """Return an object."""
        body: bytes = self.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        return body

    def model_source(self) -> str:
        """Upload the project's model code as one archive, as the stacks do."""
        return self.put("source.tar.gz", gzip.compress(source_archive(ROOT), mtime=0))

    def create_model(self, name: str, *, model: str, source: str, role: str | None = None) -> None:
        """Create a script-mode model."""
        self.sagemaker.create_model(
            ModelName=name,
            ExecutionRoleArn=role or self.role,
            PrimaryContainer={
                "Image": XGBOOST_IMAGE,
                "ModelDataUrl": model,
                "Environment": {
                    "SAGEMAKER_PROGRAM": "inference.py",
                    "SAGEMAKER_SUBMIT_DIRECTORY": source,
                    "SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT": "*/*",
                },
            },
        )

    def create_config(self, name: str, model: str) -> None:
        """Create an endpoint configuration that captures everything under ``capture/``."""
        self.sagemaker.create_endpoint_config(
            EndpointConfigName=name,
            ProductionVariants=[
                {
                    "VariantName": "AllTraffic",
                    "ModelName": model,
                    "InstanceType": "ml.m5.large",
                    "InitialInstanceCount": 1,
                    "InitialVariantWeight": 1,
                }
            ],
            DataCaptureConfig={
                "EnableCapture": True,
                "InitialSamplingPercentage": 100,
                "DestinationS3Uri": f"s3://{BUCKET}/capture",
                "KmsKeyId": self.key,
                "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
                "CaptureContentTypeHeader": {
                    "CsvContentTypes": ["text/csv"],
                    "JsonContentTypes": ["application/json"],
                },
            },
        )

    def settled(self, endpoint: str) -> dict[str, Any]:
        """Return an endpoint's description once it is neither being created nor updated."""
        return eventually(
            lambda: self.sagemaker.describe_endpoint(EndpointName=endpoint),
            lambda answer: answer["EndpointStatus"] not in ("Creating", "Updating", "RollingBack"),
        )

    def docker(self, *arguments: str, cwd: Path) -> None:
        """Call the Docker stand-in as the CDK CLI does."""
        command = [self.aws.environment["CDK_DOCKER"], *arguments]
        done = subprocess.run(
            command, cwd=cwd, env=self.aws.environment, stdin=subprocess.DEVNULL, capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr.decode()

    def _role(self, name: str, *, allowed: bool) -> str:
        iam = self.aws.client("iam")
        trust = {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
        document = {"Version": "2012-10-17", "Statement": [trust]}
        arn: str = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(document))["Role"]["Arn"]
        if allowed:
            statements = [
                {"Effect": "Allow", "Action": ["s3:ListBucket"], "Resource": f"arn:aws:s3:::{BUCKET}"},
                {"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": f"arn:aws:s3:::{BUCKET}/*"},
                {"Effect": "Allow", "Action": ["kms:GenerateDataKey", "kms:Decrypt"], "Resource": self.key},
                {"Effect": "Allow", "Action": ["cloudwatch:PutMetricData"], "Resource": "*"},
            ]
            policy = {"Version": "2012-10-17", "Statement": statements}
            iam.put_role_policy(RoleName=name, PolicyName="work", PolicyDocument=json.dumps(policy))
        return arn


@contextmanager
def local_account(state: Path, start: datetime) -> Iterator[LocalAccount]:
    """Start an embedded AWS at a simulated time and end it."""
    with EmbeddedAws.start(state, start=start) as aws:
        yield LocalAccount(aws)


def eventually(ask: Callable[[], _Answer], is_done: Callable[[_Answer], bool], seconds: float = 120) -> _Answer:
    """Return the first answer that is done; fail when none is in time."""
    deadline = time.monotonic() + seconds
    while True:
        answer = ask()
        if is_done(answer):
            return answer
        assert time.monotonic() < deadline, f"still {answer} after {seconds} seconds"
        time.sleep(0.2)


def processes_below(folder: Path) -> list[str]:
    """Return the command lines of the processes that name a folder."""
    listed = subprocess.run(["ps", "-axww", "-o", "command="], capture_output=True, text=True, check=True).stdout
    return [line for line in listed.splitlines() if str(folder) in line]
