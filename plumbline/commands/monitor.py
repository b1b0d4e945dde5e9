"""`plumbline monitor`."""

import argparse
from collections.abc import Iterator
from pathlib import Path

from drift.policy import Policy

from contract.names import ReportFile
from contract.records import DriftReport, ProjectedAccuracy, Status, Verdict
from plumbline.commands.errors import CommandError
from plumbline.exit_codes import EXIT_FINISHED

EXIT_VIOLATION = 1
_DEFAULT = Policy()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    parser.add_argument(
        "--dataset-source", type=Path, required=True, metavar="DIR", help="folder with capture files, at any depth"
    )
    parser.add_argument("--baseline", type=Path, required=True, metavar="DIR", help="folder that baseline wrote")
    parser.add_argument("--output", type=Path, required=True, metavar="DIR", help="folder to write the reports to")
    parser.add_argument(
        "--start-time", metavar="T", help="start of the window, ISO 8601, for example 2026-01-31T13:00:00Z"
    )
    parser.add_argument("--end-time", metavar="T", help="end of the window, not part of it; both times or none")
    _add_thresholds(parser)
    parser.add_argument(
        "--isolation-forest",
        action="store_true",
        help="also compute the Isolation Forest similarity, which is no accuracy",
    )
    parser.add_argument(
        "--seed", type=int, default=0, metavar="N", help="seed of the resampling (default: %(default)s)"
    )
    parser.add_argument(
        "--fail-on-violation", action="store_true", help="end with exit code 1 when the verdict is drift"
    )


def _add_thresholds(parser: argparse.ArgumentParser) -> None:
    thresholds = parser.add_argument_group("thresholds")
    thresholds.add_argument(
        "--alpha", type=float, default=_DEFAULT.alpha, metavar="P",
        help="a feature drifts only when its adjusted p-value is below this (default: %(default)s)",
    )  # fmt: skip
    thresholds.add_argument(
        "--effect-threshold", type=float, default=_DEFAULT.effect_threshold, metavar="D",
        help="and when its Jensen-Shannon distance is at least this, 0 to 1 (default: %(default)s)",
    )  # fmt: skip
    thresholds.add_argument(
        "--missing-threshold", type=float, default=_DEFAULT.missing_threshold, metavar="F",
        help="or when its missing fraction moved by at least this, significantly (default: %(default)s)",
    )  # fmt: skip
    thresholds.add_argument(
        "--minimum-rows", type=int, default=_DEFAULT.minimum_rows, metavar="N",
        help="a window with fewer rows is not judged (default: %(default)s)",
    )  # fmt: skip


def run(arguments: argparse.Namespace) -> int:
    """Judge the window, write its reports and print the verdict."""
    from drift import run as drift_run
    from drift.errors import DriftError, PublishError

    if arguments.seed < 0:
        raise CommandError(f"--seed must be 0 or more, got {arguments.seed}; choose another")
    try:
        report = drift_run.monitor(
            dataset_source=arguments.dataset_source,
            baseline=arguments.baseline,
            output=arguments.output,
            start_time=arguments.start_time,
            end_time=arguments.end_time,
            policy=_policy(arguments),
            isolation_forest=arguments.isolation_forest,
            seed=arguments.seed,
        )
    except PublishError as error:
        cause = error.__cause__ or error
        raise CommandError(f"--output must be a folder to write to, got {cause}; choose another folder") from error
    except DriftError as error:
        raise CommandError(str(error)) from error
    for line in verdict_lines(report):
        print(line)
    print(f"reports: {arguments.output / ReportFile.DRIFT_REPORT} and the files beside it")
    failed = arguments.fail_on_violation and report.verdict is Verdict.DRIFT
    return EXIT_VIOLATION if failed else EXIT_FINISHED


def _policy(arguments: argparse.Namespace) -> Policy:
    return Policy(
        alpha=arguments.alpha,
        effect_threshold=arguments.effect_threshold,
        missing_threshold=arguments.missing_threshold,
        minimum_rows=arguments.minimum_rows,
    )


def verdict_lines(report: DriftReport) -> Iterator[str]:
    """Yield what a person wants to know of one report, a line each."""
    if report.verdict is Verdict.DRIFT:
        yield "verdict: drift"
        yield f"drifted features: {', '.join(report.drifted_features) or 'none, but the prediction'}"
    else:
        yield f"verdict: {report.verdict.replace('_', ' ')}{f': {report.reason}' if report.reason else ''}"
    yield f"projected accuracy: {_accuracy(report.projected_accuracy)}"
    counts = report.records
    reasons = ", ".join(f"{number} {reason}" for reason, number in sorted(counts.rejected.items()))
    rejected = f"{sum(counts.rejected.values())} rejected{f' ({reasons})' if reasons else ''}"
    yield f"records: {counts.read} read, {counts.used} used with {report.n_rows} rows, {rejected}"


def _accuracy(projected: ProjectedAccuracy) -> str:
    from plumbline.report.words import interval, percent

    if projected.status is not Status.ESTIMATED:
        return f"not judged: {projected.reason}"
    reference = f", {percent(projected.reference)} on the labelled test set" if projected.reference is not None else ""
    return f"{percent(projected.estimate)} (95 % interval {interval(projected)}){reference}"
