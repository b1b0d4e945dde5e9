import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from plumbline.contract.values import DEFAULT_MISSING_VALUES, LabelCells, present_labels
from plumbline.drift.preprocessing import CategoricalColumn, NumericColumn, Preprocessor, learn_column

CELLS = st.one_of(st.sampled_from(["", "?"]), st.text(max_size=6), st.integers().map(str), st.floats().map(str))
NUMBERS = st.floats(-1e6, 1e6).map(str)
NAMES = st.text(min_size=1, max_size=8)


def with_a_value(cells: st.SearchStrategy[str]) -> st.SearchStrategy[list[str]]:
    return st.lists(cells, min_size=1, max_size=20).filter(
        lambda column: present_labels(column, DEFAULT_MISSING_VALUES)
    )


@given(with_a_value(CELLS))
def test_training_cells_can_always_be_encoded(cells: list[str]) -> None:
    column = learn_column("x", cells)

    encoded = column.encode(cells)

    assert encoded.shape == (len(cells), column.width)
    assert not np.isnan(encoded).any()


@given(with_a_value(CELLS))
def test_every_training_cell_of_a_category_is_one_hot(cells: list[str]) -> None:
    column = learn_column("x", cells)
    if isinstance(column, CategoricalColumn):
        np.testing.assert_array_equal(column.encode(cells).sum(axis=1), 1.0)


@given(with_a_value(CELLS), st.text())
def test_what_training_has_not_seen_is_all_zeros(cells: list[str], cell: str) -> None:
    column = learn_column("x", cells)
    if isinstance(column, CategoricalColumn) and LabelCells(column.categories).read(cell) not in {
        *column.categories,
        None,
    }:
        assert not column.encode([cell]).any()


@given(st.lists(NUMBERS, min_size=1, max_size=20))
def test_imputed_number_lies_within_the_training_values(cells: list[str]) -> None:
    column = learn_column("x", cells)

    assert isinstance(column, NumericColumn)
    numbers = [float(cell) for cell in cells]
    assert min(numbers) - 1e-6 <= column.fill <= max(numbers) + 1e-6


@given(with_a_value(CELLS), with_a_value(CELLS), NAMES)
def test_json_round_trip_encodes_alike(first: list[str], second: list[str], target: str) -> None:
    columns = (learn_column("first", first), learn_column("second", second))
    before = Preprocessor(columns, target, "no", "yes")

    after = Preprocessor.from_json(before.to_json())

    rows = list(zip(first, second, strict=False))
    assert after == before
    np.testing.assert_array_equal(after.transform(rows), before.transform(rows))


@given(with_a_value(CELLS))
def test_order_of_the_training_rows_does_not_matter(cells: list[str]) -> None:
    assert learn_column("x", cells) == learn_column("x", cells[::-1])
