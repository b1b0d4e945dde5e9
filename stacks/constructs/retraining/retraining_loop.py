"""The loop from alarm to promoted model: switch, state, controller, pipeline, promotion, and their events."""

import json
from collections.abc import Mapping, Sequence

from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from plumbline.contract.champion import CHAMPION_HISTORY
from plumbline.contract.names import Prefix
from plumbline.contract.retraining import (
    REEVALUATE,
    LoopVariable,
    SwitchPosition,
    champion_artifact,
    champion_baseline,
    retraining_switch,
)
from plumbline.contract.retraining_jobs import JobOutput
from plumbline.stacks.constructs.alarms.alert_topic import DeadLetters, alarm_arn
from plumbline.stacks.constructs.execution_role import SAGEMAKER
from plumbline.stacks.constructs.monitor.scheduler_schedule import own_schedule, scheduler_role
from plumbline.stacks.constructs.retraining.inputs import RetrainingInputs
from plumbline.stacks.constructs.retraining.loop_function import LoopFunction, LoopState
from plumbline.stacks.constructs.retraining.retraining_pipeline import RetrainingPipeline

CHAMPION_KEY = f"{Prefix.CHAMPION}/{CHAMPION_HISTORY}"
"""Key of the history of champions in the artifacts bucket."""
FINAL_STATES = ("Succeeded", "Failed", "Stopped")
SECONDS_PER_MINUTE = 60
EVERY_HOUR = "cron(40 * ? * * *)"
"""After the monitoring job of the hour, whose labelled captures a run may be waiting for."""
RECONCILE_EVENT = json.dumps({REEVALUATE: True})


class RetrainingLoop(Construct):
    """Everything between an alarm and a promoted model.

    Parameters
    ----------
    triggers, rollback
        Names of the alarms that start retraining, which may be none, and of those that roll a promotion back.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        inputs: RetrainingInputs,
        triggers: Sequence[str],
        rollback: Sequence[str],
    ) -> None:
        super().__init__(scope, construct_id)
        self._inputs, self._context = inputs, inputs.context
        context, config = inputs.context, inputs.context.config
        self.state = LoopState(self, "State", key=inputs.alerts.key, removal=context.removal)
        position = SwitchPosition.ON if config.retraining.enabled else SwitchPosition.OFF
        ssm.StringParameter(
            self,
            "Switch",
            parameter_name=retraining_switch(config.name),
            string_value=position.value,
            allowed_pattern=f"^({'|'.join(each.value for each in SwitchPosition)})$",
            description="Plumbline: off starts no retraining and no automatic promotion",
        )
        self.pipeline = RetrainingPipeline(self, "Pipeline", inputs=inputs)
        self.controller = self._controller(triggers)
        self.promotion = self._promotion(rollback)
        self._events(inputs.alerts.topic)
        HourlyReconciliation(
            self,
            "Looks",
            functions={"Controller": self.controller.function, "Promotion": self.promotion.function},
            dead_letters=inputs.dead_letters,
        )

    def _controller(self, triggers: Sequence[str]) -> LoopFunction:
        naming, retraining, name = self._context.naming, self._context.config.retraining, self._context.config.name
        controller = LoopFunction(
            self,
            "Controller",
            package="retraining",
            description="Starts the retraining pipeline when an alarm that retraining.triggers lists fires",
            variables={
                LoopVariable.ENVIRONMENT: name,
                LoopVariable.ENDPOINT_NAME: naming.endpoint,
                LoopVariable.ARTIFACTS_BUCKET: self._inputs.artifacts.bucket.bucket_name,
                LoopVariable.CAPTURE_BUCKET: self._inputs.capture.bucket.bucket_name,
                LoopVariable.PIPELINE_ARN: self.pipeline.arn,
                LoopVariable.TRIGGER_ALARM_NAMES: ",".join(triggers),
                LoopVariable.COOLDOWN_HOURS: str(retraining.cooldown_hours),
                LoopVariable.RUNS_PER_DAY: str(retraining.runs_per_day),
                LoopVariable.FRESH_HOURS: str(retraining.fresh_hours),
                LoopVariable.MINIMUM_FRESH_ROWS: str(retraining.minimum_fresh_rows),
                LoopVariable.RETRAINING_RULES: self._context.config.retraining_rules,
            },
            inputs=self._inputs,
            state=self.state,
        )
        controller.allow_parameters(["ssm:GetParameters"], retraining_switch(name), champion_artifact(name))
        if triggers:
            controller.allow(["cloudwatch:DescribeAlarms"], [alarm_arn(self, alarm) for alarm in triggers])
        controller.allow_sagemaker(["sagemaker:StartPipelineExecution"], f"pipeline/{naming.pipeline}")
        controller.allow_sagemaker(["sagemaker:DescribePipelineExecution"], f"pipeline/{naming.pipeline}/execution/*")
        self._inputs.capture.allow_read(controller.role, naming.merged_prefix)
        self._inputs.artifacts.allow_read_object(controller.role, CHAMPION_KEY, by_get=True)
        # What a run that was rejected had read, and that it was.
        for folder in (JobOutput.PREPARED, JobOutput.EVALUATION):
            self._inputs.artifacts.allow_read_folders(controller.role, Prefix.RETRAINING, folder)
        return controller

    def _promotion(self, rollback: Sequence[str]) -> LoopFunction:
        naming, promotion, name = self._context.naming, self._context.config.promotion, self._context.config.name
        variables = {
            LoopVariable.ENVIRONMENT: name,
            LoopVariable.ENDPOINT_NAME: naming.endpoint,
            LoopVariable.ARTIFACTS_BUCKET: self._inputs.artifacts.bucket.bucket_name,
            LoopVariable.MODEL_PACKAGE_GROUP: naming.model_packages,
            LoopVariable.SERVING_ROLE_ARN: self._inputs.serving_role.role_arn,
            LoopVariable.TRAFFIC: promotion.traffic.value,
            LoopVariable.WAIT_SECONDS: str(promotion.bake_minutes * SECONDS_PER_MINUTE),
            LoopVariable.ROLLBACK_ALARM_NAMES: ",".join(rollback),
        }
        if promotion.canary_percent is not None:
            variables[LoopVariable.CANARY_PERCENT] = str(promotion.canary_percent)
        function = LoopFunction(
            self,
            "Promotion",
            package="promotion",
            description="Moves the endpoint to approved models, verifies that they serve, and rolls back on failure",
            variables=variables,
            inputs=self._inputs,
            state=self.state,
        )
        self._allow_registry(function)
        self._allow_hosting(function)
        champion = (champion_artifact(name), champion_baseline(name))
        function.allow_parameters(["ssm:GetParameter"], retraining_switch(name))
        function.allow_parameters(["ssm:PutParameter"], *champion)
        artifacts = self._inputs.artifacts
        artifacts.allow_read_object(function.role, CHAMPION_KEY, by_get=True)
        artifacts.allow_write_object(function.role, CHAMPION_KEY)
        artifacts.allow_read_folders(function.role, Prefix.RETRAINING, JobOutput.EVALUATION)
        return function

    def _allow_registry(self, function: LoopFunction) -> None:
        packages = self._context.naming.model_packages
        group, versions = f"model-package-group/{packages}", f"model-package/{packages}/*"
        # AWS's reference has it on packages alone, AWS's samples on either or both.
        function.allow_sagemaker(["sagemaker:ListModelPackages"], group, versions)
        function.allow_sagemaker(["sagemaker:DescribeModelPackage", "sagemaker:UpdateModelPackage"], versions)

    def _allow_hosting(self, function: LoopFunction) -> None:
        naming = self._context.naming
        endpoint = f"endpoint/{naming.endpoint}"
        models, configs = f"model/{naming.promoted}-*", f"endpoint-config/{naming.promoted}-*"
        function.allow_sagemaker(["sagemaker:DescribeEndpoint"], endpoint)
        function.allow_sagemaker(["sagemaker:UpdateEndpoint"], endpoint, configs)
        # CloudFormation chooses the names of what it creates.
        function.allow_sagemaker(["sagemaker:DescribeModel"], "model/*")
        function.allow_sagemaker(["sagemaker:DescribeEndpointConfig"], "endpoint-config/*")
        function.allow_sagemaker(["sagemaker:CreateModel", "sagemaker:DeleteModel", "sagemaker:AddTags"], models)
        function.allow_sagemaker(
            ["sagemaker:CreateEndpointConfig", "sagemaker:DeleteEndpointConfig", "sagemaker:AddTags"], configs
        )
        # Listing takes no resource.
        function.allow(["sagemaker:ListEndpointConfigs", "sagemaker:ListModels"], ["*"])
        function.allow(
            ["iam:PassRole"],
            [self._inputs.serving_role.role_arn],
            {"StringEquals": {"iam:PassedToService": SAGEMAKER}},
        )

    def _events(self, topic: sns.ITopic) -> None:
        naming = self._context.naming
        topic.add_subscription(
            subscriptions.LambdaSubscription(
                self.controller.function,
                # The loop's own messages are no JSON, and so are left out too. A filter on attributes cannot separate
                # the two: alarms have none, and "exists": false matches only messages with at least one attribute
                # (SNS Developer Guide, "Key matching").
                filter_policy_with_message_body={
                    "NewStateValue": sns.FilterOrPolicy.filter(
                        sns.SubscriptionFilter.string_filter(allowlist=["ALARM"])
                    )
                },
            )
        )
        self.controller.on_event(
            "Ended",
            description="An execution of the retraining pipeline ended",
            kind="SageMaker Model Building Pipeline Execution Status Change",
            detail={"pipelineArn": [self.pipeline.arn], "currentPipelineExecutionStatus": list(FINAL_STATES)},
        )
        self.promotion.on_event(
            "Registered",
            description="A challenger was registered, approved or rejected",
            kind="SageMaker Model Package State Change",
            detail={"ModelPackageGroupName": [naming.model_packages]},
        )
        self.promotion.on_event(
            "Moved",
            description="The endpoint changed its state",
            kind="SageMaker Endpoint State Change",
            detail={"EndpointName": [naming.endpoint]},
        )


class HourlyReconciliation(Construct):
    """A schedule for each function, by construct id; their role may invoke these functions only.

    Alarms notify on a change of state only, and events can get lost: each hour the functions compare state and goal.
    """

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
                payload=RECONCILE_EVENT,
                role=role,
                dead_letters=dead_letters,
            )
