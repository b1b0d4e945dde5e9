"""`plumbline demo`: deploy, train, serve, drift, alarm, retrain; then print the results."""

import argparse
import contextlib
import shutil
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rich.console import Console

from plumbline import report
from plumbline.data.census import TARGET
from plumbline.data.scenarios import scenario
from plumbline.local.aws.settings import ROOT
from plumbline.local.demo import data, first_model
from plumbline.local.demo.closing import closing_sentences
from plumbline.local.demo.data import TEST_FILE, TRAIN_FILE, DemoData
from plumbline.local.demo.deployment import Cdk, CdkError, Value, derive
from plumbline.local.demo.first_model import TrainingError
from plumbline.local.demo.hours import Hour, news
from plumbline.local.demo.loop import ROWS_PER_REQUEST, Episode, Loop, LoopError
from plumbline.local.demo.motion import MotionError
from plumbline.local.demo.screen import Screen
from plumbline.local.demo.summary import DemoSummary, RetrainingRun
from plumbline.local.embedded import EmbeddedAws, EmbeddedAwsError
from plumbline.local.environments import EnvironmentSetupError
from plumbline.stacks.config.file import load_environment
from plumbline.stacks.config.schedule import minute_of
from plumbline.stacks.naming import Naming

CLOCK_START = datetime(2026, 1, 4, tzinfo=UTC)
"""Simulated, so that the same seed gives the same windows."""
GOES_LIVE = CLOCK_START + timedelta(hours=36)
"""The first model is a day and a half old then: older than the cool-down between two retrainings."""
SUMMARY_FILE = "summary.json"
_FAILURES = (
    CdkError,
    TrainingError,
    LoopError,
    MotionError,
    EmbeddedAwsError,
    EnvironmentSetupError,
    report.ReportError,
)

CANARY_MINUTES = 3
LATENCY_MILLISECONDS = 20_000
"""Two busy cores must not roll a new model back."""
MIN_LABELLED_FRACTION = 0.2
"""Below the fraction of requests that are labelled by routine."""
FRESH_HOURS = 4
"""The last one's labels are not there yet: three hours of rows."""
FRESH_HOURS_OF_ROWS = 2.2
"""More than three hours have with one of routine labels among them, less than three have once labels are requested;
with room for rows that occur twice and are left out."""
FRESH_SHARE = 0.8
TEST_MARGIN = 0.3
"""The original test set has the labels of the old regime: a model of the new one is right to differ from them."""


class DemoError(Exception):
    """Raised when the demo cannot go on; the text has the reason and the log file."""


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
    except _FAILURES as error:
        raise DemoError(f"{error}\nthe embedded AWS's log is {folders.output / 'server.log'}") from error
    screen.say("")
    for sentence in closing_sentences(summary):
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
) -> DemoSummary:
    cdk = Cdk(ROOT, aws.environment, folders.state / "cdk.log")
    inputs = {**_write_data(folders, chosen), **_settings(arguments.rows_per_hour), "monitor.engine": arguments.engine}
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
            outputs={**outputs, **_outputs(aws, naming, "monitoring")},
            scenario=scenario(arguments.scenario),
            pool=chosen.rows.pool,
            hours=arguments.hours,
            rows_per_hour=arguments.rows_per_hour,
            seed=arguments.seed,
            engine=config.monitor.engine,
            run_minute=minute_of(config.monitor.expression),
        ),
        folders.results,
        screen.note,
    )
    hours = _play_hours(loop, screen)
    with screen.stage("write the report"):
        motion = loop.motion
        summary = DemoSummary(
            chosen.source, hours, tuple(loop.alarms), tuple(motion.retrainings), tuple(motion.promotions)
        )
        summary.write(folders.output / SUMMARY_FILE)
        _write_report(folders, summary)
    return summary


def _write_data(folders: Folders, chosen: DemoData) -> dict[str, str]:
    """Write the training and test rows and return the environment file's keys that name them."""
    chosen.rows.train.write_csv(folders.data / TRAIN_FILE, TARGET)
    chosen.rows.test.write_csv(folders.data / TEST_FILE, TARGET)
    return {"training.train": str(folders.data / TRAIN_FILE), "training.test": str(folders.data / TEST_FILE)}


def _settings(rows_per_hour: int) -> dict[str, Value]:
    """Return where the demo differs from the development environment, so that the episode fits into a day."""
    return {
        "endpoint.instance_count": 2,
        "promotion.traffic": "canary",
        "promotion.canary_percent": 50,
        "promotion.bake_minutes": CANARY_MINUTES,
        "promotion.latency_milliseconds": LATENCY_MILLISECONDS,
        "labels.minimum_labelled_fraction": MIN_LABELLED_FRACTION,
        "retraining.fresh_hours": FRESH_HOURS,
        "retraining.minimum_fresh_rows": max(ROWS_PER_REQUEST, int(FRESH_HOURS_OF_ROWS * rows_per_hour)),
        "retraining.fresh_weight_fraction": FRESH_SHARE,
        "retraining.test_margin": TEST_MARGIN,
    }


def _environment_file(folders: Folders, values: Mapping[str, Value]) -> Path:
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
    return _outputs(aws, naming, "foundation")


def _outputs(aws: EmbeddedAws, naming: Naming, part: str) -> dict[str, str]:
    described = aws.client("cloudformation").describe_stacks(StackName=naming.stack(part))["Stacks"][0]
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


def _name(run: RetrainingRun) -> str:
    return run.execution.rpartition("/")[2]


def _write_report(folders: Folders, summary: DemoSummary) -> None:
    starts = [hour.window for hour in summary.hours]
    events = [
        *(report.Event(starts[alarm.fired_in_hour - 1], "alarm", alarm.name) for alarm in summary.alarms),
        *(report.Event(starts[run.started_in_hour - 1], "retraining", _name(run)) for run in summary.retrainings),
        *(report.Event(starts[one.hour - 1], "promotion", one.words) for one in summary.promotions),
    ]
    truth = {hour.window: hour.true_accuracy for hour in summary.hours if hour.true_accuracy is not None}
    report.build(folders.results, folders.output, truth=truth, events=events)
