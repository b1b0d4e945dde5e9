"""The pipeline's job after training: challenger against champion, and the challenger's baseline."""

import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from plumbline.contract.evaluation import Comparison, Evaluation
from plumbline.contract.retraining import RetrainingFile
from plumbline.contract.retraining_jobs import JobInput, JobOutput, job_folder
from plumbline.contract.training import OUTPUT_HISTORY
from plumbline.drift.data.documents import storing, temporary_folder, write_text
from plumbline.drift.data.table import Table
from plumbline.drift.errors import RetrainingError, ShortPastError
from plumbline.drift.projection.learn_history import with_history
from plumbline.drift.reference.baseline import Baseline, save
from plumbline.drift.reference.csv_inputs import read_labelled, spelled_as
from plumbline.drift.reference.learn import learn
from plumbline.drift.retraining.gate import Answers, design_effect, judge_challenger, slices_of
from plumbline.drift.retraining.models import ComparedModel, read_model, read_output
from plumbline.drift.retraining.settings import EvaluateSettings
from plumbline.drift.retraining.splitting import keys_of
from plumbline.drift.settings.platform import Platform

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class _Rows:
    """Labelled rows, with the challenger's columns."""

    table: Table
    labels: tuple[str, ...]

    @classmethod
    def read(cls, folder: Path, model: ComparedModel, settings: EvaluateSettings) -> "_Rows":
        table, labels = read_labelled(folder, model.specs, settings.target_label, time_column=settings.time_column)
        return cls(table, tuple(spelled_as(model.labels, labels)))

    def answers(self, champion: ComparedModel, challenger: ComparedModel, design_effect: float = 1.0) -> Answers:
        labels = np.array(self.labels, dtype=object)
        champion_right, challenger_right = (
            model.is_right(model.probabilities(self.table), labels) for model in (champion, challenger)
        )
        return Answers(champion_right, challenger_right, design_effect)

    @property
    def keys(self) -> list[tuple[tuple[float | str | None, ...], str]]:
        return [*zip(keys_of(self.table), self.labels, strict=True)]


def evaluate(settings: EvaluateSettings, platform: Platform) -> str:
    """Write the evaluation, its table and the challenger's baseline; return the outcome, for people.

    Raises
    ------
    DriftError
        If a model or the rows cannot be read, do not fit each other, or a file cannot be written.
    """
    root = str(platform.ml_root)
    challenger, champion = (
        read_model(name, Path(job_folder(folder, root)))
        for name, folder in (("the challenger", JobInput.CHALLENGER), ("the champion", JobInput.CHAMPION))
    )
    _require_same_target(challenger, champion, settings.target_label)
    holdout, test = (
        _Rows.read(Path(job_folder(folder, root)), challenger, settings) for folder in (JobInput.HOLDOUT, JobInput.TEST)
    )
    evaluation = judge_challenger(
        holdout.answers(champion, challenger, design_effect(holdout.keys, test.keys)),
        test.answers(champion, challenger),
        slices_of(holdout.table, settings.thresholds.slice_columns),
        settings.thresholds,
    )
    learned = _with_history(
        _baseline(challenger, holdout, settings), settings, Path(job_folder(JobInput.TRAINED, root))
    )
    save(learned, Path(job_folder(JobOutput.BASELINE, root)))
    folder = Path(job_folder(JobOutput.EVALUATION, root))
    write_text(folder / RetrainingFile.EVALUATION, evaluation.to_json())
    write_text(folder / RetrainingFile.EVALUATION_TEXT, evaluation_text(evaluation))
    return f"the challenger is {'accepted' if evaluation.accepted else 'rejected'}: {'; '.join(evaluation.reasons)}"


def _require_same_target(challenger: ComparedModel, champion: ComparedModel, target: str) -> None:
    targets = {challenger.preprocessor.target, champion.preprocessor.target, target}
    if len(targets) > 1 or challenger.labels != champion.labels:
        raise RetrainingError(
            f"challenger and champion must predict the same labels of {target!r}, got "
            f"{sorted(challenger.labels)} of {challenger.preprocessor.target!r} and {sorted(champion.labels)} of "
            f"{champion.preprocessor.target!r}; a model of another target must be deployed, not retrained"
        )


def _baseline(challenger: ComparedModel, holdout: _Rows, settings: EvaluateSettings) -> Baseline:
    """Return the baseline of the holdout: the population that the challenger is accepted on, which it has not seen.

    The same rows are the reference of the features and the labelled test set. Windows are compared with either by
    itself and never one with the other, so that nothing is counted twice.
    """
    probabilities: NDArray[np.float64] = challenger.probabilities(holdout.table)
    return learn(
        train=holdout.table,
        target_label=settings.target_label,
        test=holdout.table,
        test_labels=holdout.labels,
        probabilities=probabilities,
        segment_column=settings.segment_column,
    )


def _with_history(baseline: Baseline, settings: EvaluateSettings, trained: Path) -> Baseline:
    """Return the baseline with what the past shows, which the training job predicted at rolling origins.

    A job that could predict none left no file, or one of a few rows: the challenger is judged all the same.
    """
    if settings.time_column is None:
        return baseline
    content = read_output(trained, OUTPUT_HISTORY)
    if content is None:
        _LOG.warning("the training job left no %s: the baseline has no history", OUTPUT_HISTORY)
        return baseline
    with temporary_folder() as workspace, storing("the temporary folder"):
        file = workspace / OUTPUT_HISTORY
        file.write_bytes(content)
        try:
            return with_history(baseline, file, settings.time_column)
        except ShortPastError as error:
            _LOG.warning("the baseline has no history: %s", error)
            return baseline


_HEADER = ("", "rows", "champion", "challenger", "difference", "at least", "at most", "allowed", "")
_OUTCOMES = {True: "passed", False: "failed", None: "not judged"}


def evaluation_text(evaluation: Evaluation) -> str:
    """Return the table: shares in percent, differences in points with their one-sided 95 % bounds."""
    compared = (evaluation.holdout, evaluation.test, *evaluation.slices)
    lines = [_HEADER, *map(_cells, compared)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    table = ["  ".join(_padded(line, widths)).rstrip() for line in lines]
    verdict = "The challenger is accepted." if evaluation.accepted else "The challenger is rejected."
    return "\n".join([verdict, *(f"- {reason}" for reason in evaluation.reasons), "", *table]) + "\n"


def _cells(one: Comparison) -> tuple[str, ...]:
    shares = (one.champion, one.challenger)
    points = (one.difference, one.lower, one.upper)
    return (
        one.name,
        str(one.n_rows),
        *("-" if share is None else f"{100 * share:.1f} %" for share in shares),
        *("-" if value is None else f"{100 * value:+.1f}" for value in points),
        f"{-100 * one.bound:+.1f}",
        _OUTCOMES[one.passed],
    )


def _padded(line: tuple[str, ...], widths: list[int]) -> list[str]:
    first, *numbers, last = line
    return [
        first.ljust(widths[0]),
        *(text.rjust(width) for text, width in zip(numbers, widths[1:-1], strict=True)),
        last,
    ]
