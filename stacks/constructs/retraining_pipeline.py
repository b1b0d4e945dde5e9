"""The pipeline that makes a challenger, the registry's group that it goes to, and the roles of both."""

from collections.abc import Mapping
from typing import Any

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from contract.names import Prefix
from contract.retraining import Approval
from contract.retraining_jobs import JobOutput
from stacks.constructs.drift_image import DriftImage
from stacks.constructs.execution_role import SAGEMAKER, ExecutionRole
from stacks.constructs.loop_function import sagemaker_arn
from stacks.constructs.model_endpoint import serving_environment
from stacks.context import Context
from stacks.foundation import FoundationStack
from stacks.pipeline.filling import filled
from stacks.pipeline.placeholders import Placeholder

APPROVAL_STATUS = {Approval.AUTOMATIC: "Approved", Approval.MANUAL: "PendingManualApproval"}
"""Of a challenger that passed the gate."""
LEAST_USABLE = 2
"""The controller counts labelled rows; one in so many has to be usable, neither a repeat nor a row of the test set."""


class RetrainingPipeline(Construct):
    """Pipeline and group; `definition` is the pipeline's, with tokens where only the deployment knows the value.

    Parameters
    ----------
    image
        The drift image, which holds the jobs before and after training.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, context: Context, foundation: FoundationStack, image: DriftImage
    ) -> None:
        super().__init__(scope, construct_id)
        self._context, self._foundation, self._image = context, foundation, image
        naming = context.naming
        self.job_role = self._job_role()
        self.role = self._role()
        self.group = sagemaker.CfnModelPackageGroup(
            self,
            "Group",
            model_package_group_name=naming.model_packages,
            model_package_group_description=f"Plumbline: challengers of {naming.endpoint}",
        )
        self.group.apply_removal_policy(context.removal)
        self.definition = filled(self._values(), context.config.network)
        pipeline = sagemaker.CfnPipeline(
            self,
            "Pipeline",
            pipeline_name=naming.pipeline,
            pipeline_description="Plumbline: trains a challenger on labelled captures and lets it stand the gate",
            pipeline_definition={"PipelineDefinitionBody": Stack.of(self).to_json_string(self.definition)},
            role_arn=self.role.role.role_arn,
        )
        pipeline.node.add_dependency(self.group, self.role.permissions)

    @property
    def arn(self) -> str:
        """The pipeline's ARN."""
        return sagemaker_arn(self, f"pipeline/{self._context.naming.pipeline}")

    def _values(self) -> Mapping[Placeholder, Any]:
        return {**self._resources(), **self._settings()}

    def _resources(self) -> dict[Placeholder, Any]:
        context, foundation, region = self._context, self._foundation, Stack.of(self).region
        naming = context.naming
        return {
            Placeholder.REGION: region,
            Placeholder.JOB_PREFIX: naming.retraining_jobs,
            Placeholder.DRIFT_IMAGE: self._image.uri,
            Placeholder.XGBOOST_IMAGE: context.image.uri,
            Placeholder.JOB_ROLE: self.job_role.role.role_arn,
            Placeholder.TRAINING_ROLE: foundation.training_role.role.role_arn,
            Placeholder.KEY: foundation.data_key.key_arn,
            Placeholder.ENVIRONMENT: context.config.name,
            Placeholder.ENDPOINT: naming.endpoint,
            Placeholder.MODEL_PACKAGE_GROUP: naming.model_packages,
            Placeholder.TRAIN_DATA: foundation.train_data.uri,
            Placeholder.TEST_DATA: foundation.test_data.uri,
            Placeholder.MERGED: foundation.capture.uri(Prefix.MERGED),
            Placeholder.RETRAINING: foundation.artifacts.uri(Prefix.RETRAINING),
            Placeholder.MODELS: foundation.artifacts.uri(Prefix.MODELS),
            Placeholder.SOURCE_ARCHIVE: foundation.source.uri,
            Placeholder.SERVING_ENVIRONMENT: serving_environment(source_uri=foundation.source.uri, region=region),
            Placeholder.COMMIT: context.commit,
        }

    def _settings(self) -> dict[Placeholder, Any]:
        """Return the settings; an argument of a job is a text."""
        config = self._context.config
        training, retraining = config.training, config.retraining
        return {
            Placeholder.TARGET_LABEL: training.target_label,
            Placeholder.SEGMENT_COLUMN: training.segment_column or "",
            Placeholder.SLICE_COLUMNS: ",".join(retraining.slice_columns),
            Placeholder.HOLDOUT_MARGIN: str(retraining.holdout_margin),
            Placeholder.TEST_MARGIN: str(retraining.test_margin),
            Placeholder.SLICE_MARGIN: str(retraining.slice_margin),
            Placeholder.MINIMUM_SLICE_ROWS: str(retraining.minimum_slice_rows),
            Placeholder.MINIMUM_FRESH_ROWS: str(-(-retraining.minimum_fresh_rows // LEAST_USABLE)),
            Placeholder.FRESH_WEIGHT_FRACTION: str(retraining.fresh_weight_fraction),
            Placeholder.INSTANCE_TYPE: retraining.instance_type,
            Placeholder.VOLUME_GB: retraining.volume_gb,
            Placeholder.MAX_RUNTIME_SECONDS: retraining.max_runtime_seconds,
            Placeholder.TRAINING_INSTANCE_TYPE: training.instance_type,
            Placeholder.TRAINING_MAX_RUNTIME_SECONDS: training.max_runtime_seconds,
            Placeholder.APPROVAL_STATUS: APPROVAL_STATUS[config.promotion.approval],
        }

    def _job_role(self) -> ExecutionRole:
        context, foundation = self._context, self._foundation
        role = ExecutionRole(
            self,
            "JobRole",
            description="The retraining pipeline's own jobs read labelled captures and models and write what they find",
            sources=[f"processing-job/{context.naming.retraining_jobs}-*"],
        )
        for source in (foundation.train_data, foundation.test_data, foundation.model):
            source.allow_read(role.role)
        foundation.capture.allow_read(role.role, context.naming.merged_prefix)
        foundation.artifacts.allow_read(role.role, Prefix.MODELS)
        foundation.artifacts.allow_read_folders(role.role, Prefix.RETRAINING, JobOutput.HOLDOUT)
        foundation.artifacts.allow_write(role.role, Prefix.RETRAINING)
        self._image.asset.repository.grant_pull(role.role)
        role.allow_logs("/aws/sagemaker/ProcessingJobs")
        role.allow_metrics()
        role.allow_network(context.config.network)
        return role

    def _role(self) -> ExecutionRole:
        naming = self._context.naming
        role = ExecutionRole(
            self,
            "Role",
            description="The retraining pipeline starts its jobs and registers challengers",
            sources=[f"pipeline/{naming.pipeline}/*"],
        )
        # It reads the verdict that its condition is about.
        self._foundation.artifacts.allow_read_folders(role.role, Prefix.RETRAINING, JobOutput.EVALUATION)
        for kind in ("Processing", "Training"):
            actions = [f"sagemaker:{verb}{kind}Job" for verb in ("Create", "Describe", "Stop")]
            self._allow(role, [*actions, "sagemaker:AddTags"], f"{kind.lower()}-job/{naming.retraining_jobs}-*")
        self._allow(
            role,
            ["sagemaker:CreateModelPackage", "sagemaker:DescribeModelPackage"],
            f"model-package-group/{naming.model_packages}",
            f"model-package/{naming.model_packages}/*",
        )
        role.role.add_to_policy(
            iam.PolicyStatement(
                actions=["iam:PassRole"],
                resources=[self.job_role.role.role_arn, self._foundation.training_role.role.role_arn],
                conditions={"StringEquals": {"iam:PassedToService": SAGEMAKER}},
            )
        )
        return role

    def _allow(self, role: ExecutionRole, actions: list[str], *resources: str) -> None:
        arns = [sagemaker_arn(self, resource) for resource in resources]
        role.role.add_to_policy(iam.PolicyStatement(actions=actions, resources=arns))
