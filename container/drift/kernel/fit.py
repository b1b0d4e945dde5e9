"""Whether the captured rows are of the baseline's schema at all."""

from drift.errors import UnsuitableRowsError
from drift.kernel.partial import PartialCounts
from drift.kernel.plan import Plan
from drift.rejection import Reason

MISFIT_FRACTION = 0.95
"""From this share of the decodable inputs on, rows of another shape are the rule: the baseline is of another model."""
MISFIT_RECORDS = 20
"""Fewer records say nothing about the traffic."""


def require_fit(counts: PartialCounts, plan: Plan) -> None:
    """Refuse a baseline that (nearly) no captured row has the shape of.

    Raises
    ------
    UnsuitableRowsError
        If `MISFIT_RECORDS` or more records, and `MISFIT_FRACTION` or more of those whose input could be decoded, have
        another number of fields than the baseline, or JSON objects with none of its names.
    """
    n_misfits = counts.rejected[Reason.FIELD_COUNT]
    if n_misfits < max(MISFIT_RECORDS, MISFIT_FRACTION * (counts.n_used + n_misfits)):
        return
    names = ", ".join(spec.name for spec in plan.specs)
    seen = "; ".join(f"{place.note} at {place}" for place in counts.examples[Reason.FIELD_COUNT].first)
    raise UnsuitableRowsError(
        f"the baseline must fit the captured rows: it has {len(plan.specs)} columns ({names}), "
        f"got {n_misfits} records with other rows ({seen}); learn the baseline from the data of the served model"
    )
