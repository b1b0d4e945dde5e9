"""Whether a challenger may serve: challenger against champion, row for row. No file, no clock.

On the holdout and on the test set the challenger has to show that it is not worse by more than a margin: the champion
serves already, and with too few rows to decide it stays. A slice is held the other way round, for there are many and
most are small: the challenger fails where it loses more than the bound and chance does not explain that it loses at
all, all slices together at the same 5 %.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from plumbline.contract.evaluation import Comparison, Evaluation
from plumbline.drift.data.table import Table
from plumbline.drift.errors import RetrainingError
from plumbline.drift.retraining.settings import GateThresholds
from plumbline.drift.retraining.splitting import RowKey
from plumbline.drift.statistics.paired import PairedDifference, paired_difference

HOLDOUT, TEST_SET = "holdout", "test set"
ALPHA = 0.05
"""Error rate of each one-sided test; of the slices' tests together."""


@dataclass(frozen=True, eq=False)
class Answers:
    """Which rows, one or more, each model had right: both of shape (n_rows,).

    `design_effect` is the mean multiplicity of identical rows, 1 or more (`plumbline.drift.statistics.paired`).
    """

    champion: NDArray[np.bool_]
    challenger: NDArray[np.bool_]
    design_effect: float = 1.0

    def where(self, rows: NDArray[np.bool_]) -> "Answers":
        """Return the answers of some of the rows."""
        return Answers(self.champion[rows], self.challenger[rows], self.design_effect)

    def difference(self, alpha: float) -> PairedDifference:
        """Return the challenger's accuracy minus the champion's."""
        gained = int(np.count_nonzero(self.challenger & ~self.champion))
        lost = int(np.count_nonzero(self.champion & ~self.challenger))
        return paired_difference(gained, lost, len(self.champion), alpha=alpha, design_effect=self.design_effect)


@dataclass(frozen=True, eq=False)
class Slice:
    """Some rows of the holdout, at least one, chosen by a mask of shape (n_rows,)."""

    name: str
    rows: NDArray[np.bool_]

    @property
    def n_rows(self) -> int:
        """How many rows it has."""
        return int(np.count_nonzero(self.rows))


def judge_challenger(holdout: Answers, test: Answers, slices: Sequence[Slice], terms: GateThresholds) -> Evaluation:
    """Compare the two models, and say whether the challenger may serve."""
    on_holdout = _not_worse(HOLDOUT, holdout, terms.holdout_margin)
    on_test = _not_worse(TEST_SET, test, terms.test_margin)
    n_judged = sum(one.n_rows >= terms.minimum_slice_rows for one in slices)
    on_slices = tuple(_slice(one, holdout, terms, alpha=ALPHA / max(n_judged, 1)) for one in slices)
    failed = tuple(one.reason for one in (on_holdout, on_test, *on_slices) if one.passed is False)
    return Evaluation(
        accepted=not failed,
        reasons=failed or (on_holdout.reason, on_test.reason),
        holdout=on_holdout,
        test=on_test,
        slices=on_slices,
    )


def _not_worse(name: str, answers: Answers, margin: float) -> Comparison:
    found = answers.difference(ALPHA)
    passed = found.lower > -margin
    if found.lower > 0:
        why = f"better by at least {_points(found.lower)}"
    elif passed:
        why = f"a loss of more than {_points(margin)} is ruled out"
    else:
        why = f"a loss of {_points(-found.lower)} is not ruled out, and {_points(margin)} is allowed"
    return _comparison(name, answers, found, bound=margin, passed=passed, why=why)


def _slice(one: Slice, holdout: Answers, terms: GateThresholds, *, alpha: float) -> Comparison:
    answers, bound = holdout.where(one.rows), terms.slice_margin
    found = answers.difference(alpha)
    if one.n_rows < terms.minimum_slice_rows:
        why, passed = f"not judged with fewer than {terms.minimum_slice_rows} rows", None
    elif found.value >= -bound:
        why, passed = f"no loss of more than {_points(bound)}", True
    elif found.upper >= 0:
        why, passed = f"a loss of more than {_points(bound)}, which may be chance", True
    else:
        why, passed = f"a loss of more than {_points(bound)}, beyond chance", False
    return _comparison(one.name, answers, found, bound=bound, passed=passed, why=why)


def _comparison(
    name: str, answers: Answers, found: PairedDifference, *, bound: float, passed: bool | None, why: str
) -> Comparison:
    champion, challenger = (float(np.mean(side)) for side in (answers.champion, answers.challenger))
    n_rows = len(answers.champion)
    return Comparison(
        name=name,
        n_rows=n_rows,
        champion=champion,
        challenger=challenger,
        difference=found.value,
        lower=found.lower,
        upper=found.upper,
        bound=bound,
        passed=passed,
        reason=f"{name}: {100 * challenger:.1f} % of {n_rows} rows right, the champion {100 * champion:.1f} %; {why}",
    )


def _points(share: float) -> str:
    text = f"{100 * share:.2g}"
    return f"{text} point" if text == "1" else f"{text} points"


MAX_VALUES = 50
"""Values of one column that are slices of their own, the most frequent ones; the others are one slice."""
MISSING, OTHERS = "(missing)", "(others)"
LabelledKey: TypeAlias = tuple[RowKey, str]


def slices_of(holdout: Table, columns: Sequence[str]) -> list[Slice]:
    """Return a slice for each value of each column, in the columns' order, the most frequent value first.

    Raises
    ------
    RetrainingError
        If a column is no feature.
    """
    unknown = [name for name in columns if name not in holdout.columns]
    if unknown:
        raise RetrainingError(
            f"slice columns must be features of the model, got {', '.join(unknown)}; correct retraining.slice_columns"
        )
    return [found for name in columns for found in _of_column(name, [*map(_text, holdout.columns[name].tolist())])]


def _of_column(name: str, texts: Sequence[str]) -> Iterator[Slice]:
    counts = sorted(Counter(texts).items(), key=lambda value: (-value[1], value[0]))
    kept = {text: text for text, _ in counts[:MAX_VALUES]}
    values = np.array([kept.get(text, OTHERS) for text in texts], dtype=object)
    for value in [*kept, *([OTHERS] if len(counts) > MAX_VALUES else [])]:
        yield Slice(f"{name}={value}", np.asarray(values == value, dtype=bool))


def _text(cell: float | str | None) -> str:
    if cell is None or cell != cell:  # noqa: PLR0124 - NaN, which is no number
        return MISSING
    return f"{cell:.15g}" if isinstance(cell, float) else cell


def design_effect(holdout: Sequence[LabelledKey], test: Sequence[LabelledKey]) -> float:
    """Return the design effect of the holdout: mean multiplicity of identical rows beyond chance, 1 or more.

    That is the mean multiplicity of a row among its equals, as the statistics of a window take it, divided by what
    chance makes of it: the share of equal pairs among the test set's rows, which are independent of each other, gives
    the multiplicity that so many independent rows have. In tables of a few categories that is a large number
    without meaning; requests that are sent again and again exceed it.
    """
    multiplicity = _multiplicity(holdout)
    equal_pairs = (_multiplicity(test) - 1) / (len(test) - 1) if len(test) > 1 else 0.0
    return max(multiplicity / (1 + (len(holdout) - 1) * equal_pairs), 1.0)


def _multiplicity(rows: Sequence[LabelledKey]) -> float:
    return sum(count**2 for count in Counter(rows).values()) / len(rows)
