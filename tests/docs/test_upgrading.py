"""The page of old and new names: complete for configuration, and each new name exists."""

import re

from plumbline.contract.names import Metric
from plumbline.contract.retraining import RetrainingMetric
from plumbline.contract.thresholds import RENAMED_KEYS, THRESHOLDS
from tests.docs.pages import UPGRADING, rows, section


def renamed(title: str) -> dict[str, str]:
    """Return old name -> new name of one table."""
    found = rows(section(UPGRADING, title))
    return {re.findall(r"`([^`]+)`", old)[-1]: new.strip("`") for old, new in found}


def test_renamed_keys_are_those_that_an_error_names() -> None:
    assert {**renamed("Configuration keys"), **renamed("Policy file")} == RENAMED_KEYS


def test_options_and_variables_follow_the_keys_of_the_policy_file() -> None:
    keys = renamed("Policy file")
    rows_of = {row.name: row for row in THRESHOLDS}
    assert renamed("Options of `plumbline monitor`") == {
        f"--{old.replace('_', '-')}": rows_of[new].option for old, new in keys.items()
    }
    assert renamed("Environment variables of the monitoring job") == {
        f"PLUMBLINE_{old.upper()}": rows_of[new].variable for old, new in keys.items()
    }


def test_new_metrics_exist_and_old_ones_do_not() -> None:
    known, names = {*Metric, *RetrainingMetric}, renamed("Metrics")
    assert set(names.values()) <= known
    assert not set(names) & known
