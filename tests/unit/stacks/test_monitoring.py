import json
import re
from typing import Any

import pytest

from plumbline.contract.names import METRIC_NAMESPACE
from plumbline.stacks.constructs.monitor.monitor_job import policy_text
from tests.unit.stacks.synthesis import (
    ENGINES,
    FULL,
    Assembly,
    as_list,
    config,
    daily,
    environment,
    full,
    own_schedule,
    statement_of,
    statements,
    synthesize,
    text,
)

JOB = dict[str, Any]


def definition(name: str = "dev") -> JOB:
    schedule = environment(name).only("monitoring", "AWS::SageMaker::MonitoringSchedule")
    job: JOB = schedule["MonitoringScheduleConfig"]["MonitoringJobDefinition"]
    return job


def full_definition() -> JOB:
    schedule = full().only("monitoring", "AWS::SageMaker::MonitoringSchedule")
    job: JOB = schedule["MonitoringScheduleConfig"]["MonitoringJobDefinition"]
    return job


def scheduled_request(assembly: Any = None) -> JOB:
    schedule = own_schedule(assembly or environment("dev", "scheduler"))
    request: JOB = json.loads(text(schedule["Target"]["Input"]))
    return request


# Engine model_monitor


def test_schedule_is_hourly_and_named() -> None:
    schedule = environment().only("monitoring", "AWS::SageMaker::MonitoringSchedule")
    assert schedule["MonitoringScheduleName"] == "plumbline-dev-monitor"
    assert schedule["MonitoringScheduleConfig"]["ScheduleConfig"] == {"ScheduleExpression": "cron(0 * ? * * *)"}


def test_job_analyses_the_endpoint_of_the_serving_stack() -> None:
    ((source,),) = (definition()["MonitoringInputs"],)
    assert text(source["EndpointInput"]["EndpointName"]).startswith("<plumbline-dev-serving:")
    assert source["EndpointInput"]["LocalPath"].startswith("/opt/ml/processing/")


def test_job_runs_the_image_of_the_repository() -> None:
    image = text(definition()["MonitoringAppSpecification"]["ImageUri"])
    assert "/cdk-hnb659fds-container-assets-" in image


def test_job_gets_baseline_and_target() -> None:
    arguments = definition()["MonitoringAppSpecification"]["ContainerArguments"]
    assert [arguments[0], *arguments[2:]] == ["--baseline_s3_uri", "--target_label", "income"]


def test_job_gets_its_settings_as_text_and_no_threshold_that_the_file_does_not_set() -> None:
    assert definition("staging")["Environment"] == {
        "AWS_DEFAULT_REGION": "us-east-1",
        "PLUMBLINE_ISOLATION_FOREST": "Disabled",
        "PLUMBLINE_MULTIVARIATE": "Enabled",
        "PLUMBLINE_ACCEPTED_S3_URI": definition("staging")["Environment"]["PLUMBLINE_ACCEPTED_S3_URI"],
        "PLUMBLINE_CHAMPION_S3_URI": definition("staging")["Environment"]["PLUMBLINE_CHAMPION_S3_URI"],
        "PLUMBLINE_REPORTS_S3_URI": definition("staging")["MonitoringOutputConfig"]["MonitoringOutputs"][0]["S3Output"][
            "S3Uri"
        ],
    }


def test_job_gets_what_the_file_may_leave_out() -> None:
    variables = full_definition()["Environment"]
    assert (variables["PLUMBLINE_VARIANT"], variables["PLUMBLINE_DRIFTED_FRACTION"]) == ("AllTraffic", "0.25")


def test_rules_of_single_features_travel_as_a_file() -> None:
    arguments = full_definition()["MonitoringAppSpecification"]["ContainerArguments"]
    assert arguments[-2] == "--policy_s3_uri"
    assert text(arguments[-1]).endswith(".json")
    assert "--policy_s3_uri" not in definition()["MonitoringAppSpecification"]["ContainerArguments"]


def test_windows_that_the_file_accepts_travel_as_a_file_and_their_counts_may_be_read() -> None:
    arguments = full_definition()["MonitoringAppSpecification"]["ContainerArguments"]
    assert arguments[4] == "--accepted_s3_uri"
    assert text(arguments[5]).endswith(".json")
    assert "--accepted_s3_uri" not in definition()["MonitoringAppSpecification"]["ContainerArguments"]
    alone = synthesize(config(accepted=FULL["accepted"]))
    job = alone.only("monitoring", "AWS::SageMaker::MonitoringSchedule")["MonitoringScheduleConfig"]
    assert "PLUMBLINE_REPORTS_S3_URI" in job["MonitoringJobDefinition"]["Environment"]
    read = statement_of(alone, "monitoring", "MonitoringRole", "s3:GetObject")
    assert [arn for arn in map(text, as_list(read["Resource"])) if arn.endswith("/*/window_counts.json")]


def test_accepted_windows_are_recorded_where_the_job_may_only_read_them() -> None:
    for name in ("dev", "prod"):
        uri = text(definition(name)["Environment"]["PLUMBLINE_ACCEPTED_S3_URI"])
        assert uri.endswith("/accepted")
        for action, allowed in (("s3:GetObject", True), ("s3:PutObject", False)):
            found = statement_of(environment(name), "monitoring", "MonitoringRole", action)
            arns = [text(arn) for arn in as_list(found["Resource"])]
            assert any(arn.endswith("/accepted/*") for arn in arns) is allowed


def test_policy_file_says_what_the_environment_file_says_and_no_more() -> None:
    assert json.loads(policy_text(config(**FULL).features)) == {
        "version": 2,
        "features": {
            "age": {
                "critical": True,
                "alpha": 0.01,
                "effect_measure": "wasserstein_distance",
                "effect_threshold": 0.5,
            },
            "fnlwgt": {"ignore": True},
            "education-num": {"type": "id"},
        },
    }


def test_policy_file_is_one_object_whatever_the_order_of_its_features() -> None:
    rules = {"age": {"critical": True}, "sex": {"ignore": True}}
    first, second = (
        synthesize(config(features=dict(items))).only("monitoring", "AWS::SageMaker::MonitoringSchedule")
        for items in (rules.items(), reversed(rules.items()))
    )
    assert first == second
    other = synthesize(config(features={"age": {"ignore": True}}))
    assert other.only("monitoring", "AWS::SageMaker::MonitoringSchedule") != first


def test_monitor_may_read_its_policy_file() -> None:
    (uri,) = full_definition()["MonitoringAppSpecification"]["ContainerArguments"][-1:]
    key = text(uri).rsplit("/", 1)[1].rstrip(">")
    readable = [
        text(arn)
        for entry in statements(full(), "monitoring", "MonitoringRole")
        if entry["Action"] == "s3:GetObject"
        for arn in as_list(entry["Resource"])
    ]
    assert [arn for arn in readable if arn.endswith(f"/{key}")]


def test_isolation_forest_is_switched_on_by_the_file() -> None:
    assert definition("dev")["Environment"]["PLUMBLINE_ISOLATION_FOREST"] == "Enabled"


def test_multivariate_drift_is_switched_on_by_the_file_and_drawn_only_then() -> None:
    off = synthesize(config(monitor={"multivariate": False}))
    for is_on, assembly in ((True, environment("dev")), (False, off)):
        body = text(assembly.only("monitoring", "AWS::CloudWatch::Dashboard")["DashboardBody"])
        assert ("MultivariateAUC" in body) is is_on
        alarms = assembly.resources("monitoring", "AWS::CloudWatch::Alarm").values()
        names = {alarm["Properties"]["AlarmName"] for alarm in alarms}
        assert ("plumbline-dev-multivariate" in names) is is_on


def test_reports_are_encrypted_and_below_one_prefix() -> None:
    output = definition()["MonitoringOutputConfig"]
    assert "DataKey" in text(output["KmsKeyId"])
    assert text(output["MonitoringOutputs"][0]["S3Output"]["S3Uri"]).endswith(">/reports")


def test_job_stops_at_its_time_limit() -> None:
    assert definition()["StoppingCondition"] == {"MaxRuntimeInSeconds": 1800}


def test_job_is_one_instance_without_spark_unless_the_file_asks_for_it() -> None:
    for job in (definition()["MonitoringResources"], scheduled_request()["ProcessingResources"]):
        assert job["ClusterConfig"]["InstanceCount"] == 1
    assert not spark_settings(environment())
    assert "NetworkConfig" not in definition()
    assert "NetworkConfig" not in scheduled_request()


def test_instances_of_one_job_read_with_spark_and_talk_in_secret() -> None:
    for job, resources in (
        (full_definition(), "MonitoringResources"),
        (scheduled_request(full("scheduler")), "ProcessingResources"),
    ):
        assert job[resources]["ClusterConfig"]["InstanceCount"] == 2
        assert job["NetworkConfig"]["EnableInterContainerTrafficEncryption"] is True
    assert spark_settings(full())


def test_every_instance_gets_every_file_of_model_monitor() -> None:
    (source,) = full_definition()["MonitoringInputs"]
    assert source["EndpointInput"]["S3DataDistributionType"] == "FullyReplicated"


@pytest.mark.parametrize("settings", [{"spark_above_gb": 0}, {"spark_master": "yarn"}])
def test_spark_on_one_instance_is_in_the_image_and_the_environment(settings: dict[str, Any]) -> None:
    assembly = synthesize(config("dev", "scheduler", monitor=settings))
    ((name, value),) = settings.items()
    assert spark_settings(assembly)
    assert scheduled_request(assembly)["Environment"][f"PLUMBLINE_{name.upper()}"] == str(value)


def spark_settings(assembly: Assembly) -> dict[str, str]:
    """Return the build arguments of the image, as the cloud assembly hands them to Docker."""
    manifest = json.loads((assembly.folder / "plumbline-dev-monitoring.assets.json").read_text())
    (image,) = manifest["dockerImages"].values()
    arguments: dict[str, str] = image["source"].get("dockerBuildArgs", {})
    return arguments


def test_job_joins_the_vpc() -> None:
    schedule = full().only("monitoring", "AWS::SageMaker::MonitoringSchedule")
    job = schedule["MonitoringScheduleConfig"]["MonitoringJobDefinition"]
    expected = {"Subnets": ["subnet-0a000000", "subnet-0b000000"], "SecurityGroupIds": ["sg-0c000000"]}
    assert job["NetworkConfig"]["VpcConfig"] == expected
    assert scheduled_request(full("scheduler"))["NetworkConfig"]["VpcConfig"] == expected


def test_monitor_reads_this_endpoints_capture_and_writes_this_schedules_reports() -> None:
    granted = {
        (entry["Action"], text(arn).split(">", 1)[1])
        for entry in statements(environment("staging"), "monitoring", "MonitoringRole")
        if entry["Action"] in ("s3:GetObject", "s3:PutObject")
        for arn in (entry["Resource"] if isinstance(entry["Resource"], list) else [entry["Resource"]])
        if "Bucket" in text(arn)
    }
    assert granted == {
        ("s3:GetObject", "/capture/plumbline-staging/*"),
        ("s3:GetObject", "/reports/plumbline-staging/plumbline-staging-monitor/*/window_counts.json"),
        ("s3:GetObject", "/reports/plumbline-staging/plumbline-staging-monitor/*/window_state.json"),
        ("s3:PutObject", "/reports/plumbline-staging/plumbline-staging-monitor/*"),
        ("s3:GetObject", "/champion/history.json"),
        ("s3:GetObject", "/accepted/*"),
        ("s3:GetObject", "/retraining/*/baseline/*"),
    }


@pytest.mark.parametrize("engine", ENGINES)
def test_a_window_of_a_day_is_judged_once_a_day(engine: str) -> None:
    assembly = daily(engine)
    if assembly.resources("monitoring", "AWS::SageMaker::MonitoringSchedule"):
        schedule = assembly.only("monitoring", "AWS::SageMaker::MonitoringSchedule")["MonitoringScheduleConfig"]
        assert schedule["ScheduleConfig"] == {"ScheduleExpression": "cron(0 0 ? * * *)"}
    else:
        assert own_schedule(assembly)["ScheduleExpression"] == "cron(20 0 ? * * *)"
        assert scheduled_request(assembly)["Environment"]["PLUMBLINE_WINDOW_HOURS"] == "24"


@pytest.mark.parametrize("engine", ENGINES)
def test_alarms_on_a_window_of_a_day_have_a_datapoint_a_day(engine: str) -> None:
    alarms = daily(engine).resources("monitoring", "AWS::CloudWatch::Alarm").values()
    own = [entry["Properties"] for entry in alarms if entry["Properties"].get("Namespace") == METRIC_NAMESPACE]
    assert {alarm["Period"] for alarm in own} == {86_400}
    assert max(alarm["Period"] * alarm["EvaluationPeriods"] for alarm in own) <= 604_800


@pytest.mark.parametrize("engine", ENGINES)
def test_monitor_reads_which_model_served(engine: str) -> None:
    assembly = environment("dev", engine)
    job = definition() if engine == "model_monitor" else scheduled_request(assembly)
    assert text(job["Environment"]["PLUMBLINE_CHAMPION_S3_URI"]).endswith(">/champion/history.json")
    (listed,) = [
        entry["Condition"]["StringLike"]["s3:prefix"]
        for entry in statements(assembly, "monitoring", "MonitoringRole")
        if entry["Action"] == "s3:ListBucket" and "champion" in json.dumps(entry["Condition"])
    ]
    assert listed == ["champion/history.json"]


def test_monitor_may_list_and_decrypt_the_states_of_earlier_windows() -> None:
    granted = statements(environment(), "monitoring", "MonitoringRole")
    (listed,) = [
        entry["Condition"]["StringLike"]["s3:prefix"]
        for entry in granted
        if entry["Action"] == "s3:ListBucket" and "Reports" in text(entry["Resource"])
    ]
    assert listed == ["reports/plumbline-dev/plumbline-dev-monitor", "reports/plumbline-dev/plumbline-dev-monitor/*"]
    (key,) = {text(entry["Resource"]) for entry in granted if "kms:Decrypt" in as_list(entry["Action"])}
    assert "DataKey" in key


def test_monitor_reads_of_its_reports_what_earlier_runs_left_alone() -> None:
    granted = statements(environment(), "monitoring", "MonitoringRole")
    read = json.dumps([entry for entry in granted if "s3:GetObject" in as_list(entry["Action"])])
    assert sorted(re.findall(r"/reports/([^\"]*)", read)) == [
        f"plumbline-dev/plumbline-dev-monitor/*/window_{what}.json" for what in ("counts", "state")
    ]


# Engine scheduler


def test_scheduler_replaces_model_monitor() -> None:
    assert not environment("dev", "scheduler").resources("monitoring", "AWS::SageMaker::MonitoringSchedule")
    schedules = environment("dev", "model_monitor").resources("monitoring", "AWS::Scheduler::Schedule").values()
    assert not [entry for entry in schedules if "createProcessingJob" in json.dumps(entry)]


def test_scheduler_starts_a_processing_job_after_the_hour() -> None:
    schedule = own_schedule(environment("dev", "scheduler"))
    assert schedule["Target"]["Arn"] == "arn:aws:scheduler:::aws-sdk:sagemaker:createProcessingJob"
    assert (schedule["ScheduleExpression"], schedule["ScheduleExpressionTimezone"]) == ("cron(20 * ? * * *)", "UTC")
    assert schedule["FlexibleTimeWindow"] == {"Mode": "OFF"}


def test_scheduler_retries_little_and_keeps_what_it_could_not_start() -> None:
    target = own_schedule(environment("dev", "scheduler"))["Target"]
    assert target["RetryPolicy"] == {"MaximumEventAgeInSeconds": 3600, "MaximumRetryAttempts": 2}
    assert text(target["DeadLetterConfig"]["Arn"]).startswith("<DeadLetters")


def test_scheduled_job_names_hold_no_colon() -> None:
    assert scheduled_request()["ProcessingJobName"] == "plumbline-dev-monitor-<aws.scheduler.execution-id>"


def test_scheduled_job_has_no_input_that_an_empty_hour_could_fail() -> None:
    assert "ProcessingInputs" not in scheduled_request()


def test_scheduled_job_finds_its_window_by_itself() -> None:
    variables = scheduled_request()["Environment"]
    assert variables["PLUMBLINE_SCHEDULED_TIME"] == "<aws.scheduler.scheduled-time>"
    assert variables["PLUMBLINE_CAPTURE_S3_URI"].endswith(">/capture/plumbline-dev")


def test_scheduled_job_gets_what_model_monitor_would_have_set() -> None:
    variables = scheduled_request()["Environment"]
    output = scheduled_request()["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]
    assert json.loads(variables["dataset_format"]) == {
        "sagemakerCaptureJson": {"captureIndexNames": ["endpointInput", "endpointOutput"]}
    }
    assert variables["dataset_source"].startswith("/opt/ml/processing/")
    assert variables["output_path"] == output["LocalPath"]
    assert variables["publish_cloudwatch_metrics"] == "Enabled"
    assert text(variables["sagemaker_endpoint_name"]).startswith("<plumbline-dev-serving:")
    assert variables["sagemaker_monitoring_schedule_name"] == "plumbline-dev-monitor"


def test_both_engines_start_the_same_job() -> None:
    request, job = scheduled_request(), definition()
    assert request["AppSpecification"] == {
        "ImageUri": text(job["MonitoringAppSpecification"]["ImageUri"]),
        "ContainerArguments": [text(item) for item in job["MonitoringAppSpecification"]["ContainerArguments"]],
    }
    shared = {name: text(value) for name, value in job["Environment"].items()}
    assert shared.items() <= request["Environment"].items()
    assert request["StoppingCondition"] == job["StoppingCondition"]
    assert request["ProcessingOutputConfig"]["KmsKeyId"] == text(job["MonitoringOutputConfig"]["KmsKeyId"])
    output = job["MonitoringOutputConfig"]["MonitoringOutputs"][0]["S3Output"]
    assert request["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]["S3Uri"] == text(output["S3Uri"])


def test_scheduler_may_start_its_own_jobs_with_the_monitors_role_only() -> None:
    start = statement_of(environment("dev", "scheduler"), "monitoring", "ScheduleRole", "sagemaker:CreateProcessingJob")
    assert text(start["Resource"]).endswith(":processing-job/plumbline-dev-monitor-*")
    passed = statement_of(environment("dev", "scheduler"), "monitoring", "ScheduleRole", "iam:PassRole")
    assert text(passed["Resource"]).startswith("<MonitoringRole")
    assert passed["Condition"] == {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}


# Alerts


@pytest.mark.parametrize("engine", ENGINES)
def test_job_that_dies_before_our_code_tells_the_topic(engine: str) -> None:
    rules = environment("dev", engine).resources("monitoring", "AWS::Events::Rule")
    (rule,) = (entry["Properties"] for name, entry in rules.items() if name.startswith("FailedJobs"))
    assert rule["EventPattern"]["source"] == ["aws.sagemaker"]
    assert rule["EventPattern"]["detail-type"] == ["SageMaker Processing Job State Change"]
    assert {"Failed", "Stopped"} <= set(rule["EventPattern"]["detail"]["ProcessingJobStatus"])
    assert [text(arn) for arn in rule["EventPattern"]["detail"]["RoleArn"]] == ["<MonitoringRole56166467.Arn>"]
    (target,) = rule["Targets"]
    assert text(target["Arn"]).startswith("<AlertsTopic")
    assert "RoleArn" not in target


# Topic


def test_topic_is_encrypted_with_our_key() -> None:
    topic = environment().only("monitoring", "AWS::SNS::Topic")
    assert text(topic["KmsMasterKeyId"]).startswith("<AlertsKey")


def test_topic_takes_alarms_of_this_account_only() -> None:
    policy = environment().only("monitoring", "AWS::SNS::TopicPolicy")["PolicyDocument"]["Statement"]
    (allowed,) = [entry for entry in policy if entry.get("Principal") == {"Service": "cloudwatch.amazonaws.com"}]
    assert allowed["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
    arn = allowed["Condition"]["ArnLike"]["aws:SourceArn"]
    assert text(arn) == "arn:aws:cloudwatch:us-east-1:<AWS::AccountId>:alarm:*"


def test_topic_denies_plain_http() -> None:
    policy = environment().only("monitoring", "AWS::SNS::TopicPolicy")["PolicyDocument"]["Statement"]
    (denied,) = [entry for entry in policy if entry["Effect"] == "Deny"]
    assert denied["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_alarms_and_events_may_use_the_topics_key() -> None:
    policy = environment().only("monitoring", "AWS::KMS::Key")["KeyPolicy"]["Statement"]
    (allowed,) = [entry for entry in policy if "Service" in entry["Principal"]]
    assert allowed["Principal"]["Service"] == ["cloudwatch.amazonaws.com", "events.amazonaws.com"]
    assert allowed["Action"] == ["kms:Decrypt", "kms:GenerateDataKey*"]


def test_people_are_told_by_mail() -> None:
    mails = [
        entry["Properties"]["Endpoint"]
        for entry in full().resources("monitoring", "AWS::SNS::Subscription").values()
        if entry["Properties"]["Protocol"] == "email"
    ]
    assert mails == ["ops@example.com"]


# Outputs


def test_dead_letters_are_encrypted_kept_and_sent_over_tls() -> None:
    queue = environment().only("monitoring", "AWS::SQS::Queue")
    assert text(queue["KmsMasterKeyId"]).startswith("<AlertsKey")
    assert queue["MessageRetentionPeriod"] == 14 * 86400
    policy = environment().only("monitoring", "AWS::SQS::QueuePolicy")["PolicyDocument"]["Statement"]
    (denied,) = (entry for entry in policy if entry["Effect"] == "Deny")
    assert denied["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_outputs_name_what_people_look_for() -> None:
    outputs = set(environment().templates["monitoring"]["Outputs"])
    assert {
        "TopicArn",
        "AlertKeyArn",
        "RetrainingFunctionName",
        "PromotionFunctionName",
        "StateTableName",
        "PipelineName",
        "ModelPackageGroupName",
        "ScheduleName",
        "DeadLetterQueueUrl",
    } <= outputs
    assert "EndpointName" in environment().templates["serving"]["Outputs"]
