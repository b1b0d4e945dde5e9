"""The report files of one run."""

import json
from collections.abc import Mapping
from pathlib import Path

from contract.names import ReportFile
from contract.records import DriftReport
from drift import sagemaker_files
from drift.handover import write_text
from drift.learned import Baseline
from drift.policy import Policy
from drift.recent_files import window_counts_text
from drift.window import WindowCounts


def write_reports(folder: Path, report: DriftReport, baseline: Baseline, window: WindowCounts, policy: Policy) -> None:
    """Write the report files. Equal arguments give equal bytes.

    Raises
    ------
    PublishError
        If the folder cannot be written.
    """
    texts = {
        ReportFile.STATISTICS: _json(sagemaker_files.statistics(window.columns, window.n_rows)),
        ReportFile.CONSTRAINTS: _json(sagemaker_files.constraints(baseline.counts, policy)),
        ReportFile.VIOLATIONS: _json(sagemaker_files.violations(report, policy)),
        ReportFile.WINDOW_COUNTS: window_counts_text(baseline, window),
        # Last, so that whoever waits for the report finds the others beside it.
        ReportFile.DRIFT_REPORT: report.to_json(),
    }
    for name, text in texts.items():
        write_text(folder / name, text)


def _json(document: Mapping[str, object]) -> str:
    return json.dumps(document, indent=2, sort_keys=True, allow_nan=False, ensure_ascii=False) + "\n"
