"""The loop as the stacks provision it: what wakes the functions, and what each of them and the pipeline may do."""

import json
from typing import Any

import pytest

from plumbline.contract.names import alarm_name
from plumbline.contract.retraining import LoopVariable
from plumbline.stacks.config.errors import EnvironmentFileError
from plumbline.stacks.config.file import parse_environment
from plumbline.stacks.constructs.alarms.alarm_rules import AlarmKind
from tests.unit.stacks.synthesis import (
    ENGINES,
    ENVIRONMENTS,
    Assembly,
    as_list,
    config,
    construct,
    document,
    environment,
    full,
    function,
    statement_of,
    statements,
    synthesize,
    text,
)

FUNCTIONS = {"retraining": "RetrainingController", "promotion": "RetrainingPromotion"}
"""Package of each function: what its logical ids begin with."""
ROLES = (*FUNCTIONS.values(), "RetrainingPipelineJobRole", "RetrainingPipelineRole")


def variables(package: str, name: str = "dev") -> dict[str, str]:
    found = function(environment(name), package)["Environment"]["Variables"]
    return {key: text(value) for key, value in found.items()}


def rule(name: str) -> dict[str, Any]:
    """Return the rule of an event, by the construct's name."""
    rules = environment().resources("monitoring", "AWS::Events::Rule").items()
    (found,) = (entry["Properties"] for key, entry in rules if name in key)
    properties: dict[str, Any] = found
    return properties


def granted(role: str, assembly: Assembly | None = None) -> dict[str, list[str]]:
    """Return the resources of each action that a role may perform, the account's part of ARNs left out."""
    found: dict[str, list[str]] = {}
    for statement in statements(assembly or environment(), "monitoring", role):
        for action in as_list(statement["Action"]):
            arns = [text(arn).rsplit(":<AWS::AccountId>:", 1)[-1] for arn in as_list(statement["Resource"])]
            found.setdefault(action, []).extend(arns)
    return found


# What wakes them


def test_topic_feeds_the_controller_with_alarms_alone() -> None:
    subscription = environment().only("monitoring", "AWS::SNS::Subscription")
    assert subscription["Protocol"] == "lambda"
    assert text(subscription["Endpoint"]).startswith("<RetrainingController")
    # What the loop says itself has a text for people as its body, which such a filter drops; alarms have no attributes.
    assert subscription["FilterPolicy"] == {"NewStateValue": ["ALARM"]}
    assert subscription["FilterPolicyScope"] == "MessageBody"


@pytest.mark.parametrize(
    ("name", "target", "kind", "detail"),
    [
        (
            "RetrainingControllerEnded",
            "<RetrainingController",
            "SageMaker Model Building Pipeline Execution Status Change",
            {
                "pipelineArn": ["arn:aws:sagemaker:us-east-1:<AWS::AccountId>:pipeline/plumbline-dev-retraining"],
                "currentPipelineExecutionStatus": ["Succeeded", "Failed", "Stopped"],
            },
        ),
        (
            "RetrainingPromotionRegistered",
            "<RetrainingPromotion",
            "SageMaker Model Package State Change",
            {"ModelPackageGroupName": ["plumbline-dev"]},
        ),
        (
            "RetrainingPromotionMoved",
            "<RetrainingPromotion",
            "SageMaker Endpoint State Change",
            {"EndpointName": ["plumbline-dev"]},
        ),
    ],
)
def test_event_of_this_environment_invokes_its_function(
    name: str, target: str, kind: str, detail: dict[str, list[str]]
) -> None:
    found = rule(name)
    pattern = found["EventPattern"]
    assert (pattern["source"], pattern["detail-type"]) == (["aws.sagemaker"], [kind])
    assert {key: [text(value) for value in values] for key, values in pattern["detail"].items()} == detail
    (only,) = found["Targets"]
    assert text(only["Arn"]).startswith(target)
    assert text(only["DeadLetterConfig"]["Arn"]).startswith("<DeadLettersQueue")


@pytest.mark.parametrize("engine", ENGINES)
def test_both_functions_reconcile_each_hour(engine: str) -> None:
    schedules = [
        entry["Properties"]
        for entry in environment("dev", engine).resources("monitoring", "AWS::Scheduler::Schedule").values()
        if "Name" not in entry["Properties"]
    ]
    assert sorted(text(entry["Target"]["Arn"])[:21] for entry in schedules) == [
        "<RetrainingController",
        "<RetrainingPromotionF",
    ]
    for entry in schedules:
        assert entry["ScheduleExpression"] == "cron(40 * ? * * *)"
        assert json.loads(entry["Target"]["Input"]) == {"reevaluate": True}
        assert text(entry["Target"]["DeadLetterConfig"]["Arn"]).startswith("<DeadLettersQueue")


def test_hourly_schedules_may_invoke_the_two_functions_and_nothing_else() -> None:
    invoked = granted("RetrainingLooksRole")
    assert len(invoked["lambda:InvokeFunction"]) == 2
    assert all(
        text(arn).startswith(("<RetrainingController", "<RetrainingPromotion"))
        for arn in invoked["lambda:InvokeFunction"]
    )
    assert set(invoked) == {"lambda:InvokeFunction", "sqs:SendMessage", "kms:Decrypt", "kms:GenerateDataKey"}


# Functions


@pytest.mark.parametrize("package", FUNCTIONS)
def test_function_handles_one_event_at_a_time_and_keeps_what_it_could_not(package: str) -> None:
    found = function(environment(), package)
    assert found["ReservedConcurrentExecutions"] == 1
    assert text(found["DeadLetterConfig"]["TargetArn"]).startswith("<DeadLettersQueue")
    assert "sqs:SendMessage" in granted(FUNCTIONS[package])


@pytest.mark.parametrize(("name", "days"), [("dev", 7), ("staging", 30), ("prod", 365)])
def test_function_logs_are_kept_as_configured(name: str, days: int) -> None:
    groups = environment(name).resources("monitoring", "AWS::Logs::LogGroup").values()
    assert [entry["Properties"]["RetentionInDays"] for entry in groups] == [days, days]


@pytest.mark.parametrize("package", FUNCTIONS)
def test_function_tells_the_topic_counts_and_keeps_its_state(package: str) -> None:
    allowed = granted(FUNCTIONS[package])
    assert [arn[:12] for arn in allowed["sns:Publish"]] == ["<AlertsTopic"]
    assert allowed["dynamodb:GetItem"] == allowed["dynamodb:PutItem"]
    assert allowed["dynamodb:PutItem"][0].startswith("<RetrainingState")
    assert not [
        action for action in allowed if action.startswith("dynamodb:") and action[9:] not in ("GetItem", "PutItem")
    ]
    publish = statement_of(environment(), "monitoring", FUNCTIONS[package], "cloudwatch:PutMetricData")
    assert publish["Condition"] == {"StringEquals": {"cloudwatch:namespace": "Plumbline"}}
    via = statement_of(environment(), "monitoring", FUNCTIONS[package], "kms:DescribeKey")
    assert via["Condition"] == {"StringEquals": {"kms:ViaService": "dynamodb.us-east-1.amazonaws.com"}}


def test_controller_may_start_this_environments_pipeline_and_read_what_it_decides_on() -> None:
    allowed = granted("RetrainingController")
    assert allowed["sagemaker:StartPipelineExecution"] == ["pipeline/plumbline-dev-retraining"]
    assert allowed["sagemaker:DescribePipelineExecution"] == ["pipeline/plumbline-dev-retraining/execution/*"]
    assert sorted(allowed["ssm:GetParameters"]) == [
        "parameter/plumbline/dev/champion/artifact",
        "parameter/plumbline/dev/retraining",
    ]
    assert sorted(allowed["cloudwatch:DescribeAlarms"]) == [
        f"alarm:{alarm_name('dev', kind)}" for kind in (AlarmKind.ACCURACY, AlarmKind.CONCEPT_SHIFT, AlarmKind.QUALITY)
    ]
    assert sorted(arn.split(">")[1] for arn in allowed["s3:GetObject"]) == [
        "/champion/history.json",
        "/merged/plumbline-dev/*",
        "/retraining/*/evaluation/*",
        "/retraining/*/prepared/*",
    ]
    assert "s3:PutObject" not in allowed
    assert "iam:PassRole" not in allowed


def test_promotion_makes_and_deletes_what_has_its_prefix_only() -> None:
    allowed = granted("RetrainingPromotion")
    models, configs = "model/plumbline-dev-champion-*", "endpoint-config/plumbline-dev-champion-*"
    for verb in ("Create", "Delete"):
        assert allowed[f"sagemaker:{verb}Model"] == [models]
        assert allowed[f"sagemaker:{verb}EndpointConfig"] == [configs]
    assert sorted(allowed["sagemaker:AddTags"]) == [configs, models]
    assert sorted(allowed["sagemaker:UpdateEndpoint"]) == [configs, "endpoint/plumbline-dev"]
    deleted = {action for action in allowed if ":Delete" in action}
    assert deleted == {"sagemaker:DeleteModel", "sagemaker:DeleteEndpointConfig"}


def test_promotion_judges_this_group_and_passes_the_endpoints_role_only() -> None:
    allowed = granted("RetrainingPromotion")
    assert allowed["sagemaker:UpdateModelPackage"] == ["model-package/plumbline-dev/*"]
    assert sorted(allowed["sagemaker:ListModelPackages"]) == [
        "model-package-group/plumbline-dev",
        "model-package/plumbline-dev/*",
    ]
    (passed,) = allowed["iam:PassRole"]
    assert "EndpointRole" in passed
    condition = statement_of(environment(), "monitoring", "RetrainingPromotion", "iam:PassRole")["Condition"]
    assert condition == {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}


def test_promotion_writes_what_serves_and_nothing_else() -> None:
    allowed = granted("RetrainingPromotion")
    assert sorted(allowed["ssm:PutParameter"]) == [
        "parameter/plumbline/dev/champion/artifact",
        "parameter/plumbline/dev/champion/baseline",
    ]
    assert [arn.split(">")[1] for arn in allowed["s3:PutObject"]] == ["/champion/history.json"]
    assert sorted(arn.split(">")[1] for arn in allowed["s3:GetObject"]) == [
        "/champion/history.json",
        "/retraining/*/evaluation/*",
    ]


def test_endpoints_role_sees_the_alarms_that_take_a_model_back() -> None:
    seen = statement_of(environment(), "serving", "EndpointRole", "cloudwatch:DescribeAlarms")
    assert {text(arn).rsplit(":", 1)[1] for arn in seen["Resource"]} == set(
        variables("promotion")[LoopVariable.ROLLBACK_ALARM_NAMES].split(",")
    )


@pytest.mark.parametrize(
    ("name", "traffic", "percent", "seconds"),
    [("dev", "all_at_once", None, "120"), ("staging", "canary", "50", "600"), ("prod", "canary", "50", "900")],
)
def test_traffic_moves_as_configured(name: str, traffic: str, percent: str | None, seconds: str) -> None:
    found = variables("promotion", name)
    assert (found[LoopVariable.TRAFFIC], found.get(LoopVariable.CANARY_PERCENT)) == (traffic, percent)
    assert found[LoopVariable.WAIT_SECONDS] == seconds


# State and switch


def test_state_is_encrypted_with_our_key_and_recoverable() -> None:
    table = environment().only("monitoring", "AWS::DynamoDB::Table")
    assert table["KeySchema"] == [{"AttributeName": "id", "KeyType": "HASH"}]
    assert table["AttributeDefinitions"] == [{"AttributeName": "id", "AttributeType": "S"}]
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["SSESpecification"]["SSEType"] == "KMS"
    assert text(table["SSESpecification"]["KMSMasterKeyId"]).startswith("<AlertsKey")
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}


@pytest.mark.parametrize(("name", "position"), [("dev", "on"), ("staging", "off"), ("prod", "on")])
def test_switch_stands_where_the_file_says(name: str, position: str) -> None:
    switch = environment(name).only("monitoring", "AWS::SSM::Parameter")
    assert (switch["Name"], switch["Value"]) == (f"/plumbline/{name}/retraining", position)
    assert switch["AllowedPattern"] == "^(on|off)$"


# Pipeline's roles


def test_pipeline_starts_its_own_jobs_with_their_roles_only() -> None:
    allowed = granted("RetrainingPipelineRole")
    for kind in ("Processing", "Training"):
        for verb in ("Create", "Describe", "Stop"):
            assert allowed[f"sagemaker:{verb}{kind}Job"] == [f"{kind.lower()}-job/plumbline-dev-retrain-*"]
    assert allowed["sagemaker:CreateModelPackage"] == [
        "model-package-group/plumbline-dev",
        "model-package/plumbline-dev/*",
    ]
    assert sorted("Training" if "Training" in role else "Job" for role in allowed["iam:PassRole"]) == [
        "Job",
        "Training",
    ]
    assert [arn.split(">")[1] for arn in allowed["s3:GetObject"]] == ["/retraining/*/evaluation/*"]
    assert "s3:PutObject" not in allowed


def test_jobs_read_labelled_captures_and_models_and_write_below_one_prefix() -> None:
    allowed = granted("RetrainingPipelineJobRole")
    assert [arn.split(">")[1] for arn in allowed["s3:PutObject"]] == ["/retraining/*"]
    ours = sorted(arn.split(">")[1] for arn in allowed["s3:GetObject"] if "Bucket" in arn)
    assert ours == ["/merged/plumbline-dev/*", "/models/*", "/retraining/*/holdout/*"]
    assert not [action for action in allowed if action.startswith("sagemaker:")]


@pytest.mark.parametrize("role", ROLES)
def test_nothing_of_the_loop_deletes_an_object(role: str) -> None:
    assert not [action for action in granted(role) if action.startswith("s3:Delete")]


def test_group_stays_or_goes_as_data_does() -> None:
    for name in ENVIRONMENTS:
        ((_, group),) = environment(name).resources("monitoring", "AWS::SageMaker::ModelPackageGroup").items()
        assert group["DeletionPolicy"] == ("Retain" if name == "prod" else "Delete")


def test_vpc_reaches_the_pipelines_jobs() -> None:
    assert "ec2:CreateNetworkInterface" in granted("RetrainingPipelineJobRole", full())
    assert "ec2:CreateNetworkInterface" not in granted("RetrainingPipelineJobRole")


# What serves


def test_serving_takes_what_serves_anew_at_each_deployment() -> None:
    template = environment().templates["serving"]
    taken = {
        key: parameter["Default"]
        for key, parameter in template["Parameters"].items()
        if parameter["Type"] == "AWS::SSM::Parameter::Value<String>" and "champion" in parameter["Default"]
    }
    container = environment().only("serving", "AWS::SageMaker::Model")["PrimaryContainer"]
    assert taken[container["ModelDataUrl"]["Ref"]] == "/plumbline/dev/champion/artifact"
    assert taken[container["Environment"]["PLUMBLINE_BASELINE_S3_URI"]["Ref"]] == "/plumbline/dev/champion/baseline"


def test_serving_is_deployed_after_the_parameters() -> None:
    _, stacks = construct(config())
    assert stacks.foundation in stacks.serving.dependencies


# Commit


def test_commit_is_unknown_unless_it_is_said() -> None:
    template = json.dumps(environment().templates["monitoring"])
    assert '\\\\\\"commit\\\\\\":\\\\\\"unknown' in template or '"commit\\":\\"unknown' in template.replace(
        "\\\\", "\\"
    )


def test_commit_of_the_context_is_in_the_lineage() -> None:
    _, stacks = construct(config(), commit="0a1b2c3")
    (register,) = stacks.monitoring.loop.pipeline.definition["Steps"][3]["Arguments"]["IfSteps"]
    assert register["Arguments"]["CustomerMetadataProperties"]["commit"] == "0a1b2c3"


@pytest.mark.parametrize("commit", ["", "a b", "é", "a" * 65, 7])
def test_fails_when_the_commit_is_none(commit: object) -> None:
    with pytest.raises(EnvironmentFileError, match=r"commit must be 1 to 64 letters, .* got .*git rev-parse HEAD"):
        construct(config(), commit=commit)


# Triggers


def triggers(assembly: Assembly) -> str:
    return text(function(assembly, "retraining")["Environment"]["Variables"][LoopVariable.TRIGGER_ALARM_NAMES])


def named(*kinds: AlarmKind, environment: str = "dev") -> str:
    return ",".join(alarm_name(environment, kind) for kind in kinds)


def test_without_labels_only_the_projected_accuracy_is_left_of_the_default() -> None:
    data = document("staging")
    del data["retraining"]["triggers"]
    alone = synthesize(parse_environment(data, "staging"))
    assert triggers(alone) == named(AlarmKind.ACCURACY, environment="staging")


def test_controller_reacts_to_what_the_file_lists_and_may_ask_for_those_alarms_only() -> None:
    chosen = synthesize(config(retraining={"triggers": ["drift", "multivariate", "quality"]}))
    kinds = (AlarmKind.DRIFT, AlarmKind.MULTIVARIATE, AlarmKind.QUALITY)
    assert sorted(triggers(chosen).split(",")) == [alarm_name("dev", kind) for kind in kinds]
    assert sorted(granted("RetrainingController", chosen)["cloudwatch:DescribeAlarms"]) == [
        f"alarm:{alarm_name('dev', kind)}" for kind in kinds
    ]


def test_with_no_trigger_the_controller_may_ask_for_no_alarm() -> None:
    by_hand = synthesize(config(retraining={"triggers": []}))
    assert triggers(by_hand) == ""
    assert "cloudwatch:DescribeAlarms" not in granted("RetrainingController", by_hand)


@pytest.mark.parametrize(("listed", "warned"), [(None, True), (["projected_accuracy"], False), ([], False)])
def test_synthesis_warns_where_the_default_shrinks_without_labels(listed: list[str] | None, warned: bool) -> None:
    data = document("staging")
    if listed is None:
        del data["retraining"]["triggers"]
    else:
        data["retraining"]["triggers"] = listed
    _, stacks = construct(parse_environment(data, "staging"))
    warnings = [entry.data for entry in stacks.monitoring.node.metadata if entry.type == "aws:cdk:warning"]
    assert len(warnings) == warned
    assert all('retraining.triggers = ["projected_accuracy"]' in warning for warning in warnings)
    assert not [entry for entry in construct(config())[1].monitoring.node.metadata if entry.type == "aws:cdk:warning"]
