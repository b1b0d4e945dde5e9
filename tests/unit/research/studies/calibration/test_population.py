import numpy as np

from plumbline.contract.records import FeatureType, RecordCounts, WindowBounds
from plumbline.data.rows import LabelledRows
from plumbline.drift.data.counts import CategoricalCounts, NumericCounts
from plumbline.drift.judge.analysis import analyse
from plumbline.drift.judge.comparison import RunContext
from plumbline.drift.reference.learn import learn
from plumbline.drift.settings.policy import Policy
from research.studies.calibration.population import Population
from research.studies.calibration.product import TARGET, PopulationMonitor
from tests.oracles.counted_rows import CapturedWindow, count_rows
from tests.unit.research.studies.people import people

ROWS = LabelledRows(("age", "job"), (("30", "nurse"), ("?", "clerk"), ("7.5", "?"), ("30.0", "clerk")), ("a",) * 4)


def test_cells_become_levels_of_numbers_and_labels() -> None:
    population = Population.of(ROWS)
    assert [spec.type for spec in population.specs] == [FeatureType.NUMERIC, FeatureType.CATEGORICAL]
    assert population.levels["age"].tolist() == [7.5, 30.0]
    assert population.levels["job"].tolist() == ["clerk", "nurse"]
    assert population.codes.tolist() == [[1, 2, 0, 1], [1, 0, 2, 0]]


def test_counts_leave_out_levels_that_do_not_occur() -> None:
    counts = Population.of(ROWS).counts({"age": np.array([0, 5, 2]), "job": np.array([4, 3, 0])})
    assert isinstance(counts["age"], NumericCounts)
    assert (counts["age"].values.tolist(), counts["age"].counts.tolist(), counts["age"].n_missing) == ([30.0], [5], 2)
    assert isinstance(counts["job"], CategoricalCounts)
    assert (counts["job"].values.tolist(), counts["job"].counts.tolist(), counts["job"].n_missing) == (
        ["clerk", "nurse"], [4, 3], 0,
    )  # fmt: skip


def test_draw_takes_whole_rows() -> None:
    # Two columns that agree in every row agree in every sample of rows.
    twins = Population.of(LabelledRows(("x", "y"), tuple((str(i % 7), str(i % 7)) for i in range(70)), ("a",) * 70))
    sample = twins.draw(500, np.random.default_rng(1))
    assert sample["x"].sum() == 500
    assert sample["x"].tolist() == sample["y"].tolist()


def test_new_level_is_in_order_and_in_no_row() -> None:
    population = Population.of(ROWS).with_level("job", "mason")
    assert population.levels["job"].tolist() == ["clerk", "mason", "nurse"]
    assert population.frequencies["job"].tolist() == [2, 0, 1, 1]
    assert population.frequencies["age"].tolist() == Population.of(ROWS).frequencies["age"].tolist()


def test_counted_samples_are_judged_as_their_rows_are() -> None:
    population = people()
    random = np.random.default_rng(5)
    chosen = [random.integers(population.n_rows, size=n) for n in (1_500, 700)]
    reference, window = (population.table(positions) for positions in chosen)
    baseline = learn(train=reference, target_label=TARGET)
    captured = CapturedWindow(WindowBounds(), window, np.full(700, np.nan), RecordCounts(700, 700))
    by_rows = analyse(
        baseline,
        count_rows(baseline, captured),
        RunContext(policy=Policy(), seed=11),
    )
    product = PopulationMonitor.of(population)
    counted = [
        {
            spec.name: np.bincount(codes[positions], minlength=len(population.levels[spec.name]) + 1)
            for spec, codes in zip(population.specs, population.codes, strict=True)
        }
        for positions in chosen
    ]
    by_counts = product.judge(product.learned(counted[0]), counted[1], seed=11)
    assert by_counts.features == by_rows.features
    assert (by_counts.verdict, str(by_counts.reason), by_counts.n_rows) == (by_rows.verdict, str(by_rows.reason), 700)
