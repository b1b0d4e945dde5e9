from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from retraining.state import REMEMBERED_MAX, Run, Start, State, StateError

NOW = datetime(2026, 3, 1, 5, 30, tzinfo=UTC)
RUN = Run("t" * 64, "name", "s3://a/m", "2026-02-27T05:00:00Z", "2026-03-01T05:00:00Z", "why", NOW.isoformat(), False)


def test_state_survives_its_document() -> None:
    state = State().reserved(RUN, "episode", NOW).started("arn", NOW + timedelta(minutes=1))
    assert State.from_json(state.to_json()) == state
    assert state.run == replace(RUN, execution="arn")


def test_absent_document_is_the_first_state() -> None:
    assert State.from_json(None) == State()


@pytest.mark.parametrize(
    ("text", "got"),
    [
        ("no json", "Expecting value"),
        ("{}", "differs in run, starts, told, version"),
        (replace(State(), version=2).to_json(), "version 2"),
        (State(starts=(Start("e", "2026-03-01"),)).to_json(), "a time without zone, 2026-03-01"),
    ],
    ids=["text", "empty", "version", "zone"],
)
def test_unreadable_document_is_refused_with_what_to_do(text: str, got: str) -> None:
    with pytest.raises(StateError, match=f"{got}.*; delete the item"):
        State.from_json(text)


def test_start_counts_from_when_it_was_started() -> None:
    reserved = State().reserved(RUN, "episode", NOW)
    assert reserved.last_start == NOW
    assert reserved.started("arn", NOW + timedelta(hours=3)).last_start == NOW + timedelta(hours=3)


def test_start_without_reservation_is_refused() -> None:
    with pytest.raises(ValueError, match="must be reserved"):
        State().started("arn", NOW)


def test_reservation_forgets_what_was_told_and_what_is_old() -> None:
    old, recent = (Start(f"{hours}", (NOW - timedelta(hours=hours)).isoformat()) for hours in (48, 47))
    state = State(starts=(old, recent), told="cool-down").reserved(RUN, "new", NOW)
    assert [start.episode for start in state.starts] == ["47", "new"]
    assert state.told == ""


def test_document_stays_small() -> None:
    state = State()
    for number in range(REMEMBERED_MAX + 5):
        state = state.reserved(
            RUN, f"plumbline-production-concept-shift|{number}|2026-03-01T05:20:12.345000+00:00", NOW
        )
    assert len(state.starts) == REMEMBERED_MAX
    assert len(state.to_json()) < 50_000
