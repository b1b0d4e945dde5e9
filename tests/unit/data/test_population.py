import numpy as np
import pytest
from scipy.stats import binomtest

from plumbline.data.census import FEATURES, LABELS
from plumbline.data.population import generate, split, true_probabilities
from plumbline.data.rows import LabelledRows

POPULATION = generate(20_000, 5)


def person(**cells: str) -> LabelledRows:
    """Someone whose log odds are easy to add up: 48 years old, 10 years of education, 40 hours."""
    usual = {
        "age": "48",
        "workclass": "Private",
        "fnlwgt": "1",
        "education": "Some-college",
        "education-num": "10",
        "marital-status": "Never-married",
        "occupation": "Craft-repair",
        "relationship": "Not-in-family",
        "race": "White",
        "sex": "Male",
        "capital-gain": "0",
        "capital-loss": "0",
        "hours-per-week": "40",
        "native-country": "United-States",
    }
    return LabelledRows(FEATURES, (tuple((usual | cells)[name] for name in FEATURES),), (LABELS[0],))


def log_odds(rows: LabelledRows) -> float:
    p = float(true_probabilities(rows)[0])
    return float(np.log(p / (1 - p)))


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ({}, -2.65 + 0.03 * 10),
        ({"marital-status": "Married-civ-spouse"}, -2.35 + 2.3),
        ({"education-num": "13"}, -2.35 + 3 * 0.33),
        ({"hours-per-week": "60"}, -2.35 + 20 * 0.03),
        ({"age": "38"}, -2.65 - 0.14),
        ({"occupation": "Exec-managerial", "workclass": "Federal-gov"}, -2.35 + 0.8 + 0.4),
        ({"occupation": "?", "workclass": "?"}, -2.35),
        ({"capital-gain": "9000"}, -2.35 + 3.5),
        ({"fnlwgt": "999999", "race": "Black", "native-country": "?"}, -2.35),
    ],
)
def test_label_law_is_the_documented_logistic_function(cells: dict[str, str], expected: float) -> None:
    assert log_odds(person(**cells)) == pytest.approx(expected)


def test_labels_are_drawn_from_the_law() -> None:
    """In each tenth of the rows, ordered by P, the share of >50K is what P says (two-sided, 10 tests at 0.001)."""
    p = true_probabilities(POPULATION)
    positive = np.array([label == ">50K" for label in POPULATION.labels])
    for tenth in np.array_split(np.argsort(p), 10):
        assert binomtest(int(positive[tenth].sum()), len(tenth), float(p[tenth].mean())).pvalue > 0.001


def test_population_looks_like_census_income() -> None:
    share = {
        "positive": POPULATION.labels.count(">50K") / 20_000,
        "forty hours": POPULATION.column("hours-per-week").count("40") / 20_000,
        "no gain": POPULATION.column("capital-gain").count("0") / 20_000,
        "no workclass": POPULATION.column("workclass").count("?") / 20_000,
        "married": POPULATION.column("marital-status").count("Married-civ-spouse") / 20_000,
    }
    # Right side: the shares in adult.data.
    expected = {"positive": 0.24, "forty hours": 0.47, "no gain": 0.92, "no workclass": 0.056, "married": 0.46}

    assert share == pytest.approx(expected, abs=0.03)


def test_workclass_and_occupation_are_missing_together() -> None:
    pairs = zip(POPULATION.column("workclass"), POPULATION.column("occupation"), strict=True)

    assert all((workclass == "?") == (occupation == "?") for workclass, occupation in pairs)


def test_same_seed_gives_the_same_rows() -> None:
    assert generate(50, 1) == generate(50, 1)
    assert generate(50, 1) != generate(50, 2)


def test_split_has_the_requested_sizes() -> None:
    parts = split(1, n_train=30, n_test=20, n_pool=10)

    assert (len(parts.train), len(parts.test), len(parts.pool)) == (30, 20, 10)
    assert parts.train.rows + parts.test.rows + parts.pool.rows == generate(60, 1).rows
