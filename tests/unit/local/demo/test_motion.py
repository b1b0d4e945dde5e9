"""Decisions are read as data: from the controller's log lines, and from alarms' JSON."""

import io
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from plumbline.contract.champion import Champion, ChampionHistory
from plumbline.contract.retraining import Obstacle
from plumbline.local.demo.inbox import Mail
from plumbline.local.demo.motion import Motion, WatchedNames, obstacles
from plumbline.local.demo.summary import PromotedVersion, PromotionOutcome


def test_decisions_against_a_retraining_are_read_from_the_log() -> None:
    skipped = {"action": "skipped", "reason": "3 rows, 5 are wanted", "obstacle": "labels_needed"}
    started = {"action": "started", "reason": "drift", "obstacle": None}
    log = ["START RequestId: 1\n", json.dumps(skipped) + "\n", json.dumps(started), "7\n", "END RequestId: 1\n"]
    assert list(obstacles(log)) == [(Obstacle.LABELS_NEEDED, "3 rows, 5 are wanted")]


def test_alarms_are_not_messages_of_the_loop() -> None:
    assert Mail('ALARM: "a" in US East', '{"AlarmName": "a"}').is_alarm
    assert not Mail("Retraining started: e", "What happened: x").is_alarm


class FakeAws:
    """A promotion on the embedded AWS: its history, its registry, and one message of the topic."""

    def __init__(self, live: Champion, approval: str) -> None:
        self.live, self.approval = live, approval
        self.mails = ["Plumbline dev: version 2 ..."]
        self.exceptions = self
        self.NoSuchKey = KeyError

    def client(self, service: str) -> "FakeAws":
        return self

    def now(self) -> datetime:
        return datetime(2026, 1, 5, 12, 30, tzinfo=UTC)

    def create_queue(self, **_: object) -> dict[str, str]:
        return {"QueueUrl": "url"}

    def get_queue_attributes(self, **_: object) -> dict[str, dict[str, str]]:
        return {"Attributes": {"QueueArn": "arn"}}

    def set_queue_attributes(self, **_: object) -> None: ...

    def subscribe(self, **_: object) -> None: ...

    def delete_message(self, **_: object) -> None: ...

    def receive_message(self, **_: object) -> dict[str, list[dict[str, str]]]:
        found = [{"ReceiptHandle": "1", "Body": json.dumps({"Subject": each, "Message": "x"})} for each in self.mails]
        self.mails = []
        return {"Messages": found}

    def describe_endpoint(self, **_: object) -> dict[str, str]:
        return {"EndpointStatus": "InService"}

    def describe_stacks(self, **_: object) -> dict[str, Any]:
        return {"Stacks": [{"Outputs": [{"OutputKey": "ArtifactsBucketName", "OutputValue": "artifacts"}]}]}

    def get_object(self, **_: object) -> dict[str, Any]:
        return {"Body": io.BytesIO(ChampionHistory((OLD, self.live)).to_json().encode())}

    def describe_model_package(self, **_: object) -> dict[str, str]:
        return {"ModelApprovalStatus": self.approval}


OLD = Champion("s3://a/1.tar.gz", "s3://a/1")
NEW = Champion("s3://a/2.tar.gz", "s3://a/2", "arn:package/2")


@pytest.mark.parametrize(
    ("live", "approval", "outcome"),
    [(NEW, "Approved", PromotionOutcome.SERVES), (OLD, "Rejected", PromotionOutcome.ROLLED_BACK)],
)
def test_a_promotion_ends_as_history_and_registry_say(live: Champion, approval: str, outcome: PromotionOutcome) -> None:
    shown: list[str] = []
    fake: Any = FakeAws(live, approval)
    motion = Motion(fake, WatchedNames("dev", "endpoint", "pipeline", "controller", "topic"), shown.append, hour=7)
    motion.is_baking = True
    motion._candidate = {"ModelPackageArn": "arn:package/2", "ModelPackageVersion": 2}
    motion.watch()
    assert motion.promotions == [PromotedVersion(2, 7, outcome)]
    assert shown == ["12:30 message: Plumbline dev: version 2 ..."]
    assert not motion.is_baking
