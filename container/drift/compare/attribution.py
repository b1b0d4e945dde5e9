"""What the predictions rest on, by the booster's own attributions: whether the order of the features moved."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plumbline.contract.attribution import AttributionFeature, AttributionReport
from plumbline.contract.reasons import Reason, ReasonCode
from plumbline.contract.records import Status, Verdict
from plumbline.drift.compare.model_artifact import ArtifactError, model_rows, read_artifact
from plumbline.drift.data.table import Table
from plumbline.drift.data.window import RowSample
from plumbline.drift.preprocessing import Preprocessor, RowError
from plumbline.drift.reference.baseline import Baseline, LabelledTest

NDCG_THRESHOLD = 0.9
"""Below it attributions have drifted: SageMaker Developer Guide, "Feature attribution drift"."""
MIN_ROWS = 200
"""Rows of each side from which on mean attributions are compared."""

_SAME_PROBABILITY = 1e-3
"""Above what the rounding of a probability's text does, below what another model does."""


def attribution_drift(artifact: Path, baseline: Baseline, sample: RowSample) -> AttributionReport:
    """Compare the features' mean attributions in a window with those on the labelled test set.

    A feature's attribution in one row is the sum of its inputs' SHAP values in log-odds (`pred_contribs`), so that a
    one-hot encoded feature counts once; its importance is the mean of the absolute values over the rows. The two orders
    are compared as SageMaker Clarify does, by the normalised discounted cumulative gain: the reference's importances,
    discounted in the window's order, divided by the same in the reference's own order.
    It depends on the order alone, and with few features it seldom falls below the threshold. Without a test set the
    baseline's sample of training rows is the reference.

    Parameters
    ----------
    artifact
        model.tar.gz as the training job leaves it, or a folder with its content.

    References
    ----------
    S. Lundberg et al., "Consistent individualized feature attribution for tree ensembles" (2018).
    """
    known = AttributionReport(reason=None, threshold=NDCG_THRESHOLD)
    reference = baseline.test.table if baseline.test else baseline.sample
    sides = [sample.table, reference]
    sizes = [0 if side is None else side.n_rows for side in sides]
    if min(sizes) < MIN_ROWS:
        few = ReasonCode.ATTRIBUTION_ROWS_TOO_FEW.reason(n_window=sizes[0], n_reference=sizes[1], min_rows=MIN_ROWS)
        return _not_judged(known, few)
    try:
        preprocessor, booster = read_artifact(artifact)
        importances = [_importances(booster, preprocessor, side) for side in sides if side is not None]
        _require_same_model(booster, preprocessor, baseline.test)
    except (ArtifactError, RowError) as error:
        return _not_judged(known, ReasonCode.MODEL_UNUSABLE.reason(error=error))
    window, before = importances
    return _compared(known, preprocessor.names, window, before, sizes)


def _not_judged(known: AttributionReport, reason: Reason) -> AttributionReport:
    return AttributionReport(reason=reason, threshold=known.threshold)


def _importances(booster: Any, preprocessor: Preprocessor, rows: Table) -> NDArray[np.float64]:
    """Return the mean absolute attribution of each feature, in the preprocessor's order: shape (n_features,)."""
    import xgboost

    missing = sorted(set(preprocessor.names) ^ {spec.name for spec in rows.specs})
    if missing:
        raise ArtifactError(f"the model must have the baseline's features, differs in {', '.join(missing)}")
    inputs = preprocessor.transform(model_rows(rows, preprocessor.names))
    contributions = booster.predict(xgboost.DMatrix(inputs), pred_contribs=True)
    if contributions.ndim != 2:
        raise ArtifactError("attributions are compared where the model has one output, got several classes")
    ends = np.cumsum([column.width for column in preprocessor.columns])
    by_feature = [part.sum(axis=1) for part in np.split(contributions[:, :-1].astype(np.float64), ends[:-1], axis=1)]
    return np.array([float(np.mean(np.abs(values))) for values in by_feature])


def _require_same_model(booster: Any, preprocessor: Preprocessor, test: LabelledTest | None) -> None:
    """Refuse an artifact that did not make the test set's predictions: its attributions explain another model."""
    import xgboost

    if test is None or test.probabilities is None:
        return
    inputs = preprocessor.transform(model_rows(test.table, preprocessor.names))
    furthest = float(np.max(np.abs(booster.predict(xgboost.DMatrix(inputs)) - test.probabilities)))
    if furthest > _SAME_PROBABILITY:
        raise ArtifactError(
            "the artifact must be the model that predicted the labelled test set, "
            f"got probabilities up to {furthest:.3g} apart; name that model's artifact"
        )


def _compared(
    known: AttributionReport,
    names: tuple[str, ...],
    window: NDArray[np.float64],
    before: NDArray[np.float64],
    sizes: list[int],
) -> AttributionReport:
    order, order_before = _order(window), _order(before)
    if not before.any():
        return _not_judged(known, ReasonCode.NO_IMPORTANCE.reason())
    score = ndcg(before[order], before[order_before])
    ranks, ranks_before = np.argsort(order) + 1, np.argsort(order_before) + 1
    moved = score < NDCG_THRESHOLD
    return AttributionReport(
        status=Status.ESTIMATED,
        reason=ReasonCode.ATTRIBUTIONS_DRIFTED.reason() if moved else None,
        verdict=Verdict.DRIFT if moved else Verdict.NO_DRIFT,
        ndcg=score,
        threshold=NDCG_THRESHOLD,
        n_rows=sizes[0],
        n_rows_reference=sizes[1],
        features=tuple(
            AttributionFeature(
                name=names[position],
                importance=float(window[position]),
                importance_reference=float(before[position]),
                rank=int(ranks[position]),
                rank_reference=int(ranks_before[position]),
            )
            for position in order.tolist()
        ),
    )


def _order(importances: NDArray[np.float64]) -> NDArray[np.intp]:
    return np.argsort(-importances, kind="stable")


def ndcg(gains: NDArray[np.float64], best: NDArray[np.float64]) -> float:
    """Return the normalised discounted cumulative gain of gains in an order, 0 to 1; `best` has them in the best one.

    References
    ----------
    K. Järvelin, J. Kekäläinen, "Cumulated gain-based evaluation of IR techniques" (2002).

    Examples
    --------
    >>> round(ndcg(np.array([2.0, 3.0]), np.array([3.0, 2.0])), 4)
    0.9135
    """
    discounts = 1 / np.log2(np.arange(len(gains)) + 2)
    return min(float(gains @ discounts / (best @ discounts)), 1.0)
