"""Hourly check of the retraining loop: alarms notify on a change of state only, and an event can get lost."""

import json
from collections.abc import Mapping

from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from contract.retraining import REEVALUATE
from stacks.constructs.alert_topic import DeadLetters
from stacks.constructs.scheduler_schedule import own_schedule, scheduler_role

EVERY_HOUR = "cron(40 * ? * * *)"
"""After the monitoring job of the hour, whose labelled captures a run may be waiting for."""
EVENT = json.dumps({REEVALUATE: True})


class HourlyReconciliation(Construct):
    """A schedule for each function, by its construct id; their role may invoke these functions only."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        functions: Mapping[str, lambda_.IFunction],
        dead_letters: DeadLetters,
    ) -> None:
        super().__init__(scope, construct_id)
        role = scheduler_role(self, "Lets the hourly schedules invoke the retraining loop's functions")
        arns = [function.function_arn for function in functions.values()]
        role.add_to_policy(iam.PolicyStatement(actions=["lambda:InvokeFunction"], resources=arns))
        dead_letters.allow_send(role)
        for name, function in functions.items():
            own_schedule(
                self,
                name,
                description=f"{name} reconciles each hour",
                expression=EVERY_HOUR,
                target_arn=function.function_arn,
                payload=EVENT,
                role=role,
                dead_letters=dead_letters,
            )
