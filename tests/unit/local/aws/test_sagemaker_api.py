"""Which resource the embedded AWS allows a request of SageMaker on, against AWS's own reference."""

import json

import botocore.session
import pytest

from plumbline.local.aws import sagemaker_api
from plumbline.local.aws.clock import Clock
from plumbline.local.aws.pipelines.executions import PipelineExecutions
from plumbline.local.aws.sagemaker.control_plane import ControlPlane
from plumbline.local.aws.sagemaker.kinds import KINDS
from plumbline.local.aws.sagemaker.model_packages import ModelPackages
from tests.authorization import REFERENCE, is_of, types_of

SERVICE = botocore.session.get_session().get_service_model("sagemaker")
ACCOUNT, REGION = "000000000000", "us-east-1"
ARN = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}"
ARNS = {
    "ModelPackageArn": f"{ARN}:model-package/name/1",
    "ModelPackageName": f"{ARN}:model-package/name/1",
    "PipelineExecutionArn": f"{ARN}:pipeline/name/execution/abc",
    "ResourceArn": f"{ARN}:endpoint/name",
}
"""Members that name a resource by its ARN."""


def plane() -> ControlPlane:
    found = ControlPlane(ACCOUNT, REGION, Clock())
    ModelPackages(found)
    PipelineExecutions(found)
    return found


def operations() -> list[str]:
    own = [f"{verb}{name}" for name in KINDS for verb in ("Create", "Describe", "Update", "Delete", "Stop", "Start")]
    actions = REFERENCE["sagemaker"]["privileges"]
    return sorted({*own, *plane().operations} & actions.keys())


@pytest.mark.parametrize("operation", operations())
def test_a_request_is_allowed_on_a_resource_that_aws_has_for_it(operation: str) -> None:
    shape_of_request = SERVICE.operation_model(operation).input_shape
    members = shape_of_request.members if shape_of_request else {}
    params = {name: ARNS.get(name, "name") for name, shape in members.items() if shape.type_name == "string"}
    headers = {"x-amz-target": f"SageMaker.{operation}"}
    found = sagemaker_api.resource_arn(plane(), "/", headers, json.dumps(params).encode())
    types = types_of(f"sagemaker:{operation}")
    if types:
        assert any(is_of(found, name, form) for name, form in types.items())
    else:
        assert found == "*"
