"""Classifier two-sample test: drift of the joint distribution of the features."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from plumbline.contract.reasons import ReasonCode
from plumbline.contract.records import MultivariateReport, Status
from plumbline.drift.compare.design_matrix import design, row_groups
from plumbline.drift.data.table import SAMPLE_ROWS, FeatureSpec, Table
from plumbline.drift.reference.baseline import Baseline
from plumbline.drift.statistics.ranks import area_under_curve, middle_ranks

MIN_ROWS = 200
"""Of each side: with fewer the held-out half is too small a sample."""
N_PERMUTATIONS = 999


def separability(
    baseline: Baseline, window: Table, seed: int, ignored: frozenset[str] = frozenset()
) -> MultivariateReport:
    """Return the held-out area under the ROC curve of a classifier of reference against window, and its p-value.

    Definition: at most 2,000 rows of each side, half of them to learn from, half held out; identical rows are in the
    same half, or the classifier would recognise them. The score of a row is the mean of two classifiers': a logistic
    regression, which sees small shifts, and gradient-boosted trees, which see interactions. Null: both samples come
    from one distribution; the p-value is the share of 999 seeded permutations of the held-out labels that separate
    the scores as well, the observed one counted among them. 0.5 is chance, 1 complete separation.

    The reference's rows are a sample of the training data, or the labelled test set where the baseline has none. The
    `ignored` features are left out: an id or a time would separate any two windows.

    References
    ----------
    D. Lopez-Paz, M. Oquab, "Revisiting classifier two-sample tests" (2017).
    """
    reference = baseline.sample or (baseline.test.table if baseline.test else None)
    if reference is None:
        return MultivariateReport(reason=ReasonCode.NO_REFERENCE_ROWS.reason())
    specs = tuple(spec for spec in reference.specs if spec.name not in ignored)
    if not specs:
        return MultivariateReport(reason=ReasonCode.EVERY_FEATURE_IGNORED.reason())
    random = np.random.default_rng(seed)
    before, after = (_some(table, specs, random) for table in (reference, window))
    n_reference, n_window = before.n_rows, after.n_rows
    if min(n_reference, n_window) < MIN_ROWS:
        return MultivariateReport(
            reason=ReasonCode.SAMPLES_TOO_SMALL.reason(n_reference=n_reference, n_window=n_window, min_rows=MIN_ROWS),
            n_reference=n_reference,
            n_window=n_window,
        )
    found = _held_out(before, after, random, seed)
    if found is None:
        return MultivariateReport(reason=ReasonCode.ROWS_IDENTICAL.reason(), n_reference=n_reference, n_window=n_window)
    observed, p_value = area_and_p_value(found.scores, found.of_window, random)
    return MultivariateReport(
        status=Status.ESTIMATED,
        area_under_curve=observed,
        p_value=p_value,
        n_reference=n_reference,
        n_window=n_window,
    )


def held_out_area(reference: Table, window: Table, seed: int) -> float | None:
    """Return the area that `separability` would report of these rows, of both sides no more than it takes.

    None: they are too few, or too many of them identical.
    """
    if not reference.specs or min(reference.n_rows, window.n_rows) < MIN_ROWS:
        return None
    found = _held_out(reference, window, np.random.default_rng(seed), seed)
    return None if found is None else _area(_ranks(found.scores), found.of_window)


@dataclass(frozen=True, eq=False)
class _HeldOut:
    """Scores of the held-out rows, and which of them are the window's; both of shape (n_held_out,)."""

    scores: NDArray[np.float64]
    of_window: NDArray[np.bool_]


def _held_out(reference: Table, window: Table, random: np.random.Generator, seed: int) -> _HeldOut | None:
    rows = _stacked(reference, window)
    of_window = np.arange(rows.n_rows) >= reference.n_rows
    held_out = _halves(rows, random)
    if min(_class_sizes(of_window[held_out]) + _class_sizes(of_window[~held_out])) < MIN_ROWS // 4:
        return None
    return _HeldOut(_scores(design(rows), of_window, held_out, seed), of_window[held_out])


def _some(table: Table, specs: tuple[FeatureSpec, ...], random: np.random.Generator) -> Table:
    columns = {spec.name: table.columns[spec.name] for spec in specs}
    if table.n_rows > SAMPLE_ROWS:
        chosen = np.sort(random.choice(table.n_rows, SAMPLE_ROWS, replace=False))
        columns = {name: column[chosen] for name, column in columns.items()}
    return Table(specs, columns)


def _stacked(reference: Table, window: Table) -> Table:
    columns = {name: np.concatenate([column, window.columns[name]]) for name, column in reference.columns.items()}
    return Table(reference.specs, columns)


def _halves(rows: Table, random: np.random.Generator) -> NDArray[np.bool_]:
    """Return which rows are held out, shape (n_rows,): half of the distinct ones, with all their copies."""
    groups = row_groups(rows, np.full(rows.n_rows, np.nan))
    return np.asarray(random.permutation(groups.max() + 1) % 2 == 0)[groups]


def _class_sizes(labels: NDArray[np.bool_]) -> tuple[int, int]:
    n_window = int(labels.sum())
    return len(labels) - n_window, n_window


def _scores(
    rows: NDArray[np.float64], of_window: NDArray[np.bool_], held_out: NDArray[np.bool_], seed: int
) -> NDArray[np.float64]:
    """Return the held-out rows' scores, shape (n_held_out,): higher resembles the window more."""
    # A heavy import, paid for only where this is switched on.
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    trees = HistGradientBoostingClassifier(max_iter=50, max_leaf_nodes=15, early_stopping=False, random_state=seed)
    linear = LogisticRegression(C=0.1, max_iter=500)
    # One thread: so few rows take 0.1 s, and many threads wait for each other on a busy machine.
    with threadpool_limits(1):
        learned = [model.fit(rows[~held_out], of_window[~held_out]) for model in (trees, linear)]
        probabilities = [model.predict_proba(rows[held_out])[:, 1] for model in learned]
    return np.asarray(np.mean(probabilities, axis=0))


def area_and_p_value(
    scores: NDArray[np.float64], of_window: NDArray[np.bool_], random: np.random.Generator
) -> tuple[float, float]:
    """Return the area under the ROC curve of `scores`, shape (n,), and its permutation p-value."""
    ranks = _ranks(scores)
    observed, n_window = _area(ranks, of_window), int(of_window.sum())
    drawn = [float(random.permutation(ranks)[:n_window].sum()) for _ in range(N_PERMUTATIONS)]
    as_good = sum(area_under_curve(rank_sum, n_window, len(ranks) - n_window) >= observed for rank_sum in drawn)
    return observed, (1 + as_good) / (1 + N_PERMUTATIONS)


def _ranks(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    _, positions, counts = np.unique(scores, return_inverse=True, return_counts=True)
    return np.asarray(middle_ranks(counts)[positions])


def _area(ranks: NDArray[np.float64], of_window: NDArray[np.bool_]) -> float:
    n_reference, n_window = _class_sizes(of_window)
    return area_under_curve(float(ranks[of_window].sum()), n_window, n_reference)
