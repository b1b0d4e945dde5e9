"""EventBridge Scheduler: the monitoring schedule of engine `scheduler`, and what every schedule of ours has."""

import json
from typing import Any

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_scheduler as scheduler
from constructs import Construct

from plumbline.contract.names import MonitorVariable, Switch, Variable
from plumbline.stacks.constructs.alarms.alert_topic import DeadLetters
from plumbline.stacks.constructs.execution_role import SAGEMAKER
from plumbline.stacks.constructs.monitor.monitor_job import INPUT_PATH, OUTPUT_PATH, UPLOAD_MODE, MonitorJob

TARGET = "aws-sdk:sagemaker:createProcessingJob"
EXECUTION_ID = "<aws.scheduler.execution-id>"
"""Legal in a job's name; the scheduled time is not, because of its colons."""
SCHEDULED_TIME = "<aws.scheduler.scheduled-time>"
MAX_RETRIES = 2
"""Few: the execution id may change between attempts, so a job's name does not prevent a second one."""
MAX_EVENT_AGE_SECONDS = 3600
"""Then the next run is due."""
DATASET_FORMAT = {"sagemakerCaptureJson": {"captureIndexNames": ["endpointInput", "endpointOutput"]}}
GROUP = "default"


class SchedulerSchedule(Construct):
    """Schedule whose universal target is CreateProcessingJob, for accounts that Model Monitor is closed to.

    Parameters
    ----------
    dead_letters
        Queue of the runs that could not be started.
    """

    def __init__(self, scope: Construct, construct_id: str, *, job: MonitorJob, dead_letters: DeadLetters) -> None:
        super().__init__(scope, construct_id)
        self.role = scheduler_role(self, f"Lets {job.schedule_name} start monitoring jobs")
        self.role.add_to_policy(
            iam.PolicyStatement(
                actions=["sagemaker:CreateProcessingJob"], resources=[jobs_arn(self, job.schedule_name)]
            )
        )
        self.role.add_to_policy(
            iam.PolicyStatement(
                actions=["iam:PassRole"],
                resources=[job.role_arn],
                conditions={"StringEquals": {"iam:PassedToService": SAGEMAKER}},
            )
        )
        dead_letters.allow_send(self.role)
        self.schedule = own_schedule(
            self,
            "Schedule",
            name=job.schedule_name,
            description=f"Starts the monitoring job of {job.schedule_name}; the job determines its window",
            expression=job.monitor.expression,
            target_arn=_arn(self, service="scheduler", region="", account="", resource=TARGET),
            payload=Stack.of(self).to_json_string(processing_job(job)),
            role=self.role,
            dead_letters=dead_letters,
        )


def scheduler_role(scope: Construct, description: str) -> iam.Role:
    """Return a role that Scheduler assumes; its confused-deputy condition is the schedule group, not the schedule."""
    return iam.Role(
        scope,
        "Role",
        description=description,
        assumed_by=iam.ServicePrincipal(
            "scheduler.amazonaws.com",
            conditions={
                "StringEquals": {
                    "aws:SourceAccount": Stack.of(scope).account,
                    "aws:SourceArn": _arn(scope, service="scheduler", resource=f"schedule-group/{GROUP}"),
                }
            },
        ),
    )


def own_schedule(  # noqa: PLR0913 - the properties of a schedule
    scope: Construct,
    construct_id: str,
    *,
    name: str | None = None,
    description: str,
    expression: str,
    target_arn: str,
    payload: str,
    role: iam.Role,
    dead_letters: DeadLetters,
) -> scheduler.CfnSchedule:
    """Return a schedule in UTC at exact times, with few retries; what could not be started goes to `dead_letters`."""
    schedule = scheduler.CfnSchedule(
        scope,
        construct_id,
        name=name,
        description=description,
        schedule_expression=expression,
        schedule_expression_timezone="UTC",
        flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
        target=scheduler.CfnSchedule.TargetProperty(
            arn=target_arn,
            role_arn=role.role_arn,
            input=payload,
            retry_policy=scheduler.CfnSchedule.RetryPolicyProperty(
                maximum_retry_attempts=MAX_RETRIES, maximum_event_age_in_seconds=MAX_EVENT_AGE_SECONDS
            ),
            dead_letter_config=scheduler.CfnSchedule.DeadLetterConfigProperty(arn=dead_letters.queue.queue_arn),
        ),
    )
    # A schedule is rejected while its role may not yet send to the dead-letter queue.
    schedule.node.add_dependency(role.node.find_child("DefaultPolicy"))
    return schedule


def processing_job(job: MonitorJob) -> dict[str, Any]:
    """Return the CreateProcessingJob request.

    It has no processing input: an empty prefix would fail the job, and an hour without traffic is no fault. The
    container reads the window's capture from S3.
    """
    request: dict[str, Any] = {
        "ProcessingJobName": f"{job.schedule_name}-{EXECUTION_ID}",
        "RoleArn": job.role_arn,
        "AppSpecification": {"ImageUri": job.image_uri, "ContainerArguments": job.arguments},
        "Environment": job.environment | _model_monitor_environment(job),
        "ProcessingOutputConfig": {
            "KmsKeyId": job.key_arn,
            "Outputs": [
                {
                    "OutputName": "reports",
                    "S3Output": {"S3Uri": job.report_uri, "LocalPath": OUTPUT_PATH, "S3UploadMode": UPLOAD_MODE},
                }
            ],
        },
        "ProcessingResources": {
            "ClusterConfig": {
                "InstanceCount": job.monitor.instance_count,
                "InstanceType": job.monitor.instance_type,
                "VolumeSizeInGB": job.monitor.volume_gb,
            }
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": job.monitor.max_runtime_seconds},
    }
    if network := _network(job):
        request["NetworkConfig"] = network
    return request


def _network(job: MonitorJob) -> dict[str, Any]:
    network: dict[str, Any] = {}
    if job.monitor.instance_count > 1:
        network["EnableInterContainerTrafficEncryption"] = True
    if job.network:
        network["VpcConfig"] = {
            "Subnets": list(job.network.subnet_ids),
            "SecurityGroupIds": list(job.network.security_group_ids),
        }
    return network


def _model_monitor_environment(job: MonitorJob) -> dict[str, str]:
    """Return the variables that Model Monitor sets, and those that the container derives the window from."""
    return {
        MonitorVariable.DATASET_FORMAT.value: json.dumps(DATASET_FORMAT, separators=(",", ":")),
        MonitorVariable.DATASET_SOURCE.value: INPUT_PATH,
        MonitorVariable.OUTPUT_PATH.value: OUTPUT_PATH,
        MonitorVariable.PUBLISH_CLOUDWATCH_METRICS.value: Switch.ENABLED.value,
        MonitorVariable.ENDPOINT_NAME.value: job.endpoint_name,
        MonitorVariable.SCHEDULE_NAME.value: job.schedule_name,
        Variable.SCHEDULED_TIME.value: SCHEDULED_TIME,
        Variable.WINDOW_HOURS.value: str(job.monitor.interval_hours),
        Variable.CAPTURE_S3_URI.value: job.capture_uri,
    }


def jobs_arn(scope: Construct, schedule_name: str) -> str:
    """Return the ARN pattern of the jobs that the schedule starts."""
    return _arn(scope, service="sagemaker", resource=f"processing-job/{schedule_name}-*")


def _arn(
    scope: Construct, *, service: str, resource: str, region: str | None = None, account: str | None = None
) -> str:
    return Stack.of(scope).format_arn(
        service=service, resource=resource, region=region, account=account, arn_format=ArnFormat.NO_RESOURCE_NAME
    )
