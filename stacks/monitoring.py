"""Monitoring stack: the hourly comparison, its alarms, and the retraining that they start."""

from typing import Any

from aws_cdk import CfnOutput, CfnResource, Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from plumbline.contract.names import METRIC_NAMESPACE, Prefix, ReportFile
from plumbline.contract.retraining_jobs import JobOutput
from plumbline.stacks.config.schedule import Engine
from plumbline.stacks.constructs.alarms.alarm_rules import AlarmInputs
from plumbline.stacks.constructs.alarms.alert_topic import AlertTopic, DeadLetters, FailedJobsRule
from plumbline.stacks.constructs.alarms.dashboard import DashboardOptions, DriftDashboard
from plumbline.stacks.constructs.alarms.drift_alarms import DriftAlarms
from plumbline.stacks.constructs.execution_role import ExecutionRole
from plumbline.stacks.constructs.monitor.drift_image import DriftImage
from plumbline.stacks.constructs.monitor.model_monitor_schedule import ModelMonitorSchedule
from plumbline.stacks.constructs.monitor.monitor_job import (
    ACCEPTED_FILE,
    POLICY_FILE,
    LabelLocations,
    MonitorJob,
    SettingsFile,
    policy_text,
)
from plumbline.stacks.constructs.monitor.scheduler_schedule import SchedulerSchedule
from plumbline.stacks.constructs.retraining.inputs import RetrainingInputs
from plumbline.stacks.constructs.retraining.retraining_loop import CHAMPION_KEY, RetrainingLoop
from plumbline.stacks.context import Context
from plumbline.stacks.foundation import FoundationStack
from plumbline.stacks.serving import ServingStack


class MonitoringStack(Stack):
    """Monitors the endpoint of `serving`; a teardown deletes this stack first."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        context: Context,
        foundation: FoundationStack,
        serving: ServingStack,
        **stack: Any,
    ) -> None:
        super().__init__(scope, construct_id, **stack)
        self._context, self._foundation, self._serving = context, foundation, serving
        config = context.config
        self.add_stack_dependency(serving)
        alerts = AlertTopic(self, "Alerts", emails=config.alarms.emails, removal=context.removal)
        self.topic = alerts.topic
        self._dead_letters = DeadLetters(self, "DeadLetters", key=alerts.key)
        self._image = DriftImage(self, "Image", root=context.root, spark=config.monitor.needs_spark)
        self._policy = self._settings_file("Policy", POLICY_FILE, config.features and policy_text(config.features))
        self._stated = self._settings_file("Accepted", ACCEPTED_FILE, config.accepted and config.accepted.text)
        self.role = self._monitoring_role()
        self.scheduler_role: iam.Role | None = None
        self._schedule()
        FailedJobsRule(self, "FailedJobs", role_arn=self.role.role.role_arn, topic=self.topic)
        alarms = self._alarms()
        self.loop = RetrainingLoop(
            self,
            "Retraining",
            inputs=self._retraining_inputs(alerts),
            triggers=alarms.retraining,
            rollback=alarms.rollback,
        )
        self._dashboard(alarms)
        self._outputs(alerts)

    def _settings_file(self, construct_id: str, name: str, content: object) -> SettingsFile | None:
        return SettingsFile(self, construct_id, name=name, content=str(content)) if content else None

    def _retraining_inputs(self, alerts: AlertTopic) -> RetrainingInputs:
        foundation = self._foundation
        return RetrainingInputs(
            context=self._context,
            artifacts=foundation.artifacts,
            capture=foundation.capture,
            train_data=foundation.train_data,
            test_data=foundation.test_data,
            model=foundation.model,
            source_uri=foundation.source.uri,
            data_key=foundation.data_key,
            training_role=foundation.training_role.role,
            serving_role=self._serving.role.role,
            image=self._image,
            alerts=alerts,
            dead_letters=self._dead_letters,
        )

    def _alarms(self) -> DriftAlarms:
        config = self._context.config
        return DriftAlarms(
            self,
            "Alarms",
            inputs=AlarmInputs(
                environment=config.name,
                endpoint_name=self._context.naming.endpoint,
                interval_hours=config.monitor.interval_hours,
                overlapping_runs=config.monitor.overlapping_runs,
                settings=config.alarms,
                labels=config.labels,
                has_facet=config.bias is not None,
                is_multivariate=config.monitor.multivariate,
                latency_milliseconds=config.promotion.latency_milliseconds,
                triggers=config.retraining.triggers,
            ),
            dead_letters=self._dead_letters.queue,
            topic=self.topic,
        )

    def _dashboard(self, alarms: DriftAlarms) -> None:
        config, naming = self._context.config, self._context.naming
        DriftDashboard(
            self,
            "Dashboard",
            name=naming.dashboard,
            endpoint_name=naming.endpoint,
            interval_hours=config.monitor.interval_hours,
            options=DashboardOptions(
                multivariate=config.monitor.multivariate,
                attribution=config.monitor.attribution,
                bias=config.bias is not None,
                labels=config.labels,
            ),
            alarms=alarms.alarms,
        )

    def _outputs(self, alerts: AlertTopic) -> None:
        CfnOutput(self, "TopicArn", value=self.topic.topic_arn)
        CfnOutput(self, "AlertKeyArn", value=alerts.key.key_arn)
        CfnOutput(self, "RetrainingFunctionName", value=self.loop.controller.function.function_name)
        CfnOutput(self, "PromotionFunctionName", value=self.loop.promotion.function.function_name)
        CfnOutput(self, "StateTableName", value=self.loop.state.table.table_name)
        CfnOutput(self, "PipelineName", value=self._context.naming.pipeline)
        CfnOutput(self, "ModelPackageGroupName", value=self._context.naming.model_packages)
        CfnOutput(self, "ScheduleName", value=self._context.naming.schedule)
        CfnOutput(self, "DeadLetterQueueUrl", value=self._dead_letters.queue.queue_url)

    def _monitoring_role(self) -> ExecutionRole:
        naming, foundation, config = self._context.naming, self._foundation, self._context.config
        own_jobs = config.monitor.engine is Engine.SCHEDULER
        role = ExecutionRole(
            self,
            "MonitoringRole",
            description="Monitoring jobs read captured traffic and write reports",
            # Model Monitor names its jobs itself, and AWS documents no ARN for a schedule's other actions.
            sources=[f"processing-job/{naming.schedule}-*" if own_jobs else "*"],
        )
        foundation.capture.allow_read(role.role, naming.capture_prefix)
        foundation.reports.allow_write(role.role, naming.report_prefix)
        foundation.reports.allow_read_named(role.role, naming.report_prefix, ReportFile.WINDOW_STATE)
        # Windows can be accepted at any time, by the file or by `plumbline accept`.
        foundation.reports.allow_read_named(role.role, naming.report_prefix, ReportFile.WINDOW_COUNTS)
        if config.labels:
            foundation.capture.allow_read(role.role, naming.ground_truth_prefix)
            # Captures joined before are compared, so that the same bytes are not written again.
            foundation.capture.allow_read(role.role, naming.merged_prefix)
            foundation.capture.allow_write(role.role, naming.merged_prefix)
        if config.monitor.attribution:
            foundation.model.allow_read(role.role)
            foundation.artifacts.allow_read(role.role, Prefix.MODELS)
        foundation.baseline.allow_read(role.role)
        foundation.artifacts.allow_read_object(role.role, CHAMPION_KEY, by_get=False)
        foundation.artifacts.allow_read_folders(role.role, Prefix.RETRAINING, JobOutput.BASELINE)
        foundation.artifacts.allow_read(role.role, Prefix.ACCEPTED)
        for file in (self._policy, self._stated):
            if file:
                file.allow_read(role.role)
        self._image.asset.repository.grant_pull(role.role)
        role.allow_logs("/aws/sagemaker/ProcessingJobs")
        role.allow_metrics(METRIC_NAMESPACE)
        role.allow_network(config.network)
        return role

    def _label_locations(self) -> LabelLocations | None:
        labels, capture, naming = self._context.config.labels, self._foundation.capture, self._context.naming
        if labels is None:
            return None
        return LabelLocations(
            settings=labels,
            labels_uri=capture.uri(naming.ground_truth_prefix),
            merged_uri=capture.uri(Prefix.MERGED),
        )

    def _schedule(self) -> None:
        config, naming, foundation = self._context.config, self._context.naming, self._foundation
        job = MonitorJob(
            image_uri=self._image.uri,
            role_arn=self.role.role.role_arn,
            key_arn=foundation.data_key.key_arn,
            endpoint_name=self._serving.endpoint.attr_endpoint_name,
            schedule_name=naming.schedule,
            capture_uri=foundation.capture.uri(naming.capture_prefix),
            report_uri=foundation.reports.uri(Prefix.REPORTS),
            baseline_uri=foundation.baseline.uri,
            champion_uri=foundation.artifacts.uri(CHAMPION_KEY),
            accepted_uri=foundation.artifacts.uri(Prefix.ACCEPTED),
            stated_uri=self._stated.uri if self._stated else None,
            policy_uri=self._policy.uri if self._policy else None,
            model_uri=foundation.model.uri if config.monitor.attribution else None,
            target_label=config.training.target_label,
            region=self.region,
            monitor=config.monitor,
            thresholds=config.thresholds,
            ground_truth=self._label_locations(),
            bias=config.bias,
            predictions=config.predictions,
            network=config.network,
        )
        if config.monitor.engine is Engine.SCHEDULER:
            own = SchedulerSchedule(self, "Schedule", job=job, dead_letters=self._dead_letters)
            schedule: CfnResource = own.schedule
            self.scheduler_role = own.role
        else:
            schedule = ModelMonitorSchedule(self, "Schedule", job=job).schedule
        schedule.node.add_dependency(self.role.permissions)
