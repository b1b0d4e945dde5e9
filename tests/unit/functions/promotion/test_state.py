import json
from dataclasses import asdict

import pytest

from plumbline.contract.retraining import PromotionStatus
from plumbline.functions.promotion.state import PromotionAttempt, PromotionResult, PromotionState, PromotionTarget
from plumbline.functions.shared.state_store import StateError

TARGET = PromotionTarget("s3://a/1.tar.gz", "s3://a/1", None, 0, "why", "r", rollback=True)
STATE = PromotionState(
    attempt=PromotionAttempt(TARGET, "config-1", "config-0", "2026-03-01T05:20:00+00:00"),
    requested=TARGET,
    notified_version=4,
    held_version=3,
    requests=("r",),
    last=PromotionResult(PromotionStatus.ROLLED_BACK, "r", "text"),
)


def test_state_survives_its_document() -> None:
    assert PromotionState.from_json(STATE.to_json()) == STATE


def test_document_of_version_1_is_read() -> None:
    document = {
        "attempt": asdict(STATE)["attempt"],
        "asked": asdict(TARGET),
        "told_version": 4,
        "held_version": 3,
        "requests": ["r"],
        "last": {"verdict": "rolled_back", "request": "r", "text": "text"},
        "version": 1,
    }
    assert PromotionState.from_json(json.dumps(document)) == STATE
    empty = document | {"attempt": None, "asked": None, "last": None}
    assert PromotionState.from_json(json.dumps(empty)).requested is None


def test_document_of_another_version_is_refused() -> None:
    with pytest.raises(StateError, match="PromotionState must be of version 2, got version 3; delete the item"):
        PromotionState.from_json('{"version": 3}')
