"""`plumbline monitor`."""

import argparse
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from plumbline.commands.baseline import (
    add_reference_arguments,
    check_reference,
    feature_types,
    missing_values,
    prediction_format,
    reference_files,
    task,
)
from plumbline.contract.description import report_lines
from plumbline.contract.names import ReportFile
from plumbline.contract.records import Verdict
from plumbline.contract.thresholds import THRESHOLDS
from plumbline.exit_codes import EXIT_FINISHED, EXIT_NEGATIVE, CommandError

if TYPE_CHECKING:
    from plumbline.drift.reference.baseline import Baseline
    from plumbline.drift.settings.policy import Policy
    from plumbline.drift.settings.run import OptionalAnalyses


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    parser.add_argument(
        "--dataset-source", type=Path, required=True, metavar="DIR", help="folder with capture files, at any depth"
    )
    _add_reference(parser)
    parser.add_argument("--output", type=Path, required=True, metavar="DIR", help="folder to write the reports to")
    parser.add_argument(
        "--start-time", metavar="T", help="start of the window, ISO 8601, for example 2026-01-31T13:00:00Z"
    )
    parser.add_argument("--end-time", metavar="T", help="end of the window, not part of it; both times or none")
    parser.add_argument(
        "--variant",
        metavar="NAME",
        help="judge the records of this variant only (default: each of several apart, shadow variants as such)",
    )
    parser.add_argument(
        "--recent", type=Path, metavar="DIR",
        help="also judge what changed over time, going on from the earlier windows whose reports are below this folder",
    )  # fmt: skip
    parser.add_argument(
        "--look-back-hours", type=int, default=0, metavar="N",
        help="let a window with too few rows begin up to so many hours earlier, until it has enough; needs both times "
        "(default: %(default)s)",
    )  # fmt: skip
    _add_thresholds(parser)
    _add_labels(parser)
    _add_extras(parser)


def _add_reference(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("reference", "a saved baseline, or the CSV files to learn one from")
    source = group.add_mutually_exclusive_group(required=True)
    source.add_argument("--baseline", type=Path, metavar="DIR", help="folder that baseline wrote")
    source.add_argument("--train", type=Path, metavar="FILE", help="training rows, CSV with a header row")
    add_reference_arguments(group)


def _add_thresholds(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("thresholds")
    for row in THRESHOLDS:
        text = f"{row.text}: %(choices)s" if row.choices else row.text
        group.add_argument(
            row.option,
            type=str if row.choices else row.kind,
            choices=row.choices or None,
            metavar=row.unit.upper(),
            help=f"{text[0].lower()}{text[1:]} (default: {row.absent})",
        )
    group.add_argument(
        "--policy", type=Path, metavar="FILE",
        help="JSON file with thresholds, also of single features; its values take precedence over the options above",
    )  # fmt: skip


def _add_labels(parser: argparse.ArgumentParser) -> None:
    labels = parser.add_argument_group("labels", "ground truth, as the labels command writes it")
    labels.add_argument("--labels", type=Path, metavar="DIR", help="folder with label files, at any depth")
    labels.add_argument(
        "--label-lag-hours", type=int, default=0, metavar="N",
        help="also judge the earlier windows of so many hours, whose captures are below --dataset-source "
        "(default: %(default)s)",
    )  # fmt: skip
    labels.add_argument("--merged", type=Path, metavar="DIR", help="folder to write captures joined with labels to")


def _add_extras(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--multivariate",
        action="store_true",
        help="also test whether a classifier can distinguish the window's rows from the reference's",
    )
    parser.add_argument(
        "--isolation-forest",
        action="store_true",
        help="also compute the Isolation Forest similarity, which is no accuracy",
    )
    parser.add_argument(
        "--facet", metavar="NAME", help="categorical column by whose values bias is measured (default: none)"
    )
    parser.add_argument(
        "--model", type=Path, metavar="FILE",
        help="model.tar.gz, or a folder with its content, for feature attributions (default: none)",
    )  # fmt: skip
    parser.add_argument(
        "--seed", type=int, default=0, metavar="N", help="seed of the resampling (default: %(default)s)"
    )
    parser.add_argument(
        "--fail-on-violation", action="store_true", help="end with exit code 1 when the verdict is drift"
    )


def run(arguments: argparse.Namespace) -> int:
    """Judge the window, write its reports and print the verdict."""
    from plumbline.drift import run as drift_run
    from plumbline.drift.data.documents import storage_remedy
    from plumbline.drift.errors import BaselineMismatchError, DriftError, PublishError
    from plumbline.drift.reference.accepted import folder_beside

    _check(arguments)
    try:
        report = drift_run.monitor(
            dataset_source=_captured(arguments.dataset_source),
            baseline=_reference(arguments),
            output=arguments.output,
            start_time=arguments.start_time,
            end_time=arguments.end_time,
            policy=_policy(arguments),
            variant=arguments.variant,
            predictions=prediction_format(arguments),
            recent=arguments.recent,
            accepted=arguments.baseline and folder_beside(arguments.baseline),
            look_back_hours=arguments.look_back_hours,
            analyses=_analyses(arguments),
            seed=arguments.seed,
        )
    except PublishError as error:
        cause = error.__cause__ or error
        remedy = storage_remedy(cause) if isinstance(cause, OSError) else "choose another folder"
        raise CommandError(f"--output must be a folder to write to, got {cause}; {remedy}") from error
    except BaselineMismatchError as error:
        raise CommandError(f"{error}{_target_hint(arguments)}") from error
    except DriftError as error:
        raise CommandError(str(error)) from error
    for line in report_lines(report):
        print(line)
    print(f"reports: {arguments.output / ReportFile.DRIFT_REPORT} and other files in that folder")
    failed = arguments.fail_on_violation and report.verdict is Verdict.DRIFT
    return EXIT_NEGATIVE if failed else EXIT_FINISHED


def _target_hint(arguments: argparse.Namespace) -> str:
    """Return what to try: the column that every captured row lacks may be the target, which requests do not hold."""
    is_unnamed = arguments.train and arguments.target_label is None
    return "; if the file has a target column, name it with --target-label" if is_unnamed else ""


def _check(arguments: argparse.Namespace) -> None:
    if arguments.seed < 0:
        raise CommandError(f"--seed must be 0 or more, got {arguments.seed}; choose another")
    if arguments.look_back_hours < 0:
        raise CommandError(f"--look-back-hours must be 0 or more, got {arguments.look_back_hours}; choose another")
    if arguments.look_back_hours and not (arguments.start_time and arguments.end_time):
        raise CommandError("--look-back-hours must come with --start-time and --end-time, got it alone; give both")
    # A missing folder has no earlier windows, which the report gives as reason: the same command fits every run.
    if arguments.recent is not None and arguments.recent.exists() and not arguments.recent.is_dir():
        raise CommandError(f"--recent must be a folder, got {str(arguments.recent)!r}; name that of earlier --output")
    if arguments.labels is not None and not arguments.labels.is_dir():
        raise CommandError(f"--labels must be a folder of label files, got {str(arguments.labels)!r}; check the path")
    if arguments.labels is None and (arguments.merged or arguments.label_lag_hours):
        raise CommandError(
            "--merged and --label-lag-hours must come with --labels, got them alone; name the label files"
        )
    if arguments.baseline and (arguments.test or arguments.predictions):
        raise CommandError("--test and --predictions must come with --train, got --baseline; a baseline brings its own")
    if arguments.baseline and (arguments.history or arguments.time_column):
        raise CommandError(
            "--history and --time-column must come with --train, got --baseline; a baseline brings its own"
        )
    check_reference(arguments)


def _analyses(arguments: argparse.Namespace) -> "OptionalAnalyses":
    from plumbline.drift.settings.run import LabelSource, OptionalAnalyses

    ground_truth = arguments.labels and LabelSource(
        labels=str(arguments.labels),
        captures=str(arguments.dataset_source),
        lag_hours=arguments.label_lag_hours,
        merged=arguments.merged and str(arguments.merged),
    )
    return OptionalAnalyses(
        isolation_forest=arguments.isolation_forest,
        multivariate=arguments.multivariate,
        labels=ground_truth,
        facet=arguments.facet,
        model=arguments.model and str(arguments.model),
    )


def _captured(folder: Path) -> Path:
    from plumbline.drift.read.folder import SUFFIXES, listed

    found = listed(folder)
    if not found.files and found.manifests:
        raise CommandError(
            f"--dataset-source must hold an endpoint's capture files, got {len(found.manifests)} manifests of a batch "
            f"transform below {folder}, for example {found.manifests[0]}; batch transforms are not monitored"
        )
    if not found.files and not found.odd:
        raise CommandError(
            f"--dataset-source must hold capture files, {' or '.join(f'*{suffix}' for suffix in SUFFIXES)}, got none "
            f"below {folder}; name the folder that the endpoint's capture was copied to"
        )
    return folder


def _reference(arguments: argparse.Namespace) -> "Baseline":
    from plumbline.drift.projection.learn_history import learn_reference
    from plumbline.drift.reference.baseline import load

    if arguments.train:
        return learn_reference(reference_files(arguments))
    baseline = load(arguments.baseline)
    for option, given, learned in (
        ("--target-label", arguments.target_label, baseline.target_label),
        ("--segment-column", arguments.segment_column, baseline.segment_column),
        ("--block-column", arguments.block_column, baseline.blocks and baseline.blocks.column),
        ("--task", task(arguments), baseline.task),
    ):
        if given not in {None, learned}:
            raise CommandError(
                f"{option} must be the baseline's ({learned or 'it has none'}), got {given!r}; leave it out, or learn "
                "a baseline with it"
            )
    if arguments.missing_value is not None and missing_values(arguments) != baseline.missing_values:
        raise CommandError(
            f"--missing-value must be as the baseline was learned with ({_listed(baseline.missing_values)}), got "
            f"{_listed(missing_values(arguments))}; leave it out, or learn a baseline with it"
        )
    return baseline


def _listed(texts: Iterable[str]) -> str:
    return ", ".join(map(repr, sorted(texts)))


def _policy(arguments: argparse.Namespace) -> "Policy":
    from plumbline.drift.settings.policy import FeaturePolicy, Policy
    from plumbline.drift.settings.policy_file import read_policy

    given = {row: getattr(arguments, row.name) for row in THRESHOLDS}
    features = {name: FeaturePolicy(type=kind) for name, kind in feature_types(arguments).items()}
    thresholds = {row.name: row.kind(value) for row, value in given.items() if value is not None}
    policy = Policy(**thresholds, features=features)
    return policy if arguments.policy is None else read_policy(arguments.policy, policy)
