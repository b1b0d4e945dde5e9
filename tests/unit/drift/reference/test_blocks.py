from pathlib import Path

import numpy as np
import pytest

from plumbline.contract.statistics import ColumnType, FeatureType
from plumbline.contract.training import PROBABILITY_COLUMN
from plumbline.drift.data.counts import OTHER_LABELS, CategoricalCounts
from plumbline.drift.errors import BaselineError
from plumbline.drift.reference.baseline import load, save
from plumbline.drift.reference.blocks import (
    LABELS,
    Blocks,
    block_numbers,
    column_correlation,
    correlation,
    mean_size,
    size_of,
)
from plumbline.drift.reference.column_types import ColumnRules
from plumbline.drift.reference.csv_inputs import ReferenceFiles


def test_correlation_of_a_published_table() -> None:
    # Shrout and Fleiss (1979), table 2: six targets, four judges; ICC(1, 1) is 0.17.
    ratings = np.array([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]])
    assert correlation(ratings.ravel().astype(np.float64), np.repeat(np.arange(6), 4)) == pytest.approx(0.17, abs=0.005)


def test_correlation_of_blocks_of_many_sizes_is_what_they_were_drawn_with() -> None:
    random = np.random.default_rng(0)
    numbers = np.repeat(np.arange(400), random.integers(1, 30, 400))
    values = random.normal(size=400)[numbers] * 0.5 + random.normal(size=len(numbers))
    assert correlation(values, numbers) == pytest.approx(0.2, abs=0.05)
    assert correlation(random.permutation(values), numbers) < 0.02


@pytest.mark.parametrize("numbers", [[0, 0, 0, 0], [0, 1, 2, 3]])
def test_one_block_or_blocks_of_one_row_show_no_correlation(numbers: list[int]) -> None:
    assert correlation(np.arange(4.0), np.array(numbers)) == 0.0


def test_columns_of_either_type_and_their_missing_cells_are_alike_in_blocks() -> None:
    numbers = np.repeat(np.arange(40), 10)
    assert column_correlation(FeatureType.NUMERIC, numbers.astype(np.float64), numbers) == pytest.approx(1.0)
    sites = np.array(["a", "b", "c"], dtype=object)[numbers % 3]
    assert column_correlation(FeatureType.CATEGORICAL, sites, numbers) == pytest.approx(1.0)
    sites[numbers % 2 == 0] = None
    assert column_correlation(FeatureType.CATEGORICAL, sites, numbers) == pytest.approx(1.0)
    ages = np.random.default_rng(1).normal(size=400)
    assert column_correlation(FeatureType.NUMERIC, ages, numbers) < 0.06
    ages[numbers % 2 == 0] = np.nan
    assert column_correlation(FeatureType.NUMERIC, ages, numbers) == pytest.approx(1.0)
    assert column_correlation(FeatureType.NUMERIC, np.full(400, np.nan), numbers) == 0.0


def test_rows_without_a_block_are_one_each() -> None:
    assert block_numbers(["a", "", "b", " a ", ""]).tolist() == [0, 1, 2, 0, 3]
    assert mean_size(np.array([0, 0, 0, 1])) == 2.5


def test_blocks_of_a_window_have_the_size_that_their_names_show() -> None:
    names = CategoricalCounts(np.array(["a", "b"], dtype=object), np.array([3, 1]), 0)
    assert size_of(names) == 2.5
    assert size_of(None) is None
    assert size_of(CategoricalCounts(np.array([OTHER_LABELS], dtype=object), np.array([4]), 0)) is None


def test_no_block_has_more_rows_than_the_sample() -> None:
    blocks = Blocks(column="day", size=1_000, correlations={"age": 0.1})
    assert blocks.design_effect("age", 101) == pytest.approx(11.0)
    assert blocks.design_effect("age", 5_000, size=1.0) == 1.0
    assert blocks.design_effect("pay", 5_000) == 1.0


def written(folder: Path, *, name: str = "client", n_blocks: int = 40) -> ReferenceFiles:
    random, size = np.random.default_rng(2), 10
    numbers = np.repeat(np.arange(n_blocks), size)
    ages = random.normal(size=n_blocks)[numbers] + random.normal(size=len(numbers))
    pay, labels = random.normal(size=len(numbers)), random.random(len(numbers)) < 0.5
    lines = [
        f"c{number},{age:.3f},{one:.3f},{'yes' if label else 'no'}"
        for number, age, one, label in zip(numbers, ages, pay, labels, strict=True)
    ]
    for file in ("train.csv", "test.csv"):
        (folder / file).write_text("\n".join([f"{name},age,pay,label", *lines]) + "\n")
    (folder / "predictions.csv").write_text("probability\n" + "0.5\n" * len(lines))
    return ReferenceFiles(
        train=folder / "train.csv",
        test=folder / "test.csv",
        predictions=folder / "predictions.csv",
        target_label="label",
        block_column="client",
    )


def test_baseline_keeps_how_alike_rows_of_a_block_are_and_the_column_is_no_feature(tmp_path: Path) -> None:
    baseline = written(tmp_path).learn()
    assert [spec.name for spec in baseline.specs] == ["age", "pay"]
    blocks = baseline.blocks
    assert blocks is not None
    assert (blocks.column, blocks.size) == ("client", 10.0)
    assert set(blocks.correlations) == {"age", "pay", PROBABILITY_COLUMN, LABELS}
    assert blocks.correlations["age"] > 0.2
    assert blocks.correlations["pay"] < 0.1
    save(baseline, tmp_path / "baseline")
    assert load(tmp_path / "baseline").blocks == blocks


def test_block_column_with_a_declared_type_stays_in_the_payload(tmp_path: Path) -> None:
    files = written(tmp_path)
    rules = ColumnRules(types={"client": ColumnType.IGNORE})
    baseline = ReferenceFiles(**{**vars(files), "rules": rules}).learn()
    assert [spec.name for spec in baseline.specs] == ["client", "age", "pay"]
    assert baseline.blocks is not None
    assert "client" not in baseline.blocks.correlations


def test_unknown_block_column_and_too_few_blocks_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BaselineError, match="the block column 'client' must be in .*train.csv"):
        written(tmp_path, name="customer").learn()
    with pytest.raises(BaselineError, match="must have 10 blocks or more .* got 4 in 'client'"):
        written(tmp_path, n_blocks=4).learn()
    with pytest.raises(BaselineError, match="another one than the target"):
        ReferenceFiles(train=tmp_path / "train.csv", target_label="client", block_column="client")
