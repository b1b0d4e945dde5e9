import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from plumbline.local.aws.jobs.engine import Job, JobEngine, JobError, JobStopped, fetch
from plumbline.local.aws.processes import Processes
from tests.unit.local.aws.fakes import START, FakeS3, RecordingPlane

REQUEST = {
    "ProcessingJobName": "job",
    "RoleArn": "arn:aws:iam::000000000000:role/work",
    "AppSpecification": {"ImageUri": "registry/image:1"},
    "ProcessingResources": {"ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}},
}


class Work:
    """Does what it is told to."""

    def __init__(self) -> None:
        self.outcome: dict[str, Any] | Exception = {}
        self.code: str | None = None
        self.started = threading.Event()

    def __call__(self, job: Job) -> dict[str, Any]:
        self.started.set()
        if self.code is not None:
            job.folder.mkdir(parents=True)
            return {"ExitMessage": f"exit code {job.run([sys.executable, '-c', self.code], job.folder, {})}"}
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome


@pytest.fixture
def work() -> Work:
    return Work()


@pytest.fixture
def engine(plane: RecordingPlane, work: Work, processes: Processes, folder: Path) -> JobEngine:
    return JobEngine(plane, "ProcessingJob", work, processes, folder)


def run(plane: RecordingPlane, engine: JobEngine, **request: Any) -> dict[str, Any]:
    plane.call("CreateProcessingJob", {**REQUEST, **request})
    engine.wait("job")
    return plane.call("DescribeProcessingJob", {"ProcessingJobName": "job"})


def test_finished_job_is_completed_with_what_its_work_returned(
    plane: RecordingPlane, engine: JobEngine, work: Work
) -> None:
    work.outcome = {"ExitMessage": "done"}

    job = run(plane, engine)

    assert (job["ProcessingJobStatus"], job["ExitMessage"]) == ("Completed", "done")
    assert job["ProcessingEndTime"] == job["ProcessingStartTime"] == START


def test_events_have_the_details_of_describe_with_times_in_milliseconds(
    plane: RecordingPlane, engine: JobEngine
) -> None:
    run(plane, engine)

    assert [name for name, _ in plane.events] == ["SageMaker Processing Job State Change"] * 2
    assert [detail["ProcessingJobStatus"] for _, detail in plane.events] == ["InProgress", "Completed"]
    last = plane.events[-1][1]
    assert last["RoleArn"] == REQUEST["RoleArn"]
    assert last["CreationTime"] == last["ProcessingEndTime"] == int(START * 1000)


def test_failed_job_has_its_reason_and_members(plane: RecordingPlane, engine: JobEngine, work: Work) -> None:
    work.outcome = JobError("ClientError: " + "x" * 2000, ExitMessage="said")

    job = run(plane, engine)

    assert (job["ProcessingJobStatus"], job["ExitMessage"]) == ("Failed", "said")
    assert len(job["FailureReason"]) == 1024
    assert plane.events[-1][1]["FailureReason"].startswith("ClientError: x")


def test_fault_of_ours_fails_the_job_too(plane: RecordingPlane, engine: JobEngine, work: Work) -> None:
    work.outcome = ZeroDivisionError("ours")

    assert run(plane, engine)["FailureReason"] == "InternalServerError: ours"


def test_process_runs_in_the_jobs_folder_only(
    plane: RecordingPlane, engine: JobEngine, work: Work, folder: Path
) -> None:
    work.code = "import os, sys, tempfile; print(tempfile.gettempdir(), os.environ.get('USER')); sys.exit(7)"

    assert run(plane, engine)["ExitMessage"] == "exit code 7"
    assert (folder / "job" / "job.log").read_text() == f"{folder / 'job' / 'tmp'} None\n"


def test_job_over_its_time_limit_is_stopped(plane: RecordingPlane, engine: JobEngine, work: Work) -> None:
    work.code = "import time; time.sleep(60)"

    job = run(plane, engine, StoppingCondition={"MaxRuntimeInSeconds": 1})

    assert job["ProcessingJobStatus"] == "Stopped"


def test_job_stopped_by_hand_is_stopped(plane: RecordingPlane, engine: JobEngine, work: Work) -> None:
    work.code = "import time; time.sleep(60)"
    plane.call("CreateProcessingJob", REQUEST)
    assert work.started.wait(10)

    plane.call("StopProcessingJob", {"ProcessingJobName": "job"})
    engine.wait("job")

    assert plane.get("ProcessingJob", "job")["ProcessingJobStatus"] == "Stopped"


def test_stopping_the_engine_stops_its_jobs(plane: RecordingPlane, engine: JobEngine, work: Work) -> None:
    work.code = "import time; time.sleep(60)"
    plane.call("CreateProcessingJob", REQUEST)
    assert work.started.wait(10)

    engine.stop()
    engine.wait("job")

    assert plane.get("ProcessingJob", "job")["ProcessingJobStatus"] == "Stopped"


def test_training_jobs_tell_a_secondary_status(
    plane: RecordingPlane, work: Work, processes: Processes, folder: Path
) -> None:
    engine = JobEngine(plane, "TrainingJob", work, processes, folder)
    work.outcome = JobStopped(by_limit=True)
    plane.call(
        "CreateTrainingJob",
        {
            "TrainingJobName": "job",
            "RoleArn": REQUEST["RoleArn"],
            "AlgorithmSpecification": {"TrainingImage": "image", "TrainingInputMode": "File"},
            "OutputDataConfig": {"S3OutputPath": "s3://bucket/models"},
            "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
            "StoppingCondition": {"MaxRuntimeInSeconds": 60},
        },
    )
    engine.wait("job")

    job = plane.get("TrainingJob", "job")
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "MaxRuntimeExceeded")


def test_source_without_objects_fails_in_sagemakers_words(tmp_path: Path) -> None:
    with pytest.raises(JobError, match='No S3 objects found under S3 URL "s3://b/absent" given in input data source'):
        fetch(FakeS3(), "s3://b/absent", tmp_path, "role")


def test_refused_download_names_the_source(tmp_path: Path) -> None:
    with pytest.raises(JobError, match=r"Failed to download data from s3://b/secret/x: .*AccessDenied"):
        fetch(FakeS3(denied=("secret/",)), "s3://b/secret/x", tmp_path, "role")


@pytest.mark.parametrize("text", ["/opt/mlx", "opt/ml/x", "s3://opt/ml/", "plain"])
def test_only_paths_below_opt_ml_are_mapped(text: str, processes: Processes, tmp_path: Path) -> None:
    job = Job("job", {}, tmp_path, processes, threading.Event())

    assert job.mapped(text) == text
    assert job.mapped("/opt/ml/processing/x") == str(tmp_path / "opt" / "ml" / "processing" / "x")
