"""Foundation stack: data key, buckets, training role and inputs, model code, and the champion's parameters."""

from typing import Any

from aws_cdk import CfnOutput, Duration, Stack
from aws_cdk import aws_kms as kms
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from plumbline.contract.names import GROUND_TRUTH_OUTPUT, Prefix
from plumbline.contract.retraining import champion_artifact, champion_baseline
from plumbline.contract.retraining_jobs import JobOutput
from plumbline.stacks.constructs.execution_role import ExecutionRole
from plumbline.stacks.constructs.storage.input_source import InputSource
from plumbline.stacks.constructs.storage.secure_bucket import AccessLogBucket, SecureBucket
from plumbline.stacks.constructs.storage.source_archive import SourceArchive
from plumbline.stacks.context import Context


class FoundationStack(Stack):
    """Resources that outlive deployments, and all that training by hand needs before a model serves."""

    def __init__(self, scope: Construct, construct_id: str, *, context: Context, **stack: Any) -> None:
        super().__init__(scope, construct_id, **stack)
        config = context.config
        self.data_key = kms.Key(
            self,
            "DataKey",
            description="Plumbline: models, captured traffic and reports",
            enable_key_rotation=True,
            removal_policy=context.removal,
        )
        self._access_logs = AccessLogBucket(
            self,
            "AccessLogs",
            expire_after=Duration.days(config.retention.access_log_days),
            removal=context.removal,
        )
        self.artifacts = self._bucket("Artifacts", context)
        self.capture = self._bucket("Capture", context, config.retention.capture_days)
        self.reports = self._bucket("Reports", context, config.retention.report_days)
        self.source = SourceArchive(self, "Source", root=context.root)
        self.train_data = self._input("TrainData", "training.train", config.training.train, context)
        self.test_data = self._input("TestData", "training.test", config.training.test, context)
        self.model = self._input("Model", "model.artifact", config.model.artifact, context)
        self.baseline = self._input("Baseline", "model.baseline", config.model.baseline, context)
        self._champion(config.name)
        self.training_role = self._training_role(context)
        self._outputs(context)

    def _bucket(self, construct_id: str, context: Context, days: int | None = None) -> SecureBucket:
        return SecureBucket(
            self,
            construct_id,
            key=self.data_key,
            access_logs=self._access_logs.bucket,
            expire_after=Duration.days(days) if days else None,
            removal=context.removal,
        )

    def _input(self, construct_id: str, setting: str, location: str, context: Context) -> InputSource:
        return InputSource(self, construct_id, setting=setting, location=location, root=context.root)

    def _champion(self, environment: str) -> None:
        """Add the parameters of the champion: the environment file's model, until a promotion overwrites them.

        CloudFormation writes the values again only when the file names another model, which then is the champion.
        """
        for construct_id, name, value in (
            ("ChampionArtifact", champion_artifact(environment), self.model.uri),
            ("ChampionBaseline", champion_baseline(environment), self.baseline.uri),
        ):
            ssm.StringParameter(
                self,
                construct_id,
                parameter_name=name,
                string_value=value,
                description="Plumbline: the model that serves, as the next deployment takes it",
            )

    def _training_role(self, context: Context) -> ExecutionRole:
        role = ExecutionRole(
            self,
            "TrainingRole",
            description="Training jobs read labelled rows and write models",
            sources=[
                f"training-job/{context.naming.training_jobs}*",
                f"training-job/{context.naming.retraining_jobs}-*",
            ],
        )
        for source in (self.train_data, self.test_data, self.source):
            source.allow_read(role.role)
        self.artifacts.allow_read_folders(role.role, Prefix.RETRAINING, JobOutput.FRESH)
        self.artifacts.allow_write(role.role, Prefix.MODELS)
        role.allow_logs("/aws/sagemaker/TrainingJobs")
        role.allow_metrics()
        role.allow_image(account=context.image.account, repository=context.image.repository)
        role.allow_network(context.config.network)
        return role

    def _outputs(self, context: Context) -> None:
        values = {
            "ArtifactsBucketName": self.artifacts.bucket.bucket_name,
            "CaptureBucketName": self.capture.bucket.bucket_name,
            "ReportsBucketName": self.reports.bucket.bucket_name,
            "DataKeyArn": self.data_key.key_arn,
            "TrainingRoleArn": self.training_role.role.role_arn,
            "TrainingImageUri": context.image.uri,
            "SourceArchiveUri": self.source.uri,
            "TrainDataUri": self.train_data.uri,
            "TestDataUri": self.test_data.uri,
            "ModelsUri": self.artifacts.uri(Prefix.MODELS),
        }
        if context.config.labels:
            values[GROUND_TRUTH_OUTPUT] = self.capture.uri(context.naming.ground_truth_prefix)
        for name, value in values.items():
            CfnOutput(self, name, value=value)
