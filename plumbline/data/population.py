"""A synthetic population that looks like Census Income, with a label process that is known exactly.

Each row is drawn in this order, every arrow being a draw that depends on what stands before it:
sex, race, native-country, age, education -> marital-status (age) -> relationship (sex, age, marital-status)
-> occupation (education) -> workclass (occupation) -> hours-per-week (sex) -> capital-gain, capital-loss, fnlwgt.
Then some cells become ``?``, and last the label is drawn from P(income = >50K | row as written), a logistic
function (`true_probabilities`) in which ``?`` is a level like any other. The figures imitate the marginals of
the real data; nothing of it is copied.
"""

import math

import numpy as np
from numpy.typing import NDArray

from plumbline.data.census import FEATURES, LABELS
from plumbline.data.rows import DataSplit, LabelledRows

EDUCATION = {
    "9th": (5, 0.09),
    "11th": (7, 0.07),
    "HS-grad": (9, 0.33),
    "Some-college": (10, 0.22),
    "Assoc-voc": (11, 0.07),
    "Bachelors": (13, 0.15),
    "Masters": (14, 0.05),
    "Doctorate": (16, 0.02),
}
"""Name -> (education-num, share)."""

MARRIED = "Married-civ-spouse"
NEVER = "Never-married"
DIVORCED = "Divorced"
MISSING = "?"

OCCUPATION = {
    "Exec-managerial": (0.07, 0.27, 0.8),
    "Prof-specialty": (0.04, 0.36, 0.5),
    "Sales": (0.12, 0.12, 0.2),
    "Adm-clerical": (0.14, 0.10, 0.0),
    "Craft-repair": (0.19, 0.04, 0.0),
    "Machine-op-inspct": (0.14, 0.02, -0.3),
    "Other-service": (0.18, 0.05, -0.9),
    "Handlers-cleaners": (0.12, 0.04, -0.8),
}
"""Name -> (share below a bachelor's degree, share from it up, effect on the log odds)."""

WORKCLASS = {
    "Private": (0.73, 0.0),
    "Self-emp-not-inc": (0.09, -0.5),
    "Local-gov": (0.08, -0.1),
    "State-gov": (0.06, -0.2),
    "Federal-gov": (0.04, 0.4),
}
"""Name -> (share, effect on the log odds)."""

RACE = {"White": 0.855, "Black": 0.1, "Asian-Pac-Islander": 0.03, "Other": 0.015}
COUNTRY = {"United-States": 0.92, "Mexico": 0.04, "Philippines": 0.02, "Germany": 0.02}

WORK_MISSING_FRACTION = 0.055
COUNTRY_MISSING_FRACTION = 0.018


def generate(n: int, seed: int) -> LabelledRows:
    """Draw `n` labelled rows; the same seed gives the same rows."""
    rng = np.random.default_rng(seed)
    columns = _features(n, rng)
    rows = tuple(zip(*(columns[name] for name in FEATURES), strict=True))
    unlabelled = LabelledRows(FEATURES, rows, (LABELS[0],) * n)
    positive = rng.random(n) < true_probabilities(unlabelled)
    return LabelledRows(FEATURES, rows, tuple(LABELS[int(is_positive)] for is_positive in positive))


def split(seed: int, *, n_train: int, n_test: int, n_pool: int) -> DataSplit:
    """Draw train, test and pool from the population, independently of each other."""
    rows = generate(n_train + n_test + n_pool, seed)
    after_test = n_train + n_test
    return DataSplit(
        rows.take(range(n_train)), rows.take(range(n_train, after_test)), rows.take(range(after_test, len(rows)))
    )


def true_probabilities(rows: LabelledRows) -> NDArray[np.float64]:
    """Return P(income = >50K | row), shape (n_rows,): the law that `generate` draws the labels from.

    Raises
    ------
    ValueError
        If a row holds a number that is none, or a column is absent.
    """
    number = {
        name: np.array(rows.column(name), np.float64)
        for name in ("age", "education-num", "hours-per-week", "capital-gain", "capital-loss")
    }
    married = np.array([status == MARRIED for status in rows.column("marital-status")])
    occupation = np.array([OCCUPATION[name][2] if name in OCCUPATION else 0.0 for name in rows.column("occupation")])
    workclass = np.array([WORKCLASS[name][1] if name in WORKCLASS else 0.0 for name in rows.column("workclass")])
    log_odds = (
        -2.65
        + 2.3 * married
        + 0.33 * (number["education-num"] - 10)
        + 0.03 * (number["age"] - 38)
        - 0.0014 * (number["age"] - 48) ** 2
        + 0.03 * (number["hours-per-week"] - 40)
        + 3.5 * (number["capital-gain"] > 5000)
        - 0.8 * ((number["capital-gain"] > 0) & (number["capital-gain"] <= 5000))
        + 1.2 * (number["capital-loss"] > 1800)
        + occupation
        + workclass
    )
    return np.asarray(1 / (1 + np.exp(-log_odds)))


def _features(n: int, rng: np.random.Generator) -> dict[str, list[str]]:
    age = np.clip(17 + rng.gamma(2.4, 9.0, n), 17, 90).astype(int)
    male = rng.random(n) < 0.67
    education = _choose(rng, n, {name: share for name, (_, share) in EDUCATION.items()})
    marital = _marital_status(age, rng)
    occupation = _occupation(education, rng)
    workclass = _choose(rng, n, {name: share for name, (share, _) in WORKCLASS.items()})
    without_work = rng.random(n) < WORK_MISSING_FRACTION
    return {
        "age": _texts(age),
        "workclass": _blank(workclass, without_work),
        "fnlwgt": _texts(rng.lognormal(math.log(170_000), 0.55, n)),
        "education": education,
        "education-num": [str(EDUCATION[name][0]) for name in education],
        "marital-status": marital,
        "occupation": _blank(occupation, without_work),
        "relationship": _relationship(male, age, marital),
        "race": _choose(rng, n, RACE),
        "sex": ["Male" if is_male else "Female" for is_male in male],
        "capital-gain": _texts(np.where(rng.random(n) < 0.083, rng.lognormal(8.6, 1.0, n), 0)),
        "capital-loss": _texts(np.where(rng.random(n) < 0.047, rng.normal(1870, 300, n).clip(150), 0)),
        "hours-per-week": _texts(_hours(male, rng)),
        "native-country": _blank(_choose(rng, n, COUNTRY), rng.random(n) < COUNTRY_MISSING_FRACTION),
    }


def _choose(rng: np.random.Generator, n: int, shares: dict[str, float]) -> list[str]:
    names, weights = list(shares), np.array(list(shares.values()))
    return [names[position] for position in rng.choice(len(names), n, p=weights / weights.sum())]


def _marital_status(age: NDArray[np.int_], rng: np.random.Generator) -> list[str]:
    """Half are married at 31; of those who are not, the share that once was grows with age."""
    married = rng.random(len(age)) < 0.66 / (1 + np.exp(-(age - 29) / 4))
    once = rng.random(len(age)) < np.clip((age - 22) / 40, 0, 0.9)
    return [
        MARRIED if is_married else DIVORCED if was_married else NEVER
        for is_married, was_married in zip(married, once, strict=True)
    ]


def _relationship(male: NDArray[np.bool_], age: NDArray[np.int_], marital: list[str]) -> list[str]:
    def relation(is_male: bool, years: int, status: str) -> str:
        if status == MARRIED:
            return "Husband" if is_male else "Wife"
        if years < 25:
            return "Own-child"
        return "Unmarried" if status == DIVORCED and not is_male else "Not-in-family"

    return [relation(*person) for person in zip(male.tolist(), age.tolist(), marital, strict=True)]


def _occupation(education: list[str], rng: np.random.Generator) -> list[str]:
    below = _choose(rng, len(education), {name: share for name, (share, _, _) in OCCUPATION.items()})
    above = _choose(rng, len(education), {name: share for name, (_, share, _) in OCCUPATION.items()})
    has_degree = (EDUCATION[name][0] >= EDUCATION["Bachelors"][0] for name in education)
    return [high if degree else low for degree, high, low in zip(has_degree, above, below, strict=True)]


def _hours(male: NDArray[np.bool_], rng: np.random.Generator) -> NDArray[np.float64]:
    spread = rng.normal(np.where(male, 42.5, 37.5), 14)
    return np.where(rng.random(len(male)) < 0.46, 40, np.clip(spread, 1, 99))


def _texts(numbers: NDArray[np.float64] | NDArray[np.int_]) -> list[str]:
    return [str(int(number)) for number in numbers]


def _blank(cells: list[str], where: NDArray[np.bool_]) -> list[str]:
    return [MISSING if blank else cell for cell, blank in zip(cells, where, strict=True)]
