"""Ground truth: how long windows wait for their labels, and how long what they are joined with is kept."""

import math
from typing import Annotated

from pydantic import Field, StrictInt

from stacks.config_values import Section, Share

HOURS_A_DAY = 24
LONGEST_LAG_HOURS = 168
"""A week: each run reads the captures and labels of all of these hours again."""


class Labels(Section):
    """Labels that come after their predictions; absent section: none are awaited."""

    lag_hours: Annotated[StrictInt, Field(ge=1, le=LONGEST_LAG_HOURS)]
    """How long a window is waited for; the hours before each run that are joined with labels."""
    minimum_coverage: Share = 0.5
    """Share of a window's rows that must have a label for its quality to be judged."""


def check_lag(labels: Labels, *, interval_hours: int, capture_days: int) -> None:
    """Refuse a lag shorter than a window, or whose captures are deleted before their labels may come.

    The container rounds the lag up to whole windows. The oldest of them began so long before the newest, which is
    `interval_hours` long itself, and a run takes a part of another hour.

    Raises
    ------
    ValueError
        If it does; the text is a rule of the whole file.
    """
    if labels.lag_hours < interval_hours:
        raise ValueError(f"must have labels.lag_hours of at least one window, {interval_hours}, got {labels.lag_hours}")
    waited_hours = math.ceil(labels.lag_hours / interval_hours) * interval_hours
    least_days = (waited_hours + interval_hours) // HOURS_A_DAY + 1
    if capture_days < least_days:
        raise ValueError(
            f"must have retention.capture_days of at least {least_days} for labels.lag_hours {labels.lag_hours}, "
            f"got {capture_days}"
        )
