import io
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from rich.console import Console

from plumbline.data.rows import Row
from plumbline.traffic.choices import Format
from plumbline.traffic.replay import ReplayAnswer, ReplayPlan, ReplaySummary, SteadyPace, replay
from plumbline.traffic.source import in_turn
from plumbline.traffic.terminal import connect, replay_on_terminal

Respond = Callable[[Mapping[str, Any]], bytes]


def one_probability_per_line(request: Mapping[str, Any]) -> bytes:
    return b"0.25\n" * len(request["Body"].splitlines())


class FakeRuntime:
    """Answers like the endpoint and remembers its requests."""

    def __init__(self, respond: Respond = one_probability_per_line) -> None:
        self.requests: list[dict[str, Any]] = []
        self._respond = respond
        self._lock = threading.Lock()

    def invoke_endpoint(self, **request: Any) -> Mapping[str, Any]:
        with self._lock:
            self.requests.append(request)
        return {"Body": io.BytesIO(self._respond(request)), "ContentType": "text/csv; charset=utf-8"}

    @property
    def ids(self) -> list[str]:
        return sorted(request["InferenceId"] for request in self.requests)


def rows_of_hour(hour: int, n: int) -> Sequence[Row]:
    return [(str(hour), str(position)) for position in range(n)]


def plan(**changes: Any) -> ReplayPlan:
    return replace(ReplayPlan("e", hours=2, rows_per_hour=5, rows_per_request=2, name="t"), **changes)


def no_wait(seconds: float) -> None:
    """Time does not matter here."""


def test_every_row_is_sent_once() -> None:
    runtime = FakeRuntime()

    summary = replay(plan(), runtime, rows_of_hour, pace=no_wait)

    sent = Counter(line for request in runtime.requests for line in request["Body"].decode().splitlines())
    assert sent == Counter(f"{hour},{position}" for hour in (1, 2) for position in range(5))
    assert (summary.sent, summary.rows, summary.hours_finished) == (6, 10, 2)
    assert summary.exit_code == 0


def test_inference_ids_are_unique_and_the_same_on_every_replay() -> None:
    first, second = FakeRuntime(), FakeRuntime()
    for runtime in (first, second):
        replay(plan(), runtime, rows_of_hour, pace=no_wait)

    assert first.ids == second.ids == [f"t-h00{hour}-r00000{number}" for hour in (1, 2) for number in range(3)]


def test_time_between_requests_is_the_hour_divided_by_their_number() -> None:
    waits: list[float] = []

    replay(plan(seconds_per_hour=90), FakeRuntime(), rows_of_hour, pace=waits.append)

    assert waits == [30.0] * 6


def test_all_requests_of_an_hour_are_answered_before_its_last_beat() -> None:
    answered: list[ReplayAnswer] = []
    seen_at_beat: list[int] = []

    replay(
        plan(connections=3),
        FakeRuntime(),
        rows_of_hour,
        pace=lambda seconds: seen_at_beat.append(len(answered)),
        on_answer=answered.append,
    )

    assert seen_at_beat[2] == 3
    assert seen_at_beat[5] == 6


def test_formats_alternate() -> None:
    runtime = FakeRuntime()

    replay(plan(format=Format.ALTERNATE, connections=1), runtime, rows_of_hour, pace=no_wait)

    types = {request["InferenceId"][-1]: request["ContentType"] for request in runtime.requests}
    assert types == {"0": "text/csv", "1": "application/json", "2": "text/csv"}
    assert all(request["Accept"] == request["ContentType"] for request in runtime.requests)


def test_answers_say_which_rows_they_are_for() -> None:
    answers: list[ReplayAnswer] = []

    replay(plan(hours=1), FakeRuntime(), rows_of_hour, pace=no_wait, on_answer=answers.append)

    assert sorted(answers, key=lambda answer: answer.first_row) == [
        ReplayAnswer(1, 0, 2, (0.25, 0.25)),
        ReplayAnswer(1, 2, 2, (0.25, 0.25)),
        ReplayAnswer(1, 4, 1, (0.25,)),
    ]


def throttled(request: Mapping[str, Any]) -> bytes:
    raise ClientError({"Error": {"Code": "ThrottlingException"}}, "InvokeEndpoint")


def unreachable(request: Mapping[str, Any]) -> bytes:
    raise EndpointConnectionError(endpoint_url="http://localhost")


@pytest.mark.parametrize(
    ("respond", "name"),
    [
        (throttled, "ThrottlingException"),
        (unreachable, "EndpointConnectionError"),
        (lambda request: b"what?", "ValueError"),
        (lambda request: b"0.1\n0.2\n0.3\n", "OtherNumberOfRows"),
    ],
)
def test_failed_requests_are_counted_by_name_and_the_replay_goes_on(respond: Respond, name: str) -> None:
    summary = replay(plan(), FakeRuntime(respond), rows_of_hour, pace=no_wait)

    assert summary.failures == {name: 6}
    assert summary.hours_finished == 2
    assert summary.exit_code == 1
    assert f"6 failed (6 {name})" in str(summary)


def test_interruption_ends_with_a_summary_of_what_was_sent() -> None:
    beats = iter(range(4))

    def interrupted_at_the_fifth_beat(seconds: float) -> None:
        if next(beats, None) is None:
            raise KeyboardInterrupt

    runtime = FakeRuntime()
    summary = replay(plan(), runtime, rows_of_hour, pace=interrupted_at_the_fifth_beat)

    assert summary.interrupted
    assert summary.sent == len(runtime.requests) == 5
    assert summary.hours_finished == 1
    assert summary.exit_code == 130
    assert str(summary).endswith("none failed; interrupted")


@pytest.mark.parametrize("name", ["hours", "rows_per_hour", "rows_per_request", "connections"])
def test_plan_that_sends_nothing_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} must be 1 or more, got 0"):
        plan(**{name: 0})


def test_steady_pace_takes_the_time_of_sending_off_the_wait() -> None:
    now = iter([0.0, 3.0, 10.0, 35.0])
    slept: list[float] = []
    pace = SteadyPace(clock=lambda: next(now), sleep=slept.append)

    for _ in range(3):
        pace(10)

    # Beats end at 10, 20 and 30; the clock says 3, 10 and 35 when they are waited for.
    assert slept == [7, 10, 0]


def test_rows_come_in_turn_and_begin_again() -> None:
    source = in_turn([("a",), ("b",), ("c",)])

    assert source(1, 2) == [("a",), ("b",)]
    assert source(2, 2) == [("c",), ("a",)]


def test_no_rows_to_send_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one row to send"):
        in_turn([])


@pytest.mark.parametrize("terminal", [True, False])
def test_progress_is_drawn_on_a_terminal_only(terminal: bool) -> None:
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=terminal, width=100)

    summary = replay_on_terminal(plan(seconds_per_hour=0.001), FakeRuntime(), rows_of_hour, console)

    assert summary == ReplaySummary(sent=6, rows=10, hours_finished=2)
    assert ("━" in screen.getvalue()) is terminal
    assert "6 requests with 10 rows in 2 whole hours, none failed" in screen.getvalue()


def test_each_kind_of_failure_is_shown_once_when_it_happens() -> None:
    screen = io.StringIO()

    replay_on_terminal(plan(seconds_per_hour=0.001), FakeRuntime(throttled), rows_of_hour, Console(file=screen))

    first, last = screen.getvalue().splitlines()
    assert first == "hour 1: a request failed with ThrottlingException; sending goes on, Ctrl-C ends it"
    assert "6 failed (6 ThrottlingException)" in last


def test_client_sends_each_request_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")

    client = connect(7, region="eu-west-1", endpoint_url="http://localhost:1")

    assert client.meta.config.retries["total_max_attempts"] == 1
    assert client.meta.config.max_pool_connections == 7
