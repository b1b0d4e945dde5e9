"""Holds our writing of Evidently's rule to the package itself, on a few windows."""

import json
import math
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from plumbline.contract.records import FeatureType
from research.studies.calibration import evidently_package
from research.studies.calibration.false_alarms import columns, generator
from research.studies.calibration.other_rules import ColumnPair, RuleScore, evidently_rule
from research.studies.calibration.population import Counted, Population
from research.studies.calibration.results import Agreement

SIZES = ((1_000, 200), (1_000, 2_000), (20_000, 200), (20_000, 2_000), (20_000, 10_000))
"""Rows of reference and window: both sides of Evidently's change of methods."""
REPETITIONS = 2
TOLERANCE = 1e-9
_OWN_STREAM = 2


def agreement(population: Population, python: Path, seed: int) -> Agreement:
    """Put the same windows to our rule and to the package.

    Parameters
    ----------
    python
        Interpreter of an environment that has Evidently.

    Raises
    ------
    subprocess.CalledProcessError
        If the package fails on them.
    """
    windows = list(_windows(population, seed))
    return compared(windows, _package_scores(python, windows))


def compared(windows: list[list[ColumnPair]], scores: dict[str, Any]) -> Agreement:
    """Count the columns on which our rule and the package's answer agree.

    No column of a window does where the two count different numbers of drifted columns.
    """
    agreeing = [_agreeing(window, theirs) for window, theirs in zip(windows, scores["windows"], strict=True)]
    return Agreement(scores["version"], len(windows), sum(map(len, windows)), sum(agreeing))


def _package_scores(python: Path, windows: list[list[ColumnPair]]) -> dict[str, Any]:
    request = json.dumps([{pair.spec.name: _raw(pair) for pair in window} for window in windows])
    answer = subprocess.run(  # noqa: S603 - an interpreter of ours
        [python, "-W", "ignore", evidently_package.__file__], input=request, capture_output=True, text=True, check=True
    )
    scores: dict[str, Any] = json.loads(answer.stdout)
    return scores


def _windows(population: Population, seed: int) -> Iterator[list[ColumnPair]]:
    for n_reference, n_window in SIZES:
        for repetition in range(REPETITIONS):
            random = generator(seed, n_reference, n_window, repetition, _OWN_STREAM)
            reference = population.draw(n_reference, random)
            yield columns(population, reference, population.draw(n_window, random))


def _raw(pair: ColumnPair) -> dict[str, Any]:
    return {
        "numeric": pair.spec.type is FeatureType.NUMERIC,
        "reference": _cells(pair, pair.reference),
        "window": _cells(pair, pair.window),
    }


def _cells(pair: ColumnPair, counts: Counted) -> list[Any]:
    values = [*pair.levels.tolist(), None]
    return [value for value, count in zip(values, counts.tolist(), strict=True) for _ in range(count)]


def _agreeing(window: list[ColumnPair], theirs: dict[str, Any]) -> int:
    ours = {pair.spec.name: evidently_rule(pair) for pair in window}
    if sum(score.drifts for score in ours.values()) != theirs["n_drifted"]:
        return 0
    return sum(_same(score, theirs["columns"][name]) for name, score in ours.items())


def _same(ours: RuleScore, theirs: dict[str, Any]) -> bool:
    return ours.method == theirs["method"] and math.isclose(
        ours.value, theirs["score"], rel_tol=TOLERANCE, abs_tol=TOLERANCE
    )
