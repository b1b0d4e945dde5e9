"""Numbers in text, without numpy: settings are read before anything heavy is imported."""

import math


def finite_number(text: str) -> float | None:
    """Return the number that `text` says, or None when it says none, NaN or an infinite one.

    Examples
    --------
    >>> finite_number(" 40"), finite_number("1e400"), finite_number("nan")
    (40.0, None, None)
    """
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
