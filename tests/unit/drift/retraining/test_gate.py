from collections.abc import Sequence

import numpy as np
import pytest

from plumbline.contract.evaluation import Evaluation
from plumbline.contract.records import FeatureType
from plumbline.drift.data.table import FeatureSpec, Table
from plumbline.drift.errors import ConfigError, RetrainingError
from plumbline.drift.retraining.evaluate import evaluation_text
from plumbline.drift.retraining.gate import (
    MAX_VALUES,
    OTHERS,
    Answers,
    Slice,
    design_effect,
    judge_challenger,
    slices_of,
)
from plumbline.drift.retraining.settings import GateThresholds

TERMS = GateThresholds(
    holdout_margin=0.01, test_margin=0.05, slice_columns=("sex",), slice_margin=0.05, minimum_slice_rows=100
)


def answers(n_both: int, gained: int, lost: int, neither: int = 0, repeats: float = 1.0) -> Answers:
    champion = [True] * n_both + [False] * gained + [True] * lost + [False] * neither
    challenger = [True] * n_both + [True] * gained + [False] * lost + [False] * neither
    return Answers(np.array(champion), np.array(challenger), repeats)


SAME = answers(800, 0, 0, 200)
BETTER = answers(700, 150, 50, 100)


def judged(holdout: Answers = SAME, test: Answers = SAME, slices: tuple[Slice, ...] = ()) -> Evaluation:
    return judge_challenger(holdout, test, slices, TERMS)


def test_a_better_challenger_is_accepted_and_says_by_how_much() -> None:
    found = judged(BETTER)

    assert found.accepted
    assert found.holdout.difference == pytest.approx(0.1)
    assert found.reasons[0] == (
        "holdout: 85.0 % of 1000 rows right, the champion 75.0 %; better by at least 7.8 points"
    )
    assert found.reasons[1].endswith("a loss of more than 5 points is ruled out")


def test_too_few_rows_to_rule_out_a_loss_leave_the_champion() -> None:
    assert judged(SAME).accepted
    found = judged(answers(80, 0, 0, 20))

    assert not found.accepted
    assert found.reasons == (
        "holdout: 80.0 % of 100 rows right, the champion 80.0 %; "
        "a loss of 2.6 points is not ruled out, and 1 point is allowed",
    )


def test_rows_that_repeat_each_other_count_as_fewer() -> None:
    assert judged(answers(800, 0, 0, 200, repeats=4.0)).holdout.passed is False


def test_a_challenger_that_forgot_is_rejected_for_the_test_set() -> None:
    found = judged(BETTER, answers(700, 50, 150, 100))

    assert (found.accepted, found.holdout.passed, found.test.passed) == (False, True, False)
    assert [reason.partition(":")[0] for reason in found.reasons] == ["test set"]


def with_slice(gained: int, lost: int, n_rows: int) -> Evaluation:
    """Judge a challenger that is much better but in one slice, the last rows of the holdout."""
    good, slice_ = answers(1500, 400, 0), answers(n_rows - gained - lost, gained, lost)
    both = Answers(
        np.concatenate([good.champion, slice_.champion]), np.concatenate([good.challenger, slice_.challenger])
    )
    mask = np.arange(len(both.champion)) >= len(good.champion)
    return judged(both, slices=(Slice("sex=Male", ~mask), Slice("sex=Female", mask)))


@pytest.mark.parametrize(
    ("gained", "lost", "n_rows", "passed", "why"),
    [
        (10, 12, 200, True, "no loss of more than 5 points"),
        (20, 32, 150, True, "a loss of more than 5 points, which may be chance"),
        (5, 40, 200, False, "a loss of more than 5 points, beyond chance"),
        (0, 60, 99, None, "not judged with fewer than 100 rows"),
    ],
)
def test_a_slice_fails_where_it_loses_more_than_the_bound_and_more_than_chance(
    gained: int, lost: int, n_rows: int, passed: bool | None, why: str
) -> None:
    found = with_slice(gained, lost, n_rows)

    assert (found.slices[1].name, found.slices[1].passed) == ("sex=Female", passed)
    assert found.slices[1].reason.endswith(why)
    assert found.accepted is (passed is not False)


def test_the_table_shows_every_comparison() -> None:
    assert evaluation_text(with_slice(5, 40, 200)) == (
        "The challenger is rejected.\n"
        "- sex=Female: 80.0 % of 200 rows right, the champion 97.5 %; a loss of more than 5 points, beyond chance\n"
        "\n"
        "            rows  champion  challenger  difference  at least  at most  allowed\n"
        "holdout     2100    80.7 %      98.1 %       +17.4     +15.9    +18.9     -1.0  passed\n"
        "test set    1000    80.0 %      80.0 %        +0.0      -0.3     +0.3     -5.0  passed\n"
        "sex=Male    1900    78.9 %     100.0 %       +21.1     +19.3    +22.9     -5.0  passed\n"
        "sex=Female   200    97.5 %      80.0 %       -17.5     -24.0    -11.6     -5.0  failed\n"
    )


def table(**columns: Sequence[object]) -> Table:
    specs = tuple(
        FeatureSpec(name, FeatureType.NUMERIC if isinstance(cells[0], float) else FeatureType.CATEGORICAL)
        for name, cells in columns.items()
    )
    return Table(
        specs,
        {
            spec.name: np.array(columns[spec.name], dtype=np.float64 if spec.type is FeatureType.NUMERIC else object)
            for spec in specs
        },
    )


def test_slices_are_the_values_of_the_columns_most_frequent_first() -> None:
    rows = table(sex=["F", "M", "M", None], flag=[1.0, 0.0, 0.0, 0.0], age=[1.5, 2.0, 3.0, 4.0])
    found = slices_of(rows, ["sex", "flag"])

    assert [(one.name, one.rows.tolist()) for one in found] == [
        ("sex=M", [False, True, True, False]),
        ("sex=(missing)", [False, False, False, True]),
        ("sex=F", [True, False, False, False]),
        ("flag=0", [False, True, True, True]),
        ("flag=1", [True, False, False, False]),
    ]


def test_rare_values_of_a_column_of_many_are_one_slice() -> None:
    rows = table(code=["often"] * 2 + [f"{number:03}" for number in range(60)])
    found = slices_of(rows, ["code"])

    assert len(found) == MAX_VALUES + 1
    assert (found[-1].name, found[-1].n_rows) == (f"code={OTHERS}", 62 - MAX_VALUES - 1)
    assert sum(one.n_rows for one in found) == 62


def test_a_slice_column_must_be_a_feature() -> None:
    with pytest.raises(RetrainingError, match="slice columns must be features of the model, got colour"):
        slices_of(table(sex=["F"]), ["sex", "colour"])


def test_repetition_is_what_exceeds_that_of_independent_rows() -> None:
    distinct = [((float(number),), "yes") for number in range(100)]
    ordinary = [((float(number % 5),), "yes") for number in range(100)]

    assert design_effect(distinct, distinct) == 1.0
    assert design_effect(distinct * 3, distinct) == 3.0
    assert design_effect(ordinary * 2, ordinary) == pytest.approx(1.05, abs=0.03)


@pytest.mark.parametrize("name", ["holdout_margin", "test_margin", "slice_margin"])
def test_a_margin_must_be_a_share(name: str) -> None:
    shares = {"holdout_margin": 0.0, "test_margin": 0.0, "slice_margin": 0.0, name: 1.5}
    with pytest.raises(ConfigError, match=f"--{name} must lie in 0 to 1, got 1.5"):
        GateThresholds(slice_columns=(), minimum_slice_rows=1, **shares)
