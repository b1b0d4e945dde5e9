"""Entry point of the promotion function: observe, take one step, observe again, until the next event has to come."""

import functools
import os
from dataclasses import asdict
from typing import Any

from plumbline.functions.promotion.decision import next_step
from plumbline.functions.promotion.endpoint import SageMakerEndpoint
from plumbline.functions.promotion.events import PromoteRequest, RollbackRequest, StateChange, parse
from plumbline.functions.promotion.history_store import HistoryStore
from plumbline.functions.promotion.manual_requests import accept_request
from plumbline.functions.promotion.observe import observe
from plumbline.functions.promotion.ports import PromotionPorts
from plumbline.functions.promotion.promoter import Promoter
from plumbline.functions.promotion.registry import ModelRegistry
from plumbline.functions.promotion.settings import PromotionSettings
from plumbline.functions.promotion.state import PromotionState
from plumbline.functions.promotion.steps import Wait
from plumbline.functions.shared.aws_client import AwsClients
from plumbline.functions.shared.events import IgnoredEvent
from plumbline.functions.shared.notifications import Notifier, log
from plumbline.functions.shared.state_store import ConcurrentWriteError, DocumentTable, StateStore

MAX_STEPS = 40
"""One invocation needs about ten."""


class NotConvergedError(Exception):
    """Raised when steps follow each other without end: a fault of this function."""


def handler(event: object, context: Any) -> dict[str, Any]:
    """Bring the endpoint nearer to what should serve, and log one JSON line for each step.

    An event that is not for the function is ignored with a reason. A fault of AWS or of the settings is raised, so
    that Lambda retries and the dead-letter queue gets the event.
    """
    settings = PromotionSettings.from_environment(os.environ)
    return run(event, context.aws_request_id, settings, _ports(settings))


def run(event: object, request: str, settings: PromotionSettings, ports: PromotionPorts) -> dict[str, Any]:
    """Handle one event; the answer is for the person with the request.

    Returns
    -------
    dict
        ``accepted``: whether the event was accepted; ``text``: what comes of it; ``request``: the id by which its
        result is known later; ``waiting_for``: why nothing more is done now; ``last``: the last result (``status``,
        ``request``, ``text``), None before the first.
    """
    parsed = parse(event, request, endpoint=settings.endpoint, group=settings.model_package_group)
    if isinstance(parsed, IgnoredEvent):
        log({"step": "ignored", "reason": parsed.reason})
        return {"accepted": False, "text": parsed.reason, "request": request, "waiting_for": "", "last": None}
    promoter = Promoter(settings, ports, parsed.moment if isinstance(parsed, StateChange) else None)
    waiting_for = reconcile(promoter, ports)
    accepted, text = True, waiting_for
    if isinstance(parsed, PromoteRequest | RollbackRequest):
        accepted, text = accept_request(parsed, ports)
        log({"step": "requested", **asdict(parsed), "accepted": accepted, "text": text})
        waiting_for = reconcile(promoter, ports) if accepted else waiting_for
    last = ports.store.state.last
    return {
        "accepted": accepted,
        "text": text,
        "request": request,
        "waiting_for": waiting_for,
        "last": None if last is None else asdict(last),
    }


def reconcile(promoter: Promoter, ports: PromotionPorts) -> str:
    """Take steps until the next event has to come first, and return the reason for waiting.

    Raises
    ------
    NotConvergedError
        If `MAX_STEPS` steps are not enough.
    """
    for _ in range(MAX_STEPS):
        state = ports.store.read()
        facts = observe(ports)
        step = next_step(state, facts)
        log({"step": type(step).__name__, **asdict(step)})
        if isinstance(step, Wait):
            return step.reason.text
        try:
            promoter.execute(step, facts)
        except ConcurrentWriteError:
            continue
    raise NotConvergedError(f"the function must wait after at most {MAX_STEPS} steps, the last was {step}; report it")


@functools.cache
def _ports(settings: PromotionSettings) -> PromotionPorts:
    """Keep the clients between invocations of a warm function."""
    clients = AwsClients(settings.region)
    return PromotionPorts(
        SageMakerEndpoint(settings.endpoint, settings.prefix, clients),
        ModelRegistry(settings.model_package_group, clients),
        HistoryStore(settings.environment, settings.artifacts_bucket, clients),
        Notifier(settings.topic_arn, settings.endpoint, clients),
        StateStore(DocumentTable(settings.state_table, clients), settings.state_id, PromotionState),
    )
