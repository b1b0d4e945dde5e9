"""docs/accuracy.md: the tables and plots of a run, between its markers."""

from collections.abc import Iterator
from pathlib import Path

from plumbline.report.plots import style
from research.studies.accuracy import plots, summary, tables
from research.studies.accuracy.cases import Family
from research.studies.accuracy.results import AccuracyStudy
from research.studies.accuracy.summary import VALID, of
from research.studies.accuracy.sweep import sweep
from research.studies.pages import replace_results, table

ESTIMATES_PLOT = "accuracy_estimates.png"
STREAMS_PLOT = "accuracy_streams.png"
REFUSALS_PLOT = "accuracy_refusals.png"
COVERAGE_TARGET = 0.93
HALF_WIDTH_TARGET = 0.018
HALF_WIDTH_ROWS = 2_000
DOTS_PER_INCH = 100
"""Enough to read the plots, and small enough to keep."""


def write(study: AccuracyStudy, page: Path, images: Path) -> None:
    """Draw the plots, and put the results between the markers of the page.

    Raises
    ------
    ValueError
        If the page lacks its markers.
    """
    _draw(study, images)
    replace_results(page, body(study, images.relative_to(page.parent).as_posix()))


def _draw(study: AccuracyStudy, images: Path) -> None:
    images.mkdir(parents=True, exist_ok=True)
    with style.plotting("accuracy"):
        plots.estimates(study.outcomes).savefig(images / ESTIMATES_PLOT, dpi=DOTS_PER_INCH)
        plots.refusals(study.outcomes).savefig(images / REFUSALS_PLOT, dpi=DOTS_PER_INCH)
        if of(study.outcomes, families=[Family.TIME]):
            plots.streams(study.outcomes).savefig(images / STREAMS_PLOT, dpi=DOTS_PER_INCH)


def body(study: AccuracyStudy, images: str) -> str:
    """Return what stands between the markers; `images` is the folder of the plots as the page names it."""
    return "\n\n".join(
        [_origin(study), *_targets(study), *_errors(study, images), *_trust(study), *_beyond(study, images)]
    )


def _origin(study: AccuracyStudy) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in study.versions.items())
    return (
        f"Made by `{study.command}` with seed {study.seed} in {study.seconds / 60:.1f} minutes; {versions}. "
        f"{len(study.outcomes):,} windows of: {'; '.join(study.populations)}."
    )


def _targets(study: AccuracyStudy) -> Iterator[str]:
    yield "## Targets"
    valid = summary.kept(of(study.outcomes, families=VALID))
    holds = "the interval holds the truth"
    rows = [
        _coverage_row(f"{holds}, {n_rows:,} rows", of(valid, n_rows=n_rows)) for n_rows in tables.sizes(study.outcomes)
    ]
    width = summary.half_width(of(valid, n_rows=HALF_WIDTH_ROWS))
    if width is not None:
        wanted = f"at most {100 * HALF_WIDTH_TARGET:.1f} points"
        measured = f"{tables.points(width)} points"
        rows.append([f"half-width, {HALF_WIDTH_ROWS:,} rows", wanted, measured, _said(width <= HALF_WIDTH_TARGET)])
    time = summary.kept(of(study.outcomes, families=[Family.TIME]))
    if time:
        rows.append(_coverage_row(f"{holds}, real drift over time", time))
    yield "Over the windows that are not refused; without shift and under covariate shift where nothing else is stated."
    yield table(["what", "wanted", "measured", ""], rows)


def _coverage_row(name: str, outcomes: summary.Outcomes) -> list[str]:
    n_covered, n_windows = summary.covered(outcome.accuracy for outcome in outcomes)
    wanted = f"at least {100 * COVERAGE_TARGET:.0f} %"
    measured = f"{tables.percent((n_covered, n_windows))} % of {n_windows:,}"
    return [name, wanted, measured, _said(n_covered >= COVERAGE_TARGET * n_windows)]


def _said(is_met: bool) -> str:
    return "met" if is_met else "**not met**"


def _errors(study: AccuracyStudy, images: str) -> Iterator[str]:
    yield "## Error"
    yield f"![Estimates of each method against the accuracy by the labels]({images}/{ESTIMATES_PLOT})"
    yield (
        "Mean absolute error in percentage points. **Plumbline** over the windows that it does not refuse, then "
        "over all of them; the other methods never refuse."
    )
    drawn = [outcome for outcome in study.outcomes if outcome.family is not Family.TIME]
    for subject in dict.fromkeys(outcome.subject for outcome in drawn):
        found = of(drawn, subjects=[subject])
        accuracies = sorted({outcome.reference for outcome in found})
        yield (
            f"{subject}, {_splits(len(accuracies))}, accuracy on the test set "
            f"{100 * accuracies[0]:.1f} to {100 * accuracies[-1]:.1f} %:"
        )
        yield tables.errors(found)
    yield (
        "Whether the features add to the probability, as the product finds it on each test set; it uses "
        "them where they do:"
    )
    yield tables.gates(study.outcomes)
    yield "Rank correlation (Spearman) of the estimates with the truth under covariate shift, 1 is perfect:"
    yield tables.correlations(drawn)


def _trust(study: AccuracyStudy) -> Iterator[str]:
    drawn = [outcome for outcome in study.outcomes if outcome.family is not Family.TIME]
    yield "## Interval"
    yield "Percent of the 95 % intervals that hold the accuracy by the labels; half-width in points; none refused."
    yield tables.intervals(drawn)
    yield "## Verdict"
    yield "Percent of the windows in which the product reports that the accuracy dropped; none refused."
    yield tables.verdicts(drawn)
    yield "## Other measures"
    yield "Without shift and under covariate shift, none refused; error in points."
    yield tables.measures(drawn)
    yield "## Label shift"
    yield (
        "How often the window is taken for one of pure label shift, and how far off the scenario for it then is; in "
        "points. `time` are the streams below."
    )
    yield tables.selections(study.outcomes)
    yield "## Which shift is named"
    yield (
        "Percent of the windows in which each kind of shift is called, by what the window's shift is in truth [not "
        "judged]: covariate and label shift without labels, then label and concept shift once every row has its label."
    )
    yield tables.naming(drawn)
    yield (
        "The same for each way to shift them, all sizes together, with the mean drop of the accuracy in points: what "
        "moves it by less than the tolerance of 2 points is not meant to be called."
    )
    yield tables.naming_by_case(drawn)


def _beyond(study: AccuracyStudy, images: str) -> Iterator[str]:
    yield "## Refusal"
    yield f"![Error of the estimate against separability and over-represented share]({images}/{REFUSALS_PLOT})"
    yield (
        "Errors in points; what the estimate would have been stands for the refused windows. The last columns count "
        "the windows whose estimate is off by more than 3 points."
    )
    yield tables.refusals(study.outcomes)
    if of(study.outcomes, families=[Family.TIME]):
        yield "## Real drift over time"
        yield f"![Projection and truth, window by window]({images}/{STREAMS_PLOT})"
        yield tables.streams(study.outcomes)
        yield _explained(of(study.outcomes, families=[Family.TIME]))
    yield "## Where to refuse"
    yield (
        "One limit moved at a time, the others as shipped, over every window but those of label and concept shift, "
        "which rows alone cannot show. What is refused of the windows where the assumption holds, of real "
        "drift over time, and of the windows off by more than 3 points; then what the rest is worth."
    )
    yield sweep(study.outcomes)


def _explained(outcomes: summary.Outcomes) -> str:
    """Return the sentence on the windows that the interval missed, by their labels."""
    answered = summary.kept(outcomes)
    missed = [outcome for outcome in answered if outcome.accuracy.is_covered is False]
    held = [outcome for outcome in answered if outcome.accuracy.is_covered]
    named, named_held = (summary.counted(found, summary.is_named_by_labels) for found in (missed, held))
    return (
        f"Of the {len(missed):,} windows whose interval missed the truth, {named[0]:,} are called label shift or "
        f"concept shift once every row has its label; of the {len(held):,} whose interval held it, {named_held[0]:,}."
    )


def _splits(number: int) -> str:
    return "one split" if number == 1 else f"{number} splits"
