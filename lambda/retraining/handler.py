"""Entry point of the controller: parse, handle each occurrence, return what was decided."""

import functools
import os
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from shared.documents import Documents
from shared.telling import Announcer

from retraining.controller import Controller
from retraining.occurrences import parse
from retraining.settings import Settings
from retraining.surroundings import Surroundings
from retraining.words import Words


def handler(event: object, context: Any) -> dict[str, Any]:
    """Handle what the event holds, and return the decisions.

    What is none of the function's business is ignored with a reason. A fault of AWS or of the settings is raised, so
    that Lambda retries and the dead-letter queue gets the event.
    """
    controller = _controller()
    occurrences = parse(event, context.aws_request_id)
    return {"decisions": [asdict(outcome) for occurrence in occurrences for outcome in controller.handle(occurrence)]}


@functools.cache
def _controller() -> Controller:
    """Keep the clients between invocations of a warm function."""
    settings = Settings.from_environment(os.environ)
    endpoint = settings.rule.endpoint
    return Controller(
        settings.rule,
        Words(settings.environment, endpoint),
        store=Documents(settings.state_table, settings.region),
        world=Surroundings(settings),
        voice=Announcer(settings.topic_arn, settings.region, endpoint),
        clock=lambda: datetime.now(UTC),
    )
