"""The request against botocore's own model of CreateTrainingJob, and against the script it runs."""

import json
import re
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator
from retraining.settings import Settings
from retraining.training_job import training_request

from contract.names import RetrainingVariable
from tests.unit.retraining.builders import environment

MODEL = botocore.session.get_session().get_service_model("sagemaker")
MODEL_CODE = Path(__file__).parents[2] / "model"
INSIDE_VPC = {RetrainingVariable.SUBNET_IDS: "subnet-1,subnet-2", RetrainingVariable.SECURITY_GROUP_IDS: "sg-1"}


@pytest.mark.parametrize(
    "changes",
    [{}, INSIDE_VPC, {RetrainingVariable.KMS_KEY_ARN: ""}, {RetrainingVariable.SEGMENT_COLUMN: ""}],
    ids=["plain", "vpc", "no key", "no segments"],
)
def test_request_matches_the_service_model(changes: dict[str, str]) -> None:
    settings = Settings.from_environment(environment() | changes)
    request = training_request(settings, "plumbline-dev-train-1", with_fresh_data=True)
    shape = MODEL.operation_model("CreateTrainingJob").input_shape
    report = ParamValidator().validate(request, shape)
    assert not report.has_errors(), report.generate_report()
    assert list(_broken_patterns(request, shape)) == []


@pytest.mark.parametrize("segments", ["sex", ""])
def test_script_takes_every_hyperparameter_that_is_not_the_toolkits(segments: str) -> None:
    settings = Settings.from_environment(environment() | {RetrainingVariable.SEGMENT_COLUMN: segments})
    request = training_request(settings, "job", with_fresh_data=False)
    script = (MODEL_CODE / json.loads(request["HyperParameters"]["sagemaker_program"])).read_text()
    ours = {name for name in request["HyperParameters"] if not name.startswith("sagemaker_")}
    required = set(re.findall(r'add_argument\("--(\w+)", required=True', script))
    assert required <= ours <= set(re.findall(r'add_argument\("--(\w+)"', script))


def _broken_patterns(value: Any, shape: Any) -> Any:
    """Yield texts that break a pattern or length of the model; botocore itself leaves those to the service."""
    if shape.type_name == "structure":
        for name, member in value.items():
            yield from _broken_patterns(member, shape.members[name])
    elif shape.type_name == "list":
        for member in value:
            yield from _broken_patterns(member, shape.member)
    elif shape.type_name == "map":
        for member in value.values():
            yield from _broken_patterns(member, shape.value)
    elif shape.type_name == "string":
        pattern = shape.metadata.get("pattern", "").replace(r"\p{L}\p{Z}\p{N}", r"\w ")
        too_long = len(value) > shape.metadata.get("max", len(value))
        if too_long or (pattern and not re.fullmatch(pattern, value)) or (shape.enum and value not in shape.enum):
            yield f"{shape.name}: {value!r}"
