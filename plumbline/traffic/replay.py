"""Constant-rate replay of rows against an endpoint, hour after hour."""

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Protocol

from plumbline.data.rows import Row
from plumbline.exit_codes import EXIT_INTERRUPTED
from plumbline.traffic.choices import Format
from plumbline.traffic.payload import decode_probabilities, encode

RowsOfHour = Callable[[int, int], Sequence[Row]]
"""(hour, n) -> n rows; hours count from 1."""
LabelsOfHour = Callable[[int, int], Sequence[str]]
"""The same for the labels of these rows."""
Pace = Callable[[float], None]
"""Lets so many seconds of traffic time pass."""


MAX_INFERENCE_ID = 64


class Runtime(Protocol):
    """The part of boto3's sagemaker-runtime client that the replay uses."""

    def invoke_endpoint(self, **request: Any) -> Mapping[str, Any]:
        """Send one request."""


@dataclass(frozen=True)
class ReplayPlan:
    """How much traffic goes where, how fast.

    `name` begins every InferenceId, so that two replays are distinct in the capture.
    """

    endpoint: str
    hours: int
    rows_per_hour: int
    rows_per_request: int = 1
    format: Format = Format.CSV
    name: str = "replay"
    connections: int = 4
    seconds_per_hour: float = 3600.0

    def __post_init__(self) -> None:
        """Refuse a plan that sends nothing, or requests that the endpoint refuses."""
        for name in ("hours", "rows_per_hour", "rows_per_request", "connections"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be 1 or more, got {getattr(self, name)!r}; raise it")
        last = self.inference_id(self.hours, self.requests_per_hour)
        if not (self.name and last.isascii() and last.isprintable() and len(last) <= MAX_INFERENCE_ID):
            raise ValueError(
                f"name must be ASCII text that leaves InferenceIds of at most {MAX_INFERENCE_ID} characters, got "
                f"{self.name!r} for ids as {last!r}; shorten it"
            )

    @property
    def requests_per_hour(self) -> int:
        """Number of requests that carry one hour's rows; the last one may be shorter."""
        return -(-self.rows_per_hour // self.rows_per_request)

    @property
    def seconds_per_request(self) -> float:
        """Time from one request to the next."""
        return self.seconds_per_hour / self.requests_per_hour

    def inference_id(self, hour: int, request: int) -> str:
        """Return the id that the capture record of one request carries; the same on every replay of the plan."""
        return f"{self.name}-h{hour:03d}-r{request:06d}"


@dataclass(frozen=True)
class ReplayAnswer:
    """What came back for one request: probabilities, or the name of the failure."""

    hour: int
    first_row: int
    """Position in the hour of the request's first row, from 0."""
    n_rows: int
    probabilities: tuple[float, ...] = ()
    failure: str = ""


@dataclass
class ReplaySummary:
    """What a replay did."""

    sent: int = 0
    rows: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    hours_finished: int = 0
    interrupted: bool = False

    @property
    def failed(self) -> int:
        """Number of requests without a prediction."""
        return self.failures.total()

    @property
    def exit_code(self) -> int:
        """0 when every request was answered, 1 when one failed, 130 after Ctrl-C."""
        if self.interrupted:
            return EXIT_INTERRUPTED
        return 1 if self.failed else 0

    def __str__(self) -> str:
        """Return the summary as one sentence."""
        reasons = ", ".join(f"{count} {name}" for name, count in self.failures.most_common())
        stopped = "; interrupted" if self.interrupted else ""
        failed = f"{self.failed} failed ({reasons})" if self.failed else "none failed"
        return f"{self.sent} requests with {self.rows} rows in {self.hours_finished} whole hours, {failed}{stopped}"

    def count(self, answer: ReplayAnswer) -> None:
        """Take one more answer into account."""
        self.sent += 1
        self.rows += answer.n_rows
        if answer.failure:
            self.failures[answer.failure] += 1


class SteadyPace:
    """Sleeps until the next beat, so that the time taken by sending does not slow the rate down."""

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        """Start the first beat now."""
        self._clock, self._sleep = clock, sleep
        self._beat = clock()

    def __call__(self, seconds: float) -> None:
        """Sleep for what is left of the beat that ends so many seconds after the last one."""
        self._beat += seconds
        self._sleep(max(0.0, self._beat - self._clock()))


def replay(
    plan: ReplayPlan,
    client: Runtime,
    rows_of_hour: RowsOfHour,
    *,
    pace: Pace | None = None,
    on_answer: Callable[[ReplayAnswer], None] = lambda answer: None,
) -> ReplaySummary:
    """Send every hour's rows at a constant rate.

    Parameters
    ----------
    pace
        Called after each request with the seconds until the next; sleeps when absent. All requests of an hour
        are answered before the last call of that hour, so that a pace which moves a clock never carries a
        request into the next hour.
    on_answer
        Called in the caller's thread for each answer, in no particular order within an hour.

    Returns
    -------
    What was sent; after Ctrl-C the requests on their way are waited for and `interrupted` is set.

    Raises
    ------
    botocore.exceptions.BotoCoreError
        If no request can be sent at all, for want of credentials for example.
    """
    pace = pace or SteadyPace()
    summary = ReplaySummary()

    def take(answer: ReplayAnswer) -> None:
        summary.count(answer)
        on_answer(answer)

    with ThreadPoolExecutor(plan.connections) as pool:
        flight = _Flight(pool, plan.connections, take)
        try:
            for hour in range(1, plan.hours + 1):
                _send_hour(_Hour(plan, hour, rows_of_hour(hour, plan.rows_per_hour)), client, flight, pace)
                summary.hours_finished += 1
        except KeyboardInterrupt:
            summary.interrupted = True
        flight.land()
    return summary


class _Flight:
    """Requests on their way: never more than there are connections."""

    def __init__(self, pool: ThreadPoolExecutor, size: int, take: Callable[[ReplayAnswer], None]) -> None:
        self._pool, self._size, self._take = pool, size, take
        self._pending: set[Future[ReplayAnswer]] = set()

    def start(self, send: Callable[[], ReplayAnswer]) -> None:
        if len(self._pending) >= self._size:
            self._collect()
        self._pending.add(self._pool.submit(send))

    def land(self) -> None:
        while self._pending:
            self._collect()

    def _collect(self) -> None:
        done, self._pending = wait(self._pending, return_when=FIRST_COMPLETED)
        for future in done:
            self._take(future.result())


@dataclass(frozen=True)
class _Hour:
    """One hour's rows, cut into requests."""

    plan: ReplayPlan
    hour: int
    rows: Sequence[Row]

    def request(self, number: int) -> tuple[dict[str, Any], ReplayAnswer]:
        """Return the call's arguments, and the answer as far as it is known before the call."""
        plan = self.plan
        first = number * plan.rows_per_request
        rows = self.rows[first : first + plan.rows_per_request]
        content_type = plan.format.content_type(number)
        arguments = {
            "EndpointName": plan.endpoint,
            "ContentType": content_type,
            "Accept": content_type,
            "InferenceId": plan.inference_id(self.hour, number),
            "Body": encode(rows, content_type),
        }
        return arguments, ReplayAnswer(self.hour, first, len(rows))


def _send_hour(hour: _Hour, client: Runtime, flight: _Flight, pace: Pace) -> None:
    plan = hour.plan
    for number in range(plan.requests_per_hour):
        flight.start(partial(_invoke, client, *hour.request(number)))
        if number == plan.requests_per_hour - 1:
            flight.land()
        pace(plan.seconds_per_request)


def _invoke(client: Runtime, arguments: Mapping[str, Any], unanswered: ReplayAnswer) -> ReplayAnswer:
    from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, ParamValidationError

    try:
        response = client.invoke_endpoint(**arguments)
        body = response["Body"].read()
        probabilities = decode_probabilities(body, response.get("ContentType", ""))
    except (NoCredentialsError, ParamValidationError):
        # Every other failure may pass; with these no request ever leaves.
        raise
    except ClientError as error:
        return replace(unanswered, failure=error.response.get("Error", {}).get("Code", type(error).__name__))
    except (BotoCoreError, ValueError) as error:
        return replace(unanswered, failure=type(error).__name__)
    if len(probabilities) != unanswered.n_rows:
        return replace(unanswered, failure="OtherNumberOfRows")
    return replace(unanswered, probabilities=tuple(probabilities))
