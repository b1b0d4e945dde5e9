"""What a window's rows are drawn by: the kinds of shift, each with its truth known."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from plumbline.data.overwriting import Overwrite
from plumbline.data.population import MARRIED
from plumbline.data.relabelling import Swap
from plumbline.data.resampling import PositiveShare, Tilt
from plumbline.data.rows import LabelledRows
from plumbline.data.scenarios import OCCUPATIONS, Scenario


class Family(StrEnum):
    """What is known of a window's shift; `TIME`: real data, whose shift is unknown."""

    NONE = "none"
    COVARIATE = "covariate"
    MISSING = "missing"
    CORRUPTED = "corrupted"
    LABEL = "label"
    CONCEPT = "concept"
    TIME = "time"


HALF, WHOLE = 1, 2
"""Hours of a scenario: in the first half of the change has come, in the second all of it."""


@dataclass(frozen=True)
class ShiftCase:
    """One way to draw windows; `hour` is that of the scenario: how much of the change has come."""

    family: Family
    scenario: Scenario
    hour: int = WHOLE

    @property
    def severity(self) -> float:
        """The part of the change that has come, 0..1."""
        return self.hour / WHOLE

    def rows(self, pool: LabelledRows, n: int, seed: int) -> LabelledRows:
        """Draw a window's rows with their labels."""
        return self.scenario.rows(pool, self.hour, n, seed)


def _tilt(feature: str, strength: float, *categories: str) -> Tilt:
    return Tilt(feature, strength, first_hour=HALF, full_hour=WHOLE, categories=categories)


def _replaced(feature: str, fraction: float, *values: str) -> Overwrite:
    return Overwrite(feature, first_hour=HALF, full_hour=WHOLE, values=values, fraction=fraction)


_TILTS = {
    "older": (_tilt("age", 1.0),),
    "younger": (_tilt("age", -1.0),),
    "more hours": (_tilt("hours-per-week", 1.0),),
    "more education": (_tilt("education-num", 1.2),),
    "less education": (_tilt("education-num", -1.2),),
    "married": (_tilt("marital-status", 3.0, MARRIED),),
    "unmarried": (_tilt("marital-status", -3.0, MARRIED),),
    "female": (_tilt("sex", 2.0, "Female"),),
    "managers": (_tilt("occupation", 1.5, *OCCUPATIONS),),
    "foreign": (_tilt("native-country", -2.5, "United-States"),),
    "married, educated, more hours": (
        _tilt("marital-status", 1.5, MARRIED), _tilt("education-num", 0.6), _tilt("hours-per-week", 0.5),
    ),
    "young, female, less education": (_tilt("age", -0.6), _tilt("sex", 1.0, "Female"), _tilt("education-num", -0.6)),
}  # fmt: skip
"""Name -> what is drawn more often. P(label | row) stays: covariate shift."""

_BLANKED = {
    "occupation missing in 30 %": (_replaced("occupation", 0.3, "?"),),
    "three columns missing in 60 %": tuple(
        _replaced(feature, 0.6, "?") for feature in ("education-num", "marital-status", "relationship")
    ),
}

_CORRUPTED = {
    "hours + 10": (Overwrite("hours-per-week", first_hour=HALF, full_hour=WHOLE, shift=10, bounds=(1, 99)),),
    "age scattered": (Overwrite("age", first_hour=HALF, full_hour=WHOLE, spread=20, bounds=(17, 90)),),
    "marital status at random": (_replaced("marital-status", 0.6, MARRIED, "Never-married", "Divorced"),),
    "unseen label in 15 %": (_replaced("occupation", 0.15, "Of tomorrow"),),
    "unseen labels in 80 % of three columns": tuple(
        _replaced(feature, 0.8, "Of tomorrow") for feature in ("occupation", "education", "marital-status")
    ),
}

_POSITIVE_SHARES = (0.1, 0.3, 0.4, 0.6, 0.8)

_SWAPS = {
    "married with a doctorate": Swap(HALF, "marital-status", MARRIED, "education-num", 16),
    "women from 55 hours": Swap(HALF, "sex", "Female", "hours-per-week", 55),
    "married with a degree": Swap(HALF, "marital-status", MARRIED, "education-num", 13),
    "women in full time": Swap(HALF, "sex", "Female", "hours-per-week", 40),
    "private employees from 50 years": Swap(HALF, "workclass", "Private", "age", 50),
}
"""Name -> the rows whose label is the other one now."""

_NONE = Scenario("none", "every row as likely as in the pool")


def without_shift() -> ShiftCase:
    """Return the case in which nothing changed."""
    return ShiftCase(Family.NONE, _NONE)


def covariate_shifts() -> Iterator[ShiftCase]:
    """Yield every change of the mix of rows, half and whole."""
    for name, tilts in _TILTS.items():
        yield from _both_hours(Family.COVARIATE, Scenario(name, "the mix of rows changes", tilts=tilts))


def damages() -> Iterator[ShiftCase]:
    """Yield every loss and falsification of cells, half and whole."""
    for family, changes in ((Family.MISSING, _BLANKED), (Family.CORRUPTED, _CORRUPTED)):
        for name, overwrites in changes.items():
            yield from _both_hours(family, Scenario(name, "cells are replaced", overwrites=overwrites))


def label_shifts() -> Iterator[ShiftCase]:
    """Yield windows with other shares of positive labels; the rows of each label stay as they were."""
    for share in _POSITIVE_SHARES:
        moved = PositiveShare(share, first_hour=WHOLE, full_hour=WHOLE)
        name = f"{100 * share:.0f} % positive"
        yield ShiftCase(Family.LABEL, Scenario(name, "the mix of labels changes", positive_share=moved))


def concept_shifts() -> Iterator[ShiftCase]:
    """Yield windows whose rows are as before and whose labels are not."""
    for name, swap in _SWAPS.items():
        yield ShiftCase(Family.CONCEPT, Scenario(name, "some rows get the other label", swap=swap))


def _both_hours(family: Family, scenario: Scenario) -> Iterator[ShiftCase]:
    for hour in (HALF, WHOLE):
        yield ShiftCase(family, scenario, hour)
