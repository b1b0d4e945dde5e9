import numpy as np
import pytest

from research.studies.calibration.shifts import NEW_LABEL, ChangeMeasure, missing, move, new_label, studied, tilt
from tests.unit.research.studies.people import people


@pytest.mark.parametrize("deviations", [0.05, 0.5])
def test_tilt_moves_the_mean_by_so_many_standard_deviations(deviations: float) -> None:
    population = people()
    before = population.frequencies["age"][:-1] / population.n_rows
    after = tilt(population, "age", deviations).shares[:-1]
    ages = population.levels["age"].astype(np.float64)
    mean = before @ ages
    deviation = np.sqrt(before @ (ages - mean) ** 2)
    assert after.sum() == pytest.approx(1.0)
    assert (after @ ages - mean) / deviation == pytest.approx(deviations, abs=1e-9)


def test_move_takes_points_from_one_label_to_another() -> None:
    population = people()
    before = population.frequencies["sex"] / population.n_rows
    shift = move(population, "sex", "Female", 10, source="Male")
    assert population.levels["sex"].tolist() == ["Female", "Male"]
    assert (shift.shares - before).tolist() == pytest.approx([0.1, -0.1, 0.0])
    # Base 2, of (p, 1 - p) and (p + 0.1, 0.9 - p): for p between 0.3 and 0.35 about 0.088.
    assert shift.measure is ChangeMeasure.DISTANCE
    assert shift.effect == pytest.approx(0.088, abs=0.002)


def test_new_label_takes_its_share_of_the_values_and_of_no_missing_cell() -> None:
    population = people().with_level("occupation", NEW_LABEL)
    before = population.frequencies["occupation"] / population.n_rows
    shares = new_label(population, "occupation", 20).shares
    place = population.levels["occupation"].tolist().index(NEW_LABEL)
    assert shares.sum() == pytest.approx(1.0)
    assert shares[-1] == before[-1] > 0
    assert shares[place] / shares[:-1].sum() == pytest.approx(0.2)


def test_missing_adds_points_and_keeps_the_rest_alike() -> None:
    population = people()
    before = population.frequencies["workclass"] / population.n_rows
    shift = missing(population, "workclass", 10)
    assert shift.measure is ChangeMeasure.MISSING
    assert shift.effect == pytest.approx(0.1)
    assert shift.shares.sum() == pytest.approx(1.0)
    ratios = shift.shares[:-1] / before[:-1]
    assert ratios.tolist() == pytest.approx([ratios[0]] * len(ratios))


def test_shift_redraws_one_feature_and_keeps_the_rows() -> None:
    population = people()
    random = np.random.default_rng(4)
    window = population.draw(400, random)
    shifted = move(population, "sex", "Female", 20, source="Male").apply(window, random)
    assert shifted["sex"].sum() == 400
    assert {name for name in window if shifted[name] is not window[name]} == {"sex"}


def test_studied_shifts_grow_from_below_the_threshold_to_above_it() -> None:
    shifts = studied(people().with_level("occupation", NEW_LABEL))
    for feature in {shift.feature for shift in shifts}:
        effects = [shift.effect for shift in shifts if shift.feature == feature]
        threshold = 0.05 if feature == "workclass" else 0.1
        assert effects == sorted(effects)
        assert effects[0] < threshold < effects[-1]
