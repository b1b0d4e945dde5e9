import numpy as np
import pytest
from drift.counts import CategoricalCounts, NumericCounts
from drift.statistics.cells import Cells, decile_edges


def numeric(*values: float) -> NumericCounts:
    return NumericCounts.of(np.array(values))


def labels(*values: str | None) -> CategoricalCounts:
    return CategoricalCounts.of(np.array(values, dtype=object))


def test_labels_are_aligned_over_their_union() -> None:
    cells = Cells.between(labels("a", "b", "b"), labels("b", "c"))
    assert cells.reference.tolist() == [1, 2, 0]
    assert cells.window.tolist() == [0, 1, 1]


def test_edges_are_the_reference_deciles() -> None:
    edges, atoms = decile_edges(NumericCounts.of(np.arange(101.0)))
    # numpy.quantile with linear interpolation puts the deciles of 0..100 on 10, 20, ... 90.
    assert edges.tolist() == [10, 20, 30, 40, 50, 60, 70, 80, 90]
    assert atoms.size == 0


def test_bins_are_closed_on_the_right_and_open_outwards() -> None:
    reference = NumericCounts.of(np.arange(101.0))
    cells = Cells.between(reference, numeric(-1e9, 10.0, 10.5, 20.0, 1e9))
    assert cells.reference.tolist() == [11, 10, 10, 10, 10, 10, 10, 10, 10, 10]
    assert cells.window.tolist() == [2, 2, 0, 0, 0, 0, 0, 0, 0, 1]


def test_infinite_window_values_fall_into_the_outer_bins() -> None:
    cells = Cells.between(NumericCounts.of(np.arange(101.0)), numeric(-np.inf, np.inf))
    assert (cells.window[0], cells.window[-1]) == (1, 1)


def test_a_value_that_fills_a_decile_is_a_bin_of_its_own() -> None:
    reference = numeric(*([0.0] * 92), *range(1, 9))
    edges, atoms = decile_edges(reference)
    assert (edges.tolist(), atoms.tolist()) == ([0.0], [0.0])
    cells = Cells.between(reference, numeric(-1.0, 0.0, 0.0, 5.0))
    assert cells.reference.tolist() == [0, 92, 8]
    assert cells.window.tolist() == [1, 2, 1]


def test_an_atom_separates_values_just_below_it() -> None:
    hours = numeric(*([40.0] * 50), *np.linspace(10, 39, 25), *np.linspace(41, 60, 25))
    cells = Cells.between(hours, numeric(*([38.0] * 10)))
    assert cells.window.max() == 10
    assert cells.reference[cells.window > 0].sum() < 15


def test_a_cell_empty_on_both_sides_is_left_out() -> None:
    cells = Cells.between(numeric(1.0, 1.0), numeric(1.0))
    assert (cells.reference.tolist(), cells.window.tolist()) == ([2], [1])


def test_missing_cells_are_in_no_cell() -> None:
    cells = Cells.between(labels("a", None), labels("a", None, None))
    assert (cells.reference.sum(), cells.window.sum()) == (1, 1)


def test_a_side_without_values_is_refused() -> None:
    with pytest.raises(ValueError, match="present value"):
        Cells.between(labels("a"), labels(None))


def test_sides_of_different_types_are_refused() -> None:
    with pytest.raises(TypeError, match="one type"):
        Cells.between(labels("a"), numeric(1.0))
