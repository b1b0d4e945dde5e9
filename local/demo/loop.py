"""The simulated hours: traffic, the monitor's hourly run, and its consequences."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

from plumbline.contract.names import GROUND_TRUTH_OUTPUT, Prefix, ReportFile, alarm_name, report_prefix
from plumbline.contract.records import DriftReport
from plumbline.contract.retraining import LoopVariable
from plumbline.contract.training import DECISION_THRESHOLD, positive_label
from plumbline.data.choices import Format
from plumbline.data.rows import LabelledRows
from plumbline.data.scenarios import Scenario
from plumbline.local.demo.data import LateLabels, halves
from plumbline.local.demo.first_model import POLL_SECONDS
from plumbline.local.demo.hours import Hour
from plumbline.local.demo.motion import Motion, WatchedNames
from plumbline.local.demo.summary import FiredAlarm, PromotionOutcome
from plumbline.local.embedded import EmbeddedAws
from plumbline.stacks.config.schedule import Engine
from plumbline.stacks.constructs.alarms.alarm_rules import AlarmKind
from plumbline.traffic.replay import ReplayAnswer, ReplayPlan, replay

ROWS_PER_REQUEST = 10
HOUR_END_MARGIN_SECONDS = 5
"""The clock also runs by itself; the last request of an hour keeps clear of the next one."""
RUN_TIMEOUT_SECONDS = 120
ALARM_MARGIN_SECONDS = 60
"""CloudWatch evaluates alarms about once a minute."""
SETTLE_SECONDS = 0.2
"""Real time for the alarms to be evaluated: that was requested before the execution ended."""
HOURLY_MINUTE = 40
"""When the controller decides again each hour: `plumbline.stacks.constructs.hourly_looks.EVERY_HOUR`."""


class LoopError(Exception):
    """Raised when an hour cannot be played: requests fail, or the monitor does not finish in time."""


@dataclass(frozen=True)
class Episode:
    """What is played: which environment, which rows, how many, for how long."""

    environment: str
    endpoint: str
    schedule: str
    outputs: Mapping[str, str]
    """Of all stacks."""
    scenario: Scenario
    pool: LabelledRows
    hours: int
    rows_per_hour: int
    seed: int
    engine: Engine = Engine.MODEL_MONITOR
    run_minute: int = 0
    """When the monitor runs after a window's end."""


class _Pace:
    """Moves the simulated clock along the traffic's own time, so that the seconds that sending takes do not add up.

    The traffic stands still while the loop does what takes real time, and goes on while two fleets answer.
    """

    def __init__(self, aws: EmbeddedAws, motion: Motion) -> None:
        self._aws, self._motion = aws, motion
        self._target = self._now = aws.now()
        self._hourly = self._target.replace(minute=HOURLY_MINUTE, second=0, microsecond=0)

    def __call__(self, seconds: float) -> None:
        self._target += timedelta(seconds=seconds)
        n_decisions = self._motion.n_decisions() if self._now < self._hourly <= self._target else None
        self._now = self._aws.advance(max(0.0, (self._target - self._now).total_seconds()))
        if n_decisions is not None:
            self._motion.await_decisions(n_decisions + 1)
        elif self._motion.is_baking:
            self._motion.watch()
        else:
            return
        self._now = self._aws.now()


@dataclass
class Loop:
    """Plays an episode hour by hour; `folder` takes each hour's report files.

    The first window is the hour that the embedded AWS's clock is in. `say` gets a line for each action that the
    retraining loop does within an hour; what it does at the end of one comes with the hour.
    """

    aws: EmbeddedAws
    episode: Episode
    folder: Path
    say: Callable[[str], None] = lambda _: None
    alarms: list[FiredAlarm] = field(default_factory=list)
    motion: Motion = field(init=False)
    _in_alarm: set[str] = field(default_factory=set)
    _notes: list[str] | None = None

    def __post_init__(self) -> None:
        """Watch the loop from now on."""
        outputs = self.episode.outputs
        names = WatchedNames(
            environment=self.episode.environment,
            endpoint=self.episode.endpoint,
            pipeline=outputs["PipelineName"],
            controller=outputs["RetrainingFunctionName"],
            topic=outputs["TopicArn"],
        )
        self.motion = Motion(self.aws, names, self._note)

    def play(self) -> Iterator[tuple[Hour, list[str]]]:
        """Yield each hour when it is over, with notes of what else happened.

        Raises
        ------
        LoopError
            If requests fail, or the monitor does not finish in time.
        MotionError
            If the retraining loop does not.
        """
        triggers = self._triggers()
        labels = self._late_labels()
        first = self.aws.now().replace(minute=0, second=0, microsecond=0)
        for number in range(1, self.episode.hours + 1):
            start = first + timedelta(hours=number - 1)
            end = start + timedelta(hours=1)
            self.motion.hour = number
            rows = self.episode.scenario.rows(self._unseen(), number, self.episode.rows_per_hour, self.episode.seed)
            plan = self._plan(number, end, len(rows))
            accuracy = self._send(plan, rows)
            if self.episode.scenario.labels_are_true:
                labels.sent(number, plan, rows)
            labels.are_requested = self.motion.labels_are_needed
            # Before the hour ends: its monitoring run finds the labels of the hours before.
            labels.deliver(number, end - timedelta(seconds=HOUR_END_MARGIN_SECONDS))
            n_decisions = self.motion.n_decisions()
            self._advance_to(end)
            report = self._report(start)
            yield (
                Hour(f"{start:%Y-%m-%dT%H:%M:%SZ}", accuracy, report),
                self._consequences(number, triggers, n_decisions),
            )

    def _unseen(self) -> LabelledRows:
        """Return the half of the pool that the serving model saw no row of.

        A challenger learns from the traffic before it; so the halves take turns, and a row is never served to a model
        that was trained on it.
        """
        n_changes = sum(one.outcome is PromotionOutcome.SERVES for one in self.motion.promotions)
        return halves(self.episode.pool, self.episode.seed)[n_changes % 2]

    def _note(self, line: str) -> None:
        if self._notes is None:
            self.say(line)
        else:
            self._notes.append(line)

    def _late_labels(self) -> LateLabels:
        outputs = self.episode.outputs
        return LateLabels(
            self.aws.client("s3"),
            outputs.get(GROUND_TRUTH_OUTPUT),
            self.episode.seed,
        )

    def _triggers(self) -> frozenset[str]:
        """Return the names of the alarms that start retraining, as the deployed function has them."""
        functions = self.aws.client("lambda").list_functions()["Functions"]
        variables = [function.get("Environment", {}).get("Variables", {}) for function in functions]
        names = (found.get(LoopVariable.TRIGGER_ALARM_NAMES, "") for found in variables)
        return frozenset(name for text in names for name in text.split(",") if name)

    def _plan(self, number: int, end: datetime, n_rows: int) -> ReplayPlan:
        """Return the plan of one hour's traffic, which is over shortly before the hour is."""
        return ReplayPlan(
            endpoint=self.episode.endpoint,
            hours=1,
            rows_per_hour=n_rows,
            rows_per_request=ROWS_PER_REQUEST,
            format=Format.ALTERNATE,
            name=f"demo-{number:02d}",
            seconds_per_hour=(end - self.aws.now()).total_seconds() - HOUR_END_MARGIN_SECONDS,
        )

    def _send(self, plan: ReplayPlan, rows: LabelledRows) -> float | None:
        """Send one hour's rows at a constant rate and return their true accuracy, if known."""
        predicted = np.full(len(rows), np.nan)

        def keep(answer: ReplayAnswer) -> None:
            predicted[answer.first_row : answer.first_row + len(answer.probabilities)] = answer.probabilities

        summary = replay(
            plan,
            self.aws.client("sagemaker-runtime"),
            lambda _hour, _n: rows.rows,
            pace=_Pace(self.aws, self.motion),
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
        due = start + timedelta(hours=1, minutes=self.episode.run_minute)
        self._advance_to(due)
        self._wait_for_run(due)
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

    def _wait_for_run(self, due: datetime) -> None:
        has_ended = self._execution_ended if self.episode.engine is Engine.MODEL_MONITOR else self._own_job_ended
        deadline = time.monotonic() + RUN_TIMEOUT_SECONDS
        while time.monotonic() < deadline:
            if has_ended(due):
                return
            time.sleep(POLL_SECONDS)
        raise LoopError(f"the monitor's run of {due} did not end within {RUN_TIMEOUT_SECONDS} s")

    def _execution_ended(self, due: datetime) -> bool:
        executions = self.aws.client("sagemaker").list_monitoring_executions(
            MonitoringScheduleName=self.episode.schedule, SortBy="ScheduledTime", SortOrder="Descending"
        )["MonitoringExecutionSummaries"]
        return any(
            execution["ScheduledTime"].timestamp() == due.timestamp()
            and execution["MonitoringExecutionStatus"] not in ("Pending", "InProgress", "Stopping")
            for execution in executions
        )

    def _own_job_ended(self, due: datetime) -> bool:
        """Return whether the job that our own schedule started last, not before `due`, has ended."""
        jobs = self.aws.client("sagemaker").list_processing_jobs(
            NameContains=f"{self.episode.schedule}-", SortBy="CreationTime", SortOrder="Descending"
        )["ProcessingJobSummaries"]
        return any(
            job["CreationTime"].timestamp() >= due.timestamp()
            and job["ProcessingJobStatus"] not in ("InProgress", "Stopping")
            for job in jobs
        )

    def _consequences(self, number: int, triggers: frozenset[str], n_decisions: int) -> list[str]:
        """Return notes on the alarms that fired, and on what the retraining loop did then."""
        self._notes = []
        time.sleep(SETTLE_SECONDS)
        fired = self._new_alarms(number)
        expected = triggers & set(fired)
        for name in fired:
            does = "the controller decides" if name in triggers else "it starts no retraining"
            self._notes.append(f"{self.aws.now():%H:%M} alarm {name} fired; {does}")
        self.motion.await_decisions(n_decisions + len(expected))
        notes, self._notes = self._notes, None
        return notes

    def _new_alarms(self, number: int) -> list[str]:
        names = [alarm_name(self.episode.environment, kind) for kind in AlarmKind]
        states = self.aws.client("cloudwatch").describe_alarms(AlarmNames=names)["MetricAlarms"]
        now = {state["AlarmName"] for state in states if state["StateValue"] == "ALARM"}
        fired = sorted(now - self._in_alarm)
        self.alarms += [FiredAlarm(name, number) for name in fired]
        self._in_alarm = now
        return fired
