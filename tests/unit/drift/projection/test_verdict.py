import pytest

from plumbline.contract.accuracy import ProjectedAccuracy, ProjectionEvidence
from plumbline.contract.verdicts import Verdict
from plumbline.drift.projection.estimate import with_verdict
from plumbline.drift.projection.refusals import calibration_refusal, warnings


def judged(estimate: float, deviation: float) -> ProjectedAccuracy:
    found = ProjectedAccuracy(estimate=estimate, reference=0.85, drop=0.85 - estimate, drop_threshold=0.02)
    return with_verdict(found, deviation)


def test_a_drop_of_the_tolerance_beyond_chance_is_drift() -> None:
    found = judged(0.82, 0.01)
    assert found.verdict is Verdict.DRIFT
    assert "expected 82.0 %, 85.0 % on the labelled test set" in str(found.verdict_reason)
    assert "3.0 points lower, more than chance makes it (1.6)" in str(found.verdict_reason)


def test_a_drop_that_chance_reaches_is_none() -> None:
    found = judged(0.82, 0.02)
    assert found.verdict is Verdict.NO_DRIFT
    assert "chance reaches (3.3)" in str(found.verdict_reason)


@pytest.mark.parametrize("estimate", [0.84, 0.85, 0.9])
def test_less_than_the_tolerance_is_no_drift_however_sure(estimate: float) -> None:
    assert judged(estimate, 1e-6).verdict is Verdict.NO_DRIFT


def test_calibration_that_does_not_hold_on_other_rows_is_refused() -> None:
    assert calibration_refusal(0.8, 0.04) is None
    assert "6.0 points off" in str(calibration_refusal(0.8, 0.06))
    assert "worse than chance" in str(calibration_refusal(0.49, 0.0))


def test_every_doubt_is_named() -> None:
    doubts = "; ".join(map(str, warnings(ProjectionEvidence(separability=0.86, over_represented_fraction=0.06), 600)))
    assert "0.86" in doubts and "6 %" in doubts and "600 rows" in doubts
    assert warnings(ProjectionEvidence(separability=0.84, over_represented_fraction=0.04), 1_000) == ()
