"""What a significance test returns."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Evidence:
    """One significance test: its name, its statistic and the p-value under its null.

    A p-value below the smallest float reads 0.0.
    """

    test: str
    statistic: float
    p_value: float
