import pytest

from plumbline.local.aws.ministack.cloudformation import REPLACING, request
from plumbline.local.aws.sagemaker.kinds import KINDS
from plumbline.local.aws.sagemaker.validation import input_members


def test_every_create_only_property_exists_in_the_api() -> None:
    for kind, properties in REPLACING.items():
        assert set(properties) <= set(input_members(f"Create{kind}")), kind
        assert KINDS[kind].name_field in properties


def test_property_that_the_type_lacks_is_refused() -> None:
    with pytest.raises(ValueError, match="Encountered unsupported property InstanceTyp"):
        request("Model", "CreateModel", {"ModelName": "m", "InstanceTyp": "ml.m5.large"})


def test_update_takes_only_what_the_operation_takes() -> None:
    properties = {"EndpointName": "e", "EndpointConfigName": "c", "Tags": [], "RetainAllVariantProperties": True}
    assert request("Endpoint", "CreateEndpoint", properties) == {
        "EndpointName": "e",
        "EndpointConfigName": "c",
        "Tags": [],
    }
    assert "Tags" not in request("Endpoint", "UpdateEndpoint", properties)


def test_pipeline_definition_is_unwrapped() -> None:
    wanted = request("Pipeline", "CreatePipeline", {"PipelineDefinition": {"PipelineDefinitionBody": "{}"}})
    assert wanted["PipelineDefinition"] == "{}"
    assert len(wanted["ClientRequestToken"]) == 32
