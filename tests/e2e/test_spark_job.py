"""The scheduled job on the embedded AWS: two instances read the hour from S3, and report what one reports."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from plumbline.contract.names import MonitorVariable, ReportFile, Variable, report_prefix
from plumbline.stacks.constructs.monitor.drift_image import copy_context
from tests.e2e.local_account import BUCKET, ROOT, LocalAccount, eventually, local_account
from tests.e2e.spark_window import BASELINE, ENDPOINT, HOUR, on_linux, window
from tests.unit.stacks.synthesis import Assembly, config, own_schedule, synthesize, text

pytestmark = pytest.mark.e2e

NOW = datetime(2026, 11, 22, 13, 20, tzinfo=UTC)
REGISTRY = "000000000000.dkr.ecr.us-east-1.amazonaws.com"
IMAGE = f"{REGISTRY}/drift:spark"
SCHEDULE = "census-hourly"


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAccount]:
    with local_account(tmp_path_factory.mktemp("state"), NOW) as account:
        for name, content in window().items():
            account.put(f"capture/{ENDPOINT}/{name}", content)
        for path in BASELINE.iterdir():
            account.put(f"baseline/{path.name}", path.read_bytes())
        yield account


@pytest.fixture(scope="module")
def assembly() -> Assembly:
    """What the app makes of an environment with two instances."""
    return synthesize(config("dev", "scheduler", monitor={"instance_count": 2}))


@pytest.fixture(scope="module")
def image(account: LocalAccount, assembly: Assembly, tmp_path_factory: pytest.TempPathFactory) -> str:
    """URI of the image, built with the arguments that the app hands to Docker."""
    context = tmp_path_factory.mktemp("context")
    copy_context(ROOT, context)
    manifest = json.loads((assembly.folder / "plumbline-dev-monitoring.assets.json").read_text())
    (source,) = (image["source"] for image in manifest["dockerImages"].values())
    arguments = [f"--build-arg={name}={value}" for name, value in source["dockerBuildArgs"].items()]
    account.docker("build", "--tag", IMAGE, *arguments, "--file", source["dockerFile"], ".", cwd=context)
    return IMAGE


def request(assembly: Assembly) -> dict[str, Any]:
    """Return the CreateProcessingJob request that the schedule makes."""
    wanted: dict[str, Any] = json.loads(text(own_schedule(assembly)["Target"]["Input"]))
    return wanted


def finished(account: LocalAccount, image: str, wanted: dict[str, Any], instance_count: int) -> dict[str, bytes]:
    """Run the schedule's job with resources of this account, and return its reports."""
    name = f"{SCHEDULE}-{instance_count}"
    outputs = wanted["ProcessingOutputConfig"]["Outputs"]
    outputs[0]["S3Output"]["S3Uri"] = f"s3://{BUCKET}/reports/{instance_count}"
    wanted["ProcessingResources"]["ClusterConfig"]["InstanceCount"] = instance_count
    account.sagemaker.create_processing_job(
        ProcessingJobName=name,
        RoleArn=account.role,
        AppSpecification={
            "ImageUri": image,
            "ContainerArguments": ["--baseline_s3_uri", f"s3://{BUCKET}/baseline", "--target_label", "income"],
        },
        ProcessingOutputConfig={"KmsKeyId": account.key, "Outputs": outputs},
        ProcessingResources=wanted["ProcessingResources"],
        StoppingCondition=wanted["StoppingCondition"],
        NetworkConfig=wanted["NetworkConfig"],
        Environment={
            **wanted["Environment"],
            MonitorVariable.ENDPOINT_NAME: ENDPOINT,
            MonitorVariable.SCHEDULE_NAME: SCHEDULE,
            Variable.SCHEDULED_TIME: f"{NOW:%Y-%m-%dT%H:%M:%SZ}",
            Variable.CAPTURE_S3_URI: f"s3://{BUCKET}/capture/{ENDPOINT}",
            Variable.REPORTS_S3_URI: f"s3://{BUCKET}/reports/{instance_count}",
            Variable.CHAMPION_S3_URI: f"s3://{BUCKET}/champion/history.json",
        },
    )
    job = eventually(
        lambda: account.sagemaker.describe_processing_job(ProcessingJobName=name),
        lambda job: job["ProcessingJobStatus"] in ("Completed", "Failed", "Stopped"),
        seconds=300,
    )
    assert job["ProcessingJobStatus"] == "Completed", job
    folder = f"reports/{instance_count}/{report_prefix(ENDPOINT, SCHEDULE, HOUR)}"
    assert {key.rpartition("/")[2] for key in account.keys(f"{folder}/")} == set(ReportFile)
    return {file: account.get(f"{folder}/{file}") for file in ReportFile}


@on_linux
def test_two_instances_report_what_one_reports(account: LocalAccount, assembly: Assembly, image: str) -> None:
    assert request(assembly)["ProcessingResources"]["ClusterConfig"]["InstanceCount"] == 2

    two = finished(account, image, request(assembly), 2)
    one = finished(account, image, request(assembly), 1)

    assert two == one
    assert json.loads(two[ReportFile.DRIFT_REPORT])["records"]["rejected"]["duplicate_event_id"] > 5
