"""Evidence that adds up over windows without adding up false alarms: p-values of days, e-values, and their CUSUM."""

import math
from dataclasses import dataclass

from scipy import special

_MIN_P_VALUE = 1e-250
"""Smaller ones are no more certain, and their reciprocals no numbers."""


def log_e_value(p_value: float) -> float:
    """Return the natural logarithm of the e-value that a p-value is worth: (1 - p + p ln p) / (p (ln p)^2).

    Null: that of the p-value; then the e-value's expectation is at most 1. Range: log(1/2) at p = 1, upwards; larger
    is more evidence. 0 or less for p-values above about 0.17.

    References
    ----------
    V. Vovk, R. Wang, "E-values: calibration, combination and applications" (Annals of Statistics, 2021), section 2:
    the mixture of all calibrators k p^(k - 1).

    Examples
    --------
    >>> round(math.exp(log_e_value(0.01)), 2)
    4.45
    """
    p_value = max(p_value, _MIN_P_VALUE)
    log_p = math.log(p_value)
    if log_p > -1e-4:
        return math.log(0.5)  # the limit, where the quotient is 0 / 0
    return math.log1p(-p_value + p_value * log_p) - log_p - 2 * math.log(-log_p)


@dataclass(frozen=True)
class EvidenceSum:
    """The natural logarithm of an e-value against no change, of the rows from `start` on."""

    log_e: float
    start: str


def added(before: EvidenceSum | None, log_e: float, start: str, maximum: float) -> EvidenceSum | None:
    """Return the evidence with that of one more independent part of the stream, which begins at `start`.

    It is max(before, 0) + log_e, at most `maximum`: of all moments since which a change may have been, the one that
    the evidence is greatest for. None where none is left, so that the next part begins anew.

    References
    ----------
    E. Page, "Continuous inspection schemes" (Biometrika, 1954). J. Shin, A. Ramdas, A. Rinaldo, "E-detectors: a
    nonparametric framework for sequential change detection" (New England Journal of Statistics in Data Science, 2023):
    CUSUM of e-values.
    """
    before = before or EvidenceSum(0.0, start)
    total = min(before.log_e + log_e, maximum)
    return EvidenceSum(total, before.start) if total > 0 else None


def alarm_evidence(n_starts: int, alpha: float) -> float:
    """Return the log evidence that is reached with a probability of at most `alpha` without any change.

    By Ville's inequality the e-value of the parts from one start on reaches 1 / x with a probability of at most x,
    whenever it is looked at; of `n_starts` that are followed together one does with at most n_starts * x.

    References
    ----------
    J. Ville, "Etude critique de la notion de collectif" (1939).

    Examples
    --------
    >>> round(alarm_evidence(1440, 0.04), 2)
    10.49
    """
    return math.log(n_starts / alpha)


def p_value_of_mean(distance: float, error: float, degrees: float) -> float:
    """Return the probability that Student's t with `degrees` degrees of freedom is at least distance / error.

    Null: the mean lies no farther off, and its standard error is `error`. Range 0 to 1.

    Examples
    --------
    >>> round(p_value_of_mean(2.0, 1.0, 1e9), 4)
    0.0228
    """
    return float(special.stdtr(degrees, -distance / error))


def p_value_of_fraction(n_rows: float, found: float, expected: float) -> float:
    """Return the probability that of `n_rows` independent rows at least the fraction `found` has what `expected` have.

    Null: each row has it with a probability of at most `expected`; `n_rows` may be an effective number. Range 0 to 1.

    Examples
    --------
    >>> round(p_value_of_fraction(3, 2 / 3, 0.5), 3)
    0.5
    """
    n_found = n_rows * found
    if n_found <= 0 or expected >= 1:
        return 1.0
    return float(special.betainc(n_found, n_rows - n_found + 1, max(expected, 0.0)))
