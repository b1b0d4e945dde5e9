"""Named drift scenarios: which rows of a held-out pool the traffic of an hour consists of.

Hours count from 1. A scenario is data:

- tilts draw labelled rows of the pool with weights that depend on the row: every row stays a real one and its label
  true, because P(label | row) does not change (covariate shift);
- a positive share draws with weights that depend on the label alone: P(row | label) does not change (label shift);
- a swap leaves the rows and changes the label of some: P(row) does not change (concept shift), and
  the label is true;
- overwrites change cells after the draw, so that the labels are no longer true.
"""

from dataclasses import dataclass

import numpy as np

from plumbline.data.overwriting import Overwrite
from plumbline.data.relabelling import Swap
from plumbline.data.resampling import PositiveShare, Tilt, pool_weights
from plumbline.data.rows import LabelledRows
from plumbline.traffic.choices import ScenarioName


@dataclass(frozen=True)
class Scenario:
    """What changes, and from which hour on.

    `held` names the features whose marginals the tilts leave alone. `labels_are_true` says whether the labels
    of the rows still belong to them.
    """

    name: str
    description: str
    tilts: tuple[Tilt, ...] = ()
    held: tuple[str, ...] = ()
    overwrites: tuple[Overwrite, ...] = ()
    positive_share: PositiveShare | None = None
    swap: Swap | None = None

    @property
    def labels_are_true(self) -> bool:
        """False when cells are overwritten: the label was that of the row before."""
        return not self.overwrites

    def rows(self, pool: LabelledRows, hour: int, n: int, seed: int) -> LabelledRows:
        """Return `n` rows of traffic for one hour, drawn from the pool with replacement.

        Parameters
        ----------
        hour
            1 is the first hour of traffic.
        seed
            The same pool, hour, number and seed give the same rows; hours differ from each other.

        Raises
        ------
        ValueError
            If the hour is below 1, the pool is empty, lacks a column that the scenario names or has not the two
            classes that it needs.
        """
        if hour < 1:
            raise ValueError(f"hour must be 1 or more, got {hour!r}")
        if not len(pool):
            raise ValueError("pool must hold at least one row, got none; give more labelled rows")
        rng = np.random.default_rng([seed, hour])
        weights = pool_weights(pool, self.tilts, self.held, hour)
        if self.positive_share is not None:
            weights = weights * self.positive_share.weights(pool, hour)
            weights /= weights.sum()
        rows = pool.take(rng.choice(len(pool), n, p=weights).tolist())
        for overwrite in self.overwrites:
            rows = overwrite.apply(rows, hour, rng)
        return rows if self.swap is None else self.swap.apply(rows, hour, tuple(sorted(set(pool.labels))))


NEVER_MOVING = ("fnlwgt", "race", "sex", "capital-gain", "capital-loss", "native-country", "workclass")
"""Features that the resampling scenarios hold where they are."""

HOURS_JUMP = Tilt("hours-per-week", strength=0.9, first_hour=3, full_hour=3)

OCCUPATIONS = ("Exec-managerial", "Prof-specialty", "Sales")

DEGREE_SWAP = Swap(
    first_hour=3, feature="marital-status", category="Married-civ-spouse", number="education-num", least=13
)

SCENARIOS: dict[str, Scenario] = {
    scenario.name: scenario
    for scenario in (
        Scenario(ScenarioName.NONE, "no drift: every hour is a uniform draw"),
        Scenario(
            ScenarioName.GRADUAL,
            "two quiet hours; then hours-per-week shifts hard at once and stays, while age, education-num and "
            "occupation grow hour by hour; labels stay true",
            tilts=(
                HOURS_JUMP,
                Tilt("age", strength=0.6, first_hour=3, full_hour=12),
                Tilt("education-num", strength=0.45, first_hour=3, full_hour=12),
                Tilt("occupation", strength=0.5, first_hour=3, full_hour=12, categories=OCCUPATIONS),
            ),
            held=NEVER_MOVING,
        ),
        Scenario(
            ScenarioName.SUDDEN,
            "two quiet hours; then hours-per-week, age and education-num shift together at once and stay; "
            "labels stay true",
            tilts=(
                HOURS_JUMP,
                Tilt("age", strength=0.6, first_hour=3, full_hour=3),
                Tilt("education-num", strength=0.45, first_hour=3, full_hour=3),
            ),
            held=NEVER_MOVING,
        ),
        Scenario(
            ScenarioName.OVERWRITE,
            "two quiet hours; then values are overwritten: hours-per-week scattered at once, age raised, "
            "workclass blanked and race replaced in more rows every hour; labels are no longer true",
            overwrites=(
                Overwrite("hours-per-week", first_hour=3, full_hour=3, shift=4, spread=12, bounds=(1, 99)),
                Overwrite("age", first_hour=3, full_hour=12, shift=9, spread=5, bounds=(17, 90)),
                Overwrite("workclass", first_hour=3, full_hour=12, values=("?",), fraction=0.2),
                Overwrite(
                    "race",
                    first_hour=3,
                    full_hour=12,
                    values=("Black", "Asian-Pac-Islander", "Amer-Indian-Eskimo", "Other"),
                    fraction=0.3,
                ),
            ),
        ),
        Scenario(
            ScenarioName.CONCEPT,
            "two quiet hours; then the labels of married people with a degree are swapped, at once and for good, while "
            "the rows stay as they were: concept shift, which rows and predictions do not show; labels are true",
            swap=DEGREE_SWAP,
        ),
        Scenario(
            ScenarioName.REGIME,
            "two quiet hours; then a new regime comes and stays: hours-per-week shifts hard at once, age and "
            "education-num within two hours, and the labels of married people with a degree, who become more, are "
            "swapped: covariate and concept shift together; labels are true",
            tilts=(
                HOURS_JUMP,
                Tilt("age", strength=0.5, first_hour=3, full_hour=4),
                Tilt("education-num", strength=0.4, first_hour=3, full_hour=4),
            ),
            held=NEVER_MOVING,
            swap=DEGREE_SWAP,
        ),
        Scenario(
            ScenarioName.LABELS,
            "two quiet hours; then the share of positive labels grows to 55 % by hour 8, while the rows of either "
            "label stay as they were: label shift; labels stay true",
            positive_share=PositiveShare(share=0.55, first_hour=3, full_hour=8),
        ),
    )
}


def scenario(name: str) -> Scenario:
    """Return a scenario by its name.

    Raises
    ------
    ValueError
        If there is no scenario of that name; the text lists the names.
    """
    if name not in SCENARIOS:
        raise ValueError(f"scenario must be one of {', '.join(SCENARIOS)}, got {name!r}")
    return SCENARIOS[name]
