"""The population behind the demo's traffic: real Census Income when it can be had, else the synthetic one."""

from dataclasses import dataclass
from pathlib import Path

from plumbline import census, population
from plumbline.rows import DataSplit

CENSUS = "census"
SYNTHETIC = "synthetic"

TRAIN_FILE = "train.csv"
TEST_FILE = "test.csv"

SYNTHETIC_TRAIN_ROWS = 18_000
SYNTHETIC_TEST_ROWS = 5_000
SYNTHETIC_POOL_ROWS = 36_000


@dataclass(frozen=True)
class DemoData:
    """Rows to train on, to test on and to draw traffic from; `origin` says in words where they came from."""

    source: str
    origin: str
    rows: DataSplit


def choose(folder: Path | None, *, synthetic: bool, seed: int) -> DemoData:
    """Find the data.

    Parameters
    ----------
    folder
        The person's own copy of Census Income; it is an error when it is not one.
    synthetic
        Do not look for Census Income at all.

    Raises
    ------
    ValueError
        If the given folder lacks a file or holds other bytes than the archive's.
    """
    found = None if synthetic else census.acquire(folder)
    if found is not None:
        return DemoData(CENSUS, f"UCI Census Income from {found.origin}", census.split(found, seed))
    rows = population.split(seed, n_train=SYNTHETIC_TRAIN_ROWS, n_test=SYNTHETIC_TEST_ROWS, n_pool=SYNTHETIC_POOL_ROWS)
    why = "as asked" if synthetic else "Census Income could not be had; give a folder with --data"
    return DemoData(SYNTHETIC, f"a synthetic census-like population ({why})", rows)
