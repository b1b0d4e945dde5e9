"""Every right of every role against AWS's service authorization reference."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.authorization import REFERENCE, is_of, known, types_of
from tests.unit.stacks.synthesis import ENGINES, ENVIRONMENTS, PARTS, Assembly, as_list, daily, environment, full, text

VARIANTS = [
    *((name, engine) for name in ENVIRONMENTS for engine in ENGINES),
    *(("full", engine) for engine in ENGINES),
    *(("daily", engine) for engine in ENGINES),
]
ARNS = {
    "AWS::S3::Bucket": "arn:aws:s3:::name",
    "AWS::KMS::Key": "arn:aws:kms:us-east-1:123456789012:key/name",
    "AWS::Lambda::Function": "arn:aws:lambda:us-east-1:123456789012:function:name",
    "AWS::Logs::LogGroup": "arn:aws:logs:us-east-1:123456789012:log-group:name:*",
    "AWS::DynamoDB::Table": "arn:aws:dynamodb:us-east-1:123456789012:table/name",
    "AWS::SQS::Queue": "arn:aws:sqs:us-east-1:123456789012:name",
    "AWS::SNS::Topic": "arn:aws:sns:us-east-1:123456789012:name",
    "AWS::IAM::Role": "arn:aws:iam::123456789012:role/name",
}
"""What a reference to a resource of the templates becomes."""


@pytest.fixture(params=VARIANTS, ids="-".join)
def assembly(request: pytest.FixtureRequest) -> Assembly:
    name, engine = request.param
    special = {"full": full, "daily": daily}
    return special[name](engine) if name in special else environment(name, engine)


def arn_of(assembly: Assembly, resource: Any) -> str:
    """Return a statement's resource as AWS sees it."""
    found = text(resource)
    for part in PARTS:
        for name, one in assembly.templates[part]["Resources"].items():
            if one["Type"] in ARNS:
                found = re.sub(rf"<[^<>]*{re.escape(name)}[^<>]*>", ARNS[one["Type"]], found)
    found = found.replace("<AWS::Partition>", "aws").replace("<AWS::AccountId>", "123456789012")
    return re.sub("<[^<>]*>", "name", found)


def roles(assembly: Assembly) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Yield each policy's logical id, which begins with its role's, and its statements."""
    for part in PARTS:
        for name, policy in assembly.resources(part, "AWS::IAM::Policy").items():
            yield name, policy["Properties"]["PolicyDocument"]["Statement"]


def findings(statements: list[dict[str, Any]], assembly: Assembly) -> Iterator[str]:
    granted: dict[str, set[str]] = {}
    for statement in statements:
        for action in as_list(statement["Action"]):
            found = {arn_of(assembly, one) for one in as_list(statement["Resource"])}
            granted.setdefault(action, set()).update(found)
            yield from unknown_conditions(action, statement.get("Condition", {}))
    for action, arns in granted.items():
        yield from mismatches(action, arns)


def mismatches(action: str, arns: set[str]) -> Iterator[str]:
    types = types_of(action)
    if not types:
        yield from (f"{action} has no resource type, and is allowed on {arn}" for arn in arns if arn != "*")
        return
    if "*" in arns:
        return
    matched = {name for name, arn_form in types.items() for arn in arns if is_of(arn, name, arn_form)}
    required = {name for name, entry in known(action)["resource_types"].items() if name and entry["required"]}
    if not matched:
        yield f"{action} works on {', '.join(types)}, and is allowed on {', '.join(sorted(arns))}"
    for name in sorted(required - matched):
        yield f"{action} must be allowed on a {name}, and is allowed on {', '.join(sorted(arns))}"


def unknown_conditions(action: str, conditions: dict[str, dict[str, Any]]) -> Iterator[str]:
    entry = known(action)
    keys = {key for one in entry["resource_types"].values() for key in one["condition_keys"]}
    resources = REFERENCE[action.split(":", maxsplit=1)[0]]["resources"]
    keys |= {key for name in entry["resource_types"] if name for key in resources[name]["condition_keys"]}
    patterns = [re.sub(r"\$\{[^}]*\}|<[^>]*>", "", key).lower() for key in keys]
    for operands in conditions.values():
        for key in operands:
            # Global keys hold for every action.
            if not key.startswith("aws:") and not any(key.lower().startswith(pattern) for pattern in patterns):
                yield f"{action} knows no condition key {key}"


def test_every_right_is_on_the_resources_that_its_action_works_on(assembly: Assembly) -> None:
    found = {name: problems for name, statements in roles(assembly) if (problems := [*findings(statements, assembly)])}
    assert found == {}


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("sagemaker:ListModelPackages", "arn:aws:sagemaker:us-east-1:123456789012:model-package-group/name"),
        ("s3:GetObject", "arn:aws:s3:::name"),
        ("s3:ListBucket", "arn:aws:s3:::name/folder/*"),
        ("sagemaker:ListModels", "arn:aws:sagemaker:us-east-1:123456789012:model/*"),
        ("sagemaker:UpdateModelPackage", "arn:aws:sagemaker:us-east-1:123456789012:model/name"),
    ],
)
def test_a_right_on_another_type_would_be_found(action: str, resource: str) -> None:
    assert [*mismatches(action, {resource})]


def test_a_condition_that_no_action_knows_would_be_found() -> None:
    condition = {"StringEquals": {"s3:prefix": "folder/", "aws:SourceAccount": "123456789012"}}
    assert [*unknown_conditions("s3:GetObject", condition)] == ["s3:GetObject knows no condition key s3:prefix"]
    assert [*unknown_conditions("s3:ListBucket", condition)] == []


def test_an_action_that_aws_does_not_have_would_be_found() -> None:
    with pytest.raises(KeyError):
        known("sagemaker:ListModelPackage")
