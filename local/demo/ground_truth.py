"""What labels have said of the demo's hours: later reports judge the windows of earlier ones."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from contract.accuracy import Measure, MeasureReport, Shift
from contract.quality import WindowQuality
from contract.records import Verdict
from local.demo.hours import Hour

_UNKNOWN = MeasureReport(measure=Measure.ACCURACY)


def _accuracy(quality: WindowQuality) -> MeasureReport:
    return next((found for found in quality.measures if found.measure is Measure.ACCURACY), _UNKNOWN)


@dataclass(frozen=True)
class Realised:
    """One hour with its labels, as the newest report has it; `known_in` is the hour whose report first judged it."""

    hour: int
    known_in: int
    quality: WindowQuality

    @property
    def accuracy(self) -> MeasureReport:
        """The realised accuracy; not judged where there is none."""
        return _accuracy(self.quality)

    def shows(self, kind: Shift) -> bool:
        """Return whether the labels show this kind of shift."""
        return self.quality.shift(kind).verdict is Verdict.DRIFT

    @property
    def was_foreseen(self) -> bool | None:
        """Whether the realised accuracy lies inside the interval projected for the labelled rows; None: not known."""
        projected, value = self.quality.projected, self.accuracy.value
        if projected is None or projected.lower is None or projected.upper is None or value is None:
            return None
        return projected.lower <= value <= projected.upper


def to_record(known: Realised | None) -> dict[str, Any]:
    """Return the entry of summary.json, for an hour without labels too."""
    accuracy = known.accuracy if known else _UNKNOWN
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


def realised(hours: Sequence[Hour]) -> dict[int, Realised]:
    """Return what is known of each hour, counted from 1, that a report has judged by its labels."""
    numbers = {hour.window: number for number, hour in enumerate(hours, 1)}
    found: dict[int, Realised] = {}
    for known_in, hour in enumerate(hours, 1):
        for quality in hour.report.quality.windows if hour.report else ():
            number = numbers.get(quality.window.start or "")
            if number is None or quality.verdict is Verdict.NOT_JUDGED or _accuracy(quality).value is None:
                continue
            first = found[number].known_in if number in found else known_in
            found[number] = Realised(number, first, quality)
    return found


def news(hours: Sequence[Hour]) -> tuple[Realised | None, list[str]]:
    """Return the latest hour that the newest report is the first to judge, and what is to be told of such hours."""
    known = realised(hours)
    new = [known[number] for number in sorted(known) if known[number].known_in == len(hours)]
    earlier = [found for found in known.values() if found.known_in < len(hours)]
    return (new[-1] if new else None), [*_first_sights(new, earlier)]


def _first_sights(new: Sequence[Realised], earlier: Sequence[Realised]) -> Iterator[str]:
    """Yield a note on each kind of shift that labels show for the first time."""
    for kind in (Shift.LABEL, Shift.CONCEPT):
        if any(found.shows(kind) for found in earlier):
            continue
        first = next((found for found in new if found.shows(kind)), None)
        if first is not None:
            projected = first.quality.projected
            told = f", {projected.value:.1%} were projected" if projected and projected.value is not None else ""
            right = f"{first.accuracy.value:.1%} of its predictions were right{told}"
            yield f"labels of hour {first.hour} show {kind.words}: {right}"
