"""A small population for the tests of the studies."""

import functools

from plumbline.data import population
from plumbline.data.rows import LabelledRows
from research.studies.calibration.population import Population


def labelled(n: int, seed: int = 3) -> LabelledRows:
    return population.generate(n, seed)


@functools.cache
def people(n: int = 3_000) -> Population:
    return Population.of(labelled(n))
