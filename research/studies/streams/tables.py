"""The results of the study of streams as Markdown tables."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

from plumbline.contract.verdicts import Verdict
from research.studies import pages
from research.studies.pages import table
from research.studies.streams import summary
from research.studies.streams.outcomes import Bounded, PeerOutcome, RunMode, StreamOutcome
from research.studies.streams.summary import Counted, J, Outcomes

NOTHING = "–"
MODE_WORDS = {
    RunMode(False, 1): "**Plumbline** without history, labels one window late",
    RunMode(True, None): "**Plumbline**, no labels",
    RunMode(True, 1): "**Plumbline**, labels one window late",
    RunMode(True, 2): "**Plumbline**, labels two windows late",
}
"""Without history, the labels of the last windows alone correct the projection."""


def share(found: Counted) -> str:
    """Return a share in percent, and the numbers behind it."""
    return f"{pages.percent(*found)} % ({found[0]:,} of {found[1]:,})" if found[1] else NOTHING


def share_with_interval(found: Counted) -> str:
    """Return a share in percent with its exact interval, and the number of windows behind it."""
    return f"{pages.rate(*found)} of {found[1]:,}" if found[1] else NOTHING


def points(fraction: float | None) -> str:
    """Return a fraction in percentage points."""
    return NOTHING if fraction is None else f"{100 * fraction:.1f}"


def modes(outcomes: Outcomes) -> list[tuple[str, list[StreamOutcome]]]:
    """Return the windows of each mode that there are any of, with the mode in words."""
    found = [(words, summary.in_mode(outcomes, mode)) for mode, words in MODE_WORDS.items()]
    return [(words, windows) for words, windows in found if windows]


def _tools(others: Sequence[PeerOutcome]) -> list[tuple[str, list[PeerOutcome]]]:
    return [(tool, [one for one in others if one.tool == tool]) for tool in dict.fromkeys(one.tool for one in others)]


Figures = Sequence[tuple[Bounded, float]]


def _figures(outcomes: Iterable[StreamOutcome | PeerOutcome]) -> list[tuple[Bounded, float]]:
    return [(one.figure, one.realised) for one in outcomes if one.figure.value is not None]


def coverage(outcomes: Outcomes, others: Sequence[PeerOutcome]) -> str:
    """Return for each mode, tool and method how often its interval holds the truth, and how wide it is."""
    rows = []
    for words, windows in modes(outcomes):
        rows.append([words, *_covered(_figures(windows), len(windows))])
    for tool, found in _tools(others):
        figures = _figures(found)
        if figures:
            rows.append([tool, *_covered(figures, len(found))])
    header = ["", "windows", "estimated", "interval holds the truth", "half-width, points", "error, points"]
    return table([*header, "misses that promise too much"], rows)


def _covered(figures: Figures, n_windows: int) -> Iterator[str]:
    yield f"{n_windows:,}"
    yield share((len(figures), n_windows))
    yield share_with_interval(summary.covered(figures))
    yield points(summary.mean(figure.half_width for figure, _ in figures))
    yield points(summary.mean(abs(figure.value - realised) for figure, realised in figures if figure.value is not None))
    missed = [(figure, realised) for figure, realised in figures if not figure.holds(realised)]
    yield share((sum(figure.lower is not None and realised < figure.lower for figure, realised in missed), len(missed)))


def by_stream(outcomes: Outcomes) -> str:
    """Return coverage, half-width and refusals of each stream and size: a row for each, a column for each mode."""
    rows = []
    found = modes(outcomes)
    for stream in dict.fromkeys(one.stream for one in outcomes):
        for n_rows in sorted({one.n_rows for one in outcomes if one.stream == stream}):
            cells = []
            for _, windows in found:
                chosen = [one for one in windows if (one.stream, one.n_rows) == (stream, n_rows)]
                figures = _figures(chosen)
                held, n_figures = summary.covered(figures)
                width = points(summary.mean(figure.half_width for figure, _ in figures))
                cells.append(f"{held} of {n_figures}, ± {width}; {len(chosen) - len(figures)} refused")
            rows.append([stream, f"{n_rows:,}", *cells])
    return table(["stream", "rows", *(words for words, _ in found)], rows)


def parts(outcomes: Outcomes) -> str:
    """Return the mean half-width of each mode by what it is for, in points."""
    names = list(dict.fromkeys(name for one in outcomes for name in one.parts))
    rows = []
    for words, windows in modes(outcomes):
        kept = summary.estimated(windows)
        rows.append(
            [
                words,
                *(points(summary.mean(one.parts.get(name) for one in kept)) for name in names),
                points(summary.mean(one.figure.half_width for one in kept)),
            ]
        )
    return table(["mean half-width, points", *names, "together"], rows)


def refusals(outcomes: Outcomes) -> str:
    """Return how many windows each mode refuses and how many rightly, by the code of the reason."""
    rows = []
    for words, windows in modes(outcomes):
        found = summary.refused(windows)
        codes = dict.fromkeys(sorted(one.refused or NOTHING for one in found))
        for code in codes:
            chosen = [one for one in found if (one.refused or NOTHING) == code]
            rows.append(
                [
                    words,
                    f"`{code}`",
                    share((len(chosen), len(windows))),
                    share(summary.counted(chosen, summary.is_rightly_refused)),
                ]
            )
        if not codes:
            rows.append([words, NOTHING, share((0, len(windows))), NOTHING])
    return table(["", "reason", "refused", "rightly: the interval would have missed"], rows)


_Verdict = Callable[[StreamOutcome], Verdict]
VERDICTS: dict[str, _Verdict] = {
    "drift of a feature": lambda one: one.drift,
    "drift of the prediction": lambda one: one.prediction,
    "drift of whole rows": lambda one: one.multivariate,
    "projected accuracy dropped": lambda one: one.projected,
    "realised accuracy dropped": lambda one: one.quality,
    "concept shift": lambda one: one.concept,
}


def alarms(outcomes: Outcomes, others: Sequence[PeerOutcome]) -> str:
    """Return how often each verdict is drift where the accuracy stands, fell a little, and fell clearly."""
    rows = []
    for words, windows in modes(outcomes):
        for name, what in VERDICTS.items():
            if any(what(one) is not Verdict.NOT_JUDGED for one in windows):
                rows.append([words, name, *_by_loss(windows, partial(_drifts, what))])
        rows.append([words, "**starts work**", *_by_loss(windows, lambda one: one.starts_work)])
    for tool, found in _tools(others):
        names = dict.fromkeys(name for one in found for name in one.alarms)
        rows += [[tool, name, *_by_loss(found, partial(_alarmed, name))] for name in names]
    header = ["", "alarm", "accuracy stands: fell less than 2 points", "fell 2 to 3 points", "fell 3 points or more"]
    return table(header, rows)


def _drifts(what: _Verdict, outcome: StreamOutcome) -> bool:
    return what(outcome) is Verdict.DRIFT


def _alarmed(name: str, outcome: PeerOutcome) -> bool:
    return outcome.alarms[name]


def _by_loss(outcomes: Sequence[J], holds: Callable[[J], bool]) -> Iterator[str]:
    for chosen in (summary.stands(outcomes), summary.between(outcomes), summary.fell(outcomes)):
        yield share(summary.counted(chosen, holds))


def concept(outcomes: Outcomes) -> str:
    """Return what labels showed of the concept, by how much the accuracy fell."""
    rows = []
    for words, windows in modes(outcomes):
        labelled = [one for one in windows if one.quality is not Verdict.NOT_JUDGED]
        if not labelled:
            continue
        for size, chosen in (
            ("less than 2 points, or rose", summary.stands(labelled)),
            ("2 to 3 points", summary.between(labelled)),
            ("3 points or more", summary.fell(labelled)),
        ):
            rows.append(
                [
                    words,
                    size,
                    f"{len(chosen):,}",
                    share(summary.drifts(chosen, lambda one: one.concept)),
                    share(summary.counted(chosen, summary.is_unexplained)),
                    share(summary.drifts(chosen, lambda one: one.quality)),
                ]
            )
    return table(["", "accuracy fell", "windows", "concept shift", "cause not identified", "quality dropped"], rows)
