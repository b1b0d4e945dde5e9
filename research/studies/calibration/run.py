"""The whole study in a given extent."""

import logging
import platform
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from plumbline.data import census, population
from plumbline.data.rows import LabelledRows
from research.studies.calibration.false_alarms import AlarmTally, false_alarms
from research.studies.calibration.population import Population
from research.studies.calibration.power import PowerTally, power
from research.studies.calibration.product import PopulationMonitor
from research.studies.calibration.results import Agreement, CalibrationStudy
from research.studies.calibration.shifts import NEW_LABEL, studied

N_SYNTHETIC = 50_000
_LIBRARIES = ("numpy", "scipy")

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class CalibrationExtent:
    """How much is run. `repetitions` goes by the rows of the reference; the power needs the first of these only."""

    repetitions: Mapping[int, int]
    n_windows: tuple[int, ...]
    power_repetitions: int
    command: str


FULL = CalibrationExtent({20_000: 500, 1_000: 400}, (200, 500, 2_000, 10_000, 100_000), 40, "make study")
QUICK = CalibrationExtent(
    {20_000: 40, 1_000: 40}, (200, 500, 2_000), 5, "python -m research.studies.calibration --quick"
)


def people(folder: Path | None, seed: int) -> tuple[LabelledRows, str]:
    """Return Census Income as a whole and its name; the synthetic population where there is no copy to be had."""
    income = census.acquire(folder)
    if income is None:
        return population.generate(N_SYNTHETIC, seed), "the synthetic population of `plumbline/data/population.py`"
    data, test = income.data, income.test
    return (
        LabelledRows(data.header, data.rows + test.rows, data.labels + test.labels),
        "Census Income, its training and its test part together",
    )


def study(
    drawn_from: Population, name: str, extent: CalibrationExtent, seed: int, agreement: Agreement | None
) -> CalibrationStudy:
    """Measure false alarms and power; only the time it took depends on anything but the arguments."""
    started = time.monotonic()
    tallies = _tallies(drawn_from, extent, seed)
    found = _found(drawn_from.with_level("occupation", NEW_LABEL), extent, seed)
    return CalibrationStudy(
        command=extent.command,
        seed=seed,
        population=name,
        n_population=drawn_from.n_rows,
        versions={"Python": platform.python_version(), **{library: version(library) for library in _LIBRARIES}},
        seconds=time.monotonic() - started,
        tallies=tuple(tallies),
        found=tuple(found),
        agreement=agreement,
    )


def _tallies(drawn_from: Population, extent: CalibrationExtent, seed: int) -> list[AlarmTally]:
    product = PopulationMonitor.of(drawn_from)
    tallies = []
    for n_reference, repetitions in extent.repetitions.items():
        for n_window in extent.n_windows:
            started = time.monotonic()
            tallies.append(false_alarms(product, n_reference, n_window, repetitions, seed))
            _log.info("no drift: reference %d, window %d: %.0f s", n_reference, n_window, time.monotonic() - started)
    return tallies


def _found(drawn_from: Population, extent: CalibrationExtent, seed: int) -> list[PowerTally]:
    product, shifts = PopulationMonitor.of(drawn_from), studied(drawn_from)
    n_reference = next(iter(extent.repetitions))
    found = []
    for n_window in extent.n_windows:
        started = time.monotonic()
        found += power(product, shifts, n_reference, n_window, extent.power_repetitions, seed=seed)
        _log.info("drift: window %d: %.0f s", n_window, time.monotonic() - started)
    return found
