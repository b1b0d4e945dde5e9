"""One run on plain files: what the container does, and what ``plumbline monitor`` does."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path

from plumbline.contract.attribution import AttributionReport
from plumbline.contract.predictions import PredictionFormat
from plumbline.contract.quality import KnownMiss, QualityReport
from plumbline.contract.reasons import ReasonCode, has_code, window_not_judged
from plumbline.contract.records import DriftReport
from plumbline.drift.aws import Clients, client
from plumbline.drift.data.documents import temporary_folder
from plumbline.drift.data.window import WindowCounts
from plumbline.drift.errors import ConfigError
from plumbline.drift.ground_truth.backfill import backfill_of, quality_report
from plumbline.drift.inputs import RunInputs, container_inputs, run_context
from plumbline.drift.judge.accepted import AcceptedFiles, find_accepted, with_accepted
from plumbline.drift.judge.analysis import analyse, reference_sample, window_sample, with_quality
from plumbline.drift.judge.bias import require_facet
from plumbline.drift.judge.faults import FaultLog, with_faults
from plumbline.drift.judge.feedback import kept_misses
from plumbline.drift.judge.over_time import OverTime, WindowTimes, judge_over_time
from plumbline.drift.judge.variants import leading_window, of_variant, undecided, with_variants
from plumbline.drift.judge.verdict import too_many_rejected, window_refusal, with_usable_answers
from plumbline.drift.judge.window_state import EarlierFiles, EarlierState, last_state
from plumbline.drift.projection import Projector
from plumbline.drift.read.capture import count_folder, count_window, predictions_report
from plumbline.drift.read.look_back import LookBack, hours_added, looked_back
from plumbline.drift.reference.accepted import NOTHING_ACCEPTED, Accepted, folder_beside
from plumbline.drift.reference.baseline import Baseline, load
from plumbline.drift.report.files import write_reports
from plumbline.drift.report.handover import report_success
from plumbline.drift.settings.policy import Policy
from plumbline.drift.settings.run import OptionalAnalyses, RunSettings, window_bounds

_LOG = logging.getLogger(__name__)
_DEFAULT_POLICY = Policy()
_NOTHING_STATED = PredictionFormat()
_NO_ANALYSES = OptionalAnalyses()


def perform(inputs: RunInputs) -> DriftReport:
    """Read one window, compare it with the reference, judge it and write the report files.

    Raises
    ------
    DriftError
        If an input is missing or does not fit the others, or the reports cannot be written.
    """
    faults = FaultLog()
    baseline, policy = inputs.baseline, inputs.context.policy
    policy.require_features({spec.name: spec.type for spec in baseline.specs})
    policy = policy.of_columns({spec.name: spec.column_type for spec in baseline.specs})
    context = replace(inputs.context, faults=faults, policy=policy, accepted=_accepted(inputs, policy))
    inputs = replace(inputs, context=context)
    if context.facet is not None:
        require_facet(baseline, context.facet)

    # Read: capture files -> value counts of this window, and what the run before left.
    whole = _window(inputs)
    apart = {one.name: _of_variant(inputs, one.name) for one in whole.variants}
    window = with_usable_answers(leading_window(whole, apart), context.policy)
    before = _state_before(inputs)

    # Compare and judge: value counts -> effects and p-values -> verdicts, of the features, the model and its labels.
    projector = Projector.of(baseline, seed=context.seed, ignored=context.policy.ignored)
    others = _variants(inputs, apart, projector)
    inputs = replace(inputs, context=replace(context, not_judged=context.not_judged or undecided(whole.variants)))
    # Before the projection: what labels have shown of earlier windows corrects that of this one.
    quality = _quality(inputs, projector)
    misses = kept_misses(_misses_before(inputs, before), quality)
    report = analyse(baseline, window, inputs.context, projector, misses=misses)
    over_time = _over_time(inputs, window, before)
    report = replace(with_variants(report, whole.variants, others), over_time=over_time.report)
    report = replace(report, hours_added=hours_added(window.bounds, inputs.bounds))
    report = replace(
        report, attribution=_attribution(inputs, window), predictions=predictions_report(inputs.plan.outputs)
    )
    report = with_faults(with_quality(report, quality), faults)
    for fault, traceback in zip(faults.found, faults.tracebacks, strict=True):
        _LOG.error("internal fault in %s: %s\n%s", fault.name, fault.text, traceback)
    for warning in report.warnings:
        _LOG.warning("%s", warning)

    # Report: the verdicts -> files.
    state = None if over_time.state is None else replace(over_time.state, misses=misses)
    write_reports(inputs.output, report, baseline, window, context.policy, state)
    return report


def monitor(  # noqa: PLR0913 - one keyword per option of `plumbline monitor`
    *,
    dataset_source: Path,
    baseline: Path | Baseline,
    output: Path,
    start_time: str | None = None,
    end_time: str | None = None,
    policy: Policy = _DEFAULT_POLICY,
    variant: str | None = None,
    predictions: PredictionFormat = _NOTHING_STATED,
    recent: Path | None = None,
    accepted: Path | None = None,
    look_back_hours: int = 0,
    analyses: OptionalAnalyses = _NO_ANALYSES,
    seed: int = 0,
) -> DriftReport:
    """Judge the capture files below a folder against a baseline, and write the report files to `output`.

    Without times all records of the folder are the window.

    Parameters
    ----------
    baseline
        A saved baseline's folder, or the baseline itself.
    variant
        The variant whose records count; None: each of several is judged apart.
    predictions
        What is stated of the endpoint's answers; the rest is the baseline's.
    recent
        Folder of the reports of earlier runs, whose windows add up over time; None: nothing is judged over time.
    accepted
        Folder of what `plumbline accept` recorded, which need not exist; None: the one beside the baseline's folder, if
        that is one.
    look_back_hours
        Hours before the start that a window with too few rows may get; it takes times.

    Raises
    ------
    ConfigError
        If the folder or the times are not usable, or `policy` has rules for a feature that the baseline does not have.
    BaselineError
        If `baseline` holds no baseline of this version, or the captured rows have another schema.
    PublishError
        If `output` cannot be written.
    """
    if accepted is None and isinstance(baseline, Path):
        accepted = folder_beside(baseline)
    return perform(
        RunInputs(
            baseline=load(baseline) if isinstance(baseline, Path) else baseline,
            read=partial(count_folder, dataset_source),
            bounds=window_bounds(start_time, end_time),
            output=output,
            context=run_context(policy, analyses, seed=seed),
            connect=partial(client, "s3", None),
            variant=variant,
            predictions=predictions,
            fetch_model=None if analyses.model is None else partial(Path, analyses.model),
            earlier=None if recent is None else EarlierFiles(recent),
            accepted=None if accepted is None else AcceptedFiles(records=accepted),
            labels=analyses.labels,
            look_back=_look_back(look_back_hours, dataset_source),
        )
    )


def run(settings: RunSettings, *, now: datetime, clients: Clients) -> DriftReport:
    """Perform the container's run: fetch the inputs, judge the window, report to the platform.

    Parameters
    ----------
    now
        Time of publication for the platform's metrics file.

    Raises
    ------
    DriftError
        If the operator can fix what stopped the run.
    """
    with temporary_folder() as workspace:
        report = perform(container_inputs(settings, workspace, clients))
    report_success(settings.platform, report, now=now, clients=clients)
    return report


def _look_back(hours: int, folder: Path) -> LookBack | None:
    return LookBack(maximum_hours=hours, read=lambda _: partial(count_folder, folder)) if hours else None


def _window(inputs: RunInputs) -> WindowCounts:
    """Return the counts of the run's own window, or of a longer one where that has too few rows and may look back."""
    window = count_window(inputs.read, inputs.plan)
    if inputs.look_back is None or inputs.context.not_judged:
        return window
    policy = inputs.context.policy

    def has_too_few(counts: WindowCounts) -> bool:
        # A window without rows, or whose records could not be used, lacks more than traffic: hours before it hide that.
        return has_code(window_refusal(counts.records, counts.n_rows, policy), ReasonCode.TOO_FEW_ROWS)

    return looked_back(inputs.look_back, window, inputs.plan, has_too_few=has_too_few, may_add=inputs.same_model)


def _of_variant(inputs: RunInputs, name: str) -> WindowCounts:
    window = of_variant(_window(replace(inputs, variant=name)))
    return with_usable_answers(window, inputs.context.policy)


def _variants(inputs: RunInputs, apart: Mapping[str, WindowCounts], projector: Projector) -> dict[str, DriftReport]:
    """Return the report of each of several variants, without the optional analyses, which the leading one alone has."""
    context = replace(inputs.context, isolation_forest=False, multivariate=False, facet=None)
    return {name: analyse(inputs.baseline, window, context, projector) for name, window in apart.items()}


def _accepted(inputs: RunInputs, policy: Policy) -> Accepted:
    if inputs.accepted is None:
        return NOTHING_ACCEPTED
    champion = inputs.serving.champion if inputs.serving else None
    return find_accepted(
        inputs.accepted,
        inputs.bounds,
        inputs.baseline,
        policy,
        inputs.same_model,
        model=champion.artifact if champion else None,
    )


def _state_before(inputs: RunInputs) -> EarlierState:
    """Return what the last window before the run's own one left, if a place is named for what runs leave."""
    if inputs.earlier is None:
        return EarlierState()
    return last_state(inputs.earlier, inputs.bounds, besides=inputs.output)


def _misses_before(inputs: RunInputs, before: EarlierState) -> Sequence[KnownMiss]:
    """Return the misses that the last window's run knew of: none of a model that is gone."""
    return before.state.misses if before.state is not None and inputs.same_model(before.state.bounds) else ()


def _over_time(inputs: RunInputs, window: WindowCounts, before: EarlierState) -> OverTime:
    """Judge the day that ends with the run's own window, which the rows of hours before it may belong to as well."""
    context = inputs.context
    refusal = context.not_judged or window_refusal(window.records, window.n_rows, context.policy)
    return judge_over_time(
        inputs.baseline.specs,
        with_accepted(reference_sample(inputs.baseline, window), inputs.context.accepted, inputs.baseline.blocks),
        window_sample(inputs.baseline, window),
        replace(context, not_judged=refusal),
        times=WindowTimes(own=inputs.bounds, start=window.bounds.start),
        n_rows=window.n_rows,
        earlier=before,
        past_days=inputs.baseline.history.days if inputs.baseline.history else {},
    )


def _attribution(inputs: RunInputs, window: WindowCounts) -> AttributionReport:
    fetch_model = inputs.fetch_model
    if fetch_model is None:
        return AttributionReport()
    context = inputs.context
    not_judged = context.not_judged or too_many_rejected(window.records, context.policy)
    if not_judged:
        return AttributionReport(reason=window_not_judged(not_judged))
    return context.faults.guarded(
        "feature attributions",
        lambda: _attributed(fetch_model, inputs.baseline, window),
        lambda why: AttributionReport(reason=why),
    )


def _attributed(fetch_model: Callable[[], Path], baseline: Baseline, window: WindowCounts) -> AttributionReport:
    # Deferred: the booster's library is heavy, and attributions are off by default.
    from plumbline.drift.compare.attribution import attribution_drift

    try:
        return attribution_drift(fetch_model(), baseline, window.sample)
    except ConfigError as error:
        return AttributionReport(reason=ReasonCode.MODEL_UNUSABLE.reason(error=error))


def _quality(inputs: RunInputs, projector: Projector) -> QualityReport:
    if inputs.labels is None:
        return QualityReport()
    backfill = backfill_of(
        inputs.labels,
        connect=inputs.connect,
        # Labelled rows are not divided into segments.
        plan=replace(inputs.plan, segment=None),
        context=inputs.context,
        look_back_hours=inputs.look_back.maximum_hours if inputs.look_back else 0,
        same_model=inputs.same_model,
    )
    return quality_report(backfill, inputs.baseline, projector)
