"""What no role, name or stack of any environment may break, whichever engine runs."""

import json
import re
from typing import Any

import pytest

from plumbline.contract.retraining import PipelineStep
from tests.unit.stacks.synthesis import (
    ENGINES,
    ENVIRONMENTS,
    PARTS,
    Assembly,
    as_list,
    config,
    construct,
    environment,
    full,
    own_schedule,
    step,
    synthesize,
    text,
)

WITHOUT_RESOURCE = {
    # Actions that IAM grants on "*" only (Service Authorization Reference).
    "cloudwatch:PutMetricData",
    "ec2:DescribeDhcpOptions",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpcs",
    "ecr:GetAuthorizationToken",
    "sagemaker:ListEndpointConfigs",
    "sagemaker:ListModels",
}
JOB_NAMESPACES = {"aws/sagemaker/*", "/aws/sagemaker/*"}
VARIANTS = [(name, engine) for name in ENVIRONMENTS for engine in ENGINES] + [("full", engine) for engine in ENGINES]


@pytest.fixture(params=VARIANTS, ids="-".join)
def assembly(request: pytest.FixtureRequest) -> Assembly:
    name, engine = request.param
    return full(engine) if name == "full" else environment(name, engine)


def resources(assembly: Assembly, kind: str) -> list[tuple[str, dict[str, Any]]]:
    """Return the properties of every resource of a type; there must be some."""
    found = [
        (f"{part}/{name}", resource["Properties"])
        for part in PARTS
        for name, resource in assembly.resources(part, kind).items()
    ]
    assert found, kind
    return found


def test_sagemaker_and_scheduler_assume_roles_for_this_account_only(assembly: Assembly) -> None:
    checked = 0
    for name, role in resources(assembly, "AWS::IAM::Role"):
        (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
        if statement["Principal"] == {"Service": "lambda.amazonaws.com"}:
            # Only this account's functions can be created with a role of it; Lambda offers no condition.
            continue
        condition = statement["Condition"]
        arns = as_list((condition.get("ArnLike") or condition["StringEquals"])["aws:SourceArn"])
        account = condition["StringEquals"]["aws:SourceAccount"]
        assert all(f":{text(account)}:" in text(arn) for arn in arns), name
        checked += 1
    assert checked >= 3


@pytest.mark.parametrize(
    ("engine", "part", "role", "sources"),
    [
        ("model_monitor", "serving", "EndpointRole", ["*"]),
        (
            "model_monitor",
            "foundation",
            "TrainingRole",
            ["training-job/plumbline-dev-train*", "training-job/plumbline-dev-retrain-*"],
        ),
        ("model_monitor", "monitoring", "MonitoringRole", ["*"]),
        ("scheduler", "monitoring", "MonitoringRole", ["processing-job/plumbline-dev-monitor-*"]),
        ("scheduler", "monitoring", "RetrainingPipelineJobRole", ["processing-job/plumbline-dev-retrain-*"]),
        ("scheduler", "monitoring", "RetrainingPipelineRole", ["pipeline/plumbline-dev-retraining/*"]),
    ],
)
def test_role_is_bound_to_its_kind_of_work_as_far_as_aws_documents_it(
    engine: str, part: str, role: str, sources: list[str]
) -> None:
    ((_, found),) = (
        item
        for item in environment("dev", engine).resources(part, "AWS::IAM::Role").items()
        if item[0].startswith(role)
    )
    (statement,) = found["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    arns = statement["Condition"]["ArnLike"]["aws:SourceArn"]
    assert [text(arn) for arn in arns] == [f"arn:aws:sagemaker:us-east-1:<AWS::AccountId>:{each}" for each in sources]


def test_no_action_is_a_wildcard(assembly: Assembly) -> None:
    for name, policy in resources(assembly, "AWS::IAM::Policy"):
        for statement in policy["PolicyDocument"]["Statement"]:
            assert not [action for action in as_list(statement["Action"]) if "*" in action], name


def test_only_actions_without_a_resource_are_granted_on_everything(assembly: Assembly) -> None:
    unscoped = set()
    for _, policy in resources(assembly, "AWS::IAM::Policy"):
        for statement in policy["PolicyDocument"]["Statement"]:
            if "*" in [text(arn) for arn in as_list(statement["Resource"])]:
                unscoped |= set(as_list(statement["Action"]))
    assert unscoped <= WITHOUT_RESOURCE
    assert "cloudwatch:PutMetricData" in unscoped


def test_metrics_are_bound_to_their_namespaces(assembly: Assembly) -> None:
    found = set()
    for name, policy in resources(assembly, "AWS::IAM::Policy"):
        for statement in policy["PolicyDocument"]["Statement"]:
            if statement["Action"] == "cloudwatch:PutMetricData":
                ((_, condition),) = statement["Condition"].items()
                allowed = set(as_list(condition["cloudwatch:namespace"]))
                assert allowed in ({"Plumbline"}, JOB_NAMESPACES, JOB_NAMESPACES | {"Plumbline"}), name
                found |= {name.split("/")[1].split("Role")[0]} if "Plumbline" in allowed else set()
    assert found == {"Monitoring", "RetrainingController", "RetrainingPromotion"}


def test_buckets_are_listed_by_prefix_only(assembly: Assembly) -> None:
    listings = [
        (name, statement)
        for name, policy in resources(assembly, "AWS::IAM::Policy")
        for statement in policy["PolicyDocument"]["Statement"]
        if "s3:ListBucket" in as_list(statement["Action"])
    ]
    assert listings
    for name, statement in listings:
        ((operator, condition),) = statement["Condition"].items()
        assert condition["s3:prefix"], name
        # A function asks for the history by getting it, in which there is no prefix: S3 says "absent" to those who
        # may list only.
        asks = condition["s3:prefix"] == ["champion/history.json"] and re.search("Controller|Promotion", name)
        assert operator == ("StringLikeIfExists" if asks else "StringLike"), name


def test_names_keep_sagemakers_rules() -> None:
    longest = synthesize(config(name="a" * 16))
    names = [
        longest.only("serving", "AWS::SageMaker::Endpoint")["EndpointName"],
        longest.only("monitoring", "AWS::SageMaker::MonitoringSchedule")["MonitoringScheduleName"],
        # A job of our own schedule, with the 16 characters of an execution id.
        f"plumbline-{'a' * 16}-monitor-{'0' * 16}",
        # A job of the pipeline, with the 12 characters of an execution's id and the 10 that SageMaker adds.
        f"{step(longest, PipelineStep.TRAIN)['TrainingJobName']}-{'0' * 12}-{'0' * 10}",
    ]
    for name in names:
        assert len(name) <= 63
        assert re.fullmatch(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}", name)


def test_only_names_that_others_must_know_are_fixed() -> None:
    """A custom name blocks replacement: what the contract names and other processes look for has one."""
    kinds = (
        "Bucket|Topic|Queue|Role|Function|Endpoint|EndpointConfig|Model|Alarm|Dashboard|LogGroup|MonitoringSchedule|"
        "Table|Pipeline|ModelPackageGroup"
    )
    named = {
        resource["Type"]
        for assembly in (environment(), environment("dev", "scheduler"))
        for part in PARTS
        for resource in assembly.templates[part]["Resources"].values()
        for key in resource["Properties"]
        if re.fullmatch(rf"Name|({kinds})Name", key)
    }
    # A permission refers to its function by the key FunctionName.
    assert named == {
        "AWS::CloudWatch::Alarm",
        "AWS::CloudWatch::Dashboard",
        "AWS::Lambda::Permission",
        "AWS::SSM::Parameter",
        "AWS::SageMaker::Endpoint",
        "AWS::SageMaker::ModelPackageGroup",
        "AWS::SageMaker::MonitoringSchedule",
        "AWS::SageMaker::Pipeline",
        "AWS::Scheduler::Schedule",
    }


def test_environment_values_fit_a_processing_job() -> None:
    """CreateProcessingJob: at most 256 characters each."""
    for assembly in (environment("dev", "scheduler"), full("scheduler")):
        request = json.loads(text(own_schedule(assembly)["Target"]["Input"]))
        assert all(len(value) <= 256 for value in request["Environment"].values())
        assert all(len(value) <= 256 for value in request["AppSpecification"]["ContainerArguments"])


@pytest.mark.parametrize(("name", "protected"), [("dev", False), ("staging", False), ("prod", True)])
def test_stacks_are_protected_where_the_file_says_so(name: str, protected: bool) -> None:
    _, stacks = construct(config(name))
    assert {stacks.foundation.termination_protection, stacks.serving.termination_protection} == {protected}
    assert stacks.monitoring.termination_protection is protected


def test_every_role_gets_the_permissions_boundary() -> None:
    roles = [role for engine in ENGINES for _, role in resources(full(engine), "AWS::IAM::Role")]
    assert len(roles) >= 9
    assert {role["PermissionsBoundary"] for role in roles} == {"arn:aws:iam::123456789012:policy/boundary"}


def test_roles_have_no_boundary_unless_one_is_named() -> None:
    assert not [name for name, role in resources(environment(), "AWS::IAM::Role") if "PermissionsBoundary" in role]


def test_tags_reach_every_stack() -> None:
    for kind in ("AWS::S3::Bucket", "AWS::SageMaker::Endpoint", "AWS::SageMaker::MonitoringSchedule"):
        for name, resource in resources(full(), kind):
            assert {"Key": "owner", "Value": "risk"} in resource["Tags"], name


def test_teardown_removes_the_schedule_before_the_endpoint() -> None:
    """CloudFormation refuses to delete a stack whose export another one imports."""
    for engine in ENGINES:
        assembly = environment("dev", engine)
        exports = {
            output["Export"]["Name"]
            for output in assembly.templates["serving"]["Outputs"].values()
            if "Export" in output
        }
        kind = "AWS::SageMaker::MonitoringSchedule"
        schedule = assembly.only("monitoring", kind) if engine == "model_monitor" else own_schedule(assembly)
        assert any(name in json.dumps(schedule) for name in exports)


def test_monitoring_is_deployed_after_serving() -> None:
    _, stacks = construct(config())
    assert stacks.serving in stacks.monitoring.dependencies


def test_schedule_waits_for_the_policies_of_its_roles() -> None:
    for engine, kind, roles in (
        ("model_monitor", "AWS::SageMaker::MonitoringSchedule", ["MonitoringRole"]),
        ("scheduler", "AWS::Scheduler::Schedule", ["MonitoringRole", "ScheduleRole"]),
    ):
        found = environment("dev", engine).resources("monitoring", kind).values()
        (schedule,) = (entry for entry in found if kind != "AWS::Scheduler::Schedule" or "Name" in entry["Properties"])
        assert [name.split("DefaultPolicy")[0] for name in sorted(schedule["DependsOn"])] == roles
