"""summary.json and the closing words: what the demo showed, for machines and for people."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from contract.records import DriftReport, Status, Verdict


@dataclass(frozen=True)
class Hour:
    """One simulated hour: what the monitor said and what was true.

    `report` is None when the monitor left none; `true_accuracy` is None when the scenario makes labels untrue.
    """

    window: str
    true_accuracy: float | None
    report: DriftReport | None

    def to_record(self) -> dict[str, Any]:
        """Return the entry of summary.json."""
        report = self.report
        projected = report.projected_accuracy if report else None
        return {
            "window": self.window,
            "n_rows": report.n_rows if report else 0,
            "verdict": report.verdict if report else Verdict.NOT_JUDGED,
            "drifted_features": list(report.drifted_features) if report else [],
            "true_accuracy": self.true_accuracy,
            "projected_accuracy": {
                "status": projected.status if projected else Status.NOT_JUDGED,
                "estimate": projected.estimate if projected else None,
                "lower": projected.lower if projected else None,
                "upper": projected.upper if projected else None,
            },
        }

    @property
    def covered(self) -> bool:
        """Whether the true accuracy lies inside the projected interval."""
        projected = self.report.projected_accuracy if self.report else None
        if projected is None or projected.lower is None or projected.upper is None or self.true_accuracy is None:
            return False
        return projected.lower <= self.true_accuracy <= projected.upper


@dataclass(frozen=True)
class FiredAlarm:
    """An alarm that went to ALARM when the window of that hour (1 is the first) had been analysed."""

    name: str
    fired_in_hour: int


@dataclass(frozen=True)
class RetrainingJob:
    """A training job that the alarm started; `artifact` is the URI of the model it made."""

    name: str
    started_in_hour: int
    status: str
    artifact: str | None = None

    def to_record(self) -> dict[str, Any]:
        """Return the entry of summary.json."""
        return {"name": self.name, "started_in_hour": self.started_in_hour, "status": self.status}


@dataclass(frozen=True)
class Summary:
    """Everything that summary.json holds."""

    data_source: str
    hours: Sequence[Hour]
    alarms: Sequence[FiredAlarm] = field(default_factory=tuple)
    retraining_jobs: Sequence[RetrainingJob] = field(default_factory=tuple)

    def write(self, path: Path) -> None:
        """Write summary.json."""
        record = {
            "data_source": self.data_source,
            "hours": [hour.to_record() for hour in self.hours],
            "alarms": [asdict(alarm) for alarm in self.alarms],
            "retraining_jobs": [job.to_record() for job in self.retraining_jobs],
        }
        path.write_text(json.dumps(record, indent=2, sort_keys=True, allow_nan=False) + "\n", encoding="utf-8")

    def words(self) -> list[str]:
        """Return the summary as sentences."""
        return [
            self._about_drift(),
            self._about_accuracy(),
            self._about_alarms(),
            *map(_about_job, self.retraining_jobs),
        ]

    def _about_drift(self) -> str:
        judged = [number for number, hour in enumerate(self.hours, 1) if hour.report]
        drifted = [number for number in judged if _verdict(self.hours[number - 1]) is Verdict.DRIFT]
        if not drifted:
            return f"No drift in {len(judged)} of {len(self.hours)} hours."
        report = self.hours[drifted[0] - 1].report
        names = ", ".join(report.drifted_features) if report else ""
        return (
            f"Drift was first seen in hour {drifted[0]} ({names or 'the prediction'}), in {len(drifted)} hours in all."
        )

    def _about_accuracy(self) -> str:
        first, last = self.hours[0].true_accuracy, self.hours[-1].true_accuracy
        if first is None or last is None:
            return "True accuracy is not known: the scenario overwrites values, so the rows' labels no longer hold."
        covered = sum(hour.covered for hour in self.hours)
        return (
            f"True accuracy went from {first:.1%} to {last:.1%}; "
            f"it lay inside the projected 95 % interval in {covered} of {len(self.hours)} hours, without a label."
        )

    def _about_alarms(self) -> str:
        if not self.alarms:
            return "No alarm fired."
        return "Alarms: " + "; ".join(f"{alarm.name} in hour {alarm.fired_in_hour}" for alarm in self.alarms) + "."


def _verdict(hour: Hour) -> Verdict | None:
    return hour.report.verdict if hour.report else None


def _about_job(job: RetrainingJob) -> str:
    made = f"; its model is {job.artifact}" if job.artifact else ""
    return f"Retraining job {job.name} started in hour {job.started_in_hour} and is {job.status}{made}."
