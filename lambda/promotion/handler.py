"""Entry point of the promotion Lambda: look, take one step, look again, until the next event has to come first."""

import functools
import json
import os
from dataclasses import asdict
from typing import Any

from shared.documents import ChangedMeanwhileError, Documents
from shared.telling import Announcer

from promotion.asking import refusal, rollback_target
from promotion.decision import next_step
from promotion.events import Foreign, Look, Promotion, Rollback, parse
from promotion.facts import Facts, Unusable
from promotion.hosting import Hosting
from promotion.observing import observe
from promotion.packages import Packages, target
from promotion.promoter import Promoter
from promotion.records import Records
from promotion.services import Memory, Services
from promotion.settings import Settings
from promotion.state import State, Target
from promotion.steps import Rest

STEPS_MAX = 40
"""One invocation needs about ten."""


class RestlessError(Exception):
    """Raised when one step leads to the next for ever: a fault of this function."""


def handler(event: object, context: Any) -> dict[str, Any]:
    """Bring the endpoint nearer to what should serve, and log one JSON line for each step.

    What is none of the function's business is ignored with a reason. A fault of AWS or of the settings is raised, so
    that Lambda retries and the dead-letter queue gets the event.
    """
    settings = Settings.from_environment(os.environ)
    return run(event, context.aws_request_id, settings, _services(settings))


def run(event: object, request: str, settings: Settings, services: Services) -> dict[str, Any]:
    """Handle one event; the answer is for the person who asked.

    Returns
    -------
    dict
        ``accepted``: whether the event was taken up; ``text``: what comes of it; ``request``: by which its outcome is
        known later; ``rest``: what is waited for; ``last``: the last outcome, None before the first.
    """
    happening = parse(event, request, endpoint=settings.endpoint, group=settings.model_package_group)
    if isinstance(happening, Foreign):
        _log("ignored", {"why": happening.why})
        return {"accepted": False, "text": happening.why, "request": request, "rest": "", "last": None}
    promoter = Promoter(settings, services, happening.moment if isinstance(happening, Look) else None)
    rest = settle(promoter, services)
    accepted, text = True, rest
    if not isinstance(happening, Look):
        accepted, text = take_up(happening, services)
        _log("asked", {**asdict(happening), "accepted": accepted, "text": text})
        rest = settle(promoter, services) if accepted else rest
    last = services.memory.state.last
    return {
        "accepted": accepted,
        "text": text,
        "request": request,
        "rest": rest,
        "last": None if last is None else asdict(last),
    }


def settle(promoter: Promoter, services: Services) -> str:
    """Take steps until the next event has to come first, and return what is waited for.

    Raises
    ------
    RestlessError
        If there is no end to it.
    """
    for _ in range(STEPS_MAX):
        state = services.memory.read()
        facts = observe(services)
        step = next_step(state, facts)
        _log(type(step).__name__, asdict(step))
        if isinstance(step, Rest):
            return step.why
        try:
            promoter.take(step, facts)
        except ChangedMeanwhileError:
            continue
    raise RestlessError(f"the function must come to rest within {STEPS_MAX} steps, the last was {step}; report it")


def take_up(demand: Promotion | Rollback, services: Services) -> tuple[bool, str]:
    """Write a person's request down, or say why not. Conflicting writes are the caller's to repeat."""
    state = services.memory.read()
    if demand.request in state.requests:
        return True, "this request was taken up before"
    facts = observe(services)
    wanted = _target(demand, state, facts, services)
    if isinstance(wanted, str):
        return False, wanted
    if facts.serving and facts.serving.is_of(wanted):
        return False, f"{wanted.name} serves already"
    services.memory.write(state.taking_up(wanted, demand.request))
    return True, f"{wanted.name} of artifact {wanted.artifact} is to serve, with its baseline {wanted.baseline}"


def _target(demand: Promotion | Rollback, state: State, facts: Facts, services: Services) -> Target | str:
    if isinstance(demand, Rollback):
        return rollback_target(state, facts, demand.reason, demand.request)
    why_not = refusal(demand.version, facts)
    if why_not:
        return why_not
    version = next(each for each in facts.versions if each.number == demand.version)
    package = services.packages.describe(version.arn)
    found = target(version, package, f"promoted by hand: {demand.reason}", demand.request)
    return found.why if isinstance(found, Unusable) else found


def _log(what: str, details: dict[str, Any]) -> None:
    print(json.dumps({"step": what, **details}), flush=True)


@functools.cache
def _services(settings: Settings) -> Services:
    """Keep the clients between invocations of a warm function."""
    region = settings.region
    return Services(
        Hosting(settings.endpoint, settings.prefix, region),
        Packages(settings.model_package_group, region),
        Records(settings.environment, settings.artifacts_bucket, region),
        Announcer(settings.topic_arn, region, settings.endpoint),
        Memory(Documents(settings.state_table, region), settings.state_id),
    )
