"""One run on plain files: what the container does, and what ``plumbline baseline`` and ``plumbline monitor`` do."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path

from contract.attribution import AttributionReport
from contract.quality import QualityReport
from contract.records import MODEL_CHANGED, DriftReport, WindowBounds
from drift.analysis import analyse, with_quality
from drift.baseline import Baseline, load, save
from drift.bias import require_facet
from drift.capture import Count, count_folder, count_window, plan_of
from drift.champion import Answering
from drift.errors import ConfigError
from drift.ground_truth.sources import waiting_of
from drift.ground_truth.waiting import quality_report
from drift.handover import Clients, report_success
from drift.judgement import RunContext, failure
from drift.kernel.plan import Plan
from drift.obtaining import Obtaining
from drift.outputs import write_reports
from drift.policy import Policy
from drift.projection import Projector
from drift.recent import EarlierWindows
from drift.recent_files import EarlierFiles, read_earlier
from drift.reference_files import ReferenceFiles
from drift.settings import OptionalAnalyses, RunSettings, window_bounds
from drift.sources import Connect, s3_client
from drift.window import WindowCounts

RECENT_WINDOWS = 24
"""Earlier windows that are the second reference, if nobody says how many: a day of hours."""
_DEFAULT_POLICY = Policy()
_NO_EXTRAS = OptionalAnalyses()


@dataclass(frozen=True, kw_only=True)
class _Task:
    """One window to judge, whoever asks.

    `answering` says which model answered it; None: no history of the endpoint's models is kept, and it is one.
    """

    baseline: Baseline
    read: Count
    bounds: WindowBounds
    output: Path
    policy: Policy
    extras: OptionalAnalyses
    answering: Answering | None = None
    earlier: EarlierFiles | None = None
    model: Callable[[], Path] | None = None
    connect: Connect
    variant: str | None = None
    seed: int = 0
    endpoint: str | None = None
    schedule: str | None = None

    def perform(self) -> DriftReport:
        """Read the window, judge it, write the report files."""
        baseline = self.baseline
        self.policy.require_features({spec.name: spec.type for spec in baseline.specs})
        if self.extras.facet is not None:
            require_facet(baseline, self.extras.facet)
        window = count_window(
            self.read,
            baseline,
            self.bounds,
            variant=self.variant,
            segment=baseline.segment_column,
            ignored=self.policy.ignored,
            facet=self.extras.facet,
        )
        projector = Projector.of(baseline, seed=self.seed, ignored=self.policy.ignored)
        report = analyse(baseline, window, self._context, projector, earlier=self._earlier())
        report = self._with_attribution(report, window)
        report = with_quality(report, self._quality(projector))
        write_reports(self.output, report, baseline, window, self.policy)
        return report

    @property
    def _context(self) -> RunContext:
        context = RunContext(
            policy=self.policy,
            seed=self.seed,
            endpoint=self.endpoint,
            schedule=self.schedule,
            model=self.answering.report if self.answering else None,
            isolation_forest=self.extras.isolation_forest,
            multivariate=self.extras.multivariate,
            facet=self.extras.facet,
            not_judged=self._refused or None,
        )
        truth = self.extras.ground_truth
        return context if truth is None else replace(context, label_lag_hours=truth.lag_hours)

    @property
    def _refused(self) -> str:
        return MODEL_CHANGED if self.answering is not None and self.answering.champion is None else ""

    def _same_model(self, bounds: WindowBounds) -> bool:
        return self.answering is None or self.answering.also(bounds)

    def _with_attribution(self, report: DriftReport, window: WindowCounts) -> DriftReport:
        if self.model is None:
            return report
        if self._refused:
            return replace(report, attribution=AttributionReport(reason=f"the window is not judged: {self._refused}"))
        # Deferred: the booster's library is heavy, and attributions are off by default.
        from drift.attribution import attribution_drift

        try:
            found = attribution_drift(self.model(), self.baseline, window.sample)
        except ConfigError as error:
            found = AttributionReport(reason=str(error))
        except Exception as error:
            # The verdict stands without them.
            found = AttributionReport(reason=failure(error))
        return replace(report, attribution=found)

    def _quality(self, projector: Projector) -> QualityReport:
        source = self.extras.ground_truth
        if source is None:
            return QualityReport()
        waiting = waiting_of(
            source,
            connect=self.connect,
            endpoint=self.endpoint,
            plan=self._plan,
            context=self._context,
            same_model=self._same_model,
        )
        return quality_report(self.bounds, waiting, self.baseline, projector)

    def _plan(self, bounds: WindowBounds) -> Plan:
        return plan_of(
            self.baseline, bounds, variant=self.variant, ignored=self.policy.ignored, facet=self.extras.facet
        )

    def _earlier(self) -> EarlierWindows:
        if self.earlier is None:
            return EarlierWindows()
        return read_earlier(
            self.earlier, self.bounds, self.baseline.specs, besides=self.output, same_model=self._same_model
        )


def learn_baseline(
    *,
    train: Path,
    test: Path | None,
    predictions: Path | None,
    target_label: str | None,
    output: Path,
    segment_column: str | None = None,
) -> None:
    """Learn a baseline from CSV files with a header row, and save it as the folder `output`.

    Parameters
    ----------
    predictions
        One column ``probability``, row for row with `test`.
    segment_column
        Categorical column by whose values windows are also judged apart.

    Raises
    ------
    BaselineError
        If a file cannot be read or does not fit the others.
    """
    files = ReferenceFiles(
        train=train, test=test, predictions=predictions, target_label=target_label, segment_column=segment_column
    )
    save(files.learn(), output)


def monitor(  # noqa: PLR0913 - one keyword per option of `plumbline monitor`
    *,
    dataset_source: Path,
    baseline: Path | Baseline,
    output: Path,
    start_time: str | None = None,
    end_time: str | None = None,
    policy: Policy = _DEFAULT_POLICY,
    variant: str | None = None,
    recent: Path | None = None,
    recent_windows: int = RECENT_WINDOWS,
    extras: OptionalAnalyses = _NO_EXTRAS,
    seed: int = 0,
) -> DriftReport:
    """Judge the capture files below a folder against a baseline, and write the report files to `output`.

    Without times all records of the folder are the window.

    Parameters
    ----------
    baseline
        A saved baseline's folder, or the baseline itself.
    variant
        The production variant whose records count; None: all.
    recent, recent_windows
        Folder of the reports of earlier runs, and how many of their windows are the second reference; None: there is
        none.

    Raises
    ------
    ConfigError
        If the folder or the times are not usable, or `policy` has rules for a feature that the baseline does not have.
    BaselineError
        If `baseline` holds no baseline of this version, or the captured rows have another schema.
    PublishError
        If `output` cannot be written.
    """
    return _Task(
        baseline=load(baseline) if isinstance(baseline, Path) else baseline,
        read=partial(count_folder, dataset_source),
        bounds=window_bounds(start_time, end_time),
        output=output,
        policy=policy,
        extras=extras,
        model=None if extras.model is None else partial(Path, extras.model),
        connect=partial(s3_client, None),
        earlier=None if recent is None else EarlierFiles(recent, recent_windows),
        variant=variant,
        seed=seed,
    ).perform()


def run(settings: RunSettings, *, now: datetime, clients: Clients) -> DriftReport:
    """Perform the container's run: fetch, judge, write, publish.

    Parameters
    ----------
    now
        Time of publication for the platform's metrics file.

    Raises
    ------
    DriftError
        If the operator can fix what stopped the run.
    """
    with tempfile.TemporaryDirectory(prefix="plumbline-") as workspace:
        obtaining = Obtaining(settings, Path(workspace), clients)
        answering = obtaining.answering()
        report = _Task(
            baseline=obtaining.baseline(answering),
            read=obtaining.reader(),
            bounds=settings.window.bounds,
            output=settings.window.output,
            policy=obtaining.policy(),
            extras=settings.extras,
            answering=answering,
            model=obtaining.model(answering),
            connect=clients.s3,
            earlier=obtaining.earlier(),
            variant=settings.window.variant,
            endpoint=settings.platform.endpoint,
            schedule=settings.schedule,
        ).perform()
    report_success(settings.platform, report, now=now, clients=clients)
    return report
