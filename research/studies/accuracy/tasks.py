"""What is judged: subjects, and the windows that are drawn for each of them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from plumbline.data import census, population
from plumbline.data.census import Census
from plumbline.data.rows import DataSplit, LabelledRows
from research.studies.accuracy import cases, flights
from research.studies.accuracy.cases import Family, ShiftCase

CENSUS, TWIN, SYNTHETIC = "Census Income", "Census Income, 5 of 14 columns", "synthetic population"
TWIN_COLUMNS = ("age", "workclass", "education-num", "race", "hours-per-week")
"""All that the twin's model sees: much that moves stays hidden from it."""
_SEEDS_APART = 100_000


@dataclass(frozen=True)
class DrawnWindow:
    """Rows to be judged, and what is known of them."""

    family: Family
    case: str
    severity: float
    rows: LabelledRows


@dataclass(frozen=True)
class AccuracyExtent:
    """How much is run.

    `splits` is the number of train and test splits of each population. Damages are drawn in windows of
    `n_usual` rows alone, half covariate shifts in none that are larger; `unshifted` is the number of windows without
    shift of each size. `synthetic` has the rows of the synthetic population to train on, to test on and to draw from,
    `stream_windows` about how many windows of a stream are judged, 0: none.
    """

    command: str
    splits: Mapping[str, int]
    n_windows: tuple[int, ...]
    n_usual: int
    unshifted: int
    synthetic: tuple[int, int, int]
    stream_windows: int

    def cases(self, n_rows: int) -> Iterator[ShiftCase]:
        """Yield the cases of which a window of this size is drawn."""
        for _ in range(self.unshifted):
            yield cases.without_shift()
        for case in cases.covariate_shifts():
            if case.hour == cases.WHOLE or n_rows <= self.n_usual:
                yield case
        yield from cases.label_shifts()
        yield from cases.concept_shifts()
        if n_rows == self.n_usual:
            yield from cases.damages()


FULL = AccuracyExtent(
    command="make study",
    splits={CENSUS: 4, TWIN: 3, SYNTHETIC: 1},
    n_windows=(500, 2_000, 10_000),
    n_usual=2_000,
    unshifted=8,
    synthetic=(20_000, 5_000, 20_000),
    stream_windows=30,
)
QUICK = AccuracyExtent(
    command="python -m research.studies.accuracy --quick",
    splits={SYNTHETIC: 1},
    n_windows=(500,),
    n_usual=500,
    unshifted=2,
    synthetic=(3_000, 1_000, 3_000),
    stream_windows=0,
)


@dataclass(frozen=True)
class SubjectTask:
    """One subject to be judged; without an `income` the synthetic population stands in for Census Income."""

    subject: str
    seed: int
    extent: AccuracyExtent
    income: Census | None

    def drawn(self) -> tuple[DataSplit, Iterator[DrawnWindow]]:
        """Return the subject's rows, and its windows as they are drawn."""
        if self.subject in flights.NAMES:
            stream = flights.stream(self.subject, flights.folder(), self.seed)
            windows = stream.windows(self.extent.stream_windows)
            return stream.split, (DrawnWindow(Family.TIME, name, 1.0, rows) for name, rows in windows)
        split = self._split()
        return split, self._windows(split.pool)

    def _split(self) -> DataSplit:
        if self.income and self.subject != SYNTHETIC:
            return census.split(self.income, self.seed)
        n_train, n_test, n_pool = self.extent.synthetic
        return population.split(self.seed, n_train=n_train, n_test=n_test, n_pool=n_pool)

    def _windows(self, pool: LabelledRows) -> Iterator[DrawnWindow]:
        number = 0
        for n_rows in self.extent.n_windows:
            for case in self.extent.cases(n_rows):
                rows = case.rows(pool, n_rows, self.seed + number)
                yield DrawnWindow(case.family, case.scenario.name, case.severity, rows)
                number += 1


def tasks(extent: AccuracyExtent, income: Census | None, seed: int) -> list[SubjectTask]:
    """Return the subjects to be judged, each split with a seed of its own."""
    names = [name for name, n_splits in extent.splits.items() for _ in range(n_splits)]
    names += flights.NAMES if extent.stream_windows else ()
    return [SubjectTask(name, seed + number * _SEEDS_APART, extent, income) for number, name in enumerate(names)]


def populations(todo: list[SubjectTask]) -> tuple[str, ...]:
    """Return what was drawn from, in words."""
    names = list(dict.fromkeys(task.subject for task in todo))
    if {CENSUS, TWIN} & set(names) and not todo[0].income:
        names.append("Census Income was not to be had, and the synthetic population stands in for it")
    return tuple(names)
