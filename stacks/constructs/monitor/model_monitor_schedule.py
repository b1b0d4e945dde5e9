"""Engine model_monitor: SageMaker's own schedule."""

from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from plumbline.stacks.config.environment import NetworkSection
from plumbline.stacks.constructs.monitor.monitor_job import INPUT_PATH, OUTPUT_PATH, UPLOAD_MODE, MonitorJob

Schedule = sagemaker.CfnMonitoringSchedule


class ModelMonitorSchedule(Construct):
    """Monitoring schedule with an inline definition: a named one would be replaced by every edit, and block it."""

    def __init__(self, scope: Construct, construct_id: str, *, job: MonitorJob) -> None:
        super().__init__(scope, construct_id)
        self.schedule = Schedule(
            self,
            "Schedule",
            monitoring_schedule_name=job.schedule_name,
            monitoring_schedule_config=Schedule.MonitoringScheduleConfigProperty(
                schedule_config=Schedule.ScheduleConfigProperty(schedule_expression=job.monitor.expression),
                monitoring_job_definition=_definition(job),
            ),
        )


def _definition(job: MonitorJob) -> Schedule.MonitoringJobDefinitionProperty:
    # Spark divides the files, and any instance may get any of them: each needs all, which is AWS's default as well.
    distribution = "FullyReplicated" if job.monitor.instance_count > 1 else None
    return Schedule.MonitoringJobDefinitionProperty(
        monitoring_app_specification=Schedule.MonitoringAppSpecificationProperty(
            image_uri=job.image_uri, container_arguments=job.arguments
        ),
        environment=job.environment,
        monitoring_inputs=[
            Schedule.MonitoringInputProperty(
                endpoint_input=Schedule.EndpointInputProperty(
                    endpoint_name=job.endpoint_name, local_path=INPUT_PATH, s3_data_distribution_type=distribution
                )
            )
        ],
        monitoring_output_config=Schedule.MonitoringOutputConfigProperty(
            kms_key_id=job.key_arn,
            monitoring_outputs=[
                Schedule.MonitoringOutputProperty(
                    s3_output=Schedule.S3OutputProperty(
                        local_path=OUTPUT_PATH, s3_uri=job.report_uri, s3_upload_mode=UPLOAD_MODE
                    )
                )
            ],
        ),
        monitoring_resources=Schedule.MonitoringResourcesProperty(
            cluster_config=Schedule.ClusterConfigProperty(
                instance_count=job.monitor.instance_count,
                instance_type=job.monitor.instance_type,
                volume_size_in_gb=job.monitor.volume_gb,
            )
        ),
        network_config=_network(job),
        role_arn=job.role_arn,
        stopping_condition=Schedule.StoppingConditionProperty(max_runtime_in_seconds=job.monitor.max_runtime_seconds),
    )


def _network(job: MonitorJob) -> Schedule.NetworkConfigProperty | None:
    has_neighbours = job.monitor.instance_count > 1
    if job.network is None and not has_neighbours:
        return None
    return Schedule.NetworkConfigProperty(
        enable_inter_container_traffic_encryption=has_neighbours or None,
        vpc_config=_vpc(job.network) if job.network else None,
    )


def _vpc(network: NetworkSection) -> Schedule.VpcConfigProperty:
    return Schedule.VpcConfigProperty(
        subnets=list(network.subnet_ids), security_group_ids=list(network.security_group_ids)
    )
