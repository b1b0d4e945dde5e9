"""Outcomes of windows, made by hand."""

from dataclasses import replace
from typing import Any

from plumbline.contract.accuracy import Measure, Shift
from plumbline.contract.verdicts import Verdict
from research.studies.accuracy.cases import Family
from research.studies.accuracy.outcomes import IntervalEstimate, Method, WindowOutcome

_OUTCOME = WindowOutcome(
    subject="town",
    seed=1,
    family=Family.NONE,
    case="none",
    severity=1.0,
    n_rows=500,
    reference=0.85,
    accuracy=IntervalEstimate(0.84, 0.82, 0.86, 0.85),
    refusal_reason=None,
    verdict=Verdict.NO_DRIFT,
    separability=0.5,
    over_represented=0.0,
    outside=0.0,
    gate=0.5,
    weighted=False,
    others={Method.CONFIDENCE: 0.83, Method.UNCHANGED: 0.85, Method.FOREST: 0.99},
    scenario=IntervalEstimate(None, None, None, 0.85),
    selected=False,
    measures={Measure.F1: IntervalEstimate(0.6, 0.5, 0.7, 0.65)},
    before={Shift.COVARIATE: Verdict.NO_DRIFT, Shift.LABEL: Verdict.NO_DRIFT},
    after={Shift.LABEL: Verdict.NO_DRIFT, Shift.CONCEPT: Verdict.NO_DRIFT},
)


def outcome(**changes: Any) -> WindowOutcome:
    return replace(_OUTCOME, **changes)
