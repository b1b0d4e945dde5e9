"""The study's results as Markdown tables."""

from collections.abc import Sequence

from research.studies.calibration.false_alarms import ALPHA, RULES, TEXTBOOK, AlarmTally, FeatureTally
from research.studies.calibration.power import PowerTally
from research.studies.pages import LEVEL, interval, percent, rate, table

MIN_WINDOWS = 50
"""The size of a test is not shown from fewer windows in which it was made."""


def window_alarms(tallies: Sequence[AlarmTally]) -> str:
    """Return how often each rule alarmed without drift: a row for each window size."""
    return table(
        ["rows in the window", *RULES, "window not judged"],
        [
            [
                f"{tally.n_window:,}",
                *(rate(tally.alarms[rule], tally.repetitions) for rule in RULES),
                f"{percent(tally.not_judged, tally.repetitions)} %",
            ]
            for tally in tallies
        ],
    )


def feature_alarms(tallies: Sequence[AlarmTally]) -> str:
    """Return how often each feature drifted and was not judged, without drift."""
    return table(
        ["feature", *(f"n = {tally.n_window:,}" for tally in tallies)],
        [
            [f"`{name}`", *(_verdicts(tally.features[name], tally.repetitions) for tally in tallies)]
            for name in tallies[0].features
        ],
    )


def _verdicts(feature: FeatureTally, repetitions: int) -> str:
    return f"{percent(feature.drifts, repetitions)} / {percent(feature.not_judged, repetitions)}"


def sizes(tallies: Sequence[AlarmTally]) -> str:
    """Return how often each feature's p-value was below alpha without drift, by test; and of scipy's own."""
    n_cells = sum(len(feature.tested) for tally in tallies for feature in tally.features.values())
    rows = []
    for name in tallies[0].features:
        tests = sorted({test for tally in tallies for test in tally.features[name].tested} - {TEXTBOOK})
        rows += [
            [
                f"`{name}`",
                "scipy" if test == TEXTBOOK else f"`{test}`",
                *(_size(t.features[name], test, n_cells) for t in tallies),
            ]
            for test in (*tests, TEXTBOOK)
        ]
    return table(["feature", "test", *(f"n = {tally.n_window:,}" for tally in tallies)], rows)


def _size(feature: FeatureTally, test: str, n_cells: int) -> str:
    n_tested, n_significant = feature.tested.get(test, 0), feature.significant.get(test, 0)
    if n_tested < MIN_WINDOWS:
        return "–"
    text = percent(n_significant, n_tested)
    lower, _ = interval(n_significant, n_tested, 1 - (1 - LEVEL) / n_cells)
    return f"**{text}**" if lower > ALPHA else text


def found(results: Sequence[PowerTally]) -> str:
    """Return how often each change was found, by window size: a row for each change."""
    sizes_studied = sorted({result.n_window for result in results})
    rows = []
    for key in dict.fromkeys((result.feature, result.size, result.effect) for result in results):
        feature, size, effect = key
        by_size = {r.n_window: r for r in results if (r.feature, r.size) == (feature, size)}
        rows.append([f"`{feature}`", size, f"{effect:.3f}", *(_found(by_size[n]) for n in sizes_studied)])
    return table(["feature", "change", "effect", *(f"n = {n:,}" for n in sizes_studied)], rows)


def _found(result: PowerTally) -> str:
    named, reference, evidently = (
        f"{100 * count / result.repetitions:.0f}" for count in (result.named, result.reference, result.evidently)
    )
    refused = f" [{100 * result.not_judged / result.repetitions:.0f}]" if result.not_judged else ""
    return f"**{named}**{refused} / {reference} / {evidently}"
