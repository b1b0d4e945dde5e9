"""Other limits of refusal, put to the same windows."""

import math
from collections.abc import Iterator
from dataclasses import replace

from plumbline.drift.projection import Limits
from research.studies.accuracy import summary
from research.studies.accuracy.cases import Family
from research.studies.accuracy.outcomes import Method, WindowOutcome
from research.studies.accuracy.summary import VALID, Outcomes, of
from research.studies.accuracy.tables import percent, points
from research.studies.pages import table

SEPARABILITIES = (0.75, 0.8, 0.85, 0.9, 0.95, 0.98, math.inf)
SHARES = (0.05, 0.1, 0.2, 0.3, 0.5, math.inf)
INVISIBLE = (Family.LABEL, Family.CONCEPT)
"""Families that rows alone cannot show."""


def refuses(limits: Limits, outcome: WindowOutcome) -> bool:
    """Return whether the limits refuse a window for where its rows lie."""
    found = (
        (outcome.separability, limits.separability),
        (outcome.over_represented, limits.over_represented_fraction),
        (outcome.outside, limits.out_of_support_fraction),
    )
    return any(value is not None and value >= limit for value, limit in found)


def rules() -> Iterator[tuple[str, Limits]]:
    """Yield the rules that are compared, and their names: one of the shipped limits moves at a time."""
    shipped = Limits()
    yield "as shipped", shipped
    for limit in SEPARABILITIES:
        yield f"separability {_shown(limit)}", replace(shipped, separability=limit)
    for limit in SHARES:
        yield f"over-represented {_shown(limit)}", replace(shipped, over_represented_fraction=limit)


def _shown(limit: float) -> str:
    return "never" if math.isinf(limit) else f"{limit:g}"


def sweep(outcomes: Outcomes) -> str:
    """Return what each rule refuses, and what the estimates are worth that it lets pass."""
    visible = [outcome for outcome in outcomes if outcome.family not in INVISIBLE]
    rows = []
    for name, limits in rules():
        left = [outcome for outcome in visible if not refuses(limits, outcome)]
        gone = [outcome for outcome in visible if refuses(limits, outcome)]
        n_far = sum(map(summary.is_far_off, visible))
        rows.append(
            [
                name,
                percent((len(of(gone, families=VALID)), len(of(visible, families=VALID)))),
                percent((len(of(gone, families=[Family.TIME])), len(of(visible, families=[Family.TIME])))),
                percent((sum(map(summary.is_far_off, gone)), n_far)),
                points(summary.error(left, Method.PLUMBLINE)),
                percent(summary.covered(outcome.accuracy for outcome in left)),
                percent(summary.covered(outcome.accuracy for outcome in of(left, families=[Family.TIME]))),
            ]
        )
    header = ["refused from", "none and covariate %", "time %", "off by 3 points %", "error kept", "covered kept %"]
    return table([*header, "covered kept, time %"], rows)
