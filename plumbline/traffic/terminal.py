"""Replay with a progress bar, over connections of our own."""

from collections.abc import Callable
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from plumbline.traffic.replay import ReplayAnswer, ReplayPlan, ReplaySummary, RowsOfHour, Runtime, replay

READ_TIMEOUT_SECONDS = 60
"""SageMaker gives a model 60 seconds to answer."""


def connect(connections: int, *, region: str | None = None, endpoint_url: str | None = None) -> Any:
    """Return a sagemaker-runtime client that sends each request once: a retry would be captured as a second one."""
    import boto3
    from botocore.config import Config

    config = Config(
        retries={"total_max_attempts": 1},
        max_pool_connections=connections,
        read_timeout=READ_TIMEOUT_SECONDS,
    )
    return boto3.client("sagemaker-runtime", region_name=region, endpoint_url=endpoint_url, config=config)


def replay_on_terminal(
    plan: ReplayPlan,
    client: Runtime,
    rows_of_hour: RowsOfHour,
    console: Console,
    on_answer: Callable[[ReplayAnswer], None] = lambda answer: None,
) -> ReplaySummary:
    """Replay in real time with a progress bar when the console is a terminal, and print the summary.

    The first failure of each kind is printed when it happens: the summary may be hours away.
    """
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as bar:
        task = bar.add_task("hour 1", total=plan.hours * plan.requests_per_hour)

        shown: set[str] = set()

        def advance(answer: ReplayAnswer) -> None:
            if answer.failure and answer.failure not in shown:
                shown.add(answer.failure)
                console.print(
                    f"hour {answer.hour}: a request failed with {answer.failure}; sending goes on, Ctrl-C ends it",
                    highlight=False,
                    soft_wrap=True,
                )
            bar.update(task, advance=1, description=f"hour {answer.hour}")
            on_answer(answer)

        summary = replay(plan, client, rows_of_hour, on_answer=advance)
    console.print(str(summary), highlight=False, soft_wrap=True)
    return summary
