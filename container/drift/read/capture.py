"""Data capture files -> the counts of one window, with an account of every record read.

The format is SageMaker's: one JSON object per line, input and output side, eventMetadata with the time.
Source: SageMaker Developer Guide, "Capture data from real-time endpoint".
"""

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

from plumbline.contract.predictions import KINDS_OF_TASK, PredictionFormat, PredictionsReport
from plumbline.contract.records import WindowBounds
from plumbline.contract.rejection import REMEDIES, RejectionReason
from plumbline.contract.training import Task
from plumbline.contract.values import canonical
from plumbline.drift.data.window import WindowCounts
from plumbline.drift.errors import BaselineMismatchError, ConfigError
from plumbline.drift.read.folder import listed
from plumbline.drift.read.kernel.answers import compiled
from plumbline.drift.read.kernel.files import EventLog, FileCounter, reject_duplicates
from plumbline.drift.read.kernel.partial_counts import PartialCounts, window_counts
from plumbline.drift.read.kernel.plan import WindowPlan
from plumbline.drift.read.kernel.predictions import Outputs
from plumbline.drift.read.kernel.records import BLOCK_BYTES, Rejected
from plumbline.drift.reference.baseline import Baseline

_NO_BOUNDS = WindowBounds()
_NOTHING_STATED = PredictionFormat()
_LOG = logging.getLogger(__name__)

WindowReader: TypeAlias = Callable[[WindowPlan], PartialCounts]
"""Reads the capture files of the window that a plan is made for."""


def count_window(read: WindowReader, plan: WindowPlan) -> WindowCounts:
    """Count the records of a window.

    Without bounds every record counts. A record that is not used is counted under its reason
    (`contract.rejection.RejectionReason`), with up to five places and never its content; the log names them too.

    Raises
    ------
    BaselineMismatchError
        If the captured rows are of another schema than the baseline.
    """
    counts = read(plan)
    log_rejections(counts)
    require_fit(counts, plan)
    return window_counts(counts, plan)


def plan_of(  # noqa: PLR0913 - one keyword per part of the plan
    baseline: Baseline,
    bounds: WindowBounds = _NO_BOUNDS,
    *,
    variant: str | None = None,
    segment: str | None = None,
    ignored: frozenset[str] = frozenset(),
    facet: str | None = None,
    predictions: PredictionFormat = _NOTHING_STATED,
) -> WindowPlan:
    """Return the plan of reading a window whose rows are compared with a baseline (`drift.read.kernel.plan.Plan`).

    Raises
    ------
    ConfigError
        If a bound is no ISO 8601 time, or `predictions`, what is stated of the answers, does not suit the baseline.
    """
    return WindowPlan(
        specs=baseline.specs,
        reference=baseline.counts,
        bounds=bounds,
        variant=variant,
        segment=segment,
        ignored=ignored,
        outputs=outputs_of(baseline, predictions),
        facet=facet,
    )


def outputs_of(baseline: Baseline, stated: PredictionFormat = _NOTHING_STATED) -> Outputs:
    """Return the form of the endpoint's predictions: as stated for this run, else as the baseline has it.

    Raises
    ------
    ConfigError
        If what is stated does not suit the baseline's target, or the path is none.
    """
    stated = stated.over(baseline.predictions)
    kinds = KINDS_OF_TASK[baseline.task]
    if stated.kind is not None and stated.kind not in kinds:
        raise ConfigError(
            f"the kind of the predictions must be {' or '.join(kinds)} where the task is "
            f"{baseline.task or 'not known'}, got {stated.kind}; correct it, or learn the baseline with its task"
        )
    classes = baseline.labels
    known = {canonical(label) for label in classes}
    if stated.positive_label is not None and (
        baseline.task is not Task.BINARY or (known and canonical(stated.positive_label) not in known)
    ):
        raise ConfigError(
            f"the positive label must be one of the baseline's two, got {stated.positive_label!r} for "
            f"{', '.join(map(repr, classes[:5])) or 'none'}; correct it"
        )
    if stated.path is not None:
        try:
            compiled(stated.path)
        except ValueError as error:
            raise ConfigError(f"the path of the predictions {error}; correct it") from error
    return Outputs(baseline.task, classes, baseline.positive_label, stated)


def predictions_report(outputs: Outputs) -> PredictionsReport:
    """Return how the answers of a window are read."""
    stated = outputs.stated
    positive = None
    if outputs.task is Task.BINARY:
        positive = stated.positive_label or (outputs.classes[outputs.positive] if len(outputs.classes) == 2 else None)
    return PredictionsReport(
        task=outputs.task,
        kind=stated.kind or KINDS_OF_TASK[outputs.task][0],
        positive_label=positive,
        path=stated.path,
        stated=tuple(sorted(key for key, value in vars(stated).items() if value is not None)),
    )


def count_folder(folder: Path, plan: WindowPlan, block_bytes: int = BLOCK_BYTES) -> PartialCounts:
    """Count the records of every ``*.jsonl`` file below `folder`, without the events that were captured before.

    Compressed files, and what is no file but has a capture file's name (`drift.read.folder`), are not read, but
    counted. Blank lines are no records.

    Raises
    ------
    ConfigError
        If the folder or a file of it cannot be read.
    """
    counter, found = FileCounter(plan, block_bytes), listed(folder)
    try:
        with EventLog() as events:
            counts = counter.count_all(found.files, events.add)
            for suspects in events.suspects():
                reject_duplicates(counts, suspects, folder, counter)
    except OSError as error:
        raise ConfigError(
            f"{error.filename or folder} must be readable, got {error.strerror or error}; "
            "check its permissions and the disk"
        ) from error
    for name, reason in found.odd:
        counts.reject(Rejected(reason), name, 0)
    for name in found.manifests:
        counts.reject(Rejected(RejectionReason.BATCH_TRANSFORM, "a manifest of input or output files"), name, 0)
    return counts


def capture_files(folder: Path) -> Iterator[tuple[Path, str]]:
    """Yield each capture file below a folder and its path relative to it, with ``/``, in the order of these paths.

    What is no file, or leads out of the folder, is left out (`drift.read.folder.listed` has it).

    Raises
    ------
    ConfigError
        If `folder` is no folder.
    """
    yield from listed(folder).files


def log_rejections(counts: PartialCounts) -> None:
    """Log one line per reason."""
    for reason in sorted(counts.rejected):
        # The platform also hands over neighbouring hours: that needs no warning.
        level = (
            logging.INFO
            if reason in {RejectionReason.OUTSIDE_WINDOW, RejectionReason.OTHER_VARIANT}
            else logging.WARNING
        )
        places = ", ".join(map(str, counts.examples[reason].first))
        seen = counts.examples[reason].notes()
        what = f"{reason} ({'; '.join(seen)})" if seen else reason
        remedy = f"; {REMEDIES[reason]}" if reason in REMEDIES else ""
        _LOG.log(level, "%d records rejected as %s, for example %s%s", counts.rejected[reason], what, places, remedy)
    answers = counts.answers()
    for code, number in answers.unreadable.items():
        places = ", ".join(answers.examples[code])
        _LOG.warning("%d answers could not be read as %s, for example %s", number, code, places)
    for (feature, fault), cells in sorted(counts.unreadable.items()):
        places = ", ".join(map(str, cells.first))
        _LOG.warning("cells of %r could not be read (%s), for example %s", feature, fault, places)


MISFIT_FRACTION = 0.95
"""From this fraction of the decodable inputs on, rows of another shape mean that the baseline is another model's."""
MISFIT_RECORDS = 20
"""With fewer records the fraction is no evidence."""


def require_fit(counts: PartialCounts, plan: WindowPlan) -> None:
    """Raise if nearly no captured row has the baseline's columns.

    Raises
    ------
    BaselineMismatchError
        If `MISFIT_RECORDS` or more records, and `MISFIT_FRACTION` or more of those whose input could be decoded, have
        another number of fields than the baseline, or JSON objects with none of its names.
    """
    n_misfits = counts.rejected[RejectionReason.FIELD_COUNT]
    if n_misfits < max(MISFIT_RECORDS, MISFIT_FRACTION * (counts.n_used + n_misfits)):
        return
    names = ", ".join(spec.name for spec in plan.specs)
    seen = "; ".join(f"{place.note} at {place}" for place in counts.examples[RejectionReason.FIELD_COUNT].first)
    raise BaselineMismatchError(
        f"the baseline must fit the captured rows: it has {len(plan.specs)} columns ({names}), "
        f"got {n_misfits} records with other rows ({seen}); learn the baseline from the data of the served model"
    )
