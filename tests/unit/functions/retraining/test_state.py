import json
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta

import pytest

from plumbline.contract.retraining import Obstacle
from plumbline.functions.retraining.state import (
    MAX_STARTS,
    NotifiedObstacle,
    ReservedRun,
    RetrainingStart,
    RetrainingState,
)
from plumbline.functions.shared.state_store import StateError

NOW = datetime(2026, 3, 1, 5, 30, tzinfo=UTC)
STARTED = RetrainingState(starts=(RetrainingStart("e", NOW.isoformat()),))
RUN = ReservedRun(
    "t" * 64, "name", "s3://a/m", "2026-02-27T05:00:00Z", "2026-03-01T05:00:00Z", "why", NOW.isoformat(), False
)


def test_state_survives_its_document() -> None:
    state = RetrainingState().reserved(RUN, "event", NOW).started("arn", NOW + timedelta(minutes=1))
    assert RetrainingState.from_json(state.to_json()) == state
    assert state.run == replace(RUN, execution="arn")


def test_document_of_version_1_is_read_and_its_obstacle_notified_once_more() -> None:
    run = asdict(RUN)
    document = {"run": run, "starts": [{"episode": "alarm", "at": NOW.isoformat()}], "told": "cool-down", "version": 1}
    expected = RetrainingState(RUN, (RetrainingStart("alarm", NOW.isoformat()),))
    assert RetrainingState.from_json(json.dumps(document)) == expected


def test_document_from_before_rejections_were_remembered_is_read() -> None:
    state = RetrainingState().reserved(RUN, "event", NOW)
    document = json.loads(state.to_json())
    del document["rejected"], document["run"]["alarms"], document["run"]["rules"]
    assert RetrainingState.from_json(json.dumps(document)) == state


def test_absent_document_is_the_first_state() -> None:
    assert RetrainingState.from_json(None) == RetrainingState()


@pytest.mark.parametrize(
    ("text", "got"),
    [
        ("no json", "Expecting value"),
        ("{}", "version None"),
        (RetrainingState().to_json().replace("null", "7", 1), "run must be an object"),
        (replace(RetrainingState(), version=3).to_json(), "version 3"),
        (STARTED.to_json().replace(f"{NOW.isoformat()}", "2026-03-01"), "a time without zone, 2026-03-01"),
    ],
    ids=["text", "empty", "keys", "version", "zone"],
)
def test_unreadable_document_is_refused_with_what_to_do(text: str, got: str) -> None:
    with pytest.raises(StateError, match=f"{got}.*; delete the item"):
        RetrainingState.from_json(text)


def test_start_counts_from_when_it_was_started() -> None:
    reserved = RetrainingState().reserved(RUN, "event", NOW)
    assert reserved.last_start == NOW
    assert reserved.started("arn", NOW + timedelta(hours=3)).last_start == NOW + timedelta(hours=3)


def test_start_without_reservation_is_refused() -> None:
    with pytest.raises(ValueError, match="must be reserved"):
        RetrainingState().started("arn", NOW)


def test_reservation_drops_the_notified_obstacle_and_old_starts() -> None:
    old, recent = (RetrainingStart(f"{hours}", (NOW - timedelta(hours=hours)).isoformat()) for hours in (48, 47))
    state = RetrainingState(starts=(old, recent), last_notified_obstacle=NotifiedObstacle(Obstacle.COOLDOWN)).reserved(
        RUN, "new", NOW
    )
    assert [start.event_key for start in state.starts] == ["47", "new"]
    assert state.last_notified_obstacle is None


def test_document_stays_small() -> None:
    state = RetrainingState()
    for number in range(MAX_STARTS + 5):
        state = state.reserved(
            RUN, f"plumbline-production-concept-shift|{number}|2026-03-01T05:20:12.345000+00:00", NOW
        )
    assert len(state.starts) == MAX_STARTS
    assert len(state.to_json()) < 50_000
