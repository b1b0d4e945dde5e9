from datetime import UTC, datetime

import pytest

from plumbline.local.aws.ministack.universal_targets import due_times, fill_keywords

ARN = "arn:aws:scheduler:us-east-1:000000000000:schedule/default/s"
HOURLY = "cron(0 * ? * * *)"


def _at(hour: int, minute: int = 0, second: int = 0) -> float:
    return datetime(2026, 1, 1, hour, minute, second, tzinfo=UTC).timestamp()


def test_hourly_expression_is_due_once_for_each_hour_that_a_jump_skips() -> None:
    assert due_times(HOURLY, _at(0, 59, 30), _at(3, 10)) == [_at(1), _at(2), _at(3)]


def test_time_that_was_served_is_not_due_again() -> None:
    assert due_times(HOURLY, _at(1), _at(1, 59)) == []
    assert due_times(HOURLY, _at(1), _at(2)) == [_at(2)]


def test_rate_counts_from_the_last_time() -> None:
    assert due_times("rate(30 minutes)", _at(0, 10), _at(1, 15)) == [_at(0, 40), _at(1, 10)]


def test_other_expressions_are_refused() -> None:
    with pytest.raises(ValueError, match="schedule expression must be cron"):
        due_times("every hour", _at(0), _at(1))


def test_keywords_are_filled() -> None:
    text = fill_keywords("<aws.scheduler.scheduled-time> <aws.scheduler.schedule-arn>", ARN, _at(1))
    assert text == f"2026-01-01T01:00:00Z {ARN}"


def test_execution_id_has_sixteen_characters_and_one_value_for_each_time() -> None:
    first, again, later = (fill_keywords("<aws.scheduler.execution-id>", ARN, _at(hour)) for hour in (1, 1, 2))
    assert len(first) == 16
    assert first.isalnum()
    assert first == again != later
