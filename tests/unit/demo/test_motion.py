"""Decisions are read as data: from the controller's log lines, and from alarms' JSON."""

import json

from retraining.decision import Obstacle

from local.demo.inbox import Mail
from local.demo.motion import obstacles


def test_decisions_against_a_retraining_are_read_from_the_log() -> None:
    skipped = {"action": "skipped", "why": "3 rows, 5 are wanted", "obstacle": "labels needed"}
    started = {"action": "started", "why": "drift", "obstacle": None}
    log = ["START RequestId: 1\n", json.dumps(skipped) + "\n", json.dumps(started), "7\n", "END RequestId: 1\n"]
    assert list(obstacles(log)) == [(Obstacle.LABELS_NEEDED, "3 rows, 5 are wanted")]


def test_alarms_are_not_messages_of_the_loop() -> None:
    assert Mail('ALARM: "a" in US East', '{"AlarmName": "a"}').is_alarm
    assert not Mail("Retraining started: e", "What happened: x").is_alarm
