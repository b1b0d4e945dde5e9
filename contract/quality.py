"""Quality of earlier windows by the labels that came for them, and which kind of shift it was."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from plumbline.contract.accuracy import Measure, MeasureReport, ProjectionEvidence, Shift
from plumbline.contract.bias import BiasReport
from plumbline.contract.reasons import Reason
from plumbline.contract.verdicts import SWITCHED_OFF, OptionalPart, RecordCounts, Verdict, WindowBounds


@dataclass(frozen=True, kw_only=True)
class ShiftReport:
    """Whether one kind of shift is seen, and by what evidence.

    `p_value` and `effect` are those of the test that decided; the effect is a fraction, 0 to 1.
    """

    shift: Shift
    verdict: Verdict = Verdict.NOT_JUDGED
    reason: Reason | None = None
    p_value: float | None = None
    effect: float | None = None


@dataclass(frozen=True, kw_only=True)
class SelectionReport:
    """Whether the labelled rows look like the window's others: labels that arrive selectively mislead.

    `features` names those that differ.
    """

    verdict: Verdict = Verdict.NOT_JUDGED
    reason: Reason | None = None
    features: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class KnownMiss:
    """What labels showed of the projection of one window: later windows are projected with it.

    `miss` is the realised accuracy minus the one projected by the labelled rows alone, -1 to 1, whether that projection
    was refused or not; it has no correction by earlier misses, so that it does not follow itself. `half_width` is that
    of its 95 % interval for sampling alone. `evidence` has how far the rows were from the test set.
    """

    window: WindowBounds
    n_rows: int
    miss: float
    half_width: float
    evidence: ProjectionEvidence = ProjectionEvidence()


@dataclass(frozen=True, kw_only=True)
class WindowQuality:
    """One earlier window with the labels that have come for it.

    `verdict` is drift when the realised accuracy is below the reference by `QualityReport.drop_threshold` or more, and
    by more than chance. `projected` is the accuracy projected for the labelled rows alone; `projection_error` is
    realised minus projected, -1 to 1. `is_final`: the time for labels is over. `shifts` has label shift and concept
    shift, as labels show them. `labelled_fraction` is None without rows. The first `hours_added` of `window` were added
    to a run's own window, which had too few labelled rows (docs/configuration.md#low-traffic).
    """

    window: WindowBounds
    n_rows: int
    n_labelled: int
    labelled_fraction: float | None
    is_final: bool
    verdict: Verdict = Verdict.NOT_JUDGED
    reason: Reason | None = None
    measures: tuple[MeasureReport, ...] = ()
    projected: MeasureReport | None = None
    projection_error: float | None = None
    miss: KnownMiss | None = None
    shifts: tuple[ShiftReport, ...] = ()
    selection: SelectionReport = SelectionReport()
    bias: BiasReport = BiasReport()
    hours_added: int = 0

    @property
    def own_window(self) -> WindowBounds:
        """The run's own window, without the hours that were added."""
        return self.window.without_first(self.hours_added)

    def measure(self, measure: Measure) -> MeasureReport:
        """Return one realised figure."""
        return next((found for found in self.measures if found.measure is measure), MeasureReport(measure=measure))

    def shift(self, kind: Shift) -> ShiftReport:
        """Return what is known of one kind of shift."""
        return next((found for found in self.shifts if found.shift is kind), ShiftReport(shift=kind))


@dataclass(frozen=True, kw_only=True)
class QualityReport(OptionalPart):
    """Ground truth: the labels that came for the windows before this one, oldest window first.

    `lag_hours` is how long labels of a window are accepted. `labels` counts the label records that were read; they are
    used when they belong to a captured record of one of the windows. A window with a lower `labelled_fraction` than
    `minimum_labelled_fraction` is not judged. Where several variants answered in some of the windows, `windows` has the
    quality of the leading one, and `variants` that of each of them.
    """

    reason: Reason | None = SWITCHED_OFF
    lag_hours: int = 0
    minimum_labelled_fraction: float | None = None
    drop_threshold: float | None = None
    labels: RecordCounts = RecordCounts()
    windows: tuple[WindowQuality, ...] = ()
    variants: Mapping[str, tuple[WindowQuality, ...]] = field(default_factory=dict)

    @property
    def latest_judged(self) -> WindowQuality | None:
        """The last window that was judged."""
        return next((found for found in reversed(self.windows) if found.verdict is not Verdict.NOT_JUDGED), None)

    @property
    def latest_final(self) -> WindowQuality | None:
        """The last window whose time for labels is over."""
        return next((found for found in reversed(self.windows) if found.is_final), None)
