"""How much more frequent a row is in the window than in the labelled test set."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from plumbline.drift.compare.design_matrix import Encoder, design, row_groups
from plumbline.drift.data.table import Table
from plumbline.drift.statistics.ranks import area_under_curve

MAX_WEIGHT = 10.0
"""Of a row of the test set: with larger weights a few rows would decide."""
OVER_REPRESENTED = 20.0
_N_FOLDS = 3
_MAX_ROWS = 5_000
"""Rows of the test set that the classifiers see."""


@dataclass(frozen=True, eq=False)
class Domain:
    """Cross-fitted classifiers of window against test set.

    `linear` and `trees` are their log-odds of belonging to the window, those of `chosen` rows of the test set first and
    the window's after them; both have shape (n_reference + n_window,).
    """

    chosen: NDArray[np.intp]
    linear: NDArray[np.float64]
    trees: NDArray[np.float64]

    @property
    def log_odds(self) -> NDArray[np.float64]:
        """Mean of both."""
        return (self.linear + self.trees) / 2

    @property
    def each(self) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """The log-odds that there are, the mean first."""
        return self.log_odds, self.linear, self.trees

    @property
    def of_window(self) -> NDArray[np.bool_]:
        """Which rows are the window's."""
        return np.arange(len(self.linear)) >= len(self.chosen)

    def separability(self, weights: NDArray[np.float64] | None = None) -> float:
        """Return the area under the ROC curve: 0.5 is chance.

        Parameters
        ----------
        weights
            Of the `chosen` rows, shape (n_reference,); None: equal ones.
        """
        n_window = int(self.of_window.sum())
        ours = np.ones(len(self.chosen)) if weights is None else weights
        counts = np.concatenate([ours, np.ones(n_window)])
        scores, positions = np.unique(self.log_odds, return_inverse=True)
        total = np.bincount(positions, counts, minlength=len(scores))
        middle = np.cumsum(total) - (total - 1) / 2
        rank_sum = float(np.bincount(positions, counts * self.of_window, minlength=len(scores)) @ middle)
        return area_under_curve(rank_sum, n_window, float(ours.sum()))

    def weights(self, log_odds: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return how often each `chosen` row would occur in the window, relative to the test set, at most tenfold."""
        ratios = np.exp(log_odds[~self.of_window] - self._prior)
        return np.asarray(np.minimum(ratios, MAX_WEIGHT))

    @property
    def over_represented_fraction(self) -> float:
        """Share of the window's rows that are more than twenty times as frequent as in the test set."""
        return float(np.mean(np.exp(self.log_odds[self.of_window] - self._prior) > OVER_REPRESENTED))

    @property
    def _prior(self) -> float:
        return float(np.log(self.of_window.sum() / len(self.chosen)))


def compare(reference: Table, window: Table, ignored: frozenset[str], seed: int) -> Domain | None:
    """Learn to separate the window's rows from the test set's; None where every feature is ignored.

    Identical rows are in one fold, or the classifiers would recognise them.

    References
    ----------
    S. Bickel et al., "Discriminative learning under covariate shift" (2009).
    """
    specs = tuple(spec for spec in reference.specs if spec.name not in ignored)
    if not specs or not window.n_rows:
        return None
    random = np.random.default_rng(seed)
    chosen = np.arange(reference.n_rows)
    if len(chosen) > _MAX_ROWS:
        chosen = np.sort(random.choice(chosen, _MAX_ROWS, replace=False))
    sampled = {name: column[chosen] for name, column in reference.columns.items()}
    rows = Table(specs, {spec.name: np.concatenate([sampled[spec.name], window.columns[spec.name]]) for spec in specs})
    of_window = np.arange(rows.n_rows) >= len(chosen)
    groups = row_groups(rows, np.full(rows.n_rows, np.nan))
    folds = random.permutation(int(groups.max()) + 1)[groups] % _N_FOLDS
    linear, trees = np.zeros(rows.n_rows), np.zeros(rows.n_rows)
    # Trees find as much in one code per label as in a column per label, in a quarter of the time.
    inputs = design(rows), Encoder.of(rows, frozenset()).encode(rows)
    for fold in range(_N_FOLDS):
        held = folds == fold
        if held.any():
            linear[held], trees[held] = _log_odds(inputs, of_window, held, seed)
    return Domain(chosen, linear, trees)


def _log_odds(
    inputs: tuple[NDArray[np.float64], NDArray[np.float64]],
    of_window: NDArray[np.bool_],
    held: NDArray[np.bool_],
    seed: int,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the held rows' log-odds by a regression on the first inputs and by trees on the second."""
    # A heavy import, paid for only where accuracy is projected.
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    if len(np.unique(of_window[~held])) < 2:
        nothing = np.zeros(int(held.sum()))
        return nothing, nothing
    models = (
        LogisticRegression(C=0.1, max_iter=500),
        HistGradientBoostingClassifier(
            max_iter=80,
            learning_rate=0.06,
            max_leaf_nodes=12,
            min_samples_leaf=40,
            l2_regularization=5.0,
            early_stopping=False,
            random_state=seed,
        ),
    )
    # One thread: so few rows take no second, and many threads wait for each other on a busy machine.
    with threadpool_limits(1):
        linear, trees = (
            model.fit(rows[~held], of_window[~held]).decision_function(rows[held])
            for model, rows in zip(models, inputs, strict=True)
        )
    return linear, trees
