"""Alerts besides the alarms: the topic that every alert goes to, the dead-letter queue, the rule on failed jobs."""

from collections.abc import Sequence

from aws_cdk import ArnFormat, Duration, RemovalPolicy, Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs
from constructs import Construct

DEAD_LETTER_DAYS = 14
"""Maximum of SQS: an event must outlast a week of holidays."""
FAILED_STATUSES = ("Failed", "FAILED", "Stopped", "STOPPED")
"""SageMaker's events spell enumerations in either case, depending on the detail type."""
RUNBOOK_ANCHOR = "docs/runbook.md#monitoring-job-failed"
PUBLISHERS = ("cloudwatch.amazonaws.com", "events.amazonaws.com")


class AlertTopic(Construct):
    """Topic with a customer-managed key: alarms cannot publish to one with the AWS-managed key."""

    def __init__(self, scope: Construct, construct_id: str, *, emails: Sequence[str], removal: RemovalPolicy) -> None:
        super().__init__(scope, construct_id)
        self.key = kms.Key(
            self,
            "Key",
            description="Plumbline: alerts and dead letters",
            enable_key_rotation=True,
            removal_policy=removal,
        )
        # No condition: messages of these services would be dropped silently (EventBridge User Guide,
        # "Amazon SNS permissions"; re:Post, "cloudwatch-configure-alarm-sns").
        self.key.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal(name) for name in PUBLISHERS],
                actions=["kms:Decrypt", "kms:GenerateDataKey*"],
                resources=["*"],
            )
        )
        self.topic = sns.Topic(self, "Topic", master_key=self.key, enforce_ssl=True)
        self.topic.add_to_resource_policy(
            iam.PolicyStatement(
                sid="AlarmsOfThisAccount",
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["sns:Publish"],
                resources=[self.topic.topic_arn],
                conditions={
                    "StringEquals": {"aws:SourceAccount": Stack.of(self).account},
                    "ArnLike": {"aws:SourceArn": alarm_arn(self, "*")},
                },
            )
        )
        for email in emails:
            self.topic.add_subscription(subscriptions.EmailSubscription(email))

    def allow_publish(self, role: iam.Role) -> None:
        """Let `role` publish to the topic."""
        role.add_to_policy(iam.PolicyStatement(actions=["sns:Publish"], resources=[self.topic.topic_arn]))
        self.key.grant(role, "kms:Decrypt", "kms:GenerateDataKey")


class DeadLetters(Construct):
    """Encrypted, TLS-only queue for events that could not be handled and jobs that could not be started."""

    def __init__(self, scope: Construct, construct_id: str, *, key: kms.IKey) -> None:
        super().__init__(scope, construct_id)
        self._key = key
        self.queue = sqs.Queue(
            self,
            "Queue",
            encryption=sqs.QueueEncryption.KMS,
            encryption_master_key=key,
            enforce_ssl=True,
            retention_period=Duration.days(DEAD_LETTER_DAYS),
        )

    def allow_send(self, role: iam.Role) -> None:
        """Let `role` send messages; CDK's grant would allow all of the key's encryption actions."""
        role.add_to_policy(iam.PolicyStatement(actions=["sqs:SendMessage"], resources=[self.queue.queue_arn]))
        self._key.grant(role, "kms:Decrypt", "kms:GenerateDataKey")


class FailedJobsRule(Construct):
    """Event rule on processing jobs of one role that failed or ran out of time, also before our code could publish."""

    def __init__(self, scope: Construct, construct_id: str, *, role_arn: str, topic: sns.ITopic) -> None:
        super().__init__(scope, construct_id)
        events.Rule(
            self,
            "Rule",
            description=f"A monitoring job failed or was stopped. Runbook: {RUNBOOK_ANCHOR}",
            event_pattern=events.EventPattern(
                source=["aws.sagemaker"],
                detail_type=["SageMaker Processing Job State Change"],
                detail={"ProcessingJobStatus": list(FAILED_STATUSES), "RoleArn": [role_arn]},
            ),
            # By the topic's policy: EventBridge advises against a role for encrypted topics.
            targets=[targets.SnsTopic(topic)],
        )


def alarm_arn(scope: Construct, name: str) -> str:
    """Return the ARN of an alarm of this account."""
    return Stack.of(scope).format_arn(
        service="cloudwatch", resource="alarm", resource_name=name, arn_format=ArnFormat.COLON_RESOURCE_NAME
    )
