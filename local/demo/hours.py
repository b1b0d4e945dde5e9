"""One simulated hour: what the monitor said and what was true."""

from collections.abc import Iterable
from dataclasses import dataclass

from contract.accuracy import Shift
from contract.quality import ShiftReport
from contract.records import DriftReport, ProjectedAccuracy, Verdict


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
        """Return what the report says of one kind of shift without labels."""
        shifts = self.report.shifts if self.report else ()
        return next((found for found in shifts if found.shift is kind), ShiftReport(shift=kind))

    @property
    def covered(self) -> bool:
        """Whether the true accuracy lies inside the projected interval."""
        projected = self.projected
        if projected.lower is None or projected.upper is None or self.true_accuracy is None:
            return False
        return projected.lower <= self.true_accuracy <= projected.upper


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
