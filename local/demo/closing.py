"""The demo's closing sentences: its results, for people."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from plumbline.contract.accuracy import Shift
from plumbline.contract.description import count, inside_intervals, is_foreseen, percent, shows
from plumbline.contract.records import Verdict
from plumbline.local.demo.hours import Hour, LabelledHour, labelled_hours, named
from plumbline.local.demo.summary import DemoSummary, PromotedVersion, PromotionOutcome, RetrainingRun


def closing_sentences(summary: DemoSummary) -> list[str]:
    """Return what happened as sentences."""
    known = labelled_hours(summary.hours)
    return [
        _about_drift(summary.hours),
        _about_accuracy(summary.hours, known),
        *_about_label_shift(summary.hours),
        *_about_labels(known),
        *_about_shifts(summary.hours, known),
        *_about_concept_shift(summary.hours, known),
        _about_alarms(summary),
        *map(_about_retraining, summary.retrainings),
        *(_about_promotion(promotion, summary.hours) for promotion in summary.promotions),
    ]


def _about_drift(hours: Sequence[Hour]) -> str:
    unjudged = [number for number, hour in enumerate(hours, 1) if hour.verdict is Verdict.NOT_JUDGED]
    drifted = [number for number, hour in enumerate(hours, 1) if hour.verdict is Verdict.DRIFT]
    rest = f"; {named(unjudged)} {'was' if len(unjudged) == 1 else 'were'} not judged" if unjudged else ""
    n_judged = len(hours) - len(unjudged)
    if not drifted:
        return f"No drift in {count(n_judged, 'judged hour')}{rest}."
    report = hours[drifted[0] - 1].report
    features = ", ".join(report.drifted_features) if report else ""
    return (
        f"Drift was first seen in hour {drifted[0]} ({features or 'the prediction'}), in {len(drifted)} of "
        f"{count(n_judged, 'judged hour')}{rest}."
    )


def _about_accuracy(hours: Sequence[Hour], known: Mapping[int, LabelledHour]) -> str:
    first, last = hours[0].true_accuracy, hours[-1].true_accuracy
    if first is None or last is None:
        return "True accuracy is not known: the scenario overwrites values, so the rows' labels no longer hold."
    lies_inside = inside_intervals(
        [(hour.covered, known[n].quality if n in known else None) for n, hour in enumerate(hours, 1)], "hour"
    )
    went = f"True accuracy went from {percent(first)} to {percent(last)}"
    return f"{went}. Against the 95 % interval projected before labels came, it lay {lies_inside}."


def _about_label_shift(hours: Sequence[Hour]) -> Iterator[str]:
    """Yield how the estimate for pure label shift did in the hours that it explains."""
    suspected = {
        number: (hour.projected.estimate, hour.projected.label_shift.estimate, hour.true_accuracy)
        for number, hour in enumerate(hours, 1)
        if hour.projected.label_shift.selected
    }
    missed = [
        (abs(projected - truth), abs(scenario - truth))
        for projected, scenario, truth in suspected.values()
        if projected is not None and scenario is not None and truth is not None
    ]
    if missed:
        projection, scenario = np.mean(missed, axis=0)
        yield (
            f"In {named(suspected)} label shift alone explained the traffic: the estimate for that case missed the "
            f"truth by {100 * scenario:.1f} points on average, the projection by {100 * projection:.1f}."
        )


def _about_labels(known: Mapping[int, LabelledHour]) -> Iterator[str]:
    if not known:
        return
    coverage = float(np.mean([found.quality.labelled_fraction for found in known.values()]))
    foreseen = [answer for answer in (is_foreseen(found.quality) for found in known.values()) if answer is not None]
    errors = [found.quality.projection_error for found in known.values() if found.quality.projection_error is not None]
    agreement = ""
    if foreseen and errors:
        agreement = (
            f"; realised accuracy lay inside the interval projected for those rows in {sum(foreseen)} of "
            f"{len(foreseen)}, {100 * np.mean(np.abs(errors)):.1f} points from the projection on average"
        )
    yield f"Labels came later for {percent(coverage)} of the rows of {named(known)}{agreement}."


def _about_shifts(hours: Sequence[Hour], known: Mapping[int, LabelledHour]) -> Iterator[str]:
    before = {
        kind: {number: hour.shift(kind).verdict for number, hour in enumerate(hours, 1)}
        for kind in (Shift.COVARIATE, Shift.LABEL)
    }
    yield f"Shifts seen without labels: {_listed(before)}."
    if known:
        after = {
            kind: {number: found.quality.shift(kind).verdict for number, found in known.items()}
            for kind in (Shift.LABEL, Shift.CONCEPT)
        }
        yield f"Shifts seen by labels: {_listed(after)}."


def _listed(shifts: Mapping[Shift, Mapping[int, Verdict]]) -> str:
    return ", ".join(f"{kind.words} {_where_seen(verdicts)}" for kind, verdicts in shifts.items())


def _where_seen(verdicts: Mapping[int, Verdict]) -> str:
    """Return the hours in which a shift was seen; an hour that was not judged is named."""
    seen = [number for number, verdict in verdicts.items() if verdict is Verdict.DRIFT]
    unjudged = [number for number, verdict in verdicts.items() if verdict is Verdict.NOT_JUDGED]
    if len(unjudged) == len(verdicts):
        return "was not judged"
    return f"in {named(seen)}{f' (not judged in {named(unjudged)})' if unjudged else ''}"


def _about_concept_shift(hours: Sequence[Hour], known: Mapping[int, LabelledHour]) -> Iterator[str]:
    shown = [found for found in known.values() if shows(found.quality, Shift.CONCEPT)]
    if not shown:
        return
    first = min(shown, key=lambda found: found.hour)
    projected, accuracy = hours[first.hour - 1].projected, first.accuracy
    alarmed = [number for number, hour in enumerate(hours, 1) if hour.projected.verdict is Verdict.DRIFT]
    behaved = f"saw a drop in {named(alarmed)}" if alarmed else "stayed calm"
    foreseen = f" ({percent(projected.estimate)} for hour {first.hour})" if projected.estimate is not None else ""
    yield (
        f"Concept shift: rows and predictions do not show it, and the projection {behaved}{foreseen}. The labels "
        f"of hour {first.hour}, which came in hour {first.known_in}, show {percent(accuracy.value)}."
    )


def _about_alarms(summary: DemoSummary) -> str:
    if not summary.alarms:
        return "No alarm fired."
    return "Alarms: " + "; ".join(f"{alarm.name} in hour {alarm.fired_in_hour}" for alarm in summary.alarms) + "."


def _about_retraining(run: RetrainingRun) -> str:
    begun = f"Retraining began in hour {run.started_in_hour}"
    if run.version is None or run.champion is None or run.challenger is None:
        return f"{begun} and is {run.status}, without a challenger."
    return (
        f"{begun}: on the newest labelled rows, which neither model had seen, the champion was right for "
        f"{percent(run.champion)} and the challenger for {percent(run.challenger)}; version {run.version} is "
        f"{run.approval}."
    )


def _about_promotion(promotion: PromotedVersion, hours: Sequence[Hour]) -> str:
    if promotion.outcome is not PromotionOutcome.SERVES:
        return f"Version {promotion.version} does not serve: it was rolled back in hour {promotion.hour}."
    before, after = _around(promotion, hours)
    serves = f"Version {promotion.version} serves since hour {promotion.hour}, verified."
    if not after:
        return f"{serves} The demo ends before a whole hour of it."
    return f"{serves} Before, {_drift_and_accuracy(before)}; after, {_drift_and_accuracy(after)}."


def _around(promotion: PromotedVersion, hours: Sequence[Hour]) -> tuple[Sequence[Hour], Sequence[Hour]]:
    """Return the drifted hours until the change, or all where none drifted, and the whole hours of the new model."""
    drifted = [hour for hour in hours[: promotion.hour] if hour.verdict is Verdict.DRIFT]
    return drifted or hours[: max(promotion.hour - 1, 1)], hours[promotion.hour :]


def _drift_and_accuracy(hours: Sequence[Hour]) -> str:
    judged = [hour.verdict for hour in hours if hour.verdict is not Verdict.NOT_JUDGED]
    drifted = f"drift in {judged.count(Verdict.DRIFT)} of {count(len(judged), 'judged hour')}"
    true = [hour.true_accuracy for hour in hours if hour.true_accuracy is not None]
    accuracy = f"with a true accuracy of {percent(float(np.mean(true)))}" if true else "with an unknown accuracy"
    return f"{drifted if judged else 'no hour was judged'}, {accuracy}"
