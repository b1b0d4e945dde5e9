"""What capture files are read for: the columns, the window and the reference that cells are held against."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from contract.records import FeatureType, WindowBounds
from contract.rejection import RejectionReason
from drift.counts import ValueCounts
from drift.errors import ConfigError
from drift.kernel.payloads import Outputs
from drift.table import FeatureSpec
from drift.times import parse_time

_PROBABILITY = Outputs()
_VARIANT = re.compile(r"(?:^|/)([^/]+)/\d{4}/\d{2}/\d{2}/\d{2}/[^/]+$")


@dataclass(frozen=True, eq=False, kw_only=True)
class Plan:
    """One reading, the same for every file and every worker; it can be pickled.

    `reference` has the value counts of every spec. With a `variant`, files of another one are rejected. `segment`
    names the categorical column whose values divide the window. What the `ignored` columns hold makes no row strange.
    `outputs` says what a prediction is, and `facet` names the categorical column by whose values predictions are also
    counted apart.
    """

    specs: tuple[FeatureSpec, ...]
    reference: Mapping[str, ValueCounts]
    start: datetime | None = None
    end: datetime | None = None
    variant: str | None = None
    segment: str | None = None
    ignored: frozenset[str] = frozenset()
    outputs: Outputs = Outputs()
    facet: str | None = None

    @classmethod
    def of(  # noqa: PLR0913 - the fields of a plan, each by its name
        cls,
        specs: Sequence[FeatureSpec],
        reference: Mapping[str, ValueCounts],
        bounds: WindowBounds,
        *,
        variant: str | None = None,
        segment: str | None = None,
        ignored: frozenset[str] = frozenset(),
        outputs: Outputs = _PROBABILITY,
        facet: str | None = None,
    ) -> "Plan":
        """Return the plan of a window.

        Raises
        ------
        ConfigError
            If a bound is no time.
        """
        return cls(
            specs=tuple(specs),
            reference=reference,
            start=_bound(bounds.start),
            end=_bound(bounds.end),
            variant=variant,
            segment=segment,
            ignored=ignored,
            outputs=outputs,
            facet=facet,
        )

    @cached_property
    def labels(self) -> Mapping[str, frozenset[str]]:
        """The reference's labels of each categorical column."""
        return {
            spec.name: frozenset(self.reference[spec.name].values.tolist())
            for spec in self.specs
            if spec.type is FeatureType.CATEGORICAL
        }

    def time_refusal(self, text: str | None) -> RejectionReason | None:
        """Return why a record of this inference time does not belong to the window; None when it does."""
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
