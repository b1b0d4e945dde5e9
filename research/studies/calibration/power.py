"""Windows with a known drift: how often it is found, on the right feature."""

from dataclasses import dataclass

from plumbline.contract.records import Verdict
from research.studies.calibration import other_rules
from research.studies.calibration.false_alarms import columns, generator
from research.studies.calibration.product import PopulationMonitor
from research.studies.calibration.shifts import ChangeMeasure, KnownShift

_OWN_STREAM = 1
"""Keeps the random numbers apart from those of the windows without drift."""


@dataclass(frozen=True)
class PowerTally:
    """One change in many windows of one size; counts of windows.

    `wrong` are windows in which another feature drifts, by Plumbline's verdict. `reference` and `evidently` count the
    right feature under those tools' rules.
    """

    feature: str
    size: str
    measure: ChangeMeasure
    effect: float
    n_window: int
    repetitions: int
    named: int = 0
    not_judged: int = 0
    wrong: int = 0
    reference: int = 0
    evidently: int = 0


def power(
    product: PopulationMonitor,
    shifts: list[KnownShift],
    n_reference: int,
    n_window: int,
    repetitions: int,
    *,
    seed: int,
) -> list[PowerTally]:
    """Shift windows drawn from the population, each shift the same ones, and count what is found."""
    outcomes: list[list[dict[str, bool]]] = [[] for _ in shifts]
    for repetition in range(repetitions):
        random = generator(seed, n_reference, n_window, repetition, _OWN_STREAM)
        reference = product.population.draw(n_reference, random)
        baseline = product.learned(reference)
        undrifted = product.population.draw(n_window, random)
        for shift, scores in zip(shifts, outcomes, strict=True):
            window = shift.apply(undrifted, random)
            report = product.judge(baseline, window, seed=repetition)
            place = product.population.index(shift.feature)
            pair = columns(product.population, reference, window)[place]
            scores.append(
                {
                    "named": report.features[place].verdict is Verdict.DRIFT,
                    "not_judged": report.features[place].verdict is Verdict.NOT_JUDGED,
                    "wrong": bool(set(report.drifted_features) - {shift.feature}),
                    "reference": other_rules.reference_rule(pair),
                    "evidently": other_rules.evidently_rule(pair).drifts,
                }
            )
    return [
        PowerTally(
            shift.feature, shift.size, shift.measure, shift.effect, n_window, repetitions,
            **{key: sum(one[key] for one in scores) for key in scores[0]},
        )
        for shift, scores in zip(shifts, outcomes, strict=True)
    ]  # fmt: skip
