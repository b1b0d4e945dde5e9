import numpy as np
import pytest

from plumbline.contract.records import FeatureType
from plumbline.drift.compare.design_matrix import Encoder
from plumbline.drift.data.table import FeatureSpec, Table
from plumbline.drift.projection.domain import MAX_WEIGHT, Domain, compare
from tests.unit.drift.projection.worlds import draw


def of(reference: list[float], window: list[float]) -> Domain:
    log_odds = np.array([*reference, *window])
    return Domain(np.arange(len(reference)), log_odds, log_odds)


def test_separability_counts_the_pairs_in_order_and_ties_half() -> None:
    # Pairs (window, reference): 1 ties 1, 1 > 0, 2 > 1, 2 > 0: 3.5 of 4.
    assert of([0, 1], [1, 2]).separability() == pytest.approx(3.5 / 4)


def test_weighted_separability_is_that_of_repeated_rows() -> None:
    weighted = of([0, 1, 3], [1, 2]).separability(np.array([2.0, 1.0, 4.0]))
    assert weighted == pytest.approx(of([0, 0, 1, 3, 3, 3, 3], [1, 2]).separability())


def test_weights_are_odds_relative_to_the_sizes_and_bounded() -> None:
    # Two rows of the test set, one of the window: odds of 1 to 2 are no difference.
    domain = of([np.log(0.5), np.log(50)], [0.0])
    assert domain.weights(domain.log_odds).tolist() == pytest.approx([1.0, MAX_WEIGHT])


def test_a_row_is_over_represented_from_twentyfold_on() -> None:
    domain = of([0.0, 0.0], [np.log(19.9), np.log(20.1)])
    assert domain.over_represented_fraction == 0.5


def test_samples_of_one_population_cannot_be_told_apart() -> None:
    domain = compare(draw(2_000, 1).table, draw(2_000, 2).table, frozenset(), seed=1)
    assert domain is not None
    assert domain.separability() == pytest.approx(0.5, abs=0.03)


def test_identical_rows_do_not_betray_their_side() -> None:
    table = draw(500, 1).table
    domain = compare(table, table, frozenset(), seed=1)
    assert domain is not None
    assert domain.separability() <= 0.5


def test_weights_bring_the_test_set_to_the_window() -> None:
    reference, window = draw(4_000, 1), draw(2_000, 2, rare=0.9, power=0.7)
    domain = compare(reference.table, window.table, frozenset(), seed=1)
    assert domain is not None
    weights = domain.weights(domain.log_odds)
    assert np.average(reference.x[domain.chosen], weights=weights) == pytest.approx(np.mean(window.x), abs=0.05)
    rare = reference.table.columns["group"][domain.chosen] == "rare"
    assert np.average(rare, weights=weights) == pytest.approx(0.9, abs=0.05)
    assert np.mean(rare) < 0.55


def test_there_is_nothing_to_compare_when_every_feature_is_ignored() -> None:
    table = draw(100, 1).table
    assert compare(table, table, frozenset({"x", "group"}), seed=1) is None


def test_labels_are_ranked_by_frequency_and_unknown_ones_are_alike() -> None:
    specs = (FeatureSpec("n", FeatureType.NUMERIC), FeatureSpec("c", FeatureType.CATEGORICAL))
    learned = Table(specs, {"n": np.zeros(4), "c": np.array(["b", "a", "b", None], dtype=object)})
    asked = Table(
        specs, {"n": np.array([1.0, np.nan, 2.0, 3.0, 4.0]), "c": np.array(["a", "b", "new", "odd", None], object)}
    )
    found = Encoder.of(learned, frozenset()).encode(asked)
    assert found[:, 1].tolist() == [1, 0, -1, -1, -2]
    assert np.array_equal(found[:, 0], asked.columns["n"], equal_nan=True)


def test_infinite_numbers_stay_finite() -> None:
    specs = (FeatureSpec("n", FeatureType.NUMERIC),)
    table = Table(specs, {"n": np.array([-np.inf, 0.0, np.inf])})
    found = Encoder.of(table, frozenset()).encode(table)
    assert np.isfinite(found.astype(np.float32)).all()
