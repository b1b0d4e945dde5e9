"""Synthesizes environments once per process; every test of the stacks reads the same templates."""

import functools
import json
import tempfile
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aws_cdk import App

from plumbline.contract.names import alarm_name
from plumbline.stacks.application import EnvironmentStacks, build, new_app
from plumbline.stacks.config.environment import EnvironmentConfig
from plumbline.stacks.config.file import on_engine, parse_environment

ROOT = Path(__file__).parents[3]
ENVIRONMENTS = ("dev", "staging", "prod")
ENGINES = ("model_monitor", "scheduler")
PARTS = ("foundation", "serving", "monitoring")
CONTEXT: dict[str, Any] = json.loads((ROOT / "cdk.json").read_text())["context"]

FULL: dict[str, Any] = {
    "account": "123456789012",
    "permissions_boundary": "arn:aws:iam::123456789012:policy/boundary",
    "tags": {"owner": "risk"},
    "model": {"artifact": "s3://models/census/model.tar.gz", "baseline": "s3://models/census/baseline/"},
    "training": {
        "train": "s3://rows/census/train",
        "test": "s3://rows/census/test/",
        "segment_column": "sex",
        "time_column": "asked_at",
        "missing_values": ["NA", "-"],
    },
    "endpoint": {"instance_count": 2, "autoscaling": {"maximum_count": 4, "invocations_per_instance": 500}},
    "monitor": {
        "attribution": True,
        "variant": "AllTraffic",
        "instance_count": 2,
        "spark_above_gb": 4,
        "look_back_hours": 6,
    },
    "thresholds": {"drifted_fraction": 0.25},
    "features": {
        "age": {"critical": True, "alpha": 0.01, "effect_measure": "wasserstein_distance", "effect_threshold": 0.5},
        "fnlwgt": {"ignore": True},
        "education-num": {"type": "id"},
    },
    "labels": {"lag_hours": 24, "minimum_labelled_fraction": 0.6},
    "retraining": {"slice_columns": ["sex", "race"]},
    "promotion": {"approval": "manual", "traffic": "canary", "canary_percent": 25},
    "bias": {"facet": "sex", "threshold": 0.1},
    "predictions": {"kind": "probability", "positive_label": ">50K", "path": "predictions[*].score"},
    "accepted": {
        "windows": ["2026-11-01T00:00:00Z/2026-11-02T00:00:00Z"],
        "at": "2026-11-02T08:00:00Z",
        "by": "Ada",
        "reason": "the new region",
    },
    "alarms": {"emails": ["ops@example.com"]},
    "network": {"subnet_ids": ["subnet-0a000000", "subnet-0b000000"], "security_group_ids": ["sg-0c000000"]},
}
"""Every optional setting at once, over dev; a Spark cluster beside the job's own instances is refused."""

ASSEMBLIES = tempfile.TemporaryDirectory(prefix="plumbline-cdk-")
"""Cloud assemblies of this process; they go with it."""

Template = dict[str, Any]


@dataclass(frozen=True)
class Assembly:
    """What one synthesis wrote."""

    folder: Path
    templates: Mapping[str, Template]

    def resources(self, part: str, kind: str) -> dict[str, Template]:
        """Return the resources of one type by logical id."""
        found = self.templates[part]["Resources"]
        return {name: resource for name, resource in found.items() if resource["Type"] == kind}

    def only(self, part: str, kind: str) -> Template:
        """Return the properties of the one resource of a type."""
        ((_, resource),) = self.resources(part, kind).items()
        properties: Template = resource["Properties"]
        return properties


def alarm(kind: str, name: str = "dev") -> Template:
    """Return the properties of one alarm of an environment."""
    (found,) = (
        entry["Properties"]
        for entry in environment(name).resources("monitoring", "AWS::CloudWatch::Alarm").values()
        if entry["Properties"]["AlarmName"] == alarm_name(name, kind)
    )
    properties: Template = found
    return properties


def own_schedule(assembly: Assembly) -> Template:
    """Return the properties of the schedule that starts monitoring jobs on the engine scheduler."""
    (found,) = (
        entry["Properties"]
        for entry in assembly.resources("monitoring", "AWS::Scheduler::Schedule").values()
        if "Name" in entry["Properties"]
    )
    properties: Template = found
    return properties


def champion(assembly: Assembly, name: str, environment: str = "dev") -> str:
    """Return what the foundation stack writes into the parameter ``artifact`` or ``baseline``."""
    (value,) = (
        entry["Properties"]["Value"]
        for entry in assembly.resources("foundation", "AWS::SSM::Parameter").values()
        if entry["Properties"]["Name"] == f"/plumbline/{environment}/champion/{name}"
    )
    return text(value).strip("<>")


def function(assembly: Assembly, package: str) -> Template:
    """Return the properties of the function whose handler is in `package`."""
    (found,) = (
        entry["Properties"]
        for entry in assembly.resources("monitoring", "AWS::Lambda::Function").values()
        if entry["Properties"]["Handler"] == f"plumbline.functions.{package}.handler.handler"
    )
    properties: Template = found
    return properties


def pipeline_definition(assembly: Assembly) -> Template:
    """Return the retraining pipeline's definition."""
    body = assembly.only("monitoring", "AWS::SageMaker::Pipeline")["PipelineDefinition"]["PipelineDefinitionBody"]
    definition: Template = json.loads(text(body))
    return definition


def step(assembly: Assembly, name: str) -> Template:
    """Return the arguments of a step of the pipeline, wherever it is."""
    steps = pipeline_definition(assembly)["Steps"]
    branches = [entry for one in steps for key in ("IfSteps", "ElseSteps") for entry in one["Arguments"].get(key, ())]
    (arguments,) = (entry["Arguments"] for entry in [*steps, *branches] if entry["Name"] == name)
    found: Template = arguments
    return found


def document(base: str = "dev", /, **changes: Any) -> dict[str, Any]:
    """Return an environment file's content, with sections changed key by key."""
    data = tomllib.loads((ROOT / "environments" / f"{base}.toml").read_text())
    for key, value in changes.items():
        data[key] = {**data.get(key, {}), **value} if isinstance(value, dict) else value
    if "schedule" in changes.get("monitor", {}) and "window_hours" not in changes["monitor"]:
        del data["monitor"]["window_hours"]
    return data


def config(base: str = "dev", engine: str = "model_monitor", /, **changes: Any) -> EnvironmentConfig:
    return parse_environment(on_engine(document(base, **changes), engine), f"{base}.toml")


@functools.cache
def environment(name: str = "dev", engine: str = "model_monitor") -> Assembly:
    """Return an environment as committed, on either engine."""
    return synthesize(config(name, engine))


@functools.cache
def full(engine: str = "model_monitor") -> Assembly:
    return synthesize(config("dev", engine, **FULL))


@functools.cache
def daily(engine: str = "model_monitor") -> Assembly:
    """Return dev with windows of a day."""
    long_enough = {"alarms": {"monitor_silence_hours": 48}, "labels": {"lag_hours": 24}}
    return synthesize(config("dev", engine, monitor={"window_hours": 24}, **long_enough))


def synthesize(settings: EnvironmentConfig, root: Path = ROOT) -> Assembly:
    app, _ = construct(settings, root)
    folder = Path(app.synth().directory)
    templates = {
        part: json.loads((folder / f"plumbline-{settings.name}-{part}.template.json").read_text()) for part in PARTS
    }
    return Assembly(folder, templates)


def construct(settings: EnvironmentConfig, root: Path = ROOT, **context: Any) -> tuple[App, EnvironmentStacks]:
    app = new_app(context=CONTEXT | context, outdir=tempfile.mkdtemp(dir=ASSEMBLIES.name))
    return app, build(app, settings, root)


def statements(assembly: Assembly, part: str, role: str) -> list[Template]:
    """Return the policy statements of the role whose logical id starts with `role`."""
    return [
        statement
        for name, policy in assembly.resources(part, "AWS::IAM::Policy").items()
        if name.startswith(role)
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
    ]


def statement_of(assembly: Assembly, part: str, role: str, action: str) -> Template:
    """Return the one statement of a role that allows `action`."""
    (found,) = [entry for entry in statements(assembly, part, role) if action in as_list(entry["Action"])]
    return found


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def text(value: Any) -> str:
    """Return a resolved value as one line: references in angle brackets."""
    if isinstance(value, str):
        return value
    ((function, inner),) = value.items()
    if function == "Fn::Join":
        return "".join(text(part) for part in inner[1])
    if function in ("Fn::Sub", "Fn::ImportValue", "Ref"):
        return f"<{inner}>"
    return f"<{'.'.join(inner)}>"
