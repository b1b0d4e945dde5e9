import io
import tarfile
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator

from plumbline.local.demo.first_model import TrainingError, fetch_baseline, first_training
from plumbline.stacks.config.file import load_environment


class OneObject:
    """Stands for the embedded AWS: its S3 has one archive of the named empty files."""

    def __init__(self, *names: str) -> None:
        self._names = names

    def client(self, service: str) -> "OneObject":
        return self

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:
        assert (Bucket, Key) == ("models", "first/output.tar.gz")
        body = io.BytesIO()
        with tarfile.open(fileobj=body, mode="w:gz") as archive:
            for name in self._names:
                archive.addfile(tarfile.TarInfo(name))
        return {"Body": io.BytesIO(body.getvalue())}


def fetch(aws: Any, folder: Path) -> None:
    fetch_baseline(aws, "s3://models/first/output.tar.gz", folder)


def test_the_baseline_is_taken_out_of_the_jobs_output(tmp_path: Path) -> None:
    fetch(OneObject("metrics.json", "baseline/baseline.json", "baseline/sample.csv"), tmp_path)

    files = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file())
    assert files == ["baseline/baseline.json", "baseline/sample.csv"]


def test_fails_by_name_without_a_baseline(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"s3://models/first/output\.tar\.gz must hold baseline/"):
        fetch(OneObject("metrics.json"), tmp_path)


ROOT = Path(__file__).parents[4]
OUTPUTS = {
    "TrainDataUri": "s3://artifacts/train",
    "TestDataUri": "s3://artifacts/test",
    "TrainingRoleArn": "arn:aws:iam::111122223333:role/training",
    "TrainingImageUri": "111122223333.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1",
    "SourceArchiveUri": "s3://artifacts/source.tar.gz",
    "ModelsUri": "s3://artifacts/models",
    "DataKeyArn": "arn:aws:kms:us-east-1:111122223333:key/1",
}


def test_the_request_fits_sagemakers_model() -> None:
    request = first_training(load_environment("dev", ROOT), OUTPUTS)
    model = botocore.session.get_session().get_service_model("sagemaker").operation_model("CreateTrainingJob")

    assert model.input_shape is not None
    assert not ParamValidator().validate(request, model.input_shape).has_errors()
    assert request["TrainingJobName"] == "plumbline-dev-train-first"
    assert [channel["ChannelName"] for channel in request["InputDataConfig"]] == ["train", "test"]
    assert request["HyperParameters"]["target_label"] == '"income"'
