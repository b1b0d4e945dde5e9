"""Queues that show what a topic or a rule delivered."""

import time
from collections.abc import Callable

from plumbline.local.demo.inbox import make_queue
from plumbline.local.embedded import EmbeddedAws


def eventually(check: Callable[[], bool], complaint: str, seconds: float = 10) -> None:
    """Return when `check` holds; fail with `complaint` when it does not in time."""
    deadline = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < deadline, complaint
        time.sleep(0.05)


def topic_with_queue(aws: EmbeddedAws, name: str) -> tuple[str, str]:
    """Return the ARN of a new topic, and the URL of a queue that receives what it publishes."""
    sns = aws.client("sns")
    topic = sns.create_topic(Name=name)["TopicArn"]
    url, arn = make_queue(aws, name)
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    return topic, url


def received(aws: EmbeddedAws, queue: str) -> list[str]:
    """Return the bodies that are in the queue now."""
    messages = aws.client("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
    return [message["Body"] for message in messages]


def first(aws: EmbeddedAws, queue: str) -> str:
    """Wait for a message and return its body."""
    bodies: list[str] = []

    def arrived() -> bool:
        bodies.extend(received(aws, queue))
        return bool(bodies)

    eventually(arrived, f"a message must reach {queue}")
    return bodies[0]
