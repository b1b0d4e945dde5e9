import io
import tarfile
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator

from plumbline.drift.reference.baseline import load, save
from plumbline.drift.reference.csv_inputs import ReferenceFiles
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


class OneArchive(OneObject):
    """Its archive holds a folder."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:
        body = io.BytesIO()
        with tarfile.open(fileobj=body, mode="w:gz") as archive:
            for path in sorted(self._folder.iterdir()):
                archive.add(path, path.name)
        return {"Body": io.BytesIO(body.getvalue())}


@pytest.mark.parametrize(("n_rows", "expected"), [(400, 400), (399, None)])
def test_the_baseline_learns_the_past_that_the_job_predicted(tmp_path: Path, n_rows: int, expected: int | None) -> None:
    train = tmp_path / "train.csv"
    train.write_text("age,y\n" + "".join(f"{n},{'yes' if n % 2 else 'no'}\n" for n in range(100)))
    save(ReferenceFiles(train=train, target_label="y").learn(), tmp_path / "output" / "baseline")
    rows = (f"{n},{'yes' if n % 2 else 'no'},2026-01-{1 + n // 24:02},0.5\n" for n in range(n_rows))
    (tmp_path / "output" / "history.csv").write_text("age,y,when,probability\n" + "".join(rows))

    fetch_baseline(OneArchive(tmp_path / "output"), "s3://models/first/output.tar.gz", tmp_path / "taken", "when")  # type: ignore[arg-type]

    history = load(tmp_path / "taken" / "baseline").history
    assert (history and history.n_rows) == expected


def test_the_time_column_is_a_hyperparameter_where_there_is_one() -> None:
    config = load_environment("dev", ROOT)
    assert "time_column" not in first_training(config, OUTPUTS)["HyperParameters"]
    training = config.training.model_copy(update={"time_column": "when"})
    timed = first_training(config.model_copy(update={"training": training}), OUTPUTS)
    assert timed["HyperParameters"]["time_column"] == '"when"'
