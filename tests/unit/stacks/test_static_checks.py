"""cdk-nag and cfn-lint: nothing unacknowledged in any environment, whichever engine runs."""

import json
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Validations
from aws_cdk import aws_s3 as s3
from cdk_nag import AwsSolutionsChecks
from cfnlint.api import ManualArgs, lint
from cfnlint.schema import PROVIDER_SCHEMA_MANAGER, ResourceNotFoundError

from plumbline.stacks.config.availability import MISSING_TYPES
from tests.unit.stacks.synthesis import (
    ENGINES,
    ENVIRONMENTS,
    FULL,
    PARTS,
    ROOT,
    Assembly,
    config,
    construct,
    daily,
    environment,
    full,
)

VARIANTS: list[tuple[str, str, dict[str, Any]]] = [
    (name, engine, {}) for name in ENVIRONMENTS for engine in ENGINES
] + [("dev", engine, FULL) for engine in ENGINES]


def report(app: App) -> dict[str, Any]:
    """Synthesize under cdk-nag and return its report; findings make the synthesis fail."""
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    assembly = app.synth()
    written = json.loads(Path(assembly.directory, "validation-report.json").read_text())
    (plugin,) = written["pluginReports"]
    found: dict[str, Any] = plugin
    return found


@pytest.mark.parametrize(
    ("name", "engine", "changes"), VARIANTS, ids=[f"{v[0]}-{v[1]}-{'full' if v[2] else 'plain'}" for v in VARIANTS]
)
def test_nag_finds_nothing_unacknowledged(name: str, engine: str, changes: dict[str, Any]) -> None:
    app, _ = construct(config(name, engine, **changes))
    found = report(app)
    assert (found["pluginName"], found["violations"]) == ("AwsSolutions", [])


def test_nag_would_find_a_bucket_that_is_not_ours() -> None:
    app, stacks = construct(config())
    s3.Bucket(stacks.foundation, "Careless")
    with pytest.raises(RuntimeError, match="ValidationFailed"):
        report(app)


def test_every_acknowledgement_names_one_finding_and_gives_a_reason() -> None:
    app, _ = construct(config("dev", "scheduler", **FULL))
    suppressed = report(app)["suppressedViolations"]
    assert suppressed
    for entry in suppressed:
        assert "[Resource::" in entry["ruleName"]
        assert len(entry["reason"].split()) > 3, entry["ruleName"]


def lint_of(assembly: Assembly, part: str) -> list[str]:
    region = "us-east-1"
    return [
        str(match)
        for match in lint(json.dumps(assembly.templates[part]), config=ManualArgs(regions=[region]))
        # CDK itself makes a function wait for its role, which the function's reference does already.
        if not (match.rule.id == "W3005" and "Retraining" in match.message)
    ]


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("name", [*ENVIRONMENTS, "full"])
def test_lint_finds_nothing(name: str, part: str) -> None:
    assert lint_of(full() if name == "full" else environment(name), part) == []


@pytest.mark.parametrize("name", [*ENVIRONMENTS, "full"])
def test_lint_finds_nothing_on_the_other_engine(name: str) -> None:
    assert lint_of(full("scheduler") if name == "full" else environment(name, "scheduler"), "monitoring") == []


@pytest.mark.parametrize("engine", ENGINES)
def test_lint_finds_nothing_in_windows_of_a_day(engine: str) -> None:
    assert lint_of(daily(engine), "monitoring") == []


def test_what_regions_lack_is_what_the_linters_tables_lack() -> None:
    def has(region: str, kind: str) -> bool:
        try:
            PROVIDER_SCHEMA_MANAGER.get_resource_schema(region, kind)
        except ResourceNotFoundError:
            return False
        return True

    regions = json.loads((ROOT / "stacks" / "config" / "xgboost_registries.json").read_text())["accounts"]
    assemblies = [full(engine) for engine in ENGINES]
    needed = {
        resource["Type"]
        for assembly in assemblies
        for template in assembly.templates.values()
        for resource in template["Resources"].values()
        if not resource["Type"].startswith("Custom::")
    }
    lacking = {region: {kind for kind in needed if not has(region, kind)} for region in regions}
    assert {region: set(kinds) for region, kinds in MISSING_TYPES.items()} == {
        region: kinds for region, kinds in lacking.items() if kinds
    }


def test_lint_would_find_a_wrong_property() -> None:
    template = json.loads(json.dumps(environment().templates["serving"]))
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::SageMaker::Endpoint":
            resource["Properties"]["EndpointNme"] = "typo"
    assert "EndpointNme" in str(lint_of(Assembly(environment().folder, {"serving": template}), "serving"))


def test_acknowledgements_stay_out_of_the_templates() -> None:
    for part in PARTS:
        assert "cdk_nag" not in json.dumps(environment().templates[part])
