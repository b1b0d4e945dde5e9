"""`plumbline baseline`, and the options that describe a reference, which monitor has too."""

import argparse
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from plumbline.contract.description import predictions_text
from plumbline.contract.predictions import PredictionFormat, PredictionKind
from plumbline.contract.statistics import ColumnType, EffectMeasure
from plumbline.contract.training import PROBABILITY_COLUMN, Task
from plumbline.contract.values import DEFAULT_MISSING_VALUES, missing_values_of
from plumbline.exit_codes import EXIT_FINISHED, CommandError

if TYPE_CHECKING:
    from plumbline.drift.reference.baseline import Baseline
    from plumbline.drift.reference.blocks import Blocks
    from plumbline.drift.reference.column_types import ColumnRules
    from plumbline.drift.reference.csv_inputs import ReferenceFiles
    from plumbline.drift.reference.history import History, PastWindow

Options: TypeAlias = argparse.ArgumentParser | argparse._ArgumentGroup


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    parser.add_argument(
        "--train", type=Path, required=True, metavar="FILE", help="training rows, CSV with a header row"
    )
    add_reference_arguments(parser)
    parser.add_argument("--output", type=Path, required=True, metavar="DIR", help="folder to write the baseline to")


def run(arguments: argparse.Namespace) -> int:
    """Learn the baseline and print its folder."""
    from plumbline.drift.errors import DriftError
    from plumbline.drift.projection.learn_history import learn_reference
    from plumbline.drift.read.capture import outputs_of, predictions_report
    from plumbline.drift.reference.baseline import save

    check_reference(arguments)
    try:
        baseline = learn_reference(reference_files(arguments))
        outputs = outputs_of(baseline)
        save(baseline, arguments.output)
    except DriftError as error:
        raise CommandError(str(error)) from error
    print(f"baseline: {arguments.output}")
    print(f"task: {_task_text(baseline)}")
    print(f"predictions: {predictions_text(predictions_report(outputs))}")
    if not arguments.predictions:
        print("note: without --test and --predictions the accuracy cannot be projected")
    for line in (*block_lines(baseline.blocks), *history_lines(baseline.history)):
        print(line)
    return EXIT_FINISHED


def block_lines(blocks: "Blocks | None") -> list[str]:
    """Return in words how alike the rows of one block are: a line, or none without blocks."""
    if blocks is None:
        return []
    name, alike = max(blocks.correlations.items(), key=lambda one: one[1])
    return [
        f"blocks: of {blocks.column!r}, {blocks.size:.1f} rows each; {name!r} is most alike in them, by {alike:.2f}"
    ]


def history_lines(history: "History | None") -> list[str]:
    """Return what the past shows, in words: a line for all of it, and one for each size of its windows."""
    from plumbline.drift.reference.history import ENOUGH_WINDOWS

    if history is None:
        return []
    lines = [f"history: {history.n_rows} rows from {history.start} to {history.end}"]
    for size, windows in history.windows.items():
        parts = [f"{len(windows)} windows of {size} rows", *_missed(windows), *_wandered(windows)]
        lines.append(f"  {'; '.join(parts)}")
    if all(len(windows) < ENOUGH_WINDOWS for windows in history.windows.values()):
        n_rows = ENOUGH_WINDOWS * min(history.windows)
        lines.append(
            f"  note: the past shows little: {ENOUGH_WINDOWS} windows of a size were enough, from {n_rows} rows on"
        )
    return lines


def _missed(windows: "Sequence[PastWindow]") -> list[str]:
    misses = [100 * window.miss for window in windows if window.miss is not None]
    if not misses:
        return ["no accuracy could be projected"]
    middle, largest = statistics.median(map(abs, misses)), max(misses, key=abs)
    return [f"projections of {len(misses)} missed by {middle:.1f} points in the middle, {largest:+.1f} at most"]


def _wandered(windows: "Sequence[PastWindow]") -> list[str]:
    measure = EffectMeasure.JENSEN_SHANNON_DISTANCE
    found = [
        (change.effects[measure], name)
        for window in windows
        for name, change in window.changes.items()
        if measure in change.effects
    ]
    if not found:
        return []
    size, name = max(found)
    what = "the prediction" if name == PROBABILITY_COLUMN else repr(name)
    return [f"{what} moved most, by a {measure.declaration.words} of {size:.2f}"]


def _task_text(baseline: "Baseline") -> str:
    """Return the task, and what says so."""
    if baseline.task is None:
        return "not known: name the target with --target-label, or state --task"
    if baseline.task_is_stated:
        return f"{baseline.task}, stated"
    what = f"the {len(baseline.labels)} labels" if baseline.labels else "the numbers"
    return f"{baseline.task}, inferred from {what} of {baseline.target_label!r}"


def add_reference_arguments(options: Options) -> None:
    """Describe target, test set, its predictions and the segment column."""
    options.add_argument(
        "--target-label", metavar="NAME", help="column of --train to predict, which is not a feature (default: none)"
    )
    options.add_argument("--test", type=Path, metavar="FILE", help="labelled test rows with the same columns")
    options.add_argument(
        "--predictions",
        type=Path,
        metavar="FILE",
        help="CSV with one column, named probability: of the positive class, a row for each test row; without it the "
        "accuracy cannot be projected",
    )
    options.add_argument(
        "--history",
        type=Path,
        metavar="FILE",
        help="labelled rows of the past: the features, the target, --time-column, and the predictions as in "
        "--predictions, made out of sample; from them it is learned how far this task's accuracy and rows wander",
    )
    options.add_argument(
        "--time-column",
        metavar="NAME",
        help="column with the time of each row, ISO 8601, which is no feature: of --history, and without it of --test, "
        "which then is the past; --train may have it",
    )
    options.add_argument(
        "--block-column",
        metavar="NAME",
        help="column of any of these files that names the block of a row, such as its client, session or day: rows of "
        "one block are alike, and tell less than as many others; it is no feature, and in the payload only where "
        "--feature-type says what it is",
    )
    options.add_argument(
        "--segment-column",
        metavar="NAME",
        help="categorical column whose values are segments: each is also judged by itself",
    )
    options.add_argument(
        "--task",
        choices=tuple(map(str, Task)),
        help="what the model predicts: %(choices)s (default: inferred from the labels of the target)",
    )
    options.add_argument(
        "--prediction-kind",
        choices=tuple(map(str, PredictionKind)),
        help="what the endpoint answers: %(choices)s (default: value where the target is a quantity, else probability "
        "or label, as the answers show)",
    )
    options.add_argument(
        "--positive-label",
        metavar="LABEL",
        help="label that a number alone is the probability of (default: the last of the two in order)",
    )
    options.add_argument(
        "--prediction-path",
        metavar="PATH",
        help="where in an answer the predictions are: a JMESPath expression, or the number of a column from 0 "
        "(default: by its shape)",
    )
    options.add_argument(
        "--missing-value",
        action="append",
        metavar="TEXT",
        help="text of a cell without a value, besides the empty cell; repeat it for several, leave TEXT empty for none "
        "(default: ?, -, NaN, NA, N/A, NULL, None and other spellings of these)",
    )
    options.add_argument(
        "--feature-type",
        action="append",
        metavar="NAME=TYPE",
        help=f"what a column is: {', '.join(ColumnType)}; repeat it for several (default: recognised by the training "
        "rows, and told)",
    )


def prediction_format(arguments: argparse.Namespace) -> PredictionFormat:
    """Return what is stated of the endpoint's answers."""
    kind = arguments.prediction_kind
    return PredictionFormat(
        None if kind is None else PredictionKind(kind), arguments.positive_label, arguments.prediction_path
    )


def task(arguments: argparse.Namespace) -> Task | None:
    """Return the stated task; None: it is inferred."""
    return None if arguments.task is None else Task(arguments.task)


def missing_values(arguments: argparse.Namespace) -> frozenset[str]:
    """Return the texts that mean a missing value."""
    given = arguments.missing_value
    return DEFAULT_MISSING_VALUES if given is None else missing_values_of(given)


def feature_types(arguments: argparse.Namespace) -> dict[str, ColumnType]:
    """Return the declared types by column.

    Raises
    ------
    CommandError
        If an argument is no NAME=TYPE, or a name has two types.
    """
    types: dict[str, ColumnType] = {}
    for text in arguments.feature_type or ():
        name, _, kind = text.rpartition("=")
        if not name or kind not in [*map(str, ColumnType)] or types.get(name, kind) != kind:
            raise CommandError(
                f"--feature-type must be NAME=TYPE, once for each column, with a type of {', '.join(ColumnType)}; "
                f"got {text!r}"
            )
        types[name] = ColumnType(kind)
    return types


def reference_files(arguments: argparse.Namespace) -> "ReferenceFiles":
    """Return the files of --train and of what comes with it.

    Raises
    ------
    BaselineError
        If a history is named that cannot be read.
    """
    from plumbline.drift.reference.csv_inputs import ReferenceFiles

    return ReferenceFiles(
        train=arguments.train,
        test=arguments.test,
        predictions=arguments.predictions,
        target_label=arguments.target_label,
        segment_column=arguments.segment_column,
        rules=column_rules(arguments),
        task=task(arguments),
        format=prediction_format(arguments),
        history=arguments.history,
        time_column=arguments.time_column,
        block_column=arguments.block_column,
    )


def column_rules(arguments: argparse.Namespace) -> "ColumnRules":
    """Return how the columns of --train are read."""
    from plumbline.drift.reference.column_types import ColumnRules

    return ColumnRules(missing_values=missing_values(arguments), types=feature_types(arguments))


def check_reference(arguments: argparse.Namespace) -> None:
    """Refuse a part of a test set without the rest.

    Raises
    ------
    CommandError
        If predictions come without test rows, or test rows without a target.
    """
    if arguments.predictions and not arguments.test:
        raise CommandError("--predictions must come with --test, got it alone; name the rows that were predicted")
    if arguments.test and arguments.target_label is None:
        raise CommandError("--test must come with --target-label, got it alone; name the column to predict")
    if arguments.history and arguments.time_column is None:
        raise CommandError("--history must come with --time-column, got it alone; name the column with the times")
    if arguments.time_column is None:
        return
    if arguments.target_label in {None, arguments.time_column}:
        raise CommandError(
            f"--time-column must come with a --target-label of another name, got {arguments.target_label!r}; "
            "name the column to predict"
        )
    if not arguments.history and not arguments.predictions:
        raise CommandError(
            "--time-column must come with --history, or with --test and --predictions, got it alone; "
            "name the rows of the past"
        )
