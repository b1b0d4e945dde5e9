"""EventBridge Scheduler calling CreateProcessingJob: on the simulated clock, as the schedule's role."""

import json
from typing import Any

import pytest

from plumbline.local.demo.inbox import make_queue
from plumbline.local.embedded import EmbeddedAws
from tests.e2e import messages

pytestmark = pytest.mark.e2e

HOUR = 3600
JOBS = "arn:aws:sagemaker:us-east-1:000000000000:processing-job"


def _role(aws: EmbeddedAws, name: str, service: str, *statements: dict[str, Any]) -> str:
    condition = {"StringEquals": {"aws:SourceAccount": aws.account}}
    trust = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole", "Condition": condition}
    iam = aws.client("iam")
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    arn = str(iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"])
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **each} for each in statements]}
    iam.put_role_policy(RoleName=name, PolicyName="policy", PolicyDocument=json.dumps(policy))
    return arn


def _job(role: str) -> dict[str, Any]:
    """A job whose image nobody pushed: it is created, and fails."""
    cluster = {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}
    return {
        "RoleArn": role,
        "AppSpecification": {"ImageUri": "000000000000.dkr.ecr.us-east-1.amazonaws.com/none:none"},
        "ProcessingResources": {"ClusterConfig": cluster},
    }


def _schedule(aws: EmbeddedAws, name: str, role: str, job_role: str, dead_letters: str) -> None:
    job = {
        **_job(job_role),
        "ProcessingJobName": f"{name}-<aws.scheduler.execution-id>",
        "Environment": {"PLUMBLINE_SCHEDULED_TIME": "<aws.scheduler.scheduled-time>"},
    }
    aws.client("scheduler").create_schedule(
        Name=name,
        ScheduleExpression="cron(0 * ? * * *)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={
            "Arn": "arn:aws:scheduler:::aws-sdk:sagemaker:createProcessingJob",
            "RoleArn": role,
            "Input": json.dumps(job),
            "DeadLetterConfig": {"Arn": dead_letters},
        },
    )


def _jobs(aws: EmbeddedAws, name: str) -> list[str]:
    found = aws.client("sagemaker").list_processing_jobs(NameContains=f"{name}-", SortOrder="Ascending")
    return [row["ProcessingJobName"] for row in found["ProcessingJobSummaries"]]


def test_each_hour_that_the_clock_jumps_over_gets_its_job(aws: EmbeddedAws) -> None:
    _, dead_letters = make_queue(aws, "hourly-dead")
    job_role = _role(aws, "hourly-job", "sagemaker.amazonaws.com", {"Action": "s3:GetObject", "Resource": "*"})
    role = _role(
        aws,
        "hourly-scheduler",
        "scheduler.amazonaws.com",
        {"Action": "sagemaker:CreateProcessingJob", "Resource": f"{JOBS}/hourly-*"},
        {"Action": "iam:PassRole", "Resource": job_role},
    )
    _schedule(aws, "hourly", role, job_role, dead_letters)
    hour = aws.now().replace(minute=0, second=0, microsecond=0)
    aws.advance(2 * HOUR)
    messages.eventually(lambda: len(_jobs(aws, "hourly")) == 2, "both hours must have their job")
    sagemaker = aws.client("sagemaker")
    described = [sagemaker.describe_processing_job(ProcessingJobName=name) for name in _jobs(aws, "hourly")]
    scheduled = [job["Environment"]["PLUMBLINE_SCHEDULED_TIME"] for job in described]
    assert scheduled == [f"{hour.replace(hour=hour.hour + step):%Y-%m-%dT%H:%M:%SZ}" for step in (1, 2)]
    aws.client("scheduler").delete_schedule(Name="hourly")


def test_refused_call_goes_to_the_dead_letter_queue(aws: EmbeddedAws) -> None:
    url, dead_letters = make_queue(aws, "refused-dead")
    job_role = _role(aws, "refused-job", "sagemaker.amazonaws.com", {"Action": "s3:GetObject", "Resource": "*"})
    send = {"Action": "sqs:SendMessage", "Resource": dead_letters}
    look = {"Action": "sqs:GetQueueUrl", "Resource": dead_letters}
    role = _role(aws, "refused-scheduler", "scheduler.amazonaws.com", send, look)
    _schedule(aws, "refused", role, job_role, dead_letters)
    aws.advance(HOUR)
    assert json.loads(messages.first(aws, url))["RoleArn"] == job_role
    assert _jobs(aws, "refused") == []
    aws.client("scheduler").delete_schedule(Name="refused")


def test_failed_job_reaches_a_topic_through_a_rule(aws: EmbeddedAws) -> None:
    topic, url = messages.topic_with_queue(aws, "failed-jobs")
    job_role = _role(aws, "failed-job", "sagemaker.amazonaws.com", {"Action": "s3:GetObject", "Resource": "*"})
    detail = {"ProcessingJobStatus": ["Failed"], "ProcessingJobName": ["failed-job"]}
    pattern = {"source": ["aws.sagemaker"], "detail-type": ["SageMaker Processing Job State Change"], "detail": detail}
    events = aws.client("events")
    events.put_rule(Name="failed-jobs", EventPattern=json.dumps(pattern))
    events.put_targets(Rule="failed-jobs", Targets=[{"Id": "topic", "Arn": topic}])
    aws.client("sagemaker").create_processing_job(**{**_job(job_role), "ProcessingJobName": "failed-job"})
    event = json.loads(json.loads(messages.first(aws, url))["Message"])
    assert event["detail"]["RoleArn"] == job_role
    assert "none:none" in event["detail"]["FailureReason"]
