import json
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from plumbline.local.aws.images.store import Image, ImageStore
from plumbline.local.aws.jobs.engine import Job, JobError
from plumbline.local.aws.jobs.processing_jobs import ProcessingWork
from plumbline.local.aws.processes import Processes
from tests.unit.local.aws.fakes import FakeS3

ROLE = "arn:aws:iam::000000000000:role/work"
OUTPUT = "/opt/ml/processing/output"


@pytest.fixture
def store(folder: Path) -> ImageStore:
    tree = folder / "tree"
    tree.mkdir(parents=True)
    store = ImageStore(folder)
    image = Image(str(tree), "0", sys.executable, ("python", "-c"), {"OF_IMAGE": "1"}, "/", "root")
    store.put("registry/image:1", image)
    return store


@pytest.fixture
def work(store: ImageStore, s3: FakeS3) -> ProcessingWork:
    return ProcessingWork(store, lambda role: s3, lambda role: {"AWS_ACCESS_KEY_ID": f"key of {role}"})


def job(folder: Path, processes: Processes, code: str, **members: Any) -> Job:
    record = {
        "ProcessingJobName": "job",
        "RoleArn": ROLE,
        "AppSpecification": {"ImageUri": "registry/image:1", "ContainerArguments": [code, OUTPUT]},
        "Environment": {"output_path": OUTPUT, "LIMIT": "3"},
        "ProcessingInputs": [],
        "ProcessingOutputConfig": outputs("EndOfJob"),
        **members,
    }
    return Job("job", record, folder / "job", processes, threading.Event())


def outputs(mode: str) -> dict[str, Any]:
    target = {"S3Uri": "s3://b/reports/", "LocalPath": OUTPUT, "S3UploadMode": mode}
    return {"Outputs": [{"OutputName": "out", "S3Output": target}], "KmsKeyId": "key-arn"}


def test_container_sees_its_paths_role_and_settings(
    work: ProcessingWork, folder: Path, processes: Processes, s3: FakeS3
) -> None:
    code = "import json, os, sys; open(sys.argv[1] + '/seen', 'w').write(json.dumps(dict(os.environ)))"
    run = job(folder, processes, code)

    assert work(run) == {}

    seen = json.loads(s3.objects["b", "reports/seen"])
    root = str(folder / "job" / "opt" / "ml")
    assert seen["output_path"] == f"{root}/processing/output"
    assert seen["PLUMBLINE_ML_ROOT"] == root
    assert (seen["LIMIT"], seen["OF_IMAGE"], seen["AWS_ACCESS_KEY_ID"]) == ("3", "1", f"key of {ROLE}")
    assert s3.encryption["reports/seen"]["SSEKMSKeyId"] == "key-arn"


def test_inputs_and_job_description_are_there_before_the_container(
    work: ProcessingWork, folder: Path, processes: Processes, s3: FakeS3
) -> None:
    s3.objects["b", "in/deep/file"] = b"data"
    code = "import sys, os; sys.exit(open(os.environ['data'] + '/deep/file').read() != 'data')"
    source = {"S3Uri": "s3://b/in", "LocalPath": "/opt/ml/processing/in", "S3DataType": "S3Prefix"}
    run = job(
        folder,
        processes,
        code,
        ProcessingInputs=[{"InputName": "in", "S3Input": source}, {"InputName": "own", "AppManaged": True}],
        Environment={"data": "/opt/ml/processing/in"},
    )

    work(run)

    config = json.loads((run.root / "config" / "processingjobconfig.json").read_text())
    assert config["ProcessingJobName"] == "job"
    resources = json.loads((run.root / "config" / "resourceconfig.json").read_text())
    assert resources == {"current_host": "algo-1", "hosts": ["algo-1"]}


def test_first_kilobyte_of_the_message_file_is_the_exit_message(
    work: ProcessingWork, folder: Path, processes: Processes
) -> None:
    code = "import os; open(os.environ['PLUMBLINE_ML_ROOT'] + '/output/message', 'w').write('ä' * 1000)"

    assert work(job(folder, processes, code)) == {"ExitMessage": "ä" * 512}


def test_message_that_is_not_utf8_fails_the_job(work: ProcessingWork, folder: Path, processes: Processes) -> None:
    code = "import os; open(os.environ['PLUMBLINE_ML_ROOT'] + '/output/message', 'wb').write(b'\\xff')"

    with pytest.raises(JobError, match="ClientError: the exit message must be UTF-8"):
        work(job(folder, processes, code))


@pytest.mark.parametrize(("mode", "uploaded"), [("EndOfJob", False), ("Continuous", True)])
def test_failed_container_uploads_only_what_goes_up_continuously(
    work: ProcessingWork, folder: Path, processes: Processes, s3: FakeS3, mode: str, uploaded: bool
) -> None:
    code = "import sys; open(sys.argv[1] + '/part', 'w').write('half'); sys.exit(2)"

    with pytest.raises(JobError, match="exit code: 2"):
        work(job(folder, processes, code, ProcessingOutputConfig=outputs(mode)))

    assert (("b", "reports/part") in s3.objects) is uploaded


def test_fails_for_an_image_that_was_never_pushed(work: ProcessingWork, folder: Path, processes: Processes) -> None:
    with pytest.raises(JobError, match="image 'other' must be built and pushed first"):
        work(job(folder, processes, "", AppSpecification={"ImageUri": "other"}))


@pytest.mark.parametrize("path", ["/opt/ml/output", "/opt/ml/processing/../escape", "/tmp/x"])
def test_fails_for_a_local_path_outside_processing(
    work: ProcessingWork, folder: Path, processes: Processes, path: str
) -> None:
    source = {"S3Uri": "s3://b/in", "LocalPath": path, "S3DataType": "S3Prefix"}

    with pytest.raises(JobError, match="LocalPath must be below /opt/ml/processing"):
        work(job(folder, processes, "", ProcessingInputs=[{"InputName": "in", "S3Input": source}]))


def test_fails_by_name_for_an_input_that_is_no_prefix(work: ProcessingWork, folder: Path, processes: Processes) -> None:
    source = {"S3Uri": "s3://b/in", "LocalPath": "/opt/ml/processing/in", "S3DataType": "ManifestFile"}

    with pytest.raises(JobError, match="S3Prefix inputs in File mode only, not 'in'"):
        work(job(folder, processes, "", ProcessingInputs=[{"InputName": "in", "S3Input": source}]))


def cluster(count: int) -> dict[str, Any]:
    return {"ClusterConfig": {"InstanceCount": count, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 20}}


RESOURCES = "json.load(open(os.environ['PLUMBLINE_ML_ROOT'] + '/config/resourceconfig.json'))"


def test_every_instance_runs_at_once_with_an_address_of_its_own(
    work: ProcessingWork, folder: Path, processes: Processes, s3: FakeS3
) -> None:
    # Each waits for the other to listen: one after the other they would wait for ever.
    code = (
        f"import json, os, pathlib, sys, time; r = {RESOURCES}; meeting = pathlib.Path({str(folder)!r}) / 'meeting'; "
        "meeting.mkdir(exist_ok=True); (meeting / r['current_host']).touch(); "
        "end = time.monotonic() + 60\n"
        "while len(list(meeting.iterdir())) < 2 and time.monotonic() < end: time.sleep(0.01)\n"
        "sys.exit(time.monotonic() >= end) if r['current_host'] != min(r['hosts']) else "
        "pathlib.Path(sys.argv[1], 'hosts').write_text(json.dumps(r['hosts']))"
    )

    work(job(folder, processes, code, ProcessingResources=cluster(2)))

    first, second = json.loads(s3.objects["b", "reports/hosts"])
    assert [first.split(".")[0], first.split(".")[-1], second.split(".")[-1]] == ["127", "1", "2"]
    assert sorted(path.name for path in (folder / "meeting").iterdir()) == [first, second]


def test_a_job_fails_with_any_of_its_instances(
    work: ProcessingWork, folder: Path, processes: Processes, s3: FakeS3
) -> None:
    code = (
        f"import json, os, sys; r = {RESOURCES}; open(sys.argv[1] + '/report', 'w').write('done'); "
        "open(os.environ['PLUMBLINE_ML_ROOT'] + '/output/message', 'w').write(r['current_host'][-1]); "
        "sys.exit(0 if r['current_host'] == min(r['hosts']) else 4)"
    )

    with pytest.raises(JobError, match="exit code: 4") as failure:
        work(job(folder, processes, code, ProcessingResources=cluster(2)))

    assert failure.value.members == {"ExitMessage": "12"}
    assert ("b", "reports/report") not in s3.objects
