from collections import Counter

import numpy as np
import pytest
from scipy.spatial.distance import jensenshannon

from plumbline.data.population import generate, true_probabilities
from plumbline.data.rows import LabelledRows
from plumbline.data.scenarios import DEGREE_SWAP, NEVER_MOVING, SCENARIOS, scenario

POOL = generate(8_000, 11)
N = 2_000
RESAMPLING = ("none", "gradual", "sudden", "labels")
DRIFT_THRESHOLD = 0.1
"""Jensen-Shannon distance from which on a feature may be called drifted (default policy)."""


def mean(rows: LabelledRows, name: str) -> float:
    return float(np.mean(np.array(rows.column(name), float)))


def of_label(rows: LabelledRows, label: str) -> LabelledRows:
    return rows.take(position for position, found in enumerate(rows.labels) if found == label)


def positive_share(rows: LabelledRows) -> float:
    return rows.labels.count(">50K") / len(rows)


def distance(name: str, rows: LabelledRows, pool: LabelledRows = POOL) -> float:
    """Jensen-Shannon distance, base 2, between pool and rows; numbers in the pool's quintiles."""
    before, after = pool.column(name), rows.column(name)
    if not all(cell.lstrip("-").isdigit() for cell in before):
        labels = sorted(set(before) | set(after))
        return float(jensenshannon(*([cells.count(label) for label in labels] for cells in (before, after)), 2))
    edges = np.unique(np.quantile(np.array(before, float), [0.2, 0.4, 0.6, 0.8]))
    counts = [
        np.bincount(np.searchsorted(edges, np.array(cells, float)), minlength=len(edges) + 1)
        for cells in (before, after)
    ]
    return float(jensenshannon(*counts, 2))


@pytest.mark.parametrize("name", RESAMPLING)
def test_every_resampled_row_is_a_row_of_the_pool_with_its_own_label(name: str) -> None:
    people = set(zip(POOL.rows, POOL.labels, strict=True))
    rows = scenario(name).rows(POOL, 12, N, 0)

    assert len(rows) == N
    assert set(zip(rows.rows, rows.labels, strict=True)) <= people
    assert scenario(name).labels_are_true


@pytest.mark.parametrize("name", SCENARIOS)
def test_first_two_hours_are_quiet(name: str) -> None:
    for hour in (1, 2):
        rows = scenario(name).rows(POOL, hour, N, 0)
        assert max(distance(feature, rows) for feature in POOL.header) < DRIFT_THRESHOLD


def test_without_drift_every_hour_is_quiet() -> None:
    rows = scenario("none").rows(POOL, 12, N, 0)

    assert max(distance(feature, rows) for feature in POOL.header) < DRIFT_THRESHOLD


@pytest.mark.parametrize("name", ["gradual", "sudden"])
@pytest.mark.parametrize("feature", NEVER_MOVING)
def test_held_features_stay_where_they_are(name: str, feature: str) -> None:
    for hour in (3, 12):
        assert distance(feature, scenario(name).rows(POOL, hour, N, 0)) < DRIFT_THRESHOLD / 2


def test_hours_shift_hard_in_hour_three_and_stay() -> None:
    hours = [mean(scenario("gradual").rows(POOL, hour, N, 0), "hours-per-week") for hour in (2, 3, 12)]

    assert hours[1] - hours[0] > 6
    assert hours[2] == pytest.approx(hours[1], abs=2)
    assert distance("hours-per-week", scenario("gradual").rows(POOL, 3, N, 0)) > 2 * DRIFT_THRESHOLD


@pytest.mark.parametrize("feature", ["age", "education-num"])
def test_other_features_grow_hour_by_hour(feature: str) -> None:
    means = [mean(scenario("gradual").rows(POOL, hour, 4 * N, 0), feature) for hour in (2, 5, 8, 12)]

    assert means == sorted(means)
    assert distance(feature, scenario("gradual").rows(POOL, 3, N, 0)) < DRIFT_THRESHOLD
    assert distance(feature, scenario("gradual").rows(POOL, 12, N, 0)) > 2 * DRIFT_THRESHOLD


def test_sudden_drift_is_complete_in_its_first_hour() -> None:
    third, last = (scenario("sudden").rows(POOL, hour, N, 0) for hour in (3, 12))

    for feature in ("hours-per-week", "age", "education-num"):
        assert distance(feature, third) > DRIFT_THRESHOLD
        assert distance(feature, last) == pytest.approx(distance(feature, third), abs=0.05)


def test_drift_leads_to_rows_that_are_harder_to_predict() -> None:
    """The best possible accuracy, which the label's law gives, falls: so must any model's."""
    best = [
        float(np.maximum(p, 1 - p).mean())
        for p in (true_probabilities(scenario("gradual").rows(POOL, hour, 4 * N, 0)) for hour in (1, 12))
    ]

    assert best[0] - best[1] > 0.03


def test_overwriting_shows_that_its_labels_are_no_longer_true() -> None:
    assert not scenario("overwrite").labels_are_true
    assert "no longer true" in scenario("overwrite").description


def test_overwriting_moves_values_out_of_the_pool() -> None:
    rows = scenario("overwrite").rows(POOL, 12, N, 0)
    share = Counter(rows.column("workclass"))["?"] / N

    assert not set(rows.rows) <= set(POOL.rows)
    # 5.5 % are missing anyway; a fifth of all is blanked.
    assert share == pytest.approx(0.2 + 0.8 * 0.055, abs=0.03)
    assert mean(rows, "hours-per-week") - mean(POOL, "hours-per-week") == pytest.approx(4, abs=1)
    assert rows.column("sex") == rows.take(range(N)).column("sex")


def test_overwritten_numbers_stay_within_their_bounds_and_missing_ones_missing() -> None:
    pool = POOL.with_column("age", ["?", "90"] * (len(POOL) // 2))

    ages = set(scenario("overwrite").rows(pool, 12, N, 0).column("age"))

    assert "?" in ages
    assert max(int(age) for age in ages - {"?"}) == 90


@pytest.mark.parametrize("hour", [1, 2, 3, 12])
def test_concept_shift_leaves_the_rows_exactly_as_they_are_without_drift(hour: int) -> None:
    assert scenario("concept").rows(POOL, hour, N, 4).rows == scenario("none").rows(POOL, hour, N, 4).rows


@pytest.mark.parametrize("hour", [3, 12])
def test_concept_shift_gives_the_married_with_a_degree_the_other_label_and_nobody_else(hour: int) -> None:
    before, after = (scenario(name).rows(POOL, hour, N, 4) for name in ("none", "concept"))

    changed = [was != now for was, now in zip(before.labels, after.labels, strict=True)]
    married_with_a_degree = [
        status == "Married-civ-spouse" and int(years) >= 13
        for status, years in zip(before.column("marital-status"), before.column("education-num"), strict=True)
    ]
    assert changed == married_with_a_degree
    assert sum(changed) > N / 20
    assert scenario("concept").labels_are_true


def test_concept_shift_begins_in_hour_three() -> None:
    assert scenario("concept").rows(POOL, 2, N, 4) == scenario("none").rows(POOL, 2, N, 4)


def test_a_new_regime_moves_rows_and_labels_and_more_of_those_it_concerns() -> None:
    calm, full = (scenario("regime").rows(POOL, hour, N, 4) for hour in (2, 5))
    hits = DEGREE_SWAP.hits(full)
    truth = dict(zip(POOL.rows, POOL.labels, strict=True))
    assert [truth[row] != label for row, label in zip(full.rows, full.labels, strict=True)] == hits.tolist()
    assert np.mean(hits) > 1.15 * np.mean(DEGREE_SWAP.hits(calm))
    assert scenario("regime").rows(POOL, 4, N, 4) != full


def test_concept_shift_needs_two_classes() -> None:
    pool = LabelledRows(POOL.header, POOL.rows, ("a", "b", "c") + POOL.labels[3:])

    with pytest.raises(ValueError, match="labels must be of two classes to be swapped, got 5"):
        scenario("concept").rows(pool, 3, 5, 0)


def test_rows_without_the_number_keep_their_label() -> None:
    pool = POOL.with_column("education-num", ["?"] * len(POOL))

    assert scenario("concept").rows(pool, 3, N, 4) == scenario("none").rows(pool, 3, N, 4)


def test_a_draw_of_one_class_is_swapped_too() -> None:
    pool = POOL.with_column("marital-status", ["Married-civ-spouse"] * len(POOL))
    pool = pool.with_column("education-num", ["14"] * len(POOL))
    rows = scenario("concept").rows(pool, 3, 1, 0)

    assert rows.labels != scenario("none").rows(pool, 3, 1, 0).labels


def test_label_shift_grows_to_its_share_by_hour_eight_and_stays() -> None:
    shares = [positive_share(scenario("labels").rows(POOL, hour, 4 * N, 0)) for hour in (1, 2, 3, 5, 8, 12)]

    before = positive_share(POOL)
    step = (0.55 - before) / 6
    expected = [before, before, before + step, before + 3 * step, 0.55, 0.55]
    # 3 standard deviations of a share of 8,000 rows
    assert shares == pytest.approx(expected, abs=3 * 0.5 / (4 * N) ** 0.5)


@pytest.mark.parametrize("label", ["<=50K", ">50K"])
def test_label_shift_leaves_the_rows_of_either_label_as_they_are(label: str) -> None:
    rows, pool = of_label(scenario("labels").rows(POOL, 12, 4 * N, 0), label), of_label(POOL, label)

    assert max(distance(feature, rows, pool) for feature in POOL.header) < DRIFT_THRESHOLD / 2


def test_label_shift_needs_two_classes() -> None:
    pool = LabelledRows(POOL.header, POOL.rows, ("same",) * len(POOL))

    with pytest.raises(ValueError, match="two classes, got 1"):
        scenario("labels").rows(pool, 3, 5, 0)


def test_same_hour_and_seed_give_the_same_rows_and_hours_differ() -> None:
    draw = scenario("gradual").rows

    assert draw(POOL, 3, 50, 1) == draw(POOL, 3, 50, 1)
    assert draw(POOL, 1, 50, 1) != draw(POOL, 2, 50, 1)
    assert draw(POOL, 1, 50, 1) != draw(POOL, 1, 50, 2)


def test_unknown_name_is_refused_with_the_known_ones() -> None:
    known = "none, gradual, sudden, overwrite, concept, regime, labels"
    with pytest.raises(ValueError, match=f"scenario must be one of {known}, got 'wild'"):
        scenario("wild")


def test_hour_before_the_first_is_refused() -> None:
    with pytest.raises(ValueError, match="hour must be 1 or more, got 0"):
        scenario("none").rows(POOL, 0, 5, 0)


def test_empty_pool_is_refused() -> None:
    with pytest.raises(ValueError, match="pool must hold at least one row"):
        scenario("none").rows(POOL.take([]), 1, 5, 0)


def test_pool_without_a_tilted_column_is_refused() -> None:
    other = LabelledRows(("height",), (("1",),), ("no",))

    with pytest.raises(ValueError, match="column must be one of height, got 'hours-per-week'"):
        scenario("gradual").rows(other, 3, 5, 0)


def test_tilt_of_names_without_categories_is_refused() -> None:
    pool = POOL.with_column("hours-per-week", ["many"] * len(POOL))

    with pytest.raises(ValueError, match="name its categories"):
        scenario("gradual").rows(pool, 3, 5, 0)
