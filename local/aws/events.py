"""Events that AWS services put on the default EventBridge bus, and how they write times."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from plumbline.local.aws.seams import Seam


def put(account: str, region: str, source: str, detail_type: str, detail: dict[str, Any], resources: list[str]) -> None:
    """Put one service event on the default bus of an account and Region."""
    entry = {"Source": source, "DetailType": detail_type, "Resources": resources, "Detail": json.dumps(detail)}
    with Seam.REQUEST_SCOPE.take()(account, region):
        Seam.EVENTS_BUS.take()()
        Seam.EVENTS_PUT.take()({"Entries": [entry]}, allow_aws_source=True)


def iso(moment: float) -> str:
    """Return seconds since the epoch as ISO 8601 in UTC, whole seconds, with Z."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def in_milliseconds(value: Any, name: str = "") -> Any:
    """Return members of a Describe operation as some events write them: times in milliseconds since the epoch."""
    if isinstance(value, Mapping):
        return {key: in_milliseconds(item, key) for key, item in value.items()}
    if isinstance(value, list):
        return [in_milliseconds(item) for item in value]
    return int(value * 1000) if name.endswith("Time") and isinstance(value, int | float) else value
