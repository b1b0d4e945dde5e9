import numpy as np
import pytest

from plumbline.drift.data.counts import CategoricalCounts, NumericCounts
from plumbline.drift.statistics.cells import Bins, Cells


def numeric(*values: float) -> NumericCounts:
    return NumericCounts.of(np.array(values))


def labels(*values: str | None) -> CategoricalCounts:
    return CategoricalCounts.of(np.array(values, dtype=object))


def test_labels_are_aligned_over_their_union() -> None:
    cells = Cells.between(labels("a", "b", "b"), labels("b", "c"))
    assert cells.reference.tolist() == [1, 2, 0]
    assert cells.window.tolist() == [0, 1, 1]


def test_edges_are_the_reference_deciles() -> None:
    bins = Bins.of(NumericCounts.of(np.arange(101.0)))
    # numpy.quantile with linear interpolation puts the deciles of 0..100 on 10, 20, ... 90.
    assert bins.edges.tolist() == [10, 20, 30, 40, 50, 60, 70, 80, 90]
    assert bins.atoms.size == 0


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
    bins = Bins.of(reference)
    assert (bins.edges.tolist(), bins.atoms.tolist()) == ([0.0], [0.0])
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


def test_bins_are_named_by_what_they_hold() -> None:
    hours = numeric(*np.arange(11.0, 31), *([40.0] * 30), *np.arange(50.0, 100))
    # Of 100 values the first decile lies at place 9.9, between 20 and 21; the second at 19.8, between 30 and 40.
    assert Bins.of(hours).labels().tolist() == [
        "<= 20.9",
        "(20.9, 38]",
        "(38, 40)",
        "= 40",
        "(40, 45]",
        "(45, 59.4]",
        "(59.4, 69.3]",
        "(69.3, 79.2]",
        "(79.2, 89.1]",
        "> 89.1",
    ]


def test_an_atom_at_the_lowest_edge_leaves_what_is_below_it() -> None:
    assert Bins.of(numeric(*([0.0] * 92), *range(1, 9))).labels().tolist() == ["< 0", "= 0", "> 0"]


def test_edges_that_differ_late_are_told_apart() -> None:
    seconds = Bins.of(NumericCounts.of(1_700_000_000 + np.arange(101.0))).labels()
    assert seconds[:2].tolist() == ["<= 1700000010", "(1700000010, 1700000020]"]
    small = Bins.of(NumericCounts.of(0.123456 + np.arange(101.0) * 1e-9)).labels()
    assert small[:2].tolist() == ["<= 0.12345601", "(0.12345601, 0.12345602]"]


def test_cells_carry_their_labels_without_the_empty_ones() -> None:
    found = Cells.between(numeric(1.0, 1.0), numeric(5.0))
    assert found.labels is not None
    assert found.labels.tolist() == ["= 1", "> 1"]


def test_deciles_next_to_infinite_values_are_values() -> None:
    edges = Bins.of(numeric(-np.inf, -np.inf, 0.0, 1.0, np.inf)).edges
    assert edges.tolist() == pytest.approx([-np.inf, 0.0, 0.4, 0.8, 1.0, np.inf])


@pytest.mark.parametrize(("reference", "sparse"), [([50, 50], False), ([90, 4], True), ([95, 5], False)])
def test_cells_are_sparse_where_fewer_than_five_are_expected(reference: list[int], sparse: bool) -> None:
    assert Cells(np.array(reference), np.array(reference)).sparse is sparse
