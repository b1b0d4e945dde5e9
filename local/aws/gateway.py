"""MiniStack with our parts added, as one ASGI application."""

import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import parse_qs

from plumbline.local.aws import sagemaker_api
from plumbline.local.aws.clock import Clock, TimeModule
from plumbline.local.aws.cloudwatch.alarm_watch import AlarmWatch
from plumbline.local.aws.hosting.scaling import Scaling
from plumbline.local.aws.ministack import authorization, cloudformation, service_gaps
from plumbline.local.aws.ministack.universal_targets import UniversalTargets
from plumbline.local.aws.sagemaker.control_plane import ControlPlane
from plumbline.local.aws.sagemaker_platform import SageMakerPlatform, install
from plumbline.local.aws.seams import Seam
from plumbline.local.aws.settings import ACCOUNT, REGION, ROOT, ServerSettings

HEALTH: Final = "/_local/health"
CLOCK: Final = "/_local/clock"
_TICK_SECONDS: Final = 0.5

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Scope]]
Send = Callable[[Scope], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]


def build(settings: ServerSettings) -> tuple[Application, SageMakerPlatform]:
    """Patch MiniStack, start the platform and return the application; the environment must be set before."""
    clock = Clock(settings.start.timestamp() if settings.start else None, settings.speed)
    plane = ControlPlane(ACCOUNT, REGION, clock)
    platform = install(plane, settings.state, ROOT)
    sagemaker_api.install(plane, platform)
    cloudformation.install_sagemaker(plane, platform.wait_in_service)
    scaling = Scaling(plane)
    scaling.install()
    cloudformation.install_scaling(scaling)
    service_gaps.install()
    authorization.install(plane)
    _follow_clock(clock, platform)
    Seam.H11_REASON.take()()
    return _Gateway(Seam.APP.take(), clock), platform


def _follow_clock(clock: Clock, platform: SageMakerPlatform) -> None:
    # Only the services whose behaviour depends on the hour: queues and sessions stay on the real clock together.
    Seam.EVENTS_NOW.replace(clock)
    Seam.EVENTS_TICK.replace(_TICK_SECONDS)
    Seam.SCHEDULER_TIME.replace(TimeModule(clock))
    Seam.SCHEDULER_TICK.replace(_TICK_SECONDS)
    UniversalTargets(clock).install()
    AlarmWatch(clock, platform.metrics.publish).install()


class _Gateway:
    """Answers the admin routes, and passes all other requests to MiniStack."""

    def __init__(self, inner: Application, clock: Clock) -> None:
        self._inner = inner
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._inner(scope, receive, send)
        elif scope["path"] == HEALTH:
            await _answer(send, 200, {"status": "ready"})
        elif scope["path"] == CLOCK:
            await self._answer_clock(scope, send)
        else:
            # Loopback stands for TLS: policies that deny plain HTTP must hold on AWS and not get in the way here.
            secure = {**scope, "headers": [*scope["headers"], (b"x-forwarded-proto", b"https")]}
            await self._inner(secure, receive, send)

    async def _answer_clock(self, scope: Scope, send: Send) -> None:
        query = parse_qs(scope["query_string"].decode())
        try:
            if scope["method"] == "POST":
                self._clock.advance(float(query["advance"][0]))
        except (KeyError, ValueError) as error:
            await _answer(send, 400, {"message": f"POST needs advance=<seconds>: {error}"})
            return
        now = self._clock()
        moment = datetime.fromtimestamp(now, UTC).isoformat()
        await _answer(send, 200, {"now": now, "iso": moment, "speed": self._clock.speed})


async def _answer(send: Send, status: int, body: dict[str, Any]) -> None:
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(body).encode()})
