"""The simulated hours: what the monitor reported, what was true, and what labels showed later."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from plumbline.contract.accuracy import Measure, MeasureReport, Shift
from plumbline.contract.description import contains, percent, realised_accuracy, shows
from plumbline.contract.quality import ShiftReport, WindowQuality
from plumbline.contract.records import DriftReport, ProjectedAccuracy, Verdict


@dataclass(frozen=True)
class Hour:
    """An hour by the start of its window.

    `report` is None when the monitor left none; `true_accuracy` is None when the scenario makes labels untrue.
    """

    window: str
    true_accuracy: float | None
    report: DriftReport | None

    @property
    def verdict(self) -> Verdict:
        """The monitor's; without a report nothing was judged."""
        return self.report.verdict if self.report else Verdict.NOT_JUDGED

    @property
    def projected(self) -> ProjectedAccuracy:
        """The projected accuracy; not judged without a report."""
        return self.report.projected_accuracy if self.report else ProjectedAccuracy()

    def shift(self, kind: Shift) -> ShiftReport:
        """Return one kind of shift as the report has it without labels."""
        shifts = self.report.shifts if self.report else ()
        return next((found for found in shifts if found.shift is kind), ShiftReport(shift=kind))

    @property
    def covered(self) -> bool | None:
        """Whether the true accuracy lies inside the projected interval; None without an interval, or a truth."""
        return contains(self.projected, self.true_accuracy)


def named(numbers: Iterable[int]) -> str:
    """Return hours as a sentence names them.

    Examples
    --------
    >>> named([3]), named([3, 4, 5]), named([1, 3, 4, 6])
    ('hour 3', 'hours 3 to 5', 'hours 1, 3 to 4 and 6')
    """
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    parts = [f"{run[0]} to {run[-1]}" if len(run) > 1 else str(run[0]) for run in runs]
    plural = "s" if sum(map(len, runs)) > 1 else ""
    return f"hour{plural} {' and '.join(filter(None, (', '.join(parts[:-1]), parts[-1])))}" if parts else "no hour"


@dataclass(frozen=True)
class LabelledHour:
    """One hour with its labels, as the newest report has it; `known_in` is the hour whose report first judged it."""

    hour: int
    known_in: int
    quality: WindowQuality

    @property
    def accuracy(self) -> MeasureReport:
        """The realised accuracy; not judged where there is none."""
        return self.quality.measure(Measure.ACCURACY)


def labelled_record(known: LabelledHour | None) -> dict[str, Any]:
    """Return the entry of summary.json, for an hour without labels too."""
    accuracy = known.accuracy if known else MeasureReport(measure=Measure.ACCURACY)
    return {
        "status": accuracy.status,
        "value": accuracy.value,
        "lower": accuracy.lower,
        "upper": accuracy.upper,
        "verdict": known.quality.verdict if known else Verdict.NOT_JUDGED,
        "labelled_fraction": known.quality.labelled_fraction if known else None,
        "projection_error": known.quality.projection_error if known else None,
        "known_in_hour": known.known_in if known else None,
    }


def labelled_hours(hours: Sequence[Hour]) -> dict[int, LabelledHour]:
    """Return what is known of each hour, counted from 1, that a report has judged by its labels."""
    numbers = {hour.window: number for number, hour in enumerate(hours, 1)}
    found: dict[int, LabelledHour] = {}
    for known_in, hour in enumerate(hours, 1):
        for quality in hour.report.quality.windows if hour.report else ():
            number = numbers.get(quality.own_window.start or "")
            if number is None or quality.verdict is Verdict.NOT_JUDGED or realised_accuracy(quality) is None:
                continue
            first = found[number].known_in if number in found else known_in
            found[number] = LabelledHour(number, first, quality)
    return found


def news(hours: Sequence[Hour]) -> tuple[LabelledHour | None, list[str]]:
    """Return the latest hour that the newest report is the first to judge, and notes on such hours."""
    known = labelled_hours(hours)
    new = [known[number] for number in sorted(known) if known[number].known_in == len(hours)]
    earlier = [found for found in known.values() if found.known_in < len(hours)]
    return (new[-1] if new else None), [*_first_shifts(new, earlier)]


def _first_shifts(new: Sequence[LabelledHour], earlier: Sequence[LabelledHour]) -> Iterator[str]:
    """Yield a note on each kind of shift that labels show for the first time."""
    for kind in (Shift.LABEL, Shift.CONCEPT):
        if any(shows(found.quality, kind) for found in earlier):
            continue
        first = next((found for found in new if shows(found.quality, kind)), None)
        if first is not None:
            projected = first.quality.projected
            versus = f", {percent(projected.value)} projected" if projected and projected.value is not None else ""
            right = f"realised accuracy {percent(first.accuracy.value)}{versus}"
            yield f"labels of hour {first.hour} show {kind.words}: {right}"
