"""If labels alone had shifted: prior correction by maximum likelihood, and whether the window fits it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from plumbline.drift.projection.domain import Domain

_MIN_FRACTION = 1e-6
_PRECISION = 1e-9
MIN_SEPARABILITY = 0.53
EXPLAINED_FRACTION = 0.75
MAX_RESIDUAL_SEPARABILITY = 0.525


def positive_fraction(calibrated: NDArray[np.float64], shares: NDArray[np.float64], before: float) -> float:
    """Return the share of positives that makes the window's probabilities most likely.

    The likelihood is concave in the share; its maximum, the fixed point of Saerens's expectation-maximisation, is found
    as the root of its slope.

    Parameters
    ----------
    calibrated
        Probabilities of a positive label where their share is `before`, shape (n_distinct,).
    shares
        How much of the window has each; they add up to 1.

    References
    ----------
    M. Saerens et al., "Adjusting the outputs of a classifier to new a priori probabilities" (2002); A. Alexandari et
    al., "Maximum likelihood with bias-corrected calibration is hard-to-beat at label shift adaptation" (2020).
    """
    negative = (1 - calibrated) / (1 - before)
    difference = calibrated / before - negative

    def slope(share: float) -> float:
        return float(shares @ (difference / (negative + share * difference)))

    least, most = _MIN_FRACTION, 1 - _MIN_FRACTION
    if slope(least) <= 0:
        return least
    return most if slope(most) >= 0 else float(brentq(slope, least, most, xtol=_PRECISION))


def corrected(calibrated: NDArray[np.float64], share: float, before: float) -> NDArray[np.float64]:
    """Return the probabilities of a positive label where their share is not `before` but `share`."""
    positive, negative = calibrated * share / before, (1 - calibrated) * (1 - share) / (1 - before)
    return np.asarray(positive / (positive + negative))


@dataclass(frozen=True)
class LabelShiftFit:
    """How far a changed share of positives accounts for the difference between window and test set."""

    separability: float
    explained_fraction: float
    residual_separability: float

    @property
    def selected(self) -> bool:
        """Whether the window fits pure label shift."""
        return (
            self.separability >= MIN_SEPARABILITY
            and self.explained_fraction >= EXPLAINED_FRACTION
            and self.residual_separability < MAX_RESIDUAL_SEPARABILITY
        )


def fit_label_shift(
    domain: Domain,
    calibrated: NDArray[np.float64],
    positive: NDArray[np.float64],
    share: float,
    before: float,
) -> LabelShiftFit:
    """Compare what a classifier sees of the shift with what the changed share would make of it.

    Parameters
    ----------
    calibrated
        Of the domain's rows, in its order.
    positive
        Labels of its `chosen` rows, 0 or 1.
    """
    of_window = domain.of_window
    implied = np.log(calibrated * share / before + (1 - calibrated) * (1 - share) / (1 - before))
    gap, expected = (
        float(np.mean(values[of_window]) - np.mean(values[~of_window])) for values in (domain.log_odds, implied)
    )
    weights = np.where(positive == 1, share / before, (1 - share) / (1 - before))
    return LabelShiftFit(
        separability=domain.separability(),
        explained_fraction=expected / gap if gap > 0 else 0.0,
        residual_separability=domain.separability(weights),
    )
