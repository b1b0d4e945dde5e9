"""The report of a window that is compared with nothing: what was counted, and whether the payload is as in training."""

from contract.accuracy import Shift
from contract.bias import BiasReport
from contract.quality import ShiftReport
from contract.records import (
    SWITCHED_OFF,
    DriftReport,
    FeatureReport,
    IsolationForestSimilarity,
    MultivariateReport,
    ProjectedAccuracy,
    RecentReport,
    Verdict,
)
from drift.judgement import RunContext, Side, judge
from drift.learned import Baseline
from drift.verdict import rule_text
from drift.window import WindowCounts


def unjudged(
    baseline: Baseline, window: WindowCounts, context: RunContext, why: str, *, has_earlier: bool
) -> DriftReport:
    """Return a report without a comparison; each part that was asked for has the reason `why`.

    Columns that are missing, or of another type than in training, are told all the same: they are matters of the
    payload.
    """
    refused = f"the window is not judged: {why}"
    outcome = judge(baseline.specs, Side(columns=baseline.counts), Side(columns=window.columns, why_not=why), context)
    return DriftReport(
        window=window.bounds,
        endpoint=context.endpoint,
        schedule=context.schedule,
        records=window.records,
        n_rows=window.n_rows,
        verdict=Verdict.NOT_JUDGED,
        reason=why,
        rule=rule_text(context.policy),
        model=context.model,
        features=tuple(_counted(feature, window) for feature in outcome.features),
        prediction=FeatureReport(name=outcome.prediction.name, type=outcome.prediction.type, reason=refused),
        projected_accuracy=ProjectedAccuracy(reason=refused),
        isolation_forest_similarity=IsolationForestSimilarity(reason=_asked(context.isolation_forest, refused)),
        recent=RecentReport(reason=_asked(has_earlier, refused)),
        multivariate=MultivariateReport(reason=_asked(context.multivariate, refused)),
        shifts=tuple(ShiftReport(shift=shift, reason=refused) for shift in (Shift.COVARIATE, Shift.LABEL)),
        bias=BiasReport(reason=_asked(context.facet is not None, refused), facet=context.facet),
    )


def _asked(wanted: bool, refused: str) -> str:
    return refused if wanted else SWITCHED_OFF


def _counted(feature: FeatureReport, window: WindowCounts) -> FeatureReport:
    """Return a feature without what compares it: a number that stands there is read as a finding."""
    return FeatureReport(
        name=feature.name,
        type=feature.type,
        missing_fraction=feature.missing_fraction,
        unreadable=feature.unreadable,
        unreadable_examples=dict(window.unreadable_examples.get(feature.name, {})),
        unreadable_fraction=feature.unreadable_fraction,
        violation=feature.violation,
        reason=feature.reason,
    )
