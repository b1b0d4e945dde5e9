"""What the stories of the retraining loop put into an environment: labelled captures, versions of a model, faults."""

import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from plumbline.contract.names import Prefix, resource_prefix
from plumbline.contract.retraining import RetrainingFile, model_package_group, pipeline_name
from plumbline.contract.retraining_jobs import JobOutput
from plumbline.contract.training import CHANNEL_FRESH
from plumbline.data.census import TARGET
from plumbline.data.rows import LabelledRows
from plumbline.data.scenarios import scenario
from tests.e2e.deployment import HOUR, Deployment, pool

ROWS_PER_RECORD = 10
N_POISONED = 2000
DRIFTED_HOUR = 8
"""An hour of the scenario `regime` in which all of it is there."""


def drifted(n_rows: int, seed: int) -> LabelledRows:
    """Return labelled rows of the new regime."""
    return scenario("regime").rows(pool(), DRIFTED_HOUR, n_rows, seed)


def put_labelled(deployment: Deployment, rows: LabelledRows, hours: Sequence[datetime]) -> None:
    """Put captures joined with labels where the monitoring job leaves them, spread evenly over the hours."""
    endpoint, per_hour = deployment.naming.endpoint, len(rows) // len(hours)
    for number, hour in enumerate(hours):
        part = rows.take(range(number * per_hour, (number + 1) * per_hour))
        lines = [_record(part, first, hour + first * HOUR / per_hour) for first in range(0, len(part), ROWS_PER_RECORD)]
        deployment.aws.client("s3").put_object(
            Bucket=deployment.outputs["CaptureBucketName"],
            Key=f"{Prefix.MERGED}/{endpoint}/AllTraffic/{hour:%Y/%m/%d/%H}/part-00000.jsonl",
            Body="\n".join(lines).encode() + b"\n",
        )


def _record(rows: LabelledRows, first: int, moment: datetime) -> str:
    some = rows.take(range(first, min(first + ROWS_PER_RECORD, len(rows))))
    data = "\n".join(",".join(row) for row in some.rows)
    answers = "\n".join("0.5" for _ in some.rows)
    record = {
        "captureData": {
            "endpointInput": {"observedContentType": "text/csv", "mode": "INPUT", "data": data, "encoding": "CSV"},
            "endpointOutput": {"observedContentType": "text/csv", "mode": "OUTPUT", "data": answers, "encoding": "CSV"},
        },
        "eventMetadata": {"eventId": f"{moment:%H%M%S}-{first}", "inferenceTime": f"{moment:%Y-%m-%dT%H:%M:%SZ}"},
        "eventVersion": "0",
        "groundTruthData": {"data": "\n".join(some.labels), "encoding": "CSV"},
    }
    return json.dumps(record)


def full_hours(deployment: Deployment, number: int) -> list[datetime]:
    """Return the last full hours, oldest first."""
    last = deployment.aws.now().replace(minute=0, second=0, microsecond=0)
    return [last - timedelta(hours=back) for back in range(number, 0, -1)]


def poison(deployment: Deployment) -> str:
    """Let the pipeline train mostly on rows with the opposite labels, and return its true definition."""
    client, name = deployment.aws.client("sagemaker"), pipeline_name(deployment.naming.environment)
    text: str = client.describe_pipeline(PipelineName=name)["PipelineDefinition"]
    rows = drifted(N_POISONED, seed=3)
    first, second = sorted(set(rows.labels))
    wrong = replace(rows, labels=tuple(first if label == second else second for label in rows.labels))
    file = deployment.state / RetrainingFile.FRESH
    wrong.write_csv(file, TARGET)
    bucket, folder = deployment.outputs["ArtifactsBucketName"], f"{Prefix.RETRAINING}/poisoned/{JobOutput.FRESH}/"
    deployment.aws.client("s3").upload_file(str(file), bucket, f"{folder}{file.name}")
    definition = json.loads(text)
    (training,) = [step["Arguments"] for step in definition["Steps"] if step["Type"] == "Training"]
    training["HyperParameters"]["fresh_weight_fraction"] = "0.95"
    (channel,) = [entry for entry in training["InputDataConfig"] if entry["ChannelName"] == CHANNEL_FRESH]
    channel["DataSource"]["S3DataSource"]["S3Uri"] = f"s3://{bucket}/{folder}"
    restore(deployment, json.dumps(definition))
    return text


def restore(deployment: Deployment, definition: str) -> None:
    """Give the pipeline a definition."""
    client, name = deployment.aws.client("sagemaker"), pipeline_name(deployment.naming.environment)
    role = client.describe_pipeline(PipelineName=name)["RoleArn"]
    client.update_pipeline(PipelineName=name, PipelineDefinition=definition, RoleArn=role)


def register_broken(deployment: Deployment, like: Mapping[str, Any]) -> str:
    """Register and approve a version whose artifact is no model, otherwise like a good one, and return its ARN."""
    key, stream = f"{Prefix.MODELS}/broken/output/model.tar.gz", io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        member = tarfile.TarInfo("xgboost-model.json")
        member.size = len(b"no model")
        archive.addfile(member, io.BytesIO(b"no model"))
    bucket = deployment.outputs["ArtifactsBucketName"]
    deployment.aws.client("s3").put_object(Bucket=bucket, Key=key, Body=stream.getvalue())
    specification = json.loads(json.dumps(like["InferenceSpecification"]))
    specification["Containers"][0]["ModelDataUrl"] = f"s3://{bucket}/{key}"
    arn: str = deployment.aws.client("sagemaker").create_model_package(
        ModelPackageGroupName=model_package_group(deployment.naming.environment),
        InferenceSpecification=specification,
        ModelApprovalStatus="Approved",
        ModelMetrics=like["ModelMetrics"],
        DriftCheckBaselines=like["DriftCheckBaselines"],
        CustomerMetadataProperties={"cause": "a story of the tests"},
    )["ModelPackageArn"]
    return arn


def deny(deployment: Deployment, output: str, action: str) -> str:
    """Take an action from a function's role, and return the role's name; `allow` gives it back."""
    function = deployment.aws.client("lambda").get_function_configuration(FunctionName=deployment.outputs[output])
    role: str = function["Role"].rpartition("/")[2]
    statement = {"Effect": "Deny", "Action": action, "Resource": "*"}
    deployment.aws.client("iam").put_role_policy(
        RoleName=role,
        PolicyName=f"{resource_prefix('denied')}-by-the-test",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
    )
    return role


def allow(deployment: Deployment, role: str) -> None:
    """Undo `deny`."""
    deployment.aws.client("iam").delete_role_policy(
        RoleName=role, PolicyName=f"{resource_prefix('denied')}-by-the-test"
    )
