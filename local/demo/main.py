"""`plumbline demo`: deploy, train, serve, drift, alarm, retrain; then say what happened."""

import argparse
import contextlib
import shutil
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rich.console import Console

from local.aws.settings import ROOT
from local.demo import data, first_model
from local.demo.cdk import Cdk, CdkError
from local.demo.data import TEST_FILE, TRAIN_FILE, DemoData
from local.demo.environment_file import derive
from local.demo.first_model import TrainingError, wait_for_training
from local.demo.ground_truth import news
from local.demo.hours import Hour
from local.demo.loop import Episode, Loop, LoopError
from local.demo.screen import Screen
from local.demo.summary import RetrainingJob, Summary
from local.demo.words import closing_words
from local.embedded import EmbeddedAws, EmbeddedAwsError
from local.environments import EnvironmentSetupError
from plumbline import report
from plumbline.census import TARGET
from plumbline.scenarios import scenario
from stacks.config_file import load_environment
from stacks.naming import Naming

CLOCK_START = datetime(2026, 1, 4, tzinfo=UTC)
"""Simulated, so that the same seed gives the same windows."""
GOES_LIVE = CLOCK_START + timedelta(hours=36)
"""The first model is a day and a half old then: older than the cool-down between two training jobs."""
SUMMARY_FILE = "summary.json"


class DemoError(Exception):
    """Raised when the demo cannot go on; the text says why and where to look."""


@dataclass(frozen=True)
class Folders:
    """Everything the demo leaves is below `output`; `state` is removed at the end."""

    output: Path

    @property
    def state(self) -> Path:
        """Files of the embedded AWS while it runs."""
        return self.output / ".state"

    @property
    def data(self) -> Path:
        """Training and test rows, and the baseline."""
        return self.output / "data"

    @property
    def results(self) -> Path:
        """Each hour's report files."""
        return self.output / "reports"

    def clear(self) -> None:
        """Remove what an earlier demo left.

        Raises
        ------
        DemoError
            If the folder holds something else.
        """
        if self._is_taken():
            raise DemoError(f"--output must be a new folder or an earlier demo's, got {self.output}; choose another")
        shutil.rmtree(self.output, ignore_errors=True)
        self.data.mkdir(parents=True)
        self.results.mkdir()
        (self.output / ".plumbline-demo").touch()

    def _is_taken(self) -> bool:
        if not self.output.is_dir():
            return self.output.exists()
        return any(self.output.iterdir()) and not (self.output / ".plumbline-demo").exists()

    def keep_logs(self) -> None:
        """Move the logs out of the state folder and remove the rest of it."""
        for log in ("server.log", "cdk.log"):
            with contextlib.suppress(FileNotFoundError):
                (self.state / log).replace(self.output / log)
        shutil.rmtree(self.state, ignore_errors=True)


def run(arguments: argparse.Namespace) -> int:
    """Play the demo and return the program's exit code.

    Raises
    ------
    DemoError
        If a step fails; what was written so far stays.
    """
    folders = Folders(Path(arguments.output).resolve())
    folders.clear()
    screen = Screen(Console())
    try:
        chosen = data.choose(arguments.data, synthetic=arguments.synthetic, seed=arguments.seed)
    except ValueError as error:
        raise DemoError(str(error)) from error
    screen.say(f"[bold]Plumbline[/bold] · data: {chosen.origin}")
    try:
        with _running(folders, screen) as aws:
            summary = _play(aws, folders, screen, chosen, arguments)
    except (CdkError, TrainingError, LoopError, EmbeddedAwsError, EnvironmentSetupError, report.ReportError) as error:
        raise DemoError(f"{error}\nthe embedded AWS's log is {folders.output / 'server.log'}") from error
    screen.say("")
    for sentence in closing_words(summary):
        screen.say(sentence)
    screen.say(f"\nRead [bold]{folders.output / report.PAGE}[/bold] next.")
    return 0


@contextlib.contextmanager
def _running(folders: Folders, screen: Screen) -> Iterator[EmbeddedAws]:
    try:
        with screen.stage("start the embedded AWS"):
            aws = EmbeddedAws.start(folders.state, start=CLOCK_START)
        with aws:
            yield aws
    finally:
        folders.keep_logs()


def _play(
    aws: EmbeddedAws, folders: Folders, screen: Screen, chosen: DemoData, arguments: argparse.Namespace
) -> Summary:
    cdk = Cdk(ROOT, aws.environment, folders.state / "cdk.log")
    inputs = _write_data(folders, chosen)
    config = load_environment(str(_environment_file(folders, inputs)), ROOT)
    naming = Naming(config.name)
    outputs = _deploy_foundation(aws, cdk, folders, screen, naming)
    with screen.stage("train the first model as a SageMaker job, learn its baseline"):
        model = first_model.make(aws, config, outputs, folders.data)
    aws.advance((GOES_LIVE - aws.now()).total_seconds())
    inputs |= {"model.artifact": model.artifact, "model.baseline": str(model.baseline)}
    with screen.stage("deploy the endpoint, its monitoring, alarms and retraining"):
        cdk.deploy(cdk.synthesize(_environment_file(folders, inputs), folders.state / "cdk.out"), ())
    loop = Loop(
        aws,
        Episode(
            environment=config.name,
            endpoint=naming.endpoint,
            schedule=naming.schedule,
            outputs=outputs,
            scenario=scenario(arguments.scenario),
            pool=chosen.rows.pool,
            hours=arguments.hours,
            rows_per_hour=arguments.rows_per_hour,
            seed=arguments.seed,
        ),
        folders.results,
    )
    hours = _play_hours(loop, screen)
    with screen.stage("wait for retraining, write the report"):
        summary = Summary(chosen.source, hours, tuple(loop.alarms), tuple(_finished(aws, job) for job in loop.jobs))
        summary.write(folders.output / SUMMARY_FILE)
        _write_report(folders, summary)
    return summary


def _write_data(folders: Folders, chosen: DemoData) -> dict[str, str]:
    """Write the training and test rows and return the environment file's keys that name them."""
    chosen.rows.train.write_csv(folders.data / TRAIN_FILE, TARGET)
    chosen.rows.test.write_csv(folders.data / TEST_FILE, TARGET)
    return {"training.train": str(folders.data / TRAIN_FILE), "training.test": str(folders.data / TEST_FILE)}


def _environment_file(folders: Folders, values: Mapping[str, str]) -> Path:
    return derive(ROOT / "environments" / "dev.toml", folders.data / "environment.toml", values)


def _deploy_foundation(aws: EmbeddedAws, cdk: Cdk, folders: Folders, screen: Screen, naming: Naming) -> dict[str, str]:
    """Bootstrap while the app is synthesized, deploy keys, buckets and training, and return the stack's outputs."""
    stack = naming.stack("foundation")
    with ThreadPoolExecutor(1) as pool:
        bootstrapped = pool.submit(cdk.bootstrap, aws.account, aws.region)
        with screen.stage("synthesize the app, bootstrap the account"):
            assembly = cdk.synthesize(folders.data / "environment.toml", folders.state / "cdk.out.foundation")
            bootstrapped.result()
    with screen.stage("deploy keys, buckets and roles"):
        cdk.deploy(assembly, [stack])
    described = aws.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in described["Outputs"]}


def _play_hours(loop: Loop, screen: Screen) -> list[Hour]:
    screen.hour_header()
    hours: list[Hour] = []
    played = loop.play()
    while True:
        with screen.working(f"hour {len(hours) + 1}: traffic, then the monitor"):
            following = next(played, None)
        if following is None:
            return hours
        hour, notes = following
        hours.append(hour)
        labelled, seen = news(hours)
        screen.hour(len(hours), hour, [*seen, *notes], labelled)


def _finished(aws: EmbeddedAws, job: RetrainingJob) -> RetrainingJob:
    ended = wait_for_training(aws, job.name)
    artifact = ended.get("ModelArtifacts", {}).get("S3ModelArtifacts")
    return replace(job, status=ended["TrainingJobStatus"], artifact=artifact)


def _write_report(folders: Folders, summary: Summary) -> None:
    starts = [hour.window for hour in summary.hours]
    events = [
        *(report.Event(starts[alarm.fired_in_hour - 1], "alarm", alarm.name) for alarm in summary.alarms),
        *(report.Event(starts[job.started_in_hour - 1], "retraining", job.name) for job in summary.retraining_jobs),
    ]
    truth = {hour.window: hour.true_accuracy for hour in summary.hours if hour.true_accuracy is not None}
    report.build(folders.results, folders.output, truth=truth, events=events)
