"""docs/calibration.md: the tables of the study of verdicts, between their own markers."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from plumbline.drift.reference.history import ENOUGH_WINDOWS
from research.studies import pages
from research.studies.pages import replace_results, table
from research.studies.verdicts.arrivals import ArrivalTally
from research.studies.verdicts.courses import WARM_UP_HOURS, CourseTally
from research.studies.verdicts.features import BY, CellTally
from research.studies.verdicts.kinds import KINDS, NO_CHANGE, VerdictTally
from research.studies.verdicts.results import VerdictStudy
from research.studies.verdicts.worlds import Arrival

MARKER = "verdicts"
NOTHING = "–"
_T = TypeVar("_T")


def write(study: VerdictStudy, page: Path) -> None:
    """Put the results between the markers of the page.

    Raises
    ------
    ValueError
        If the page lacks its markers.
    """
    replace_results(page, "\n\n".join(body(study)), MARKER)


def body(study: VerdictStudy) -> Iterator[str]:
    """Yield the paragraphs that stand between the markers."""
    versions = ", ".join(f"{name} {version}" for name, version in study.versions.items())
    yield (
        f"Made by `{study.command}` with seed {study.seed} in {study.seconds / 60:.1f} minutes; {versions}. Single "
        f"features are drawn from {study.population}."
    )
    yield "### Without drift, however rows come"
    yield (
        "Windows in which a feature, or the prediction, is called drifted though nothing changed, with the 95 % "
        "interval of the rate. *Past* is the number of past windows that these were held against; with less than "
        f"{ENOUGH_WINDOWS} the verdict says so."
    )
    yield arrivals(study.arrivals)
    if study.tallies:
        yield from _whole_runs(study)
    else:
        yield "Whole runs, with every verdict, are not part of this command; `make study` has them."
    yield "### One feature changed"
    yield (
        f"Percent of the windows in which the changed feature is named by **Plumbline**, in brackets by which verdict "
        f"({', '.join(f'{name[0]}: {name}' for name in BY)}; ?: not judged), then by the reference implementation and "
        "by Evidently. Reference of 20,000 rows."
    )
    yield cells(study.cells)
    yield "### Over time"
    yield (
        "Courses of hours, each judged with what the hour before left. A ramp begins after "
        f"{WARM_UP_HOURS} hours without one, and the hours to the alarm count from there; the last column is the "
        "verdict on features of the same hours, until the alarm."
    )
    yield courses(study.courses)


def _whole_runs(study: VerdictStudy) -> Iterator[str]:
    yield (
        "Whole runs: windows in which each verdict is drift [in which it is not judged], and intervals of the "
        "projected accuracy that hold the realised one."
    )
    unchanged = [one for one in study.tallies if one.change == NO_CHANGE]
    for history in (False, True):
        yield f"{'With' if history else 'Without'} the task's past in the baseline:"
        yield false_alarms([one for one in unchanged if one.history is history])
    yield "### What no single feature shows"
    yield "Percent of the windows in which each verdict is drift [not judged], rows one by one, past in the baseline."
    yield power([one for one in study.tallies if one.change != NO_CHANGE])


def courses(tallies: Sequence[CourseTally]) -> str:
    """Return how soon a ramp is found over time, and in how many months something is that is none."""
    header = ["change", "rows come", "rows an hour", "courses", "hours", "alarm", "alarm before the change"]
    rows = []
    for one in tallies:
        delays, hours = sorted(one.delays), one.hours - WARM_UP_HOURS
        soon = f"{delays[len(delays) // 2]} ({delays[0]} to {delays[-1]})" if delays else NOTHING
        alone = NOTHING if one.window_hours is None else f"{one.window_hours} of {hours * one.n_courses:,}"
        is_ramp = one.window_hours is not None
        rows.append(
            [
                one.change,
                one.arrival,
                f"{one.rows_per_hour:,}",
                str(one.n_courses),
                f"{one.hours:,}",
                _rate(one.alarmed, one.n_courses),
                _rate(one.early, one.n_courses) if is_ramp else NOTHING,
                soon,
                alone,
            ]
        )
    return table([*header, "hours to the alarm: middle (all)", "hours whose window alone drifted"], rows)


def arrivals(tallies: Sequence[ArrivalTally]) -> str:
    """Return how often features and prediction are called drifted: a row for each world, size and baseline."""
    header = ["rows come", "past", "rows in the window", "windows", "any feature", *BY, "prediction", "not judged"]
    return table(
        header,
        [
            [
                one.arrival,
                str(one.past_windows) if one.history else NOTHING,
                f"{one.n_window:,}",
                str(one.n_windows),
                pages.rate(one.drifts, one.n_windows),
                *(str(one.named[way]) for way in BY),
                pages.rate(one.predictions, one.n_windows),
                str(one.not_judged),
            ]
            for one in sorted(tallies, key=lambda one: (list(Arrival).index(Arrival(one.arrival)), one.history))
        ],
    )


def false_alarms(tallies: Sequence[VerdictTally]) -> str:
    """Return how often each verdict is drift: a row for each way that rows come and each size."""
    header = ["rows come", "rows in the window", "windows", *KINDS, "interval holds the truth"]
    return table(
        header,
        [
            [
                one.arrival,
                f"{one.n_window:,}",
                str(one.n_windows),
                *(_alarms(one, name) for name in KINDS),
                _rate(one.held, one.estimated),
            ]
            for one in tallies
        ],
    )


def _alarms(tally: VerdictTally, name: str) -> str:
    unknown = tally.not_judged[name]
    if unknown == tally.n_windows:
        return f"{NOTHING} [{unknown}]"
    return _rate(tally.drifts[name], tally.n_windows) + (f" [{unknown}]" if unknown else "")


def _rate(n_events: int, n_trials: int) -> str:
    if not n_trials:
        return NOTHING
    lower, upper = pages.interval(n_events, n_trials)
    return f"{n_events} ({100 * lower:.0f} to {100 * upper:.0f} %)"


def power(tallies: Sequence[VerdictTally]) -> str:
    """Return how often each verdict is drift: a row for each change and size."""
    names = [name for name in KINDS if name not in {"distribution", "missing values", "tail and range"}]
    return table(
        ["change", "rows in the window", "windows", *names, "interval holds the truth"],
        [
            [
                one.change,
                f"{one.n_window:,}",
                str(one.n_windows),
                *(_percent(one.drifts[name], one.not_judged[name], one.n_windows) for name in names),
                _rate(one.held, one.estimated),
            ]
            for one in tallies
        ],
    )


def _percent(n_events: int, n_unknown: int, n_trials: int) -> str:
    unknown = f" [{100 * n_unknown / n_trials:.0f}]" if n_unknown else ""
    return f"{100 * n_events / n_trials:.0f}{unknown}"


def cells(tallies: Sequence[CellTally]) -> str:
    """Return how often each change of one feature is named: a row for each change, a column for each size."""
    sizes = _distinct(tallies, lambda one: one.n_window)
    rows = []
    for key in _distinct(tallies, lambda one: (one.feature, one.change)):
        found = {one.n_window: one for one in tallies if (one.feature, one.change) == key}
        feature, change = key
        rows.append([f"`{feature}`", change, *(_cell(found[size]) for size in sizes)])
    numbers = {one.n_window: one.n_windows for one in tallies}
    return table(["feature", "change", *(f"n = {size:,} ({numbers[size]} windows)" for size in sizes)], rows)


def _cell(tally: CellTally) -> str:
    def percent(number: int) -> str:
        return f"{100 * number / tally.n_windows:.0f}"

    ways = [f"{name[0]} {percent(number)}" for name, number in tally.named.items() if number]
    ways += [f"? {percent(tally.not_judged)}"] if tally.not_judged else []
    brackets = f" [{', '.join(ways)}]" if ways else ""
    return f"**{percent(tally.n_named)}**{brackets} / {percent(tally.reference)} / {percent(tally.evidently)}"


def _distinct(tallies: Iterable[CellTally], key: Callable[[CellTally], _T]) -> list[_T]:
    return list(dict.fromkeys(map(key, tallies)))
