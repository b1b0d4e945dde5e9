"""The simulated hours: traffic, the monitor's hourly run, and what followed from it."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from contract.names import (
    GROUND_TRUTH_OUTPUT,
    AlarmKind,
    Prefix,
    ReportFile,
    RetrainingVariable,
    alarm_name,
    report_prefix,
    training_job_prefix,
)
from contract.records import DriftReport
from contract.training import DECISION_THRESHOLD, positive_label
from local.demo.first_model import POLL_SECONDS
from local.demo.hours import Hour
from local.demo.late_labels import LateLabels
from local.demo.summary import FiredAlarm, RetrainingJob
from local.embedded import EmbeddedAws
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
    outputs: Mapping[str, str]
    """Of the foundation stack: the names of its buckets, and where labels arrive."""
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

    def play(self) -> Iterator[tuple[Hour, list[str]]]:
        """Yield each hour when it is over, with notes of what else happened.

        Raises
        ------
        LoopError
            If requests fail, or the monitor does not finish in time.
        """
        self._known_jobs.update(job["TrainingJobName"] for job in self._training_jobs())
        triggers = self._triggers()
        labels = self._late_labels()
        first = self.aws.now().replace(minute=0, second=0, microsecond=0)
        for number in range(1, self.episode.hours + 1):
            start = first + timedelta(hours=number - 1)
            end = start + timedelta(hours=1)
            rows = self.episode.scenario.rows(self.episode.pool, number, self.episode.rows_per_hour, self.episode.seed)
            plan = self._plan(number, end, len(rows))
            accuracy = self._send(plan, rows)
            if self.episode.scenario.labels_are_true:
                labels.sent(number, plan, rows)
            # Before the hour ends: its monitoring run finds the labels of the hours before.
            labels.deliver(number, end - timedelta(seconds=HOUR_END_MARGIN_SECONDS))
            self._advance_to(end)
            report = self._report(start)
            yield (
                Hour(f"{start:%Y-%m-%dT%H:%M:%SZ}", accuracy, report),
                self._what_followed(number, triggers),
            )

    def _late_labels(self) -> LateLabels:
        outputs = self.episode.outputs
        return LateLabels(
            self.aws.client("s3"),
            outputs.get(GROUND_TRUTH_OUTPUT),
            outputs["ArtifactsBucketName"],
            self.episode.seed,
        )

    def _triggers(self) -> frozenset[str]:
        """Return the names of the alarms that start retraining, as the deployed function has them."""
        functions = self.aws.client("lambda").list_functions()["Functions"]
        variables = [function.get("Environment", {}).get("Variables", {}) for function in functions]
        names = (found.get(RetrainingVariable.TRIGGER_ALARM_NAMES, "") for found in variables)
        return frozenset(name for text in names for name in text.split(",") if name)

    def _plan(self, number: int, end: datetime, n_rows: int) -> Plan:
        """Return the plan of one hour's traffic, which is over shortly before the hour is."""
        return Plan(
            endpoint=self.episode.endpoint,
            hours=1,
            rows_per_hour=n_rows,
            rows_per_request=ROWS_PER_REQUEST,
            format=Format.ALTERNATE,
            name=f"demo-{number:02d}",
            seconds_per_hour=(end - self.aws.now()).total_seconds() - HOUR_END_MARGIN_SECONDS,
        )

    def _send(self, plan: Plan, rows: LabelledRows) -> float | None:
        """Send one hour's rows at a constant rate and return their true accuracy, if known."""
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
            raise LoopError(f"{plan.name}: {summary}")
        if not self.episode.scenario.labels_are_true:
            return None
        positive = np.array(rows.labels) == positive_label(self.episode.pool.labels)
        return float(np.mean((predicted >= DECISION_THRESHOLD) == positive))

    def _advance_to(self, moment: datetime) -> None:
        self.aws.advance(max(0.0, (moment - self.aws.now()).total_seconds()))

    def _report(self, start: datetime) -> DriftReport | None:
        """Wait for the execution of the window that began at `start`, and fetch what it left."""
        self._wait_for_execution(start + timedelta(hours=1))
        self.aws.advance(ALARM_MARGIN_SECONDS)
        s3 = self.aws.client("s3")
        bucket = self.episode.outputs["ReportsBucketName"]
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

    def _what_followed(self, number: int, triggers: frozenset[str]) -> list[str]:
        time.sleep(SETTLE_SECONDS)
        fired = self._new_alarms(number)
        deadline = time.monotonic() + (RETRAINING_SECONDS if triggers & set(fired) else 0)
        while not (jobs := list(self._new_jobs(number))) and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
        outcome = {True: "the topic told the retraining Lambda", False: "it starts no retraining"}
        alarms = [f"alarm {name} fired; {outcome[name in triggers]}" for name in fired]
        return [*alarms, *jobs]

    def _new_alarms(self, number: int) -> list[str]:
        names = [alarm_name(self.episode.environment, kind) for kind in AlarmKind]
        states = self.aws.client("cloudwatch").describe_alarms(AlarmNames=names)["MetricAlarms"]
        now = {state["AlarmName"] for state in states if state["StateValue"] == "ALARM"}
        fired = sorted(now - self._in_alarm)
        self.alarms += [FiredAlarm(name, number) for name in fired]
        self._in_alarm = now
        return fired

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
