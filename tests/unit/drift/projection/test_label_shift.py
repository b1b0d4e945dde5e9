from dataclasses import replace

import numpy as np
import pytest

from plumbline.drift.projection.label_shift import LabelShiftFit, corrected, positive_fraction


def by_expectation_maximisation(calibrated: np.ndarray, shares: np.ndarray, before: float) -> float:
    """The slow, obvious way: Saerens et al. (2002), equations 2.9 and 2.10."""
    share = before
    for _ in range(20_000):
        share = float(shares @ corrected(calibrated, share, before))
    return share


def test_the_share_is_the_fixed_point_of_expectation_maximisation() -> None:
    random = np.random.default_rng(1)
    calibrated, shares = random.uniform(0.02, 0.98, 50), random.dirichlet(np.ones(50))
    found = positive_fraction(calibrated, shares, 0.3)
    assert found == pytest.approx(by_expectation_maximisation(calibrated, shares, 0.3), abs=1e-6)


@pytest.mark.parametrize("truth", [0.05, 0.3, 0.5, 0.9])
def test_a_known_share_is_recovered(truth: float) -> None:
    # Two classes with four scores each: P(score | class) is given, and the window mixes the classes by the true share.
    negative, positive, before = np.array([0.4, 0.3, 0.2, 0.1]), np.array([0.1, 0.2, 0.3, 0.4]), 0.25
    calibrated = before * positive / (before * positive + (1 - before) * negative)
    window = truth * positive + (1 - truth) * negative
    assert positive_fraction(calibrated, window, before) == pytest.approx(truth, abs=1e-6)


def test_predictions_of_one_class_alone_give_the_end_of_the_range() -> None:
    one = np.array([1.0])
    assert positive_fraction(np.array([0.9]), one, 0.5) == pytest.approx(1, abs=1e-5)
    assert positive_fraction(np.array([0.1]), one, 0.5) == pytest.approx(0, abs=1e-5)


def test_the_same_share_corrects_nothing() -> None:
    calibrated = np.array([0.0, 0.2, 0.7, 1.0])
    assert corrected(calibrated, 0.3, 0.3) == pytest.approx(calibrated)


def test_correction_multiplies_the_odds() -> None:
    # From 1 : 1 to 4 : 1, odds of 1 : 4 become 1 : 1.
    assert corrected(np.array([0.2]), 0.8, 0.5).tolist() == pytest.approx([0.5])


def test_label_shift_is_believed_when_all_three_measurements_say_so() -> None:
    believed = LabelShiftFit(separability=0.6, explained_fraction=0.9, residual_separability=0.51)
    assert believed.selected
    assert not replace(believed, separability=0.529).selected
    assert not replace(believed, explained_fraction=0.74).selected
    assert not replace(believed, residual_separability=0.525).selected
