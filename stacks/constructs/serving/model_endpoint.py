"""The endpoint: the model in SageMaker's XGBoost image, the capture of its traffic, and its scaling."""

from dataclasses import dataclass

from aws_cdk import Stack
from aws_cdk import aws_applicationautoscaling as scaling
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from plumbline.contract.retraining import ModelVariable
from plumbline.stacks.config.environment import AutoscalingSection, CaptureSection, EndpointSection, NetworkSection
from plumbline.stacks.constructs.execution_role import ExecutionRole

VARIANT = "AllTraffic"
PROGRAM = "inference.py"
CSV_CONTENT_TYPES = ("text/csv",)
JSON_CONTENT_TYPES = ("application/json",)
LOG_LEVEL_INFO = "20"
COOLDOWN_SECONDS = 300


@dataclass(frozen=True, kw_only=True)
class EndpointUris:
    """URIs of the image, of the model with its baseline and code, and of the capture destination."""

    image_uri: str
    model_uri: str
    baseline_uri: str
    source_uri: str
    capture_uri: str


def serving_environment(*, source_uri: str, region: str) -> dict[str, str]:
    """Return the variables of every container that serves one of our models."""
    return {
        "SAGEMAKER_PROGRAM": PROGRAM,
        "SAGEMAKER_SUBMIT_DIRECTORY": source_uri,
        "SAGEMAKER_REGION": region,
        "SAGEMAKER_CONTAINER_LOG_LEVEL": LOG_LEVEL_INFO,
        # Without it a caller who accepts any type gets JSON, whatever was sent.
        "SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT": "*/*",
    }


class ModelEndpoint(Construct):
    """Model, EndpointConfig with data capture, Endpoint.

    Only the endpoint is named: CloudFormation cannot replace a custom-named resource, and every change of Model
    or EndpointConfig is a replacement (CloudFormation User Guide, "Name type"). Volumes have no key of ours:
    instance types with local storage reject one, and all of them encrypt.
    """

    def __init__(  # noqa: PLR0913 - the parts of an endpoint, one section each
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        uris: EndpointUris,
        settings: EndpointSection,
        capture: CaptureSection,
        network: NetworkSection | None,
        role: ExecutionRole,
        key: kms.IKey,
    ) -> None:
        super().__init__(scope, construct_id)
        model = sagemaker.CfnModel(
            self,
            "Model",
            execution_role_arn=role.role.role_arn,
            primary_container=sagemaker.CfnModel.ContainerDefinitionProperty(
                image=uris.image_uri,
                model_data_url=uris.model_uri,
                environment={
                    **serving_environment(source_uri=uris.source_uri, region=Stack.of(self).region),
                    # The baseline stays with its model.
                    ModelVariable.BASELINE.value: uris.baseline_uri,
                },
            ),
            vpc_config=_vpc(network),
        )
        model.node.add_dependency(role.permissions)
        config = sagemaker.CfnEndpointConfig(
            self,
            "Config",
            production_variants=[
                sagemaker.CfnEndpointConfig.ProductionVariantProperty(
                    variant_name=VARIANT,
                    model_name=model.attr_model_name,
                    instance_type=settings.instance_type,
                    initial_instance_count=settings.instance_count,
                    initial_variant_weight=1,
                )
            ],
            data_capture_config=_data_capture(capture, uris.capture_uri, key),
        )
        self.endpoint = sagemaker.CfnEndpoint(
            self,
            "Endpoint",
            endpoint_name=name,
            endpoint_config_name=config.attr_endpoint_config_name,
            # Without it an update would reset the scaled instance count.
            retain_all_variant_properties=True if settings.autoscaling else None,
        )
        if settings.autoscaling:
            EndpointScaling(
                self,
                "Scaling",
                endpoint=self.endpoint,
                variant=VARIANT,
                minimum_count=settings.instance_count,
                settings=settings.autoscaling,
            )


def _data_capture(
    capture: CaptureSection, uri: str, key: kms.IKey
) -> sagemaker.CfnEndpointConfig.DataCaptureConfigProperty:
    # Two options rather than InputAndOutput: endpoints were refused with the latter (boto3 issue 3440).
    return sagemaker.CfnEndpointConfig.DataCaptureConfigProperty(
        enable_capture=True,
        initial_sampling_percentage=capture.sampling_percent,
        destination_s3_uri=uri,
        kms_key_id=key.key_arn,
        capture_options=[
            sagemaker.CfnEndpointConfig.CaptureOptionProperty(capture_mode=mode) for mode in ("Input", "Output")
        ],
        capture_content_type_header=sagemaker.CfnEndpointConfig.CaptureContentTypeHeaderProperty(
            csv_content_types=list(CSV_CONTENT_TYPES), json_content_types=list(JSON_CONTENT_TYPES)
        ),
    )


def _vpc(network: NetworkSection | None) -> sagemaker.CfnModel.VpcConfigProperty | None:
    if network is None:
        return None
    return sagemaker.CfnModel.VpcConfigProperty(
        subnets=list(network.subnet_ids), security_group_ids=list(network.security_group_ids)
    )


class EndpointScaling(Construct):
    """Target tracking on invocations per instance; the service-linked role acts, so no role is made."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        endpoint: sagemaker.CfnEndpoint,
        variant: str,
        minimum_count: int,
        settings: AutoscalingSection,
    ) -> None:
        super().__init__(scope, construct_id)
        target = scaling.CfnScalableTarget(
            self,
            "Target",
            service_namespace="sagemaker",
            scalable_dimension="sagemaker:variant:DesiredInstanceCount",
            resource_id=f"endpoint/{endpoint.attr_endpoint_name}/variant/{variant}",
            min_capacity=minimum_count,
            max_capacity=settings.maximum_count,
        )
        scaling.CfnScalingPolicy(
            self,
            "Policy",
            policy_name="invocations-per-instance",
            policy_type="TargetTrackingScaling",
            scaling_target_id=target.ref,
            target_tracking_scaling_policy_configuration=scaling.CfnScalingPolicy.TargetTrackingScalingPolicyConfigurationProperty(
                target_value=settings.invocations_per_instance,
                predefined_metric_specification=scaling.CfnScalingPolicy.PredefinedMetricSpecificationProperty(
                    predefined_metric_type="SageMakerVariantInvocationsPerInstance"
                ),
                scale_in_cooldown=COOLDOWN_SECONDS,
                scale_out_cooldown=COOLDOWN_SECONDS,
            ),
        )
