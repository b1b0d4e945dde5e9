"""Queue for what could not be delivered or started."""

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sqs as sqs
from constructs import Construct

RETENTION_DAYS = 14
"""SQS's longest: a week of holidays must not lose an event."""


class DeadLetters(Construct):
    """Encrypted, TLS-only queue."""

    def __init__(self, scope: Construct, construct_id: str, *, key: kms.IKey) -> None:
        super().__init__(scope, construct_id)
        self._key = key
        self.queue = sqs.Queue(
            self,
            "Queue",
            encryption=sqs.QueueEncryption.KMS,
            encryption_master_key=key,
            enforce_ssl=True,
            retention_period=Duration.days(RETENTION_DAYS),
        )

    def allow_send(self, role: iam.Role) -> None:
        """Let `role` send messages; the queue's own grant would allow every kind of encryption."""
        role.add_to_policy(iam.PolicyStatement(actions=["sqs:SendMessage"], resources=[self.queue.queue_arn]))
        self._key.grant(role, "kms:Decrypt", "kms:GenerateDataKey")
