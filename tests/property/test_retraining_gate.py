from functools import cache

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy.stats import binom

from plumbline.contract.evaluation import Evaluation
from plumbline.drift.retraining.gate import Answers, Slice, judge_challenger
from plumbline.drift.retraining.settings import GateThresholds
from plumbline.drift.statistics.paired import PairedDifference, paired_difference

TERMS = GateThresholds(
    holdout_margin=0.01, test_margin=0.05, slice_columns=(), slice_margin=0.05, minimum_slice_rows=20
)


@st.composite
def counts(draw: st.DrawFn) -> tuple[int, int, int]:
    total = draw(st.integers(1, 5_000))
    gained = draw(st.integers(0, total))
    return gained, draw(st.integers(0, total - gained)), total


@given(counts())
def test_difference_lies_within_its_bounds_and_turns_its_sign(found: tuple[int, int, int]) -> None:
    gained, lost, total = found
    one, other = paired_difference(gained, lost, total), paired_difference(lost, gained, total)

    assert -1 <= one.lower <= one.value <= one.upper <= 1
    assert [other.value, other.lower, other.upper] == pytest.approx([-one.value, -one.upper, -one.lower], abs=1e-7)


@given(counts(), st.floats(1e-9, 0.5), st.floats(1, 5_000))
@example((0, 323, 323), 0.05, 3.2601236414868535)
@example((1015, 779, 1794), 0.5, 1.0)
@example((204, 0, 406), 1e-6, 1.0)
def test_any_level_and_repetition_has_bounds(found: tuple[int, int, int], alpha: float, design_effect: float) -> None:
    bounds = paired_difference(*found, alpha=alpha, design_effect=design_effect)
    assert -1 <= bounds.lower <= bounds.value + 1e-7
    assert bounds.value - 1e-7 <= bounds.upper <= 1


@given(counts(), st.floats(1, 20))
def test_rows_that_repeat_each_other_widen_the_bounds(found: tuple[int, int, int], design_effect: float) -> None:
    once, often = paired_difference(*found), paired_difference(*found, design_effect=design_effect)

    assert often.lower <= once.lower + 1e-7
    assert often.upper >= once.upper - 1e-7


@cache
def difference(gained: int, lost: int, total: int) -> PairedDifference:
    return paired_difference(gained, lost, total)


@pytest.mark.parametrize("n_rows", [50])
@pytest.mark.parametrize("true", [-0.1, -0.05, 0.0, 0.05])
@pytest.mark.parametrize("discordant", [0.1, 0.2, 0.4])
def test_either_bound_errs_in_about_five_percent_of_all_samples(n_rows: int, true: float, discordant: float) -> None:
    gained = (discordant + true) / 2 / discordant
    below = above = 0.0
    for n_discordant in range(n_rows + 1):
        for n_gained in range(n_discordant + 1):
            chance = binom.pmf(n_discordant, n_rows, discordant) * binom.pmf(n_gained, n_discordant, gained)
            if chance > 1e-9:
                found = difference(n_gained, n_discordant - n_gained, n_rows)
                below += chance * (found.lower <= true + 1e-9)
                above += chance * (found.upper >= true - 1e-9)

    assert 0.92 <= below <= 1.0
    assert 0.92 <= above <= 1.0


@st.composite
def answers(draw: st.DrawFn) -> Answers:
    n_rows = draw(st.integers(1, 300))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    champion, challenger = (random.random(n_rows) < draw(st.floats(0, 1)) for _ in range(2))
    return Answers(champion, challenger)


def judged(holdout: Answers, test: Answers) -> Evaluation:
    halves = np.arange(len(holdout.champion)) % 2 == 0
    slices = [Slice(name, rows) for name, rows in (("half=0", halves), ("half=1", ~halves)) if rows.any()]
    return judge_challenger(holdout, test, slices, TERMS)


@given(answers(), answers())
def test_only_a_challenger_that_passes_everything_is_accepted(holdout: Answers, test: Answers) -> None:
    found = judged(holdout, test)
    compared = (found.holdout, found.test, *found.slices)

    assert found.accepted == all(one.passed is not False for one in compared)
    assert found.reasons
    assert Evaluation.from_json(found.to_json()) == found


@given(answers(), answers())
def test_a_challenger_that_is_worse_on_the_holdout_by_more_than_the_margin_never_passes(
    holdout: Answers, test: Answers
) -> None:
    found = judged(holdout, test)
    assert found.holdout.difference is not None
    if found.holdout.difference <= -TERMS.holdout_margin:
        assert not found.accepted


@given(answers(), answers())
def test_a_row_more_that_only_the_challenger_has_right_never_counts_against_it(holdout: Answers, test: Answers) -> None:
    before = judged(holdout, test)
    gained = holdout.challenger.copy()
    gained[: np.argmin(gained) + 1] = True
    after = judged(Answers(holdout.champion, gained), test)

    assert before.holdout.lower is not None
    assert after.holdout.lower is not None
    assert after.holdout.lower >= before.holdout.lower - 1e-7
    assert after.holdout.passed or not before.holdout.passed
