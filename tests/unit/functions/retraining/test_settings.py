from datetime import timedelta

import pytest

from plumbline.contract.retraining import LoopVariable
from plumbline.functions.retraining.settings import RetrainingSettings
from plumbline.functions.shared.environment import SettingsError
from tests.unit.functions.retraining.builders import ALARM, QUALITY_ALARM, environment


def test_environment_is_read() -> None:
    settings = RetrainingSettings.from_environment(environment())
    policy = settings.policy
    assert (settings.environment, settings.region, settings.endpoint) == ("dev", "eu-central-1", "plumbline-dev")
    assert policy.alarm_names == (ALARM, QUALITY_ALARM)
    assert (policy.cooldown, policy.fresh_period) == (timedelta(hours=6), timedelta(hours=48))
    assert (policy.runs_per_day, policy.min_fresh_rows) == (3, 500)


@pytest.mark.parametrize("name", environment())
def test_missing_variable_is_refused(name: str) -> None:
    environ = environment()
    del environ[name]
    with pytest.raises(SettingsError, match=f"{name} must "):
        RetrainingSettings.from_environment(environ)


def test_no_alarm_may_start_retraining() -> None:
    environ = environment() | {LoopVariable.TRIGGER_ALARM_NAMES: ""}
    assert RetrainingSettings.from_environment(environ).policy.alarm_names == ()


def test_half_a_run_is_refused() -> None:
    with pytest.raises(SettingsError, match="PLUMBLINE_RUNS_PER_DAY must be a whole number"):
        RetrainingSettings.from_environment(environment() | {LoopVariable.RUNS_PER_DAY: "1.5"})
