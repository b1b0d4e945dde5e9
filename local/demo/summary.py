"""summary.json: the demo's results, for machines."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from plumbline.contract.accuracy import Shift
from plumbline.contract.records import Verdict
from plumbline.local.demo.hours import Hour, LabelledHour, labelled_hours, labelled_record


@dataclass(frozen=True)
class FiredAlarm:
    """An alarm that went to ALARM when the window of that hour (1 is the first) had been analysed."""

    name: str
    fired_in_hour: int


@dataclass(frozen=True)
class RetrainingRun:
    """An execution of the retraining pipeline.

    `version` and `approval` are those of its challenger in the registry; `champion` and `challenger` are accuracies on
    the same newest labelled rows, 0 to 1. None where there is no challenger.
    """

    execution: str
    started_in_hour: int
    status: str
    version: int | None = None
    approval: str | None = None
    champion: float | None = None
    challenger: float | None = None


class PromotionOutcome(StrEnum):
    """How a promotion ended."""

    SERVES = "serves"
    ROLLED_BACK = "rolled_back"


@dataclass(frozen=True)
class PromotedVersion:
    """A version that was to serve, the hour in which that was decided, and the outcome."""

    version: int
    hour: int
    outcome: PromotionOutcome

    @property
    def words(self) -> str:
        """The outcome as sentences name it."""
        return f"version {self.version} {self.outcome.value.replace('rolled_back', 'was rolled back')}"


@dataclass(frozen=True)
class DemoSummary:
    """Everything that summary.json holds."""

    data_source: str
    hours: Sequence[Hour]
    alarms: Sequence[FiredAlarm] = field(default_factory=tuple)
    retrainings: Sequence[RetrainingRun] = field(default_factory=tuple)
    promotions: Sequence[PromotedVersion] = field(default_factory=tuple)

    def write(self, path: Path) -> None:
        """Write summary.json."""
        known = labelled_hours(self.hours)
        record = {
            "data_source": self.data_source,
            "hours": [_hour(hour, known.get(number)) for number, hour in enumerate(self.hours, 1)],
            "alarms": [asdict(alarm) for alarm in self.alarms],
            "retrainings": [asdict(run) for run in self.retrainings],
            "promotions": [asdict(promotion) for promotion in self.promotions],
        }
        path.write_text(json.dumps(record, indent=2, sort_keys=True, allow_nan=False) + "\n", encoding="utf-8")


def _hour(hour: Hour, known: LabelledHour | None) -> dict[str, Any]:
    report, projected = hour.report, hour.projected
    return {
        "window": hour.window,
        "n_rows": report.n_rows if report else 0,
        "verdict": hour.verdict,
        "reason": str(report.reason or "") if report else "no report",
        "model": report.model.artifact if report and report.model else None,
        "drifted_features": list(report.drifted_features) if report else [],
        "true_accuracy": hour.true_accuracy,
        "projected_accuracy": {
            "status": projected.status,
            "estimate": projected.estimate,
            "lower": projected.lower,
            "upper": projected.upper,
            "verdict": projected.verdict,
        },
        "realised_accuracy": labelled_record(known),
        "shifts": {
            shift: {
                "without_labels": hour.shift(shift).verdict,
                "with_labels": known.quality.shift(shift).verdict if known else Verdict.NOT_JUDGED,
            }
            for shift in Shift
        },
    }
