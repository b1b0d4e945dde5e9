"""Every way in which the monitor goes blind, on both engines: which alarm fires, what its message says, that it clears.

One environment on each engine lives through a story, an hour for each silence. One window without a verdict is an alarm
here; that so many of several are one in dev, staging and prod is held by tests/contract/test_silences.py.
"""

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from plumbline.contract.names import alarm_name
from plumbline.local.aws.cloudwatch.alarms import EXTRA_POINTS
from plumbline.local.aws.images.store import FOLDER as IMAGES
from plumbline.stacks.config.schedule import Engine
from plumbline.stacks.constructs.alarms.alarm_rules import MAY_START_RETRAINING, AlarmKind
from tests.e2e.alerts import AlertInbox
from tests.e2e.deployment import HOUR, Deployment, deployed
from tests.e2e.local_account import eventually

pytestmark = pytest.mark.e2e

START = datetime(2026, 5, 4, 10, tzinfo=UTC)
DEPLOYED_AT = START + timedelta(minutes=30)
"""After the run of the hour before, which had no endpoint."""
N_ROWS = 1_000
FEW_REQUESTS = 5
SILENT_HOURS = 2
"""Of `alarms.monitor_silence_hours`."""
SETTLED = timedelta(minutes=3)
"""After a run: alarms see the last hour, and the run before must be out of it."""
VALUES = {
    "monitor.multivariate": False,
    "monitor.isolation_forest": False,
    "monitor.attribution": False,
    "alarms.not_judged_datapoints": 1,
    "alarms.not_judged_periods": 1,
    "alarms.monitor_silence_hours": SILENT_HOURS,
}
RUN_MINUTE = {Engine.MODEL_MONITOR: timedelta(0), Engine.SCHEDULER: timedelta(minutes=15)}
SCHEDULES = {Engine.MODEL_MONITOR: "cron(0 * ? * * *)", Engine.SCHEDULER: "cron(15 * ? * * *)"}
WATCHED = (
    AlarmKind.NOT_JUDGED,
    AlarmKind.RECORDS_REJECTED,
    AlarmKind.ANSWERS_UNREADABLE,
    AlarmKind.INTERNAL_FAULTS,
    AlarmKind.SCHEMA,
    AlarmKind.MONITOR_FAILED,
    AlarmKind.MONITOR_MISSING,
)
FAULT = "\n\ndef chi_square(*_, **__):\n    raise MemoryError\n"

ARRAY = {"observedContentType": "application/x-npy", "mode": "INPUT", "data": "k05VTVBZ", "encoding": "BASE64"}
"""A request that no row can be read of."""

Record = dict[str, Any]


@dataclass(frozen=True)
class Hour:
    """What stood when an hour's run was over: its message, and the alarms that had fired by then."""

    message: str
    fired: frozenset[AlarmKind]


class Story:
    """The hours of one environment; `quiet` are the captured records of one with traffic."""

    def __init__(self, deployment: Deployment, engine: Engine) -> None:
        self.deployment, self.engine = deployment, engine
        self.inbox = AlertInbox(deployment)
        self._end = START
        self._n_jobs = 0
        self.deployment.send("quiet", N_ROWS)
        self.first = self._pass(FIRES["quiet"])
        lines = deployment.captured(START).splitlines()
        self.quiet = [record for record in map(json.loads, lines) if _is_csv(record)]

    def hour(self, name: str, records: Sequence[Record]) -> Hour:
        """Capture records in the running hour, and return what its run led to; `name` says what should fire."""
        lines = [self._stamped(record, number) for number, record in enumerate(records)]
        if lines:
            key = f"{self.deployment.capture_prefix(self._end)}/30-00-000-silence.jsonl"
            bucket, body = self.deployment.outputs["CaptureBucketName"], "\n".join(lines).encode()
            self.deployment.aws.client("s3").put_object(Bucket=bucket, Key=key, Body=body)
        return self._pass(FIRES[name], has_captures=bool(lines))

    def _stamped(self, record: Record, number: int) -> str:
        at = f"{self._end + timedelta(minutes=30):%Y-%m-%dT%H:%M:%SZ}"
        metadata = {"eventId": f"{self._end:%H}-{number}", "inferenceTime": at}
        return json.dumps({**record, "eventMetadata": metadata})

    def _pass(self, expected: frozenset[AlarmKind], *, has_captures: bool = True) -> Hour:
        self._end += HOUR
        self.deployment.advance_to(self._end + RUN_MINUTE[self.engine])
        if self.engine is Engine.MODEL_MONITOR:
            self.deployment.execution(self._end)
        # Model Monitor starts no job of ours where there is nothing to read.
        ran = has_captures or self.engine is Engine.SCHEDULER
        self._n_jobs += ran
        message = self._message() if ran else ""
        self.deployment.aws.advance(SETTLED.total_seconds())
        return Hour(message, self._fired(expected))

    def _message(self) -> str:
        sagemaker = self.deployment.aws.client("sagemaker")

        def jobs() -> list[dict[str, Any]]:
            found = sagemaker.list_processing_jobs(SortBy="CreationTime", SortOrder="Descending", MaxResults=100)
            rows: list[dict[str, Any]] = found["ProcessingJobSummaries"]
            return rows

        rows = eventually(
            jobs,
            lambda found: (
                len(found) >= self._n_jobs and not any(row["ProcessingJobStatus"] == "InProgress" for row in found)
            ),
        )
        job = sagemaker.describe_processing_job(ProcessingJobName=rows[0]["ProcessingJobName"])
        return str(job.get("ExitMessage", ""))

    def _fired(self, expected: frozenset[AlarmKind]) -> frozenset[AlarmKind]:
        """Return the alarms that have fired, when they are the expected ones in several looks, or time is over."""
        cloudwatch = self.deployment.aws.client("cloudwatch")
        names = {alarm_name(self.deployment.naming.environment, kind): kind for kind in AlarmKind}
        looks: list[frozenset[AlarmKind]] = []
        deadline = time.monotonic() + PATIENCE_SECONDS
        while set(looks[-LOOKS:]) != {expected} or len(looks) < LOOKS:
            rows = cloudwatch.describe_alarms(AlarmNames=list(names))["MetricAlarms"]
            fired = frozenset(names[row["AlarmName"]] for row in rows if row["StateValue"] == "ALARM")
            looks.append(fired & {*WATCHED, *MAY_START_RETRAINING})
            if time.monotonic() > deadline:
                print(*(row["StateReason"] for row in rows if row["StateValue"] == "ALARM"), sep="\n")
                break
            time.sleep(0.1)
        return looks[-1]

    def mail(self, kind: AlarmKind) -> str:
        """Return the topic's message of an alarm."""
        return self.inbox.await_text(alarm_name(self.deployment.naming.environment, kind))

    @contextmanager
    def faulty_statistic(self) -> Iterator[None]:
        """Break a statistic in the drift image, as a fault of ours would."""
        files = list((self.deployment.state / IMAGES).rglob("statistics/chi_square.py"))
        assert files
        texts = [file.read_text() for file in files]
        for file, text in zip(files, texts, strict=True):
            file.write_text(text + FAULT)
        try:
            yield
        finally:
            for file, text in zip(files, texts, strict=True):
                file.write_text(text)


LOOKS = 10
"""Equal answers in a row, 0.1 s apart: alarms are evaluated twice a second."""
PATIENCE_SECONDS = 30
FIRES: dict[str, frozenset[AlarmKind]] = {
    "quiet": frozenset(),
    "unusable records": frozenset({AlarmKind.NOT_JUDGED, AlarmKind.RECORDS_REJECTED}),
    "unreadable column": frozenset({AlarmKind.SCHEMA}),
    "too little traffic": frozenset({AlarmKind.NOT_JUDGED}),
    "internal fault": frozenset({AlarmKind.NOT_JUDGED, AlarmKind.INTERNAL_FAULTS}),
    # A run without a report is no proof that the monitor sees again.
    "failed job": frozenset({AlarmKind.MONITOR_FAILED, AlarmKind.NOT_JUDGED, AlarmKind.INTERNAL_FAULTS}),
    "quiet again": frozenset(),
    "no captures": frozenset({AlarmKind.MONITOR_MISSING}),
    "no captures, own schedule": frozenset({AlarmKind.NOT_JUDGED}),
    "quiet at last": frozenset(),
}
"""What has fired after each hour; what an hour does not name has cleared."""


def _is_csv(record: Record) -> bool:
    return bool(record["captureData"]["endpointInput"]["encoding"] == "CSV")


def with_cells(record: Record, first: str | None = None, *more: str) -> Record:
    """Return a record whose rows begin with another cell, or end with more of them."""
    side = record["captureData"]["endpointInput"]
    rows = [line.split(",") for line in side["data"].splitlines()]
    changed = [",".join([first or cells[0], *cells[1:], *more]) for cells in rows]
    data = {**record["captureData"], "endpointInput": {**side, "data": "\n".join(changed)}}
    return {**record, "captureData": data}


@pytest.fixture(scope="module", params=list(Engine), ids=str)
def story(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    engine = request.param
    values = {**VALUES, "monitor.engine": engine.value, "monitor.schedule": SCHEDULES[engine]}
    name = f"blind-{'own' if engine is Engine.SCHEDULER else 'sm'}"
    with deployed(tmp_path_factory.mktemp(name), DEPLOYED_AT, name, values) as running:
        yield Story(running, engine)


@pytest.fixture(scope="module")
def hours(story: Story) -> dict[str, Hour]:
    """The story, hour by hour."""
    quiet = story.quiet
    captured: dict[str, Sequence[Record]] = {
        "unusable records": [{**record, "captureData": {"endpointInput": ARRAY}} for record in quiet],
        "unreadable column": [with_cells(record, "about forty") for record in quiet],
        "too little traffic": quiet[:FEW_REQUESTS],
        "internal fault": quiet,
        "failed job": [with_cells(record, None, "1") for record in quiet],
        "quiet again": quiet,
    }
    told = {"quiet": story.first}
    for name, records in captured.items():
        with story.faulty_statistic() if name == "internal fault" else nullcontext():
            told[name] = story.hour(name, records)
    if story.engine is Engine.SCHEDULER:
        told["no captures"] = story.hour("no captures, own schedule", [])
    else:
        for _ in range(SILENT_HOURS + EXTRA_POINTS - 1):
            story.hour("quiet again", [])
        told["no captures"] = story.hour("no captures", [])
    told["quiet at last"] = story.hour("quiet at last", quiet)
    return told


@pytest.mark.parametrize("name", [name for name in FIRES if "," not in name and name != "no captures"])
def test_alarms_fire_and_clear(hours: dict[str, Hour], name: str) -> None:
    assert hours[name].fired == FIRES[name]


def test_unusable_records_name_the_reason_that_leads_and_what_to_do(story: Story, hours: dict[str, Hour]) -> None:
    found = hours["unusable records"]
    assert "not judged, none of the" in found.message
    assert "as unsupported_content_type" in found.message
    assert "send rows as CSV or JSON" in found.message
    assert "which reason leads among rejected records, and what to do" in story.mail(AlarmKind.NOT_JUDGED)
    assert "docs/runbook.md#records-rejected" in story.mail(AlarmKind.RECORDS_REJECTED)


def test_unreadable_column_is_named_and_is_for_people(story: Story, hours: dict[str, Hour]) -> None:
    found = hours["unreadable column"]
    assert "not as in training: age" in found.message
    assert "repair the client; no retraining starts" in story.mail(AlarmKind.SCHEMA)


def test_too_little_traffic_says_how_little(hours: dict[str, Hour]) -> None:
    found = hours["too little traffic"]
    assert "rows, fewer than the minimum of 200" in found.message


def test_internal_fault_is_no_verdict(story: Story, hours: dict[str, Hour]) -> None:
    found = hours["internal fault"]
    assert "not judged, internal fault: in" in found.message
    assert "the job's log has the traceback" in story.mail(AlarmKind.INTERNAL_FAULTS)


def test_failed_job_says_what_to_do(story: Story, hours: dict[str, Hour]) -> None:
    found = hours["failed job"]
    assert found.message.startswith("Failed: the baseline must fit the captured rows")
    assert "learn the baseline from the data of the served model" in found.message
    assert "Read the job's exit message and log" in story.mail(AlarmKind.MONITOR_FAILED)


def test_hours_without_captures_fire_an_alarm(story: Story, hours: dict[str, Hour]) -> None:
    found = hours["no captures"]
    if story.engine is Engine.SCHEDULER:
        assert found.fired == FIRES["no captures, own schedule"]
        assert found.message == "Completed: not judged, no records in the window (0 rows)"
    else:
        assert (found.fired, found.message) == (FIRES["no captures"], "")
        assert "No monitoring run has finished" in story.mail(AlarmKind.MONITOR_MISSING)


def test_no_silence_starts_a_retraining(story: Story, hours: dict[str, Hour]) -> None:
    assert not any(hour.fired & set(MAY_START_RETRAINING) for hour in hours.values())
    assert story.deployment.retrainings() == []
