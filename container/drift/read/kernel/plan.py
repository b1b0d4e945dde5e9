"""Plan of reading one window: its bounds, the columns, and the reference that cells are compared with."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Self

from plumbline.contract.records import FeatureType, WindowBounds
from plumbline.contract.rejection import RejectionReason
from plumbline.drift.data.counts import ValueCounts
from plumbline.drift.data.table import FeatureSpec
from plumbline.drift.data.times import parse_time
from plumbline.drift.errors import ConfigError
from plumbline.drift.read.kernel.predictions import Outputs

_VARIANT = re.compile(r"(?:^|/)([^/]+)/\d{4}/\d{2}/\d{2}/\d{2}/[^/]+$")


@dataclass(frozen=True, eq=False, kw_only=True)
class WindowPlan:
    """Plan of reading one window, the same for every file and every worker; it can be pickled.

    `reference` has the value counts of every spec. With a `variant`, files of another one are rejected. `segment`
    names the categorical column whose values divide the window; None: none. Values of `ignored` columns never mark a
    row as out of support. `outputs` is the form of the endpoint's predictions, and `facet` names the categorical column
    by whose values predictions are also counted apart; None: none.

    Raises
    ------
    ConfigError
        If a bound is no ISO 8601 time.
    """

    specs: tuple[FeatureSpec, ...]
    reference: Mapping[str, ValueCounts]
    bounds: WindowBounds = WindowBounds()
    variant: str | None = None
    segment: str | None = None
    ignored: frozenset[str] = frozenset()
    outputs: Outputs = Outputs()
    facet: str | None = None
    start: datetime | None = field(init=False)
    end: datetime | None = field(init=False)

    def __post_init__(self) -> None:
        """Read the bounds once."""
        object.__setattr__(self, "start", _bound(self.bounds.start))
        object.__setattr__(self, "end", _bound(self.bounds.end))

    def within(self, bounds: WindowBounds) -> Self:
        """Return the plan of another window."""
        return replace(self, bounds=bounds)

    @cached_property
    def labels(self) -> Mapping[str, frozenset[str]]:
        """The reference's labels of each categorical column."""
        return {
            spec.name: frozenset(self.reference[spec.name].values.tolist())
            for spec in self.specs
            if spec.type is FeatureType.CATEGORICAL
        }

    def time_rejection(self, text: str | None) -> RejectionReason | None:
        """Return the reason why a record of this inference time does not belong to the window; None when it does."""
        if self.start is None and self.end is None:
            return None
        try:
            moment = parse_time(text or "")
        except ValueError:
            return RejectionReason.INVALID_TIME
        outside = (self.start and moment < self.start) or (self.end and moment >= self.end)
        return RejectionReason.OUTSIDE_WINDOW if outside else None


def variant_of(name: str) -> str | None:
    """Return the production variant that a capture file's path names, or None where the path has another layout.

    Source: SageMaker Developer Guide, "Capture data from real-time endpoint".

    Examples
    --------
    >>> variant_of("endpoint/AllTraffic/2026/11/22/12/20-48-871-a.jsonl")
    'AllTraffic'
    """
    found = _VARIANT.search(name)
    return found[1] if found else None


def _bound(text: str | None) -> datetime | None:
    try:
        return None if text is None else parse_time(text)
    except ValueError as error:
        raise ConfigError(
            f"a window bound must be an ISO 8601 time, got {text!r}; write 2026-01-31T13:00:00Z"
        ) from error
