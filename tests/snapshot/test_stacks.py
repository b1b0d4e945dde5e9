"""Templates of every environment, asset hashes blanked. A changed snapshot needs a sentence in the commit.

One line for each property: a template's own layout is five times as long, and nobody reads it.
"""

import json
import re
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

from tests.unit.stacks.synthesis import ENGINES, ENVIRONMENTS, PARTS, Assembly, environment, full, text

HASH = re.compile(r"[0-9a-f]{64}")
UNORDERED = {"Statement", "Resource"}
"""CDK sorts them by what they hold, hashes included."""
INTRINSIC = re.compile(r"Ref|Fn::\w+")


class TextFile(SingleFileSnapshotExtension):
    """One text file for each snapshot."""

    _write_mode = WriteMode.TEXT
    file_extension = "txt"


@pytest.fixture
def template(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    return snapshot.use_extension(TextFile)


def rendered(assembly: Assembly, part: str) -> str:
    """Return the template's resources and outputs; references in angle brackets."""
    template = json.loads(HASH.sub("HASH", json.dumps(assembly.templates[part])))
    lines = []
    for name, resource in sorted(template["Resources"].items()):
        lines.append(f"{name}: {resource['Type']}")
        attributes = {key: value for key, value in resource.items() if key not in ("Type", "Properties", "Metadata")}
        for key, value in {**attributes, **resource.get("Properties", {})}.items():
            lines.append(f"  {key}: {json.dumps(shortened(value))}")
    for name, output in sorted(template["Outputs"].items()):
        lines.append(f"output {name}: {json.dumps(shortened(output))}")
    return "\n".join(lines) + "\n"


def shortened(value: Any) -> Any:
    """Return `value` with every intrinsic function as text, and policies in an order that no hash decides."""
    if isinstance(value, list):
        return [shortened(item) for item in value]
    if isinstance(value, dict):
        if len(value) == 1 and INTRINSIC.fullmatch(next(iter(value))):
            return text(value)
        short = {key: shortened(item) for key, item in value.items()}
        for key in UNORDERED & short.keys():
            if isinstance(short[key], list):
                short[key].sort(key=json.dumps)
        return short
    return value


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_environment(name: str, part: str, template: SnapshotAssertion) -> None:
    assert rendered(environment(name), part) == template


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_monitoring_on_the_scheduler(name: str, template: SnapshotAssertion) -> None:
    assert rendered(environment(name, "scheduler"), "monitoring") == template


@pytest.mark.parametrize("part", PARTS)
def test_every_option(part: str, template: SnapshotAssertion) -> None:
    assert rendered(full(), part) == template


def test_every_option_on_the_scheduler(template: SnapshotAssertion) -> None:
    assert rendered(full("scheduler"), "monitoring") == template


@pytest.mark.parametrize("part", [part for part in PARTS if part != "monitoring"])
@pytest.mark.parametrize("name", [*ENVIRONMENTS, "full"])
def test_other_stacks_are_the_same_on_both_engines(name: str, part: str) -> None:
    one, other = (full(engine) if name == "full" else environment(name, engine) for engine in ENGINES)
    assert rendered(one, part) == rendered(other, part)
