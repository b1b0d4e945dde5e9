"""The simulated hours: traffic, the monitor's hourly run, and what followed from it."""

import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from contract.names import AlarmKind, Prefix, ReportFile, alarm_name, report_prefix, training_job_prefix
from contract.records import DriftReport
from contract.training import DECISION_THRESHOLD, positive_label
from local.demo.first_model import POLL_SECONDS
from local.demo.summary import FiredAlarm, Hour, RetrainingJob
from local.embedded import EmbeddedAws
from plumbline.census import TARGET
from plumbline.payload import Format
from plumbline.rows import LabelledRows
from plumbline.scenarios import Scenario
from plumbline.traffic import Answer, Plan, replay

ROWS_PER_REQUEST = 10
HOUR_END_MARGIN_SECONDS = 5
"""The clock also runs by itself; the last request of an hour keeps clear of the next one."""
RUN_TIMEOUT_SECONDS = 120
ALARM_MARGIN_SECONDS = 60
"""CloudWatch evaluates alarms about once a minute."""
SETTLE_SECONDS = 0.2
"""Real time for the alarms to be evaluated: they were told to before the execution ended."""
RETRAINING_SECONDS = 5.0
"""Real time for an alarm to reach the topic, the function and SageMaker; a function in its cool-down starts nothing."""


class LoopError(Exception):
    """Raised when an hour cannot be played: requests fail, or the monitor does not finish in time."""


@dataclass(frozen=True)
class Episode:
    """What is played: which environment, which rows, how many, for how long."""

    environment: str
    endpoint: str
    schedule: str
    buckets: Mapping[str, str]
    """Output name -> bucket name, of the foundation stack."""
    scenario: Scenario
    pool: LabelledRows
    hours: int
    rows_per_hour: int
    seed: int


class _Pace:
    """Moves the simulated clock along the traffic's own time, so that the seconds that sending takes do not add up."""

    def __init__(self, aws: EmbeddedAws) -> None:
        self._aws = aws
        self._target = self._now = aws.now()

    def __call__(self, seconds: float) -> None:
        self._target += timedelta(seconds=seconds)
        self._now = self._aws.advance(max(0.0, (self._target - self._now).total_seconds()))


@dataclass
class Loop:
    """Plays an episode hour by hour; `folder` takes each hour's report files.

    The first window is the hour that the embedded AWS's clock is in.
    """

    aws: EmbeddedAws
    episode: Episode
    folder: Path
    alarms: list[FiredAlarm] = field(default_factory=list)
    jobs: list[RetrainingJob] = field(default_factory=list)
    _in_alarm: set[str] = field(default_factory=set)
    _known_jobs: set[str] = field(default_factory=set)
    _unlabelled: tuple[int, LabelledRows] | None = None

    def play(self) -> Iterator[tuple[Hour, list[str]]]:
        """Yield each hour when it is over, with notes of what else happened.

        Raises
        ------
        LoopError
            If requests fail, or the monitor does not finish in time.
        """
        self._known_jobs.update(job["TrainingJobName"] for job in self._training_jobs())
        first = self.aws.now().replace(minute=0, second=0, microsecond=0)
        for number in range(1, self.episode.hours + 1):
            start = first + timedelta(hours=number - 1)
            rows = self.episode.scenario.rows(self.episode.pool, number, self.episode.rows_per_hour, self.episode.seed)
            accuracy = self._send(number, start, rows)
            self._advance_to(start + timedelta(hours=1))
            self._labels_arrive(number, rows)
            report = self._report(start)
            yield (
                Hour(f"{start:%Y-%m-%dT%H:%M:%SZ}", accuracy, report),
                self._what_followed(number),
            )

    def _send(self, number: int, start: datetime, rows: LabelledRows) -> float | None:
        """Send one hour's rows at a constant rate until the hour's end and return their true accuracy, if known."""
        left = (start + timedelta(hours=1) - self.aws.now()).total_seconds() - HOUR_END_MARGIN_SECONDS
        plan = Plan(
            endpoint=self.episode.endpoint,
            hours=1,
            rows_per_hour=len(rows),
            rows_per_request=ROWS_PER_REQUEST,
            format=Format.ALTERNATE,
            name=f"demo-{number:02d}",
            seconds_per_hour=left,
        )
        predicted = np.full(len(rows), np.nan)

        def keep(answer: Answer) -> None:
            predicted[answer.first_row : answer.first_row + len(answer.probabilities)] = answer.probabilities

        summary = replay(
            plan,
            self.aws.client("sagemaker-runtime"),
            lambda hour, n: rows.rows,
            pace=_Pace(self.aws),
            on_answer=keep,
        )
        if summary.interrupted:
            raise KeyboardInterrupt
        if summary.failed:
            raise LoopError(f"hour {number}: {summary}")
        if not self.episode.scenario.labels_are_true:
            return None
        positive = np.array(rows.labels) == positive_label(self.episode.pool.labels)
        return float(np.mean((predicted >= DECISION_THRESHOLD) == positive))

    def _advance_to(self, moment: datetime) -> None:
        self.aws.advance(max(0.0, (moment - self.aws.now()).total_seconds()))

    def _labels_arrive(self, number: int, rows: LabelledRows) -> None:
        """Deliver the labels of the hour before: the population gives them with a delay of one hour."""
        if self._unlabelled is not None and self.episode.scenario.labels_are_true:
            before, labelled = self._unlabelled
            name = f"hour-{before:02d}.csv"
            with tempfile.TemporaryDirectory() as folder:
                labelled.write_csv(Path(folder, name), TARGET)
                self.aws.client("s3").upload_file(
                    str(Path(folder, name)), self.episode.buckets["ArtifactsBucketName"], f"{Prefix.FRESH_DATA}/{name}"
                )
        self._unlabelled = (number, rows)

    def _report(self, start: datetime) -> DriftReport | None:
        """Wait for the execution of the window that began at `start`, and fetch what it left."""
        self._wait_for_execution(start + timedelta(hours=1))
        self.aws.advance(ALARM_MARGIN_SECONDS)
        s3 = self.aws.client("s3")
        bucket = self.episode.buckets["ReportsBucketName"]
        hour = f"{start:%Y/%m/%d/%H}"
        prefix = f"{Prefix.REPORTS}/{report_prefix(self.episode.endpoint, self.episode.schedule, hour)}/"
        target = self.folder / f"{start:%Y-%m-%dT%H}"
        for entry in s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", ()):
            target.mkdir(parents=True, exist_ok=True)
            s3.download_file(bucket, entry["Key"], str(target / entry["Key"].removeprefix(prefix)))
        report = target / ReportFile.DRIFT_REPORT
        return DriftReport.from_json(report.read_text(encoding="utf-8")) if report.exists() else None

    def _wait_for_execution(self, scheduled: datetime) -> None:
        deadline = time.monotonic() + RUN_TIMEOUT_SECONDS
        while time.monotonic() < deadline:
            executions = self.aws.client("sagemaker").list_monitoring_executions(
                MonitoringScheduleName=self.episode.schedule, SortBy="ScheduledTime", SortOrder="Descending"
            )["MonitoringExecutionSummaries"]
            for execution in executions:
                ended = execution["MonitoringExecutionStatus"] not in ("Pending", "InProgress", "Stopping")
                if execution["ScheduledTime"].timestamp() == scheduled.timestamp() and ended:
                    return
            time.sleep(POLL_SECONDS)
        raise LoopError(f"the monitor's execution of {scheduled} did not end within {RUN_TIMEOUT_SECONDS} s")

    def _what_followed(self, number: int) -> list[str]:
        time.sleep(SETTLE_SECONDS)
        alarms = list(self._new_alarms(number))
        deadline = time.monotonic() + (RETRAINING_SECONDS if alarms else 0)
        while not (jobs := list(self._new_jobs(number))) and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
        return [*alarms, *jobs]

    def _new_alarms(self, number: int) -> Iterator[str]:
        names = [alarm_name(self.episode.environment, kind) for kind in AlarmKind]
        states = self.aws.client("cloudwatch").describe_alarms(AlarmNames=names)["MetricAlarms"]
        now = {state["AlarmName"] for state in states if state["StateValue"] == "ALARM"}
        for name in sorted(now - self._in_alarm):
            self.alarms.append(FiredAlarm(name, number))
            yield f"alarm {name} fired; the topic told the retraining Lambda"
        self._in_alarm = now

    def _new_jobs(self, number: int) -> Iterator[str]:
        for summary in self._training_jobs():
            name = summary["TrainingJobName"]
            if name not in self._known_jobs:
                self._known_jobs.add(name)
                self.jobs.append(RetrainingJob(name, number, summary["TrainingJobStatus"]))
                yield f"retraining job {name} started"

    def _training_jobs(self) -> Sequence[Mapping[str, Any]]:
        prefix = training_job_prefix(self.episode.environment)
        jobs: Sequence[Mapping[str, Any]] = self.aws.client("sagemaker").list_training_jobs(NameContains=prefix)[
            "TrainingJobSummaries"
        ]
        return jobs
