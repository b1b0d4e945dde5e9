"""Alert on monitoring jobs that die before our code could publish anything."""

from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_sns as sns
from constructs import Construct

STATUSES = ("Failed", "FAILED", "Stopped", "STOPPED")
"""SageMaker's events spell enumerations in either way, according to the kind."""
RUNBOOK_ANCHOR = "docs/runbook.md#monitoring-job-failed"


class FailedJobsRule(Construct):
    """Event rule on processing jobs of one role that failed or ran out of time."""

    def __init__(self, scope: Construct, construct_id: str, *, role_arn: str, topic: sns.ITopic) -> None:
        super().__init__(scope, construct_id)
        events.Rule(
            self,
            "Rule",
            description=f"A monitoring job failed or was stopped. Runbook: {RUNBOOK_ANCHOR}",
            event_pattern=events.EventPattern(
                source=["aws.sagemaker"],
                detail_type=["SageMaker Processing Job State Change"],
                detail={"ProcessingJobStatus": list(STATUSES), "RoleArn": [role_arn]},
            ),
            # By the topic's policy: EventBridge advises against a role for encrypted topics.
            targets=[targets.SnsTopic(topic)],
        )
