"""Entry point of the controller: parse the event, handle each record of it, return the decisions."""

import functools
import os
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from plumbline.functions.retraining.aws import AwsGateway
from plumbline.functions.retraining.controller import Controller
from plumbline.functions.retraining.events import parse
from plumbline.functions.retraining.settings import RetrainingSettings
from plumbline.functions.retraining.state import RetrainingState
from plumbline.functions.shared.aws_client import AwsClients
from plumbline.functions.shared.notifications import Notifier
from plumbline.functions.shared.state_store import DocumentTable, StateStore


def handler(event: object, context: Any) -> dict[str, Any]:
    """Handle an event, and return ``{"decisions": [...]}``, one for each record of it.

    An event that is not for the controller is ignored with a reason. A fault of AWS or of the settings is raised, so
    that Lambda retries and the dead-letter queue gets the event.
    """
    controller = _controller()
    events = parse(event, context.aws_request_id)
    return {"decisions": [asdict(decision) for each in events for decision in controller.handle(each)]}


@functools.cache
def _controller() -> Controller:
    """Keep the clients between invocations of a warm function."""
    settings = RetrainingSettings.from_environment(os.environ)
    clients = AwsClients(settings.region)
    return Controller(
        settings,
        store=StateStore(DocumentTable(settings.state_table, clients), settings.endpoint, RetrainingState),
        gateway=AwsGateway(settings, clients),
        notifier=Notifier(settings.topic_arn, settings.endpoint, clients),
        clock=lambda: datetime.now(UTC),
    )
