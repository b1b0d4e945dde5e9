"""What the page on retraining says of triggers is what alarms declare, and its rates are those of M of N."""

import itertools
import math
import re
from collections.abc import Sequence

import pytest

from plumbline.contract.retraining import HARM
from plumbline.stacks.constructs.alarms.alarm_rules import MAY_START_RETRAINING
from tests.docs.pages import ROOT, codes, rows, section

TRIGGERS = rows(section(ROOT / "docs" / "retraining.md", "What starts a retraining"))
RATES = [row for row in TRIGGERS if " of " in row[0]]
ERROR, FOUND = 0.05, 127 / 132
"""Of one window: a false drop, and a drop of 3 points that is found."""


def test_each_trigger_is_listed_with_its_alarm_and_whether_it_is_in_the_default_list() -> None:
    shown = {name: (row[1], row[3]) for row in TRIGGERS for name in codes(row[:1])}
    assert shown == {
        kind.rule.trigger: (f"[{kind}](runbook.md#{kind})", "yes" if kind.rule.trigger in HARM else "no")
        for kind in MAY_START_RETRAINING
    }


def chance(bad: Sequence[int], probability: float) -> float:
    return math.prod(probability if one else 1 - probability for one in bad)


def fires(bad: Sequence[int], needed: int, periods: int) -> bool:
    """Return whether an alarm of M of N, quiet before, is in ALARM after any of the windows."""
    padded = [0] * periods + [*bad]
    return any(sum(padded[end + 1 : end + 1 + periods]) >= needed for end in range(len(bad)))


@pytest.mark.parametrize("row", RATES, ids=lambda row: row[0])
def test_rates_of_starts_are_those_of_m_of_n(row: list[str]) -> None:
    needed, periods = (int(number) for number in re.findall(r"\d+", row[0]))
    histories = itertools.product((0, 1), repeat=periods + 1)
    begun = sum(chance(bad, ERROR) for bad in histories if sum(bad[:-1]) < needed <= sum(bad[1:]))
    within = [
        sum(chance(bad, FOUND) for bad in itertools.product((0, 1), repeat=n_windows) if fires(bad, needed, periods))
        for n_windows in (2, 3)
    ]
    assert row[1:] == [f"{1 / begun:.0f} windows", *(f"{100 * found:.1f} %" for found in within)]


def test_rates_are_shown_for_the_committed_environments() -> None:
    assert len(RATES) == 3
