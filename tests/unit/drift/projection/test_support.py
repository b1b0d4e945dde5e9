"""A projection is refused where the training data say nothing about the rows."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from plumbline.contract.records import FeatureType
from plumbline.drift.data.counts import NumericCounts, count
from plumbline.drift.data.table import FeatureSpec, Table
from plumbline.drift.projection.refusals import support_refusal
from plumbline.drift.read.kernel.columns import ColumnReader
from plumbline.drift.reference.baseline import Baseline
from plumbline.drift.reference.learn import learn

SPECS = (FeatureSpec("age", FeatureType.NUMERIC), FeatureSpec("job", FeatureType.CATEGORICAL))
Age = float | None


def table(*rows: tuple[Age, str | None]) -> Table:
    ages = np.array([np.nan if age is None else age for age, _ in rows])
    return Table(SPECS, {"age": ages, "job": np.array([job for _, job in rows], dtype=object)})


def reference(*extra: tuple[Age, str | None]) -> Baseline:
    return learn(train=table((20.0, "clerk"), (60.0, "cook"), *extra), target_label="income")


def outside(baseline: Baseline, rows: Table) -> NDArray[np.bool_]:
    """Return what the reader says of each cell, shape (n_features, n_rows)."""
    tokens = {
        "age": ["" if np.isnan(age) else repr(age) for age in rows.columns["age"].tolist()],
        "job": [job or "" for job in rows.columns["job"].tolist()],
    }
    return np.array([ColumnReader(spec, baseline.counts[spec.name]).read(tokens[spec.name]).outside for spec in SPECS])


def refusal(baseline: Baseline, rows: Table) -> str:
    columns = {spec.name: count(spec.type, rows.columns[spec.name]) for spec in SPECS}
    found = support_refusal(baseline, columns, int(outside(baseline, rows).any(axis=0).sum()), rows.n_rows)
    return found.text if found else ""


@pytest.mark.parametrize(
    ("row", "strange"),
    [
        ((20.0, "clerk"), False),
        ((60.0, "cook"), False),
        ((61.0, "cook"), True),
        ((19.0, "cook"), True),
        ((float("inf"), "cook"), True),
        ((30.0, "pilot"), True),
        ((None, "cook"), True),
        ((30.0, None), True),
    ],
)
def test_a_row_is_outside_when_one_cell_is(row: tuple[Age, str | None], strange: bool) -> None:
    # Alone in its window, a row outside is all of it.
    assert bool(refusal(reference(), table(row))) is strange


def test_missing_is_known_where_training_missed_cells() -> None:
    assert refusal(reference((None, None)), table((None, None))) == ""


@pytest.mark.parametrize(("n_out_of_support", "refused"), [(19, False), (20, True), (100, True)])
def test_refuses_from_a_fifth_of_the_rows_on(n_out_of_support: int, refused: bool) -> None:
    rows = [(30.0, "pilot")] * n_out_of_support + [(30.0, "cook")] * (100 - n_out_of_support)

    assert bool(refusal(reference(), table(*rows))) is refused


def test_the_reason_gives_the_share_and_the_worst_columns_first() -> None:
    rows = [(30.0, "pilot")] * 3 + [(99.0, "pilot")] + [(30.0, "cook")] * 4
    reason = refusal(reference(), table(*rows))

    assert reason.startswith("50 % of the rows")
    assert "(job, age)" in reason


def test_unreadable_cells_are_outside_too() -> None:
    ages = replace(NumericCounts.of(np.array([30.0])), unreadable={"not_a_number": 3})
    jobs = count(FeatureType.CATEGORICAL, np.array(["cook"] * 4, dtype=object))
    assert "(age)" in str(support_refusal(reference(), {"age": ages, "job": jobs}, n_out_of_support=3, n_rows=4))


def test_a_column_without_any_reference_value_gives_no_ground_to_refuse() -> None:
    empty = learn(train=table((None, "cook"), (None, "cook")), target_label="income")

    assert not outside(empty, table((1.0, "cook"), (None, "cook")))[0].any()


def test_an_empty_window_is_not_refused_here() -> None:
    assert refusal(reference(), table()) == ""
