"""What one drift report says of accuracy, labels, shifts, bias and attribution, in lines."""

from collections.abc import Iterator, Sequence

from contract.accuracy import Measure, MeasureReport
from contract.attribution import AttributionReport
from contract.bias import BiasReport
from contract.quality import QualityReport, WindowQuality
from contract.records import SWITCHED_OFF, DriftReport, ProjectedAccuracy, RecordCounts, Status, Verdict


def accuracy_lines(report: DriftReport) -> Iterator[str]:
    """Yield the projection, then the shifts, then what labels say, then bias and attribution if they were asked for."""
    projected = report.projected_accuracy
    yield f"projected accuracy: {_accuracy(projected)}"
    yield from _about(projected)
    for one in report.shifts:
        yield f"{one.shift.words}: {_judged(one.verdict, one.reason)}"
    if report.quality.reason != SWITCHED_OFF:
        yield from _labels(report.quality)
    if report.bias.reason != SWITCHED_OFF:
        yield f"bias by {report.bias.facet}: {_bias(report.bias)}"
    if report.attribution.reason != SWITCHED_OFF:
        yield f"attributions: {_attribution(report.attribution)}"


def rejected_lines(what: str, records: RecordCounts) -> Iterator[str]:
    """Yield for each reason how many records were rejected, and where the first of them stand."""
    for reason, number in sorted(records.rejected.items()):
        places = records.examples.get(reason, ())
        yield f"{what}: {number} {reason}{_example(places)}"


def _example(places: Sequence[str]) -> str:
    return f", for example {', '.join(places)}" if places else ""


def _judged(verdict: Verdict, reason: str) -> str:
    return f"{verdict.value.replace('_', ' ')}{f': {reason}' if reason else ''}"


def _accuracy(found: ProjectedAccuracy) -> str:
    from plumbline.report.words import percent

    if found.status is not Status.ESTIMATED:
        return f"not judged: {found.reason}"
    reference = f", {percent(found.reference)} on the labelled test set" if found.reference is not None else ""
    return f"{_figure(found, found.estimate)}{reference}"


def _figure(found: ProjectedAccuracy | MeasureReport, value: float | None) -> str:
    from plumbline.report.words import interval, percent

    return f"{percent(value)} (95 % interval {interval(found)})"


def _about(projected: ProjectedAccuracy) -> Iterator[str]:
    """Yield verdict, doubts and the other scenario of a projection that was made."""
    from plumbline.report.words import interval, percent

    if projected.status is not Status.ESTIMATED:
        return
    if projected.verdict is not Verdict.NOT_JUDGED or projected.verdict_reason:
        yield f"projected accuracy's verdict: {_judged(projected.verdict, projected.verdict_reason)}"
    if projected.warning:
        yield f"projected accuracy is doubtful: {projected.warning}"
    scenario = projected.label_shift
    if scenario.selected and scenario.estimate is not None:
        yield f"if only the mix of labels moved: {percent(scenario.estimate)} (95 % interval {interval(scenario)})"


def _labels(quality: QualityReport) -> Iterator[str]:
    labels = quality.labels
    yield f"labels: {labels.read} read, {labels.used} used, {sum(labels.rejected.values())} rejected"
    yield from rejected_lines("labels rejected", labels)
    latest = quality.latest_judged
    if latest is not None:
        yield from _realised(latest)
    else:
        last = quality.windows[-1].reason if quality.windows else ""
        yield f"realised accuracy: not judged: {quality.reason or last or 'no labels yet'}"


def _realised(window: WindowQuality) -> Iterator[str]:
    from plumbline.report.words import percent, points

    accuracy = window.measure(Measure.ACCURACY)
    when = f" of {window.window.start}" if window.window.start else ""
    yield (
        f"realised accuracy{when}: {_figure(accuracy, accuracy.value)} by labels of "
        f"{percent(window.labelled_fraction)} of the rows"
    )
    yield f"realised accuracy's verdict: {_judged(window.verdict, window.reason)}"
    if window.projection_error is not None:
        yield f"the projection for these rows is missed by {points(window.projection_error)}"
    if window.selection.verdict is Verdict.DRIFT:
        yield f"labels came selectively: {window.selection.reason}"


def _bias(bias: BiasReport) -> str:
    drifted = [group.value.strip() for group in bias.groups if group.verdict is Verdict.DRIFT]
    return _judged(bias.verdict, bias.reason or (f"in {', '.join(drifted)}" if drifted else ""))


def _attribution(found: AttributionReport) -> str:
    if found.status is not Status.ESTIMATED or found.ndcg is None:
        return f"not judged: {found.reason}"
    return f"{_judged(found.verdict, found.reason)}, NDCG {found.ndcg:.3f} (1 is the order of the test set)"
