"""Every acknowledgement of a cdk-nag finding: narrowest construct, finding id, reason. Nowhere else."""

from collections.abc import Mapping
from typing import Any

from aws_cdk import Acknowledgment, Stack, Validations
from aws_cdk import aws_iam as iam

from plumbline.contract.names import Prefix, ReportFile
from plumbline.contract.retraining_jobs import JobOutput
from plumbline.stacks.constructs.execution_role import log_streams_arn, sagemaker_arn
from plumbline.stacks.constructs.monitor.scheduler_schedule import jobs_arn
from plumbline.stacks.constructs.storage.input_source import InputSource
from plumbline.stacks.constructs.storage.secure_bucket import SecureBucket
from plumbline.stacks.context import Context
from plumbline.stacks.foundation import FoundationStack
from plumbline.stacks.monitoring import MonitoringStack
from plumbline.stacks.serving import ServingStack

FINDING = "AwsSolutions::AwsSolutions-IAM5[Resource::{}]"

UNSCOPED = (
    "These actions take no resource: ecr:GetAuthorizationToken, cloudwatch:PutMetricData (restricted to "
    "namespaces instead), SageMaker's listing of models and endpoint configurations and EC2's describe calls"
)
STREAMS = "SageMaker names the streams of its log groups"
PREFIX = "Keys below the prefix are not known before they are written"
JOBS = "A job's name begins with the environment's prefix and ends with the id of its execution"
INTERFACES = "EC2 names the network interfaces of a job"
EXECUTIONS = "SageMaker names the executions of the one pipeline, and numbers the versions of the one group"
PROMOTED = "Resources of the promotion function begin with the environment's prefix and end with version and digest"
DEPLOYED = "CloudFormation names the resources of the serving stack; the function only describes them"


def acknowledge(
    context: Context, foundation: FoundationStack, serving: ServingStack, monitoring: MonitoringStack
) -> None:
    """Acknowledge the wildcards that remain where AWS or the data decides on a name."""
    naming = context.naming
    models, capture, reports = (
        f"{prefix}/*" for prefix in (Prefix.MODELS, naming.capture_prefix, naming.report_prefix)
    )
    network = {_interfaces(foundation): INTERFACES} if context.config.network else {}
    _wildcards(
        foundation.training_role.role,
        network
        | _prefixes(foundation.train_data, foundation.test_data)
        | {
            "*": UNSCOPED,
            log_streams_arn(foundation, "/aws/sagemaker/TrainingJobs"): STREAMS,
            _objects(foundation, foundation, foundation.artifacts, _of_executions(JobOutput.FRESH)): PREFIX,
            _objects(foundation, foundation, foundation.artifacts, models): PREFIX,
        },
    )
    _wildcards(
        serving.role.role,
        network
        | {
            "*": UNSCOPED,
            log_streams_arn(serving, f"/aws/sagemaker/Endpoints/{naming.endpoint}"): STREAMS,
            _objects(serving, foundation, foundation.capture, capture): PREFIX,
            _objects(serving, foundation, foundation.artifacts, models): PREFIX,
        },
    )
    _wildcards(
        monitoring.role.role,
        network
        | _prefixes(foundation.baseline)
        | {
            "*": UNSCOPED,
            log_streams_arn(monitoring, "/aws/sagemaker/ProcessingJobs"): STREAMS,
            _objects(monitoring, foundation, foundation.capture, capture): PREFIX,
            _objects(monitoring, foundation, foundation.reports, reports): PREFIX,
            _objects(monitoring, foundation, foundation.artifacts, _of_executions(JobOutput.BASELINE)): PREFIX,
            _objects(monitoring, foundation, foundation.artifacts, f"{Prefix.ACCEPTED}/*"): PREFIX,
        }
        | _optional(context, foundation, monitoring),
    )
    _pipeline(context, foundation, monitoring, network)
    _functions(context, foundation, monitoring)
    if monitoring.scheduler_role:
        _wildcards(monitoring.scheduler_role, {jobs_arn(monitoring, naming.schedule): JOBS})


def _pipeline(
    context: Context, foundation: FoundationStack, monitoring: MonitoringStack, network: Mapping[str, str]
) -> None:
    naming, pipeline = context.naming, monitoring.loop.pipeline
    read = (f"{Prefix.MODELS}/*", _of_executions(JobOutput.HOLDOUT), f"{Prefix.RETRAINING}/*")
    _wildcards(
        pipeline.job_role.role,
        {
            **network,
            **_prefixes(foundation.train_data, foundation.test_data),
            "*": UNSCOPED,
            log_streams_arn(monitoring, "/aws/sagemaker/ProcessingJobs"): STREAMS,
            _objects(monitoring, foundation, foundation.capture, f"{naming.merged_prefix}/*"): PREFIX,
            **{_objects(monitoring, foundation, foundation.artifacts, keys): PREFIX for keys in read},
        },
    )
    _wildcards(
        pipeline.role.role,
        {
            _objects(monitoring, foundation, foundation.artifacts, _of_executions(JobOutput.EVALUATION)): PREFIX,
            sagemaker_arn(monitoring, f"processing-job/{naming.retraining_jobs}-*"): JOBS,
            sagemaker_arn(monitoring, f"training-job/{naming.retraining_jobs}-*"): JOBS,
            sagemaker_arn(monitoring, f"model-package/{naming.model_packages}/*"): EXECUTIONS,
        },
    )


def _functions(context: Context, foundation: FoundationStack, monitoring: MonitoringStack) -> None:
    naming, loop = context.naming, monitoring.loop
    _wildcards(
        loop.controller.role,
        {
            "*": UNSCOPED,
            _objects(monitoring, foundation, foundation.capture, f"{naming.merged_prefix}/*"): PREFIX,
            **{
                _objects(monitoring, foundation, foundation.artifacts, _of_executions(output)): PREFIX
                for output in (JobOutput.PREPARED, JobOutput.EVALUATION)
            },
            sagemaker_arn(monitoring, f"pipeline/{naming.pipeline}/execution/*"): EXECUTIONS,
        },
    )
    _wildcards(
        loop.promotion.role,
        {
            "*": UNSCOPED,
            _objects(monitoring, foundation, foundation.artifacts, _of_executions(JobOutput.EVALUATION)): PREFIX,
            sagemaker_arn(monitoring, f"model-package/{naming.model_packages}/*"): EXECUTIONS,
            sagemaker_arn(monitoring, f"model/{naming.promoted}-*"): PROMOTED,
            sagemaker_arn(monitoring, f"endpoint-config/{naming.promoted}-*"): PROMOTED,
            sagemaker_arn(monitoring, "model/*"): DEPLOYED,
            sagemaker_arn(monitoring, "endpoint-config/*"): DEPLOYED,
        },
    )


def _of_executions(folder: JobOutput) -> str:
    return f"{Prefix.RETRAINING}/*/{folder}/*"


def _optional(context: Context, foundation: FoundationStack, monitoring: MonitoringStack) -> dict[str, str]:
    """Return what the monitor may read and write for attributions, earlier windows and labels, where they are on."""
    config, naming = context.config, context.naming
    left = [f"{naming.report_prefix}/*/{name}" for name in (ReportFile.WINDOW_STATE, ReportFile.WINDOW_COUNTS)]
    keys = [
        *([(foundation.artifacts, f"{Prefix.MODELS}/*")] if config.monitor.attribution else []),
        *((foundation.reports, keys) for keys in left),
        *([(foundation.capture, f"{naming.ground_truth_prefix}/*")] if config.labels else []),
        *([(foundation.capture, f"{naming.merged_prefix}/*")] if config.labels else []),
    ]
    return {_objects(monitoring, foundation, bucket, pattern): PREFIX for bucket, pattern in keys}


def _wildcards(role: iam.Role, reasons: Mapping[str, str]) -> None:
    stack = Stack.of(role)
    for arn, reason in reasons.items():
        finding = FINDING.format(_text(stack.resolve(arn)))
        Validations.of(role).acknowledge(Acknowledgment(id=finding, reason=reason))


def _prefixes(*sources: InputSource) -> dict[str, str]:
    return {source.wildcard: PREFIX for source in sources if source.wildcard}


def _objects(user: Stack, owner: Stack, bucket: SecureBucket, keys: str) -> str:
    """Return the ARN of a bucket's keys as `user` spells it: another stack's bucket is an import there."""
    arn = bucket.bucket.bucket_arn
    return f"{arn if user is owner else owner.export_value(arn)}/{keys}"


def _interfaces(stack: Stack) -> str:
    return stack.format_arn(service="ec2", resource="network-interface", resource_name="*")


def _text(resolved: Any) -> str:
    """Return a resolved ARN as cdk-nag writes it in a finding's id."""
    if isinstance(resolved, str):
        return resolved
    ((function, value),) = resolved.items()
    if function == "Fn::Join":
        return "".join(_text(part) for part in value[1])
    if function == "Fn::ImportValue":
        return str(value)
    return f"<{value if function == 'Ref' else '.'.join(value)}>"
