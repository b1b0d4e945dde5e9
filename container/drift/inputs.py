"""Inputs of one run: everything it reads, and where it writes."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from plumbline.contract.names import Argument
from plumbline.contract.predictions import PredictionFormat
from plumbline.contract.records import MODEL_CHANGED, WindowBounds
from plumbline.drift.aws import Clients, Connect
from plumbline.drift.data.times import parse_time
from plumbline.drift.errors import ConfigError
from plumbline.drift.judge.accepted import AcceptedFiles, stated_windows
from plumbline.drift.judge.comparison import RunContext
from plumbline.drift.judge.window_state import EarlierFiles
from plumbline.drift.projection.learn_history import learn_reference
from plumbline.drift.read.capture import WindowReader, count_folder, plan_of
from plumbline.drift.read.champion import ServingModel, read_serving_model
from plumbline.drift.read.folder import SUFFIXES, listed
from plumbline.drift.read.kernel.plan import WindowPlan
from plumbline.drift.read.look_back import CapturesInS3, LookBack
from plumbline.drift.read.s3 import (
    CaptureFile,
    fetch,
    fetch_captures,
    fetch_last,
    fetch_window_counts_within,
    fetch_window_states,
    list_captures,
)
from plumbline.drift.reference.accepted import is_record
from plumbline.drift.reference.baseline import Baseline, load
from plumbline.drift.reference.csv_inputs import ReferenceFiles
from plumbline.drift.settings.distribution import Distribution
from plumbline.drift.settings.policy import Policy
from plumbline.drift.settings.policy_file import read_policy
from plumbline.drift.settings.run import CaptureHours, LabelSource, OptionalAnalyses, RunSettings


@dataclass(frozen=True, kw_only=True)
class RunInputs:
    """Inputs of one window's analysis, from container or command line.

    `predictions` is what is stated of the endpoint's answers. `read` reads the window's capture files, those of
    `variant` alone where one is named. `serving` knows which model answered which window; None: no history of the
    endpoint's models is kept, and one model answered all. `fetch_model` returns the path of the model's artifact,
    for feature attributions; None: none are computed. `earlier` is where what the runs before this one left is,
    `accepted` where accepted windows are recorded, and `labels` where ground truth arrives; None: not used.
    `bounds` are those of the run's own window, which with `look_back` may get hours before it; None: it does not.
    """

    baseline: Baseline
    read: WindowReader
    bounds: WindowBounds
    output: Path
    context: RunContext
    connect: Connect
    variant: str | None = None
    predictions: PredictionFormat = PredictionFormat()
    serving: ServingModel | None = None
    fetch_model: Callable[[], Path] | None = None
    earlier: EarlierFiles | None = None
    accepted: AcceptedFiles | None = None
    labels: LabelSource | None = None
    look_back: LookBack | None = None

    @property
    def plan(self) -> WindowPlan:
        """Plan of reading the run's own window."""
        return plan_of(
            self.baseline,
            self.bounds,
            variant=self.variant,
            segment=self.baseline.segment_column,
            ignored=self.context.policy.ignored,
            facet=self.context.facet,
            predictions=self.predictions,
        )

    def same_model(self, bounds: WindowBounds) -> bool:
        """Return whether the model that answered this window alone answered another one too."""
        return self.serving is None or self.serving.also_answered(bounds)


def run_context(
    policy: Policy,
    analyses: OptionalAnalyses,
    *,
    seed: int = 0,
    endpoint: str | None = None,
    schedule: str | None = None,
    serving: ServingModel | None = None,
) -> RunContext:
    """Return the settings that every comparison of a run shares; a window that two models answered is not judged."""
    context = RunContext(
        policy=policy,
        seed=seed,
        endpoint=endpoint,
        schedule=schedule,
        model=serving.report if serving else None,
        isolation_forest=analyses.isolation_forest,
        multivariate=analyses.multivariate,
        facet=analyses.facet,
        not_judged=MODEL_CHANGED if serving is not None and serving.champion is None else None,
    )
    labels = analyses.labels
    if labels is None:
        return context
    return replace(context, label_lag_hours=labels.lag_hours)


def container_inputs(settings: RunSettings, workspace: Path, clients: Clients) -> RunInputs:
    """Fetch what the container's settings name, into folders of their own below `workspace`.

    Raises
    ------
    ConfigError, BaselineError
        If something is missing or cannot be read.
    """
    fetched = _Fetched(settings, workspace, clients)
    serving = read_serving_model(settings.champions, settings.window.bounds, workspace, clients.s3)
    return RunInputs(
        baseline=fetched.baseline(serving),
        read=window_reader(
            settings.window.source,
            settings.distribution,
            region=settings.platform.region,
            connect=clients.s3,
            workspace=workspace,
        ),
        bounds=settings.window.bounds,
        output=settings.window.output,
        context=run_context(
            fetched.policy(),
            settings.analyses,
            endpoint=settings.platform.endpoint,
            schedule=settings.schedule,
            serving=serving,
        ),
        connect=clients.s3,
        variant=settings.window.variant,
        predictions=settings.predictions,
        serving=serving,
        fetch_model=fetched.model(serving),
        earlier=fetched.earlier(),
        accepted=fetched.accepted(),
        labels=settings.analyses.labels,
        look_back=fetched.look_back(),
    )


@dataclass(frozen=True)
class _Fetched:
    settings: RunSettings
    workspace: Path
    clients: Clients

    def baseline(self, serving: ServingModel | None) -> Baseline:
        """Return the baseline of the model that answered the window, else the one that the arguments name."""
        reference = self.settings.reference
        if serving is None and reference.train is not None:
            return self._learned(reference.train)
        source = str(reference.baseline) if serving is None else (serving.champion or serving.first).baseline
        baseline = load(self._path("baseline", source))
        if reference.target_label not in {None, baseline.target_label}:
            raise ConfigError(
                f"{Argument.TARGET_LABEL} must be the baseline's target {baseline.target_label!r}, "
                f"got {reference.target_label!r}; correct it, or learn a baseline for that target"
            )
        return baseline

    def model(self, serving: ServingModel | None) -> Callable[[], Path] | None:
        """Return what fetches the model that answered the window; None without attributions."""
        named = self.settings.analyses.model
        if named is None:
            return None
        champion = None if serving is None else serving.champion
        return partial(self._path, "model", champion.artifact if champion else named)

    def policy(self) -> Policy:
        """Return the environment's thresholds with those of the policy file in their place."""
        settings = self.settings
        if settings.policy_file is None:
            return settings.policy
        return read_policy(self._path("policy", settings.policy_file), settings.policy)

    def earlier(self) -> EarlierFiles | None:
        """Return where what the runs before this one left is; None where no place is named."""
        reports, start = self.settings.analyses.earlier, self.settings.window.bounds.start
        if reports is None:
            return None
        folder = self.workspace / "earlier"
        if start is None:
            return EarlierFiles(folder)
        try:
            fetch_window_states(reports, parse_time(start), folder, self.clients.s3)
        except ConfigError as error:
            # The verdict on the window stands without those before it, and the report has the reason.
            return EarlierFiles(folder, str(error))
        return EarlierFiles(folder)

    def accepted(self) -> AcceptedFiles:
        """Return what was accepted as the reference: the last record, and the windows that the environment names."""
        source, connect = self.settings.accepted, self.clients.s3
        try:
            records = source.records and fetch_last(source.records, is_record, self.workspace / "accepted", connect)
            stated = source.stated and fetch(source.stated, self.workspace / "stated", connect)
            if not stated or not source.reports:
                return AcceptedFiles(records=records or None)
            return AcceptedFiles(records=records or None, stated=stated, reports=self._stated(stated, source.reports))
        except ConfigError as error:
            # The verdict against training stands, and the report warns of it.
            return AcceptedFiles(failure=str(error))

    def _stated(self, file: Path, reports: str) -> Path:
        folder = self.workspace / "accepted-windows"
        folder.mkdir()
        for one in stated_windows(file):
            start, end = parse_time(str(one.start)), parse_time(str(one.end))
            fetch_window_counts_within(reports, start, end, folder, self.clients.s3)
        return folder

    def look_back(self) -> LookBack | None:
        """Return what reads the hours before the window, from S3 whichever engine runs; None: it does not look back."""
        settings = self.settings.window.look_back
        if settings is None:
            return None
        captures = CapturesInS3(settings.captures, self.workspace / "longer", self.clients.s3)
        return LookBack(maximum_hours=settings.maximum_hours, read=captures)

    def _learned(self, train: str) -> Baseline:
        reference = self.settings.reference
        files = ReferenceFiles(
            train=self._path("train", train),
            test=None if reference.test is None else self._path("test", reference.test),
            predictions=None if reference.predictions is None else self._path("predictions", reference.predictions),
            target_label=reference.target_label,
            history=None if reference.history is None else self._path("history", reference.history),
            time_column=reference.time_column,
        )
        return learn_reference(files)

    def _path(self, name: str, source: str) -> Path:
        return fetch(source, self.workspace / name, self.clients.s3)


def window_reader(
    source: Path | CaptureHours, distribution: Distribution, *, region: str | None, connect: Connect, workspace: Path
) -> WindowReader:
    """Return the reader of a folder's files or of some hours' in S3: this process, or Spark for large windows.

    Parameters
    ----------
    region
        AWS region of the S3 clients that Spark's machines make.
    workspace
        Folder for copies and for Spark's own files.

    Raises
    ------
    ConfigError
        If the files cannot be listed.
    """
    if distribution.may_want_spark:
        files = _files(source, connect)
        if files and distribution.wants_spark(sum(file.n_bytes for file in files)):
            # Deferred: only the image with Spark has its packages.
            from plumbline.drift.spark.entry import SparkReader

            return SparkReader(files, distribution, region, workspace / "spark")
    if isinstance(source, Path):
        return partial(count_folder, source)
    return partial(count_folder, fetch_captures(source.uri, source.start, source.end, workspace / "capture", connect))


def _files(source: Path | CaptureHours, connect: Connect) -> list[CaptureFile]:
    if isinstance(source, Path):
        found = listed(source)
        files = [CaptureFile(name, str(file.resolve()), file.stat().st_size) for file, name in found.files]
        return [*files, *(CaptureFile(name, "", 0, reason) for name, reason in found.odd)]
    found_in_s3 = list_captures(source.uri, source.start, source.end, connect)
    return [file for file in found_in_s3 if file.name.endswith(SUFFIXES)]
