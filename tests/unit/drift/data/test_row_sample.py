import numpy as np
import pytest

from plumbline.contract.records import FeatureType
from plumbline.drift.data.table import FeatureSpec, Table, sample_rows

SPECS = (FeatureSpec("x", FeatureType.NUMERIC), FeatureSpec("c", FeatureType.CATEGORICAL))


def table(n_rows: int, seed: int = 0) -> Table:
    rng = np.random.default_rng(seed)
    numbers = rng.normal(size=n_rows).round(1)
    numbers[:3] = np.nan, 0.0, -0.0
    labels = rng.choice(np.array(["a", "b,1", None, '"'], dtype=object), size=n_rows)
    return Table(SPECS, {"x": numbers, "c": labels})


def cells(found: Table) -> list[tuple[str, ...]]:
    return [tuple(map(str, row)) for row in zip(*(column.tolist() for column in found.columns.values()), strict=True)]


def test_the_order_of_the_rows_does_not_matter() -> None:
    rows = table(500)
    order = np.random.default_rng(1).permutation(500)
    shuffled = Table(SPECS, {name: column[order] for name, column in rows.columns.items()})

    chosen, again = sample_rows(rows, 50), sample_rows(shuffled, 50)

    assert [row.replace("-0.0", "0.0") for row in map(repr, cells(chosen))] == [
        row.replace("-0.0", "0.0") for row in map(repr, cells(again))
    ]


def test_no_row_is_taken_twice_and_a_small_table_is_taken_whole() -> None:
    rows = table(40)

    assert sorted(cells(sample_rows(rows, 100))) == sorted(cells(rows))
    assert sample_rows(rows, 7).n_rows == 7


def test_identical_rows_are_drawn_as_often_as_they_should_be() -> None:
    # 900 rows are "common" and 100 differ: of 200 drawn without replacement, 180 +- 5 x 3.8 are common.
    labels = np.array(["common"] * 900 + [f"rare {n}" for n in range(100)], dtype=object)
    specs = (SPECS[1],)

    chosen = sample_rows(Table(specs, {"c": labels}), 200).columns["c"].tolist()

    assert chosen.count("common") == pytest.approx(180, abs=19)


def test_every_part_of_the_range_is_drawn_alike() -> None:
    specs = (SPECS[0],)

    chosen = sample_rows(Table(specs, {"x": np.arange(20_000.0)})).columns["x"]

    # 2,000 of 20,000 without replacement: the mean has a standard error of 20,000 / sqrt(12 x 2,000) x sqrt(0.9) = 122.
    assert len(chosen) == 2_000
    assert chosen.mean() == pytest.approx(9_999.5, abs=5 * 122)
