import re
from dataclasses import replace
from datetime import timedelta

import pytest

from plumbline.functions.retraining.runs import fresh_hours, new_run
from plumbline.functions.retraining.triggers import RetrainingTrigger
from tests.unit.functions.retraining.fakes import NOW, SETTINGS, FakeAws

TRIGGER = RetrainingTrigger("event", "plumbline-dev-drift", "why", NOW)
FACTS = FakeAws().facts(NOW)


def test_fresh_rows_end_with_the_last_full_hour() -> None:
    assert fresh_hours(NOW, SETTINGS.policy.fresh_period) == ("2026-02-27T05:00:00Z", "2026-03-01T05:00:00Z")


def test_token_is_of_endpoint_model_and_event() -> None:
    token = new_run(TRIGGER, FACTS, SETTINGS).token
    assert re.fullmatch("[0-9a-f]{64}", token)
    later = replace(FACTS, now=NOW + timedelta(hours=1))
    assert new_run(replace(TRIGGER, cause="other"), later, SETTINGS).token == token
    others = [
        new_run(replace(TRIGGER, event_key="other"), FACTS, SETTINGS),
        new_run(TRIGGER, replace(FACTS, champion="s3://other"), SETTINGS),
        new_run(TRIGGER, FACTS, replace(SETTINGS, endpoint="other")),
    ]
    assert len({token, *(run.token for run in others)}) == 4


@pytest.mark.parametrize(
    ("name", "readable"),
    [("plumbline-dev-drift", "plumbline-dev-drift"), ("Ünd_ so--", "nd-so"), ("__", "alarm"), ("x" * 200, "x" * 57)],
)
def test_display_name_is_readable_and_one_that_sagemaker_takes(name: str, readable: str) -> None:
    run = new_run(replace(TRIGGER, name=name), FACTS, SETTINGS)
    assert run.display_name == f"{readable}-20260301-053000-{run.token[:8]}"
    assert re.fullmatch(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,81}", run.display_name)


def test_run_without_a_champion_is_refused() -> None:
    with pytest.raises(ValueError, match="the champion must be known"):
        new_run(TRIGGER, replace(FACTS, champion=None), SETTINGS)
