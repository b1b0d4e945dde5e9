"""Looks again each hour: alarms act on change only, and an event can get lost."""

import json
from collections.abc import Mapping

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_scheduler as scheduler
from constructs import Construct

from contract.retraining import REEVALUATE
from stacks.constructs.dead_letters import DeadLetters
from stacks.constructs.scheduler_schedule import GROUP

EVERY_HOUR = "cron(40 * ? * * *)"
"""After the monitoring job of the hour, whose labelled captures a run may be waiting for."""
EVENT = json.dumps({REEVALUATE: True})
RETRY_ATTEMPTS = 2
EVENT_AGE_SECONDS = 3600
"""The next look comes then."""


class HourlyLooks(Construct):
    """A schedule for each function, by its construct id; one role that may invoke these and no other."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        functions: Mapping[str, lambda_.IFunction],
        dead_letters: DeadLetters,
    ) -> None:
        super().__init__(scope, construct_id)
        arns = [function.function_arn for function in functions.values()]
        role = self._role(arns)
        dead_letters.allow_send(role)
        for name, function in functions.items():
            schedule = scheduler.CfnSchedule(
                self,
                name,
                description=f"{name} looks again each hour",
                schedule_expression=EVERY_HOUR,
                schedule_expression_timezone="UTC",
                flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
                target=scheduler.CfnSchedule.TargetProperty(
                    arn=function.function_arn,
                    role_arn=role.role_arn,
                    input=EVENT,
                    retry_policy=scheduler.CfnSchedule.RetryPolicyProperty(
                        maximum_retry_attempts=RETRY_ATTEMPTS, maximum_event_age_in_seconds=EVENT_AGE_SECONDS
                    ),
                    dead_letter_config=scheduler.CfnSchedule.DeadLetterConfigProperty(arn=dead_letters.queue.queue_arn),
                ),
            )
            # A schedule is refused while its role may not yet send to the dead-letter queue.
            schedule.node.add_dependency(role.node.find_child("DefaultPolicy"))

    def _role(self, functions: list[str]) -> iam.Role:
        group = Stack.of(self).format_arn(
            service="scheduler", resource=f"schedule-group/{GROUP}", arn_format=ArnFormat.NO_RESOURCE_NAME
        )
        role = iam.Role(
            self,
            "Role",
            description="Lets the hourly looks invoke the retraining loop's functions",
            assumed_by=iam.ServicePrincipal(
                "scheduler.amazonaws.com",
                conditions={"StringEquals": {"aws:SourceAccount": Stack.of(self).account, "aws:SourceArn": group}},
            ),
        )
        role.add_to_policy(iam.PolicyStatement(actions=["lambda:InvokeFunction"], resources=functions))
        return role
