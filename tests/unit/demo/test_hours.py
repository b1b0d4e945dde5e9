"""An hour knows whether its projection held, and sentences name hours."""

import pytest

from contract.records import Verdict
from local.demo.hours import Hour, named
from tests.unit.demo.reports import report


@pytest.mark.parametrize(
    ("truth", "covered"), [(0.82, True), (0.88, True), (0.8199, False), (0.89, False), (None, False)]
)
def test_an_hour_is_covered_when_the_truth_is_inside_the_interval(truth: float | None, covered: bool) -> None:
    assert Hour("2026-01-05T12:00:00Z", truth, report(Verdict.NO_DRIFT)).covered is covered


def test_an_hour_without_a_report_is_not_covered() -> None:
    assert not Hour("2026-01-05T12:00:00Z", 0.86, None).covered


@pytest.mark.parametrize(
    ("numbers", "text"),
    [
        ([], "no hour"),
        ([3], "hour 3"),
        ([4, 3], "hours 3 to 4"),
        ([1, 3, 5], "hours 1, 3 and 5"),
        ([1, 2, 3, 7, 9, 10], "hours 1 to 3, 7 and 9 to 10"),
    ],
)
def test_hours_are_named_as_runs(numbers: list[int], text: str) -> None:
    assert named(numbers) == text
