"""Low traffic on both engines: windows look back until they have enough rows, and drift reaches the controller."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from plumbline.contract.names import alarm_name
from plumbline.contract.reasons import ReasonCode
from plumbline.contract.records import DriftReport, Verdict
from plumbline.local.demo.deployment import Value
from plumbline.local.demo.loop import Loop
from plumbline.stacks.config.schedule import Engine
from plumbline.stacks.constructs.alarms.alarm_rules import AlarmKind
from tests.e2e.alerts import AlertInbox
from tests.e2e.deployment import HOUR, Deployment, deployed

pytestmark = pytest.mark.e2e

ROWS_AN_HOUR, MINIMUM_ROWS, LOOK_BACK_HOURS = 300, 500, 4
N_HOURS = 4
"""Two quiet ones, then two that drifted."""


@dataclass(frozen=True)
class Story:
    """What one engine made of the hours."""

    engine: Engine
    start: datetime
    reports: list[DriftReport]
    drift_alarm: list[str]
    message: str


@pytest.fixture(scope="module", params=Engine)
def story(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    engine: Engine = request.param
    values: dict[str, Value] = {
        "monitor.engine": engine.value,
        "monitor.look_back_hours": LOOK_BACK_HOURS,
        "thresholds.minimum_rows": MINIMUM_ROWS,
        # So many never come: what a retraining leads to is another story.
        "retraining.minimum_fresh_rows": 1_000_000,
        "retraining.triggers": ["drift"],
    }
    # After the run of the hour before, which had no endpoint.
    start = datetime(2026, 5, 4, 10, tzinfo=UTC) + timedelta(minutes=engine.minute + 1)
    with deployed(tmp_path_factory.mktemp("low"), start, "low", values) as running:
        yield played(running, engine, tmp_path_factory)


def played(running: Deployment, engine: Engine, folders: pytest.TempPathFactory) -> Story:
    inbox = AlertInbox(running)
    episode = running.episode(N_HOURS, rows_per_hour=ROWS_AN_HOUR, engine=engine, run_minute=engine.minute)
    reports, states = [], []
    start = running.aws.now().replace(minute=0, second=0, microsecond=0)
    for hour, _ in Loop(running.aws, episode, folders.mktemp("reports")).play():
        assert hour.report
        reports.append(hour.report)
        states.append(running.alarm(AlarmKind.DRIFT)["StateValue"])
    return Story(engine, start, reports, states, inbox.await_text("labels needed"))


def test_each_hour_is_judged_from_the_second_on(story: Story) -> None:
    first, *others = story.reports
    assert first.reason is not None
    assert (first.verdict, first.reason.code) == (Verdict.NOT_JUDGED, ReasonCode.TOO_FEW_ROWS)
    assert [report.verdict for report in others] == [Verdict.NO_DRIFT, Verdict.DRIFT, Verdict.DRIFT]


def test_report_says_since_when_its_rows_are(story: Story) -> None:
    assert [report.hours_added for report in story.reports] == [LOOK_BACK_HOURS, 1, 1, 1]
    assert [report.n_rows for report in story.reports] == [ROWS_AN_HOUR, *[2 * ROWS_AN_HOUR] * 3]
    for number, report in enumerate(story.reports):
        begun = story.start + number * HOUR
        assert report.own_window.start == f"{begun:%Y-%m-%dT%H:%M:%SZ}"
        assert report.window.start == f"{begun - report.hours_added * HOUR:%Y-%m-%dT%H:%M:%SZ}"


def test_no_row_counts_twice_over_time(story: Story) -> None:
    # Of the windows before the fourth, which has the rows of hours 3 and 4, the second ended before it.
    assert [report.over_time.n_rows for report in story.reports] == [n * ROWS_AN_HOUR for n in (1, 2, 3, 4)]


def test_drift_fires_the_alarm_and_the_controller_decides(story: Story) -> None:
    assert story.drift_alarm[1:] == ["OK", "ALARM", "ALARM"]
    assert alarm_name("low", AlarmKind.DRIFT) in story.message
