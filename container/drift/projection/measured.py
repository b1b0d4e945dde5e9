"""What the rows of a window say of its accuracy, before it is known how far they are to be believed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from plumbline.contract.accuracy import ProjectedAccuracy
from plumbline.contract.quality import KnownMiss
from plumbline.contract.reasons import Reason
from plumbline.contract.records import Status, WindowBounds
from plumbline.drift.data.window import WindowCounts
from plumbline.drift.projection.estimate import AccuracyEstimate, with_verdict
from plumbline.drift.projection.refusals import Limits, interval_refusal, partly_predicted
from plumbline.drift.projection.wander import MIN_PAST_WINDOWS, NO_WANDER, Wander, interval_of

_NO_MISSES: tuple[KnownMiss, ...] = ()
MAX_HALF_WIDTH = 0.25
"""Of a 95 % interval that holds what the task wanders: a wider one is half of all accuracies, and says nothing."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Measured:
    """An estimate by a window's rows alone, and what may be held against it.

    `known` has reference and evidence; with a `reason` there is no estimate. `estimates` are those that there are, the
    best first; the next is for windows where the variance of the first is too large. `refused` says why these rows
    allow none within some limits, or None. `complete` adds the other figures to a projection.
    """

    known: ProjectedAccuracy
    window: WindowCounts
    limits: Limits
    estimates: tuple[AccuracyEstimate, ...] = ()
    refused: Callable[[Limits], Reason | None] = lambda _: None
    complete: Callable[[ProjectedAccuracy, AccuracyEstimate], ProjectedAccuracy] = lambda found, _: found

    @property
    def chosen(self) -> AccuracyEstimate | None:
        """The first estimate that sampling alone does not make useless, else the first."""
        useful = (one for one in self.estimates if one.sampling_half_width <= self.limits.half_width)
        return next(useful, self.estimates[0] if self.estimates else None)

    def by_rows(self) -> ProjectedAccuracy:
        """Return the projection of a task that does not wander."""
        return self._projected(self.estimates[0] if self.estimates else None, self.limits, NO_WANDER, _NO_MISSES)

    def projected(self, covered: Limits, past: Wander, misses: Sequence[KnownMiss]) -> ProjectedAccuracy:
        """Return the projection by what is known of the task: its past, and the misses of the windows before.

        Parameters
        ----------
        covered
            Limits with room for what the past and the windows before showed as well.
        """
        if past.is_known or len(misses) >= MIN_PAST_WINDOWS:
            return self._projected(self.chosen, covered, past, misses, is_measured=True)
        return self._projected(self.estimates[0] if self.estimates else None, covered, past, misses)

    def miss(self, realised: float, bounds: WindowBounds) -> KnownMiss | None:
        """Return by how much labels show the rows' own estimate to be off; None: there is none, or no time for it."""
        if self.chosen is None or bounds.end is None:
            return None
        return KnownMiss(
            window=bounds,
            n_rows=self.window.n_rows,
            miss=realised - self.chosen.value,
            half_width=self.chosen.sampling_half_width,
            evidence=self.known.evidence,
        )

    def _projected(
        self,
        found: AccuracyEstimate | None,
        limits: Limits,
        past: Wander,
        misses: Sequence[KnownMiss],
        *,
        is_measured: bool = False,
    ) -> ProjectedAccuracy:
        refused = self.known.reason or self.refused(limits)
        if refused or found is None:
            return replace(self.known, reason=refused)
        known = replace(self.known, evidence=replace(self.known.evidence, spread=found.spread))
        interval = interval_of(found.sampling, found.spread, past, misses)
        # What sampling leaves open is held to the limit; what the task wanders may be more.
        of_rows = found.sampling_half_width if is_measured else interval.half_widths.sampling
        if of_rows > limits.half_width:
            return replace(known, reason=interval_refusal(of_rows, limits.half_width))
        if interval.half_width > max(MAX_HALF_WIDTH, limits.half_width):
            return replace(known, reason=interval_refusal(interval.half_width, MAX_HALF_WIDTH))
        # A rounding error must not carry a certain row's share past 1.
        value = min(max(found.value + interval.correction, 0.0), 1.0)
        estimated = replace(
            known,
            status=Status.ESTIMATED,
            reason=partly_predicted(self.window),
            estimate=value,
            lower=max(value - interval.half_width, 0.0),
            upper=min(value + interval.half_width, 1.0),
            half_widths=interval.half_widths,
            correction=interval.correction,
            n_labelled_windows=interval.n_misses,
            drop=(known.reference or 0.0) - value,
        )
        return with_verdict(self.complete(estimated, found), interval.deviation)
