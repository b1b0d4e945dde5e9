"""Several variants of one endpoint, each judged by its own records: which leads, and what the window's verdict is."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from plumbline.contract.reasons import Reason, ReasonCode, joined
from plumbline.contract.records import DriftReport, VariantReport, VariantRole, Verdict
from plumbline.contract.rejection import RejectionReason
from plumbline.contract.verdicts import RecordCounts
from plumbline.drift.data.window import SegmentKind, VariantRows, WindowCounts


def leading_variant(variants: Sequence[VariantRows]) -> VariantRows | None:
    """Return the production variant with the most rows; None where there is one variant, or none is known as such."""
    return variants[0] if variants and variants[0].role is VariantRole.PRODUCTION else None


def undecided(variants: Sequence[VariantRows]) -> Reason | None:
    """Return why none of several variants leads, or None."""
    if not variants or leading_variant(variants) is not None:
        return None
    unknown = [one.name for one in variants if one.role is VariantRole.UNKNOWN]
    return ReasonCode.VARIANTS_UNDECIDED.reason(names=" and ".join(sorted(unknown)))


def leading_window(whole: WindowCounts, apart: Mapping[str, WindowCounts]) -> WindowCounts:
    """Return the window that is judged: that of the leading variant, or the whole where there is none.

    The segments have each variant all the same.
    """
    leading = leading_variant(whole.variants)
    if leading is None:
        return whole
    variants = {segment: part for segment, part in whole.segments.items() if segment.kind is SegmentKind.VARIANT}
    own = apart[leading.name]
    return replace(own, segments={**variants, **own.segments}, variants=whole.variants)


def of_variant(window: WindowCounts) -> WindowCounts:
    """Return a window that was read for one variant, with an account of this variant's records alone."""
    other, found = str(RejectionReason.OTHER_VARIANT), window.records
    rejected = {reason: number for reason, number in found.rejected.items() if reason != other}
    examples = {reason: places for reason, places in found.examples.items() if reason != other}
    records = RecordCounts(found.used + sum(rejected.values()), found.used, rejected, examples)
    return replace(window, records=records)


def with_variants(
    report: DriftReport, variants: Sequence[VariantRows], others: Mapping[str, DriftReport]
) -> DriftReport:
    """Return the report of the leading variant with those of each variant, `others` by name.

    Drift of any production variant is the window's; one that is not judged is named.
    """
    if not variants:
        return report
    leading = leading_variant(variants)
    found = tuple(
        _variant_report(one, report if leading is not None and one.name == leading.name else others[one.name])
        for one in variants
    )
    report = replace(report, variant=None if leading is None else leading.name, variants=found)
    production = [one for one in found if one.role is VariantRole.PRODUCTION and one.variant != report.variant]
    drifted = [_why(ReasonCode.VARIANT_DRIFTED, one) for one in production if one.verdict is Verdict.DRIFT]
    if drifted and report.verdict is not Verdict.DRIFT:
        return replace(report, verdict=Verdict.DRIFT, reason=joined(*drifted))
    not_judged = [_why(ReasonCode.VARIANT_NOT_JUDGED, one) for one in production if one.verdict is Verdict.NOT_JUDGED]
    return replace(report, reason=joined(report.reason, *drifted, *not_judged))


def _why(code: ReasonCode, one: VariantReport) -> Reason:
    return code.reason(name=one.variant, why=one.reason or one.verdict)


def _variant_report(one: VariantRows, report: DriftReport) -> VariantReport:
    return VariantReport(
        variant=one.name,
        role=one.role,
        records=report.records,
        n_rows=report.n_rows,
        verdict=report.verdict,
        reason=report.reason,
        features=report.features,
        prediction=report.prediction,
        projected_accuracy=report.projected_accuracy,
    )
