"""The first model's training job as SageMaker's model of the request has it."""

from pathlib import Path

import botocore.session
from botocore.validate import ParamValidator

from local.demo.first_training import first_training
from stacks.config_file import load_environment

ROOT = Path(__file__).parents[3]
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
