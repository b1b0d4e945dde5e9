"""Fills the committed definition with what is known at synthesis: names, images, roles, data and settings."""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from stacks.config import NetworkSection
from stacks.pipeline.placeholders import Placeholder

FILE = Path(__file__).with_name("definition.json")
PATTERN = re.compile(r"\$\{(\w+)\}")

Values = Mapping[Placeholder, Any]


class DefinitionError(Exception):
    """Raised when definition.json and the placeholders do not fit together: one of them was changed alone."""


def filled(values: Values, network: NetworkSection | None) -> dict[str, Any]:
    """Return the definition with `values` in the places of the placeholders.

    A text that is a placeholder becomes the value itself, whatever its type; one in quotes, as hyperparameters are,
    becomes the value as JSON. Jobs get the network's subnets where there is a network.

    Raises
    ------
    DefinitionError
        If the file has a placeholder without a value, or a value has no place in it.
    """
    text = FILE.read_text(encoding="utf-8")
    known, wanted = {name.value for name in values}, set(PATTERN.findall(text))
    if known != wanted:
        raise DefinitionError(
            f"{FILE.name} must have a place for each value and no other, got {sorted(wanted - known)} without a value "
            f"and {sorted(known - wanted)} without a place; run make pipeline"
        )
    definition: dict[str, Any] = _fill(json.loads(text), {name.text: value for name, value in values.items()})
    if not values[Placeholder.SEGMENT_COLUMN]:
        # An argument of the job may be empty, a hyperparameter may not.
        _training(definition)["HyperParameters"].pop("segment_column")
    if network:
        _join(definition["Steps"], network)
    return definition


def _fill(node: Any, values: Mapping[str, Any]) -> Any:
    if isinstance(node, dict):
        return {key: _fill(value, values) for key, value in node.items()}
    if isinstance(node, list):
        return [_fill(value, values) for value in node]
    if not isinstance(node, str):
        return node
    quoted = node.strip('"')
    if quoted in values:
        return values[node] if quoted == node else json.dumps(values[quoted])
    if PATTERN.search(node):
        raise DefinitionError(
            f"{FILE.name} must hold a placeholder alone or in quotes, got {node!r}; run make pipeline"
        )
    return node


def _training(definition: Mapping[str, Any]) -> dict[str, Any]:
    (step,) = [step for step in definition["Steps"] if step["Type"] == "Training"]
    arguments: dict[str, Any] = step["Arguments"]
    return arguments


def _join(steps: Sequence[dict[str, Any]], network: NetworkSection) -> None:
    vpc = {"Subnets": list(network.subnet_ids), "SecurityGroupIds": list(network.security_group_ids)}
    for step in steps:
        if step["Type"] == "Processing":
            step["Arguments"]["NetworkConfig"] = {"VpcConfig": vpc}
        elif step["Type"] == "Training":
            step["Arguments"]["VpcConfig"] = vpc
