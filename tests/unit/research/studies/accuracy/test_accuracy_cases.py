from collections import Counter

import pytest

from plumbline.contract.training import positive_label
from plumbline.data import population
from plumbline.data.rows import LabelledRows
from research.studies.accuracy import cases
from research.studies.accuracy.cases import HALF, WHOLE, Family, ShiftCase

N_ROWS = 3_000
POOL = population.generate(4_000, 11)
BELONGING = Counter(zip(POOL.rows, POOL.labels, strict=True)).keys()


def belong(rows: LabelledRows) -> bool:
    """Say whether each row has a label that the pool gives it."""
    return set(zip(rows.rows, rows.labels, strict=True)) <= set(BELONGING)


def share(rows: LabelledRows) -> float:
    return rows.labels.count(positive_label(POOL.labels)) / len(rows)


@pytest.mark.parametrize(
    "case", [cases.without_shift(), *cases.covariate_shifts(), *cases.label_shifts()], ids=lambda c: c.scenario.name
)
def test_resampled_rows_keep_their_labels(case: ShiftCase) -> None:
    rows = case.rows(POOL, N_ROWS, seed=1)
    assert len(rows) == N_ROWS
    assert belong(rows)


@pytest.mark.parametrize("case", list(cases.label_shifts()), ids=lambda c: c.scenario.name)
def test_label_shift_has_the_share_in_its_name(case: ShiftCase) -> None:
    wanted = float(case.scenario.name.split(" %")[0]) / 100
    assert case.family is Family.LABEL
    # Five standard deviations of a share of 3,000 rows.
    assert share(case.rows(POOL, N_ROWS, seed=1)) == pytest.approx(wanted, abs=0.046)


@pytest.mark.parametrize("case", list(cases.concept_shifts()), ids=lambda c: c.scenario.name)
def test_concept_shift_moves_labels_and_no_row(case: ShiftCase) -> None:
    rows = case.rows(POOL, N_ROWS, seed=1)
    assert set(rows.rows) <= set(POOL.rows)
    assert not belong(rows)


@pytest.mark.parametrize("case", list(cases.damages()), ids=lambda c: f"{c.scenario.name} {c.severity}")
def test_damage_changes_cells(case: ShiftCase) -> None:
    rows = case.rows(POOL, N_ROWS, seed=1)
    assert case.family in (Family.MISSING, Family.CORRUPTED)
    assert not set(rows.rows) <= set(POOL.rows)


def test_half_a_change_is_smaller_than_the_whole() -> None:
    whole = [case for case in cases.covariate_shifts() if case.scenario.name == "older"]
    ages = [sum(map(int, case.rows(POOL, N_ROWS, seed=1).column("age"))) / N_ROWS for case in whole]
    before = sum(map(int, POOL.column("age"))) / len(POOL)
    assert [case.hour for case in whole] == [HALF, WHOLE]
    assert before < ages[0] < ages[1]


def test_every_case_has_a_name_of_its_own() -> None:
    every = [*cases.covariate_shifts(), *cases.damages(), *cases.label_shifts(), *cases.concept_shifts()]
    assert len({(case.scenario.name, case.hour) for case in every}) == len(every)
