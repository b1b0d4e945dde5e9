"""A drift report in sentences: one wording for the terminal, the page, the demo and the exit message.

Plain text, not HTML. Light imports only, so that the exit message can always be written.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from plumbline.contract.accuracy import HalfWidths, Measure, MeasureReport, ProjectedAccuracy, Shift
from plumbline.contract.attribution import AttributionReport
from plumbline.contract.bias import BiasReport
from plumbline.contract.predictions import PredictionKind, PredictionsReport
from plumbline.contract.quality import QualityReport, WindowQuality
from plumbline.contract.records import (
    AcceptedReport,
    DriftReport,
    FeatureReport,
    MultivariateReport,
    OptionalPart,
    OverTimeReport,
    RecordCounts,
    Status,
    Verdict,
)
from plumbline.contract.rejection import loss, records_in_window

PREDICTION = "prediction"
"""Display name of the captured probability's row among the features."""


class HasInterval(Protocol):
    """Anything with a 95 % interval of fractions."""

    @property
    def lower(self) -> float | None:
        """The lower end, 0 to 1."""

    @property
    def upper(self) -> float | None:
        """The upper end, 0 to 1."""


def count(number: int, noun: str) -> str:
    """Return ``1 window`` or ``3 windows``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def listed(names: Sequence[str], max_names: int = 15) -> str:
    """Return names joined as in a sentence; of more than `max_names` the rest as a number."""
    shown = [*names[:max_names], f"{len(names) - max_names} more"] if len(names) > max_names else list(names)
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}" if shown else "none"


def percent(fraction: float | None) -> str:
    """Return a fraction as ``86.7 %``, or a dash."""
    return "–" if fraction is None else f"{100 * fraction:.1f} %"


def interval(found: HasInterval) -> str:
    """Return ``84.6 to 86.9 %``, or a dash."""
    if found.lower is None or found.upper is None:
        return "–"
    return f"{100 * found.lower:.1f} to {100 * found.upper:.1f} %"


def points(difference: float | None) -> str:
    """Return a difference of fractions as ``-4.2 points``, or a dash."""
    return "–" if difference is None else f"{100 * difference:+.1f} points"


def outcome(verdict: Verdict, reason: object) -> str:
    """Return a verdict and its reason, where it has one."""
    return f"{verdict.value.replace('_', ' ')}{f': {reason}' if reason else ''}"


def not_judged(reason: object) -> str:
    """Return that there is no result, and why."""
    return f"not judged: {reason or 'no reason given'}"


def contains(found: HasInterval | None, value: float | None) -> bool | None:
    """Return whether an interval contains a value; None if either is missing."""
    if found is None or found.lower is None or found.upper is None or value is None:
        return None
    return found.lower <= value <= found.upper


def is_labelled(window: WindowQuality | None) -> bool:
    """Return whether the labels sufficed to judge the window."""
    return window is not None and window.verdict is not Verdict.NOT_JUDGED


def realised_accuracy(window: WindowQuality | None) -> MeasureReport | None:
    """Return the accuracy by the window's labels; None where they did not suffice."""
    found = window.measure(Measure.ACCURACY) if window else None
    return found if found and found.status is Status.ESTIMATED and found.value is not None else None


def is_foreseen(window: WindowQuality | None) -> bool | None:
    """Return whether the interval projected for the labelled rows contains the realised accuracy; None: not known."""
    realised = realised_accuracy(window)
    return contains(window.projected, realised.value) if window and realised else None


def shows(window: WindowQuality | None, kind: Shift) -> bool:
    """Return whether the window's labels show this kind of shift."""
    return window is not None and window.shift(kind).verdict is Verdict.DRIFT


def inside_intervals(windows: Sequence[tuple[bool | None, WindowQuality | None]], noun: str) -> str:
    """Return in how many of some windows the accuracy lies inside its projected interval.

    Windows whose labels show that the concept moved are told apart, since no projection can see that, and so are those
    before and after them.

    Parameters
    ----------
    windows
        In time order: whether it lies inside (None: not known) and what labels show of the window.
    noun
        What a window is called, in the singular.
    """
    moved = [index for index, (_, quality) in enumerate(windows) if shows(quality, Shift.CONCEPT)]
    if not moved:
        return f"inside in {_of_windows([inside for inside, _ in windows], noun)}"
    phases: dict[str, list[bool | None]] = {
        "before the concept changed": [inside for inside, _ in windows[: moved[0]]],
        "while labels show the change, which no projection sees before they come": [
            windows[index][0] for index in moved
        ],
        "in between, where they do not": [
            inside for index, (inside, _) in enumerate(windows) if moved[0] < index < moved[-1] and index not in moved
        ],
        "after it": [inside for inside, _ in windows[moved[-1] + 1 :]],
    }
    return "; ".join(
        f"{_inside_or_outside(found, noun)} {when}"
        for when, found in phases.items()
        if any(inside is not None for inside in found)
    )


def _inside_or_outside(found: Sequence[bool | None], noun: str) -> str:
    if True in found:
        return f"inside in {_of_windows(found, noun)}"
    return f"outside in {_of_windows([None if inside is None else not inside for inside in found], noun)}"


def _of_windows(answers: Sequence[bool | None], noun: str) -> str:
    known = [answer for answer in answers if answer is not None]
    return f"{sum(known)} of {count(len(known), noun)}" if known else f"no {noun}, as none has one"


def exit_message(report: DriftReport) -> str:
    """Return the run's outcome: SageMaker's own status first, then the verdict's reason and the counts."""
    broken = [feature.name for feature in report.features if feature.violation is not None]
    status = "CompletedWithViolations" if report.verdict is Verdict.DRIFT or broken else "Completed"
    prefix = "not judged, " if report.verdict is Verdict.NOT_JUDGED else ""
    n_records = records_in_window(report.records)
    n_rejected = n_records - report.records.used
    note = f"; {n_rejected} of {n_records} records rejected" if n_rejected else ""
    note += f", most as {found.leading}" if report.warnings and (found := loss(report.records)) else ""
    schema = f"; not as in training: {', '.join(broken)}" if broken else ""
    return f"{status}: {prefix}{report.reason or ''} ({report.n_rows} rows{note}{schema})"


def added_hours(report: DriftReport) -> str:
    """Return from when on the rows are of a window that looked back, for example for the page."""
    return f"rows since {report.window.start}: {count(report.hours_added, 'hour')} before its own, which had too few"


def report_lines(report: DriftReport) -> Iterator[str]:
    """Yield one report in lines: the verdict, what led to it, accuracy and labels, the counts of the records."""
    yield from _verdict(report)
    yield from _comparisons(report)
    yield from accuracy_lines(report)
    records = report.records
    yield (
        f"records: {records.read} read, {records.used} used with {report.n_rows} rows, "
        f"{sum(records.rejected.values())} rejected"
    )
    yield from _rejected("rejected", records)
    answers = report.answers
    if answers.read:
        yield f"predictions: {predictions_text(report.predictions)}"
    if answers.n_unreadable:
        yield f"answers: {answers.read} read, {answers.used} used, {answers.n_unreadable} unreadable"
        yield from _places("unreadable", answers.unreadable, answers.examples)
        yield from (f"ambiguous answers: {readings}" for readings in answers.readings)
    for feature in report.features:
        if feature.unreadable:
            yield f"unreadable cells: {feature.name}, {_reasons(feature.unreadable)}"


def _verdict(report: DriftReport) -> Iterator[str]:
    """Yield the verdict, what it does not rest on, and what led to it."""
    yield f"verdict: {outcome(report.verdict, report.reason)}"
    for warning in report.warnings:
        yield f"warning: {warning}"
    if report.past:
        yield f"held against the past: {report.past}"
    if report.hours_added:
        yield f"window: {added_hours(report)}"
    for feature in (*report.features, report.prediction):
        if feature.verdict is Verdict.DRIFT and feature.violation is None:
            yield f"{PREDICTION if feature is report.prediction else feature.name}: {_drift(feature)}"
    for feature in report.features:
        if feature.violation is not None:
            yield f"violation: {feature.name}, {feature.violation}: {feature.reason}"
    if report.verdict is not Verdict.NOT_JUDGED:
        yield from _features_not_judged(report)
    for fault in report.internal_faults:
        yield f"internal fault: {fault.name}: {fault.text}"


def accuracy_lines(report: DriftReport) -> Iterator[str]:
    """Yield the projection, the shifts and what labels show, then bias and attribution where they are switched on."""
    projected = report.projected_accuracy
    yield f"projected accuracy: {projection(projected)}"
    if projected.status is Status.ESTIMATED and (
        projected.verdict is not Verdict.NOT_JUDGED or projected.verdict_reason
    ):
        yield f"projected accuracy's verdict: {outcome(projected.verdict, projected.verdict_reason)}"
    yield from projection_notes(projected)
    for one in report.shifts:
        yield f"{one.shift.words}: {outcome(one.verdict, one.reason)}"
    if not report.quality.is_switched_off:
        yield from _labels(report.quality)
    if not report.bias.is_switched_off:
        yield f"bias by {report.bias.facet}: {_bias(report.bias)}"
    if not report.attribution.is_switched_off:
        yield f"attributions: {_attribution(report.attribution)}"


def _drift(feature: FeatureReport) -> str:
    """Return the effect and the label or bin that moved most; of a change in what is missing, the reason."""
    effect = feature.effect(feature.effect_measure)
    parts = [] if effect is None else [f"{feature.effect_measure.words} {effect:.3g}"]
    if feature.top_contributors:
        moved, unseen = feature.top_contributors[0], feature.unseen_fraction or 0.0
        # Of thousands of new labels none has a fraction of its own that matters.
        if unseen > abs(moved.window_fraction - moved.reference_fraction):
            parts.append(f"labels that training never had {100 * unseen:.1f} %")
        else:
            parts.append(
                f"{moved.label} from {100 * moved.reference_fraction:.1f} to {100 * moved.window_fraction:.1f} %"
            )
    if feature.out_of_range_fraction:
        parts.append(f"beyond all of the reference's values {100 * feature.out_of_range_fraction:.1f} %")
    before, after = feature.missing_fraction_reference, feature.missing_fraction
    if before is not None and after is not None and before != after:
        parts.append(f"missing from {100 * before:.1f} to {100 * after:.1f} %")
    return ", ".join(parts) or str(feature.reason or "")


def _features_not_judged(report: DriftReport) -> Iterator[str]:
    """Yield each reason once, with the features that it holds for."""
    reasons: dict[str, list[str]] = {}
    for feature in report.features:
        if feature.verdict is Verdict.NOT_JUDGED and feature.violation is None:
            reasons.setdefault(str(feature.reason or ""), []).append(feature.name)
    if report.prediction.verdict is Verdict.NOT_JUDGED:
        reasons.setdefault(str(report.prediction.reason or ""), []).append(f"the {PREDICTION}")
    for reason, names in reasons.items():
        yield f"not judged: {', '.join(names)}: {reason}"


def _comparisons(report: DriftReport) -> Iterator[str]:
    """Yield what the window was compared with besides the training data, where it was."""
    over_time, joint = report.over_time, report.multivariate
    if not over_time.is_switched_off:
        yield f"over time ({day(over_time)}): {outcome(over_time.verdict, over_time.reason)}"
    for segment in report.segments:
        if report.variants and segment.kind == "variant":
            continue  # a line of its own, with the prediction
        name = f"segment {segment.value.strip()} ({count(segment.n_rows, 'row')})"
        yield f"{name}: {outcome(segment.verdict, segment.reason)}"
    yield from variant_lines(report)
    yield from accepted_lines(report.accepted, report.verdict)
    if joint.status is Status.ESTIMATED or _is_requested(joint):
        yield f"whole rows: {separability(joint)}"


def accepted_lines(found: AcceptedReport, verdict: Verdict) -> Iterator[str]:
    """Yield which windows a person made the reference, and what differs from the training data all the same."""
    if not found.is_stated:
        return
    if found.accepted_at is None:
        yield f"accepted windows: {found.reason}"
        return
    when = f"accepted on {found.accepted_at} by {found.accepted_by}, because: {found.stated_reason}"
    if not found.is_used:
        yield f"accepted windows: {found.reason} ({when})"
        return
    times = ", ".join(f"{one.start} to {one.end}" for one in found.windows)
    yield f"judged against the windows {times} ({count(found.n_rows, 'row')}), {when}"
    differing = [*found.features, *([found.prediction] if found.prediction else [])]
    if not differing and verdict is not Verdict.NOT_JUDGED:
        yield "accepted: nothing of it differs from the training data in this window"
    for feature in differing:
        name = PREDICTION if feature is found.prediction else feature.name
        yield f"accepted, against the training data it still differs: {name}: {_drift(feature)}"


def day(found: OverTimeReport) -> str:
    """Return what the day that ends with a window consists of."""
    return f"{count(found.n_windows, 'window')} of the last day, {count(found.n_rows, 'row')}"


def variant_lines(report: DriftReport) -> Iterator[str]:
    """Yield what each of several variants showed, by its own records and labels."""
    if report.variant is not None:
        yield f"variants are judged apart, and the figures are those of {report.variant}"
    for one in report.variants:
        windows = report.quality.variants.get(one.variant, ())
        labelled = next((window for window in reversed(windows) if is_labelled(window)), None)
        accuracy = f"; realised accuracy {realised(labelled)}" if labelled else ""
        name = f"variant {one.variant} ({one.role}, {count(one.n_rows, 'row')})"
        yield f"{name}: {outcome(one.verdict, one.reason)}{accuracy}"


def _is_requested(part: OptionalPart) -> bool:
    return part.reason is not None and not part.is_switched_off


def separability(joint: MultivariateReport) -> str:
    """Return how well a classifier separates the window's rows from the reference's."""
    if joint.status is not Status.ESTIMATED or joint.area_under_curve is None or joint.p_value is None:
        return not_judged(joint.reason)
    return f"a classifier separates them with AUC {joint.area_under_curve:.3f} (0.5 is chance), p {joint.p_value:.3g}"


def projection(found: ProjectedAccuracy) -> str:
    """Return the projected accuracy, its interval and the accuracy on the labelled test set."""
    if found.status is not Status.ESTIMATED:
        return not_judged(found.reason)
    reference = f", {percent(found.reference)} on the labelled test set" if found.reference is not None else ""
    return f"{_with_interval(found.estimate, found)}{reference}"


def interval_parts(found: ProjectedAccuracy, widths: HalfWidths) -> str:
    """Return what the interval of a projection is made of, and whether late labels moved the estimate."""
    total, sampling = 100 * widths.total, 100 * widths.sampling
    parts = [f"{sampling:.1f} for sampling"]
    if widths.history:
        parts.append(f"{100 * widths.history:+.1f} for what the task's past shows")
    if widths.feedback:
        parts.append(f"{100 * widths.feedback:+.1f} by the labels of the last windows")
    moved = f"; they moved the estimate by {points(found.correction)}" if found.correction else ""
    return f"{total:.1f} points either side: {', '.join(parts)}{moved}"


def projection_notes(found: ProjectedAccuracy) -> Iterator[str]:
    """Yield what makes a projection doubtful, and the accuracy under label shift where the window may be one."""
    scenario = found.label_shift
    if found.half_widths is not None and found.has_wandered:
        yield f"its interval: {interval_parts(found, found.half_widths)}"
    if found.warnings:
        yield f"projected accuracy is doubtful: {'; '.join(map(str, found.warnings))}"
    if scenario.selected and scenario.estimate is not None:
        yield f"if this is label shift, the accuracy is {_with_interval(scenario.estimate, scenario)}"


def realised(window: WindowQuality) -> str:
    """Return the realised accuracy, its interval and the fraction of rows with a label."""
    found = realised_accuracy(window)
    if found is None:
        return not_judged(window.reason)
    return f"{_with_interval(found.value, found)} by labels of {percent(window.labelled_fraction)} of the rows"


def selection(window: WindowQuality) -> Iterator[str]:
    """Yield that the labelled rows are not like the others, where they are not."""
    if window.selection.verdict is Verdict.DRIFT:
        yield f"labels came selectively: {window.selection.reason}"


def _labels(quality: QualityReport) -> Iterator[str]:
    labels, latest = quality.labels, quality.latest_judged
    yield f"labels: {labels.read} read, {labels.used} used, {sum(labels.rejected.values())} rejected"
    yield from _rejected("labels rejected", labels)
    if latest is None:
        last = quality.windows[-1].reason if quality.windows else None
        yield f"realised accuracy: {not_judged(quality.reason or last or 'no labels yet')}"
        return
    yield f"realised accuracy{f' of {latest.window.start}' if latest.window.start else ''}: {realised(latest)}"
    yield f"realised accuracy's verdict: {outcome(latest.verdict, latest.reason)}"
    if latest.projection_error is not None:
        yield f"realised minus projected accuracy of these rows: {points(latest.projection_error)}"
    yield from selection(latest)


def _bias(bias: BiasReport) -> str:
    drifted = [group.value.strip() for group in bias.groups if group.verdict is Verdict.DRIFT]
    return outcome(bias.verdict, bias.reason or (f"in {', '.join(drifted)}" if drifted else ""))


def _attribution(found: AttributionReport) -> str:
    if found.status is not Status.ESTIMATED or found.ndcg is None:
        return not_judged(found.reason)
    return f"{outcome(found.verdict, found.reason)}, {ranking(found)}"


def ranking(found: AttributionReport) -> str:
    """Return how alike the order of the features by attribution is to that of the test set."""
    threshold = "" if found.threshold is None else f"; below {found.threshold:g} is drift"
    return f"NDCG {found.ndcg:.3f} (1 is the order of the test set{threshold})"


def _with_interval(value: float | None, found: HasInterval) -> str:
    return f"{percent(value)} (95 % interval {interval(found)})"


def predictions_text(found: PredictionsReport) -> str:
    """Return how answers are read, and what of it was inferred."""
    meant = {
        PredictionKind.PROBABILITY: "probabilities",
        PredictionKind.LOG_ODDS: "log-odds",
        PredictionKind.LABEL: "labels",
        PredictionKind.VALUE: "predicted numbers" if found.task else "numbers as they are, of no known task",
    }[found.kind]
    of = f"; a number alone is that of {found.positive_label!r}" if found.positive_label and meant != "labels" else ""
    where = f"; at {found.path}" if found.path else ""
    inferred = [key for key in ("kind", "positive_label") if key not in found.stated]
    if found.positive_label is None and "positive_label" in inferred:
        inferred.remove("positive_label")
    names = " and ".join(key.replace("_", " ") for key in inferred)
    return f"{meant}{of}{where}{f' ({names} inferred)' if names else ' (stated)'}"


def _rejected(prefix: str, records: RecordCounts) -> Iterator[str]:
    """Yield for each reason how many records were rejected, and where the first of them stand."""
    return _places(prefix, records.rejected, records.examples, records.seen)


def _places(
    prefix: str,
    numbers: Mapping[str, int],
    examples: Mapping[str, tuple[str, ...]],
    seen: Mapping[str, tuple[str, ...]] | None = None,
) -> Iterator[str]:
    for reason, number in sorted(numbers.items()):
        notes, places = "; ".join((seen or {}).get(reason, ())), ", ".join(examples.get(reason, ()))
        what = f"{reason} ({notes})" if notes else reason
        yield f"{prefix}: {number} {what}{f', for example {places}' if places else ''}"


def _reasons(numbers: Mapping[str, int]) -> str:
    return ", ".join(f"{number} {reason}" for reason, number in sorted(numbers.items()))
