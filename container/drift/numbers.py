"""Numbers in text, without numpy: settings are read before anything heavy is imported."""

import math


def finite_number(text: str) -> float | None:
    """Return the number that `text` says, or None when it says none, NaN or an infinite one.

    Examples
    --------
    >>> finite_number(" 40"), finite_number("1e400"), finite_number("nan"), finite_number("12_34")
    (40.0, None, None, None)
    """
    try:
        number = float(text)
    except ValueError:
        return None
    # Python reads "12_34" as 1234, as its own literals are; in data that is an identifier.
    return number if math.isfinite(number) and "_" not in text else None
