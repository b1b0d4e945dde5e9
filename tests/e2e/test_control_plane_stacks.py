"""CloudFormation's view of the SageMaker types: Ref, GetAtt, replacement, refusal, and encrypted buckets."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError, WaiterError

from plumbline.local.embedded import EmbeddedAws

pytestmark = pytest.mark.e2e

POLLING = {"Delay": 1, "MaxAttempts": 30}


def _template(instance_type: str, **config: Any) -> str:
    variant = {
        "VariantName": "AllTraffic",
        "ModelName": {"Fn::GetAtt": ["Model", "ModelName"]},
        "InstanceType": instance_type,
        "InitialInstanceCount": 1,
        "InitialVariantWeight": "1.0",
    }
    model = {"Type": "AWS::SageMaker::Model", "Properties": {"ExecutionRoleArn": "arn:aws:iam::000000000000:role/r"}}
    config = {"Type": "AWS::SageMaker::EndpointConfig", "Properties": {"ProductionVariants": [variant], **config}}
    outputs = {
        "ModelRef": {"Value": {"Ref": "Model"}},
        "ConfigName": {"Value": {"Fn::GetAtt": ["Config", "EndpointConfigName"]}},
    }
    return json.dumps({"Resources": {"Model": model, "Config": config}, "Outputs": outputs})


def _deploy(aws: EmbeddedAws, name: str, template: str) -> dict[str, str]:
    cloudformation = aws.client("cloudformation")
    try:
        cloudformation.update_stack(StackName=name, TemplateBody=template)
        waiter = cloudformation.get_waiter("stack_update_complete")
    except ClientError:
        cloudformation.create_stack(StackName=name, TemplateBody=template)
        waiter = cloudformation.get_waiter("stack_create_complete")
    waiter.wait(StackName=name, WaiterConfig=POLLING)
    stack = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}


def _failures(aws: EmbeddedAws, name: str) -> str:
    events = aws.client("cloudformation").describe_stack_events(StackName=name)["StackEvents"]
    return " ".join(event.get("ResourceStatusReason", "") for event in events)


def test_ref_of_a_model_is_its_arn(aws: EmbeddedAws) -> None:
    outputs = _deploy(aws, "ref", _template("ml.m5.large"))
    assert outputs["ModelRef"].startswith("arn:aws:sagemaker:us-east-1:000000000000:model/ref-Model-")


def test_changed_config_is_replaced_and_the_old_one_removed(aws: EmbeddedAws) -> None:
    before = _deploy(aws, "replace", _template("ml.m5.large"))["ConfigName"]
    after = _deploy(aws, "replace", _template("ml.m5.xlarge"))["ConfigName"]
    assert before != after
    sagemaker = aws.client("sagemaker")
    config = sagemaker.describe_endpoint_config(EndpointConfigName=after)
    assert config["ProductionVariants"][0]["InstanceType"] == "ml.m5.xlarge"
    with pytest.raises(ClientError, match="Could not find endpoint-config"):
        sagemaker.describe_endpoint_config(EndpointConfigName=before)


def test_named_config_cannot_be_replaced(aws: EmbeddedAws) -> None:
    _deploy(aws, "named", _template("ml.m5.large", EndpointConfigName="fixed"))
    with pytest.raises(WaiterError):
        _deploy(aws, "named", _template("ml.m5.xlarge", EndpointConfigName="fixed"))
    assert "custom-named resource requires replacing" in _failures(aws, "named")


def test_wrong_value_rolls_the_stack_back(aws: EmbeddedAws) -> None:
    with pytest.raises(WaiterError):
        _deploy(aws, "wrong", _template("ml.wrong"))
    assert "enum value set" in _failures(aws, "wrong")
    names = [model["ModelName"] for model in aws.client("sagemaker").list_models(NameContains="wrong-")["Models"]]
    assert names == []


def test_unknown_property_is_named(aws: EmbeddedAws) -> None:
    with pytest.raises(WaiterError):
        _deploy(aws, "unknown", _template("ml.m5.large", DataCapture={}))
    assert "Encountered unsupported property DataCapture" in _failures(aws, "unknown")


def test_bucket_encrypts_with_its_key(aws: EmbeddedAws) -> None:
    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": {"Fn::GetAtt": ["Key", "Arn"]}}
    encryption = {"ServerSideEncryptionConfiguration": [{"ServerSideEncryptionByDefault": default}]}
    resources = {
        "Key": {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": {"Version": "2012-10-17", "Statement": []}}},
        "Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketEncryption": encryption}},
    }
    outputs = {"Bucket": {"Value": {"Ref": "Bucket"}}, "Key": {"Value": {"Fn::GetAtt": ["Key", "Arn"]}}}
    made = _deploy(aws, "encrypted", json.dumps({"Resources": resources, "Outputs": outputs}))
    s3 = aws.client("s3")
    s3.put_object(Bucket=made["Bucket"], Key="k", Body=b"x")
    assert s3.head_object(Bucket=made["Bucket"], Key="k")["SSEKMSKeyId"] == made["Key"]
