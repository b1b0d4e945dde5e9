"""The pipeline that trains and evaluates a challenger, its group in the model registry, and the roles of its jobs."""

from collections.abc import Mapping
from typing import Any

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from plumbline.contract.names import Prefix
from plumbline.contract.retraining import Approval
from plumbline.contract.retraining_jobs import JobOutput
from plumbline.stacks.constructs.execution_role import SAGEMAKER, ExecutionRole, sagemaker_arn
from plumbline.stacks.constructs.retraining.inputs import RetrainingInputs
from plumbline.stacks.constructs.serving.model_endpoint import serving_environment
from plumbline.stacks.pipeline.filling import Placeholder, filled

APPROVAL_STATUS = {Approval.AUTOMATIC: "Approved", Approval.MANUAL: "PendingManualApproval"}
"""Of a challenger that passed the gate."""
MAX_ROWS_PER_USABLE_ROW = 2
"""The controller counts labelled rows; at least one in so many must be usable: no duplicate, no row of the test set."""


class RetrainingPipeline(Construct):
    """Pipeline and model package group; `definition` has CDK tokens where only the deployment knows the value."""

    def __init__(self, scope: Construct, construct_id: str, *, inputs: RetrainingInputs) -> None:
        super().__init__(scope, construct_id)
        self._inputs, self._context = inputs, inputs.context
        context, naming = inputs.context, inputs.context.naming
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
            pipeline_description="Plumbline: trains a challenger on labelled captures and evaluates it at the gate",
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
        context, inputs, region = self._context, self._inputs, Stack.of(self).region
        naming = context.naming
        return {
            Placeholder.REGION: region,
            Placeholder.JOB_PREFIX: naming.retraining_jobs,
            Placeholder.DRIFT_IMAGE: inputs.image.uri,
            Placeholder.XGBOOST_IMAGE: context.image.uri,
            Placeholder.JOB_ROLE: self.job_role.role.role_arn,
            Placeholder.TRAINING_ROLE: inputs.training_role.role_arn,
            Placeholder.KEY: inputs.data_key.key_arn,
            Placeholder.ENVIRONMENT: context.config.name,
            Placeholder.ENDPOINT: naming.endpoint,
            Placeholder.MODEL_PACKAGE_GROUP: naming.model_packages,
            Placeholder.TRAIN_DATA: inputs.train_data.uri,
            Placeholder.TEST_DATA: inputs.test_data.uri,
            Placeholder.MERGED: inputs.capture.uri(Prefix.MERGED),
            Placeholder.RETRAINING: inputs.artifacts.uri(Prefix.RETRAINING),
            Placeholder.MODELS: inputs.artifacts.uri(Prefix.MODELS),
            Placeholder.SOURCE_ARCHIVE: inputs.source_uri,
            Placeholder.SERVING_ENVIRONMENT: serving_environment(source_uri=inputs.source_uri, region=region),
            Placeholder.COMMIT: context.commit,
        }

    def _settings(self) -> dict[Placeholder, Any]:
        """Return the settings; arguments of jobs are text."""
        config = self._context.config
        training, retraining = config.training, config.retraining
        return {
            Placeholder.TARGET_LABEL: training.target_label,
            Placeholder.SEGMENT_COLUMN: training.segment_column or "",
            Placeholder.TIME_COLUMN: training.time_column or "",
            Placeholder.MISSING_VALUES: training.missing_argument,
            Placeholder.FEATURE_TYPES: config.feature_types_argument,
            Placeholder.SLICE_COLUMNS: ",".join(retraining.slice_columns),
            Placeholder.HOLDOUT_MARGIN: str(retraining.holdout_margin),
            Placeholder.TEST_MARGIN: str(retraining.test_margin),
            Placeholder.SLICE_MARGIN: str(retraining.slice_margin),
            Placeholder.MINIMUM_SLICE_ROWS: str(retraining.minimum_slice_rows),
            Placeholder.MINIMUM_FRESH_ROWS: str(-(-retraining.minimum_fresh_rows // MAX_ROWS_PER_USABLE_ROW)),
            Placeholder.FRESH_WEIGHT_FRACTION: str(retraining.fresh_weight_fraction),
            Placeholder.INSTANCE_TYPE: retraining.instance_type,
            Placeholder.VOLUME_GB: retraining.volume_gb,
            Placeholder.MAX_RUNTIME_SECONDS: retraining.max_runtime_seconds,
            Placeholder.TRAINING_INSTANCE_TYPE: training.instance_type,
            Placeholder.TRAINING_MAX_RUNTIME_SECONDS: training.max_runtime_seconds,
            Placeholder.APPROVAL_STATUS: APPROVAL_STATUS[config.promotion.approval],
        }

    def _job_role(self) -> ExecutionRole:
        context, inputs = self._context, self._inputs
        role = ExecutionRole(
            self,
            "JobRole",
            description="The retraining pipeline's own jobs read labelled captures and models and write what they find",
            sources=[f"processing-job/{context.naming.retraining_jobs}-*"],
        )
        for source in (inputs.train_data, inputs.test_data, inputs.model):
            source.allow_read(role.role)
        inputs.capture.allow_read(role.role, context.naming.merged_prefix)
        inputs.artifacts.allow_read(role.role, Prefix.MODELS)
        inputs.artifacts.allow_read_folders(role.role, Prefix.RETRAINING, JobOutput.HOLDOUT)
        inputs.artifacts.allow_write(role.role, Prefix.RETRAINING)
        inputs.image.asset.repository.grant_pull(role.role)
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
        # The pipeline's condition reads the evaluation.
        self._inputs.artifacts.allow_read_folders(role.role, Prefix.RETRAINING, JobOutput.EVALUATION)
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
                resources=[self.job_role.role.role_arn, self._inputs.training_role.role_arn],
                conditions={"StringEquals": {"iam:PassedToService": SAGEMAKER}},
            )
        )
        return role

    def _allow(self, role: ExecutionRole, actions: list[str], *resources: str) -> None:
        arns = [sagemaker_arn(self, resource) for resource in resources]
        role.role.add_to_policy(iam.PolicyStatement(actions=actions, resources=arns))
