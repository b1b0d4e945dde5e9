"""Events that AWS services put on the default EventBridge bus."""

import json
from datetime import UTC, datetime
from typing import Any

from local.aws.seams import Seam


def put(account: str, region: str, source: str, detail_type: str, detail: dict[str, Any], resources: list[str]) -> None:
    """Put one service event on the default bus of an account and Region."""
    entry = {"Source": source, "DetailType": detail_type, "Resources": resources, "Detail": json.dumps(detail)}
    with Seam.REQUEST_SCOPE.take()(account, region):
        Seam.EVENTS_BUS.take()()
        Seam.EVENTS_PUT.take()({"Entries": [entry]}, allow_aws_source=True)


def iso(moment: float) -> str:
    """Return seconds since the epoch as most events spell them."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
