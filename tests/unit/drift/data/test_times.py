import pytest

from plumbline.drift.data.times import format_time, hour_folder, parse_time


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-31T13:00:00Z", "2026-01-31T13:00:00Z"),
        ("2026-01-31T13:00:00.25Z", "2026-01-31T13:00:00.250000Z"),
        ("2026-01-31T13:00:00.123456789Z", "2026-01-31T13:00:00.123456Z"),
        ("2026-01-31 13:00", "2026-01-31T13:00:00Z"),
        ("2026-01-31T13", "2026-01-31T13:00:00Z"),
        ("2026-01-31", "2026-01-31T00:00:00Z"),
        (" 2026-01-31 ", "2026-01-31T00:00:00Z"),
        ("20260131T130000Z", "2026-01-31T13:00:00Z"),
        ("2026-01-31T13:00:00+02:00", "2026-01-31T11:00:00Z"),
        ("2026-01-31T13:00:00-0530", "2026-01-31T18:30:00Z"),
        ("2026-01-31T13:00:00+02", "2026-01-31T11:00:00Z"),
        ("2019-12-01T16: 20: 00Z", "2019-12-01T16:20:00Z"),
    ],
)
def test_iso_8601_is_read_as_utc(text: str, moment: str) -> None:
    assert format_time(parse_time(text)) == moment


@pytest.mark.parametrize("text", ["", "now", "2026-13-01", "31.01.2026", "2026-01-31T25:00", "0001-01-01T00:00+14:00"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"time|isoformat|month|hour"):
        parse_time(text)


def test_a_folder_is_an_hour_of_utc() -> None:
    assert hour_folder(parse_time("2026-01-31T23:30:00-02:00")) == "2026/02/01/01"
