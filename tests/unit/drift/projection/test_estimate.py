import numpy as np
import pytest

from plumbline.drift.projection.domain import Domain
from plumbline.drift.projection.estimate import Estimator
from plumbline.drift.projection.recalibration import Recalibration, ScoredLabels
from tests.unit.drift.projection.worlds import Floats, baseline_of, counted, draw


def right(scores: Floats, chance: Floats) -> Floats:
    return np.where(scores >= 0.5, chance, 1 - chance)


def test_the_doubly_robust_estimate_is_belief_plus_weighted_residual() -> None:
    rows = draw(2_000, 2, blind=True)
    learned = Recalibration(rows.table, rows.scores, rows.positive.astype(float), frozenset(), 1)
    labelled = ScoredLabels.of(rows.scores, rows.positive)
    # As many rows on both sides: the odds are the weights, twice as much for a row of the rare group.
    rare = rows.table.columns["group"] == "rare"
    log_odds = np.concatenate([np.where(rare, np.log(2), 0.0), np.zeros(2_000)])
    estimator = Estimator(labelled, learned, Domain(np.arange(2_000), log_odds, log_odds), 1)
    window = counted(baseline_of(rows), rows)
    found = estimator.estimates(window, estimator.resampled(window.probabilities))[0]
    believed = np.mean(right(rows.scores, learned.probabilities(rows.table, rows.scores)))
    residuals = ((rows.scores >= 0.5) == rows.positive) - right(rows.scores, learned.recalibrated)
    correction = np.average(residuals, weights=1.0 + rare)
    assert learned.uses_features
    assert abs(correction) > 1e-4
    assert found.value == pytest.approx(believed + correction, abs=1e-12)
    assert found.spread == 0
