"""A folder of data capture files -> the counts of one window, with an account of every record read.

The format is SageMaker's: one JSON object per line, input and output side, eventMetadata with the time.
Source: SageMaker Developer Guide, "Capture data from real-time endpoint".
"""

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

from contract.records import WindowBounds
from contract.training import Task, ordered
from drift.errors import ConfigError
from drift.kernel.counted import window_counts
from drift.kernel.events import EventLog, reject_duplicates
from drift.kernel.files import FileCounter
from drift.kernel.fit import require_fit
from drift.kernel.lines import BLOCK_BYTES
from drift.kernel.partial import PartialCounts
from drift.kernel.plan import Plan
from drift.kernel.predictions import Outputs
from drift.learned import Baseline
from drift.rejection import Reason
from drift.window import WindowCounts

_LOG = logging.getLogger(__name__)
SUFFIXES = (".jsonl", ".jsonl.gz")
"""Of capture files; what else lies beside them is not read."""

Count: TypeAlias = Callable[[Plan], PartialCounts]
"""Reads a window's files."""


def count_window(  # noqa: PLR0913 - what is counted apart, each by its name
    count: Count,
    baseline: Baseline,
    bounds: WindowBounds,
    *,
    variant: str | None = None,
    segment: str | None = None,
    ignored: frozenset[str] = frozenset(),
    facet: str | None = None,
) -> WindowCounts:
    """Count the records of a window, whoever reads its files.

    Without bounds every record counts. A record that is not used is counted under its reason
    (`drift.rejection.Reason`), with up to five places and never its content; the log names them too.

    Parameters
    ----------
    variant
        The production variant to count; the records of others are rejected. None: all.
    segment
        The categorical column whose values divide the window. None: none.
    ignored
        Columns whose values do not count for `WindowCounts.n_out_of_support`.
    facet
        The categorical column by whose values the predictions are also counted apart. None: none.

    Raises
    ------
    ConfigError
        If a bound is no time.
    BaselineError
        If the captured rows are of another schema than the baseline.
    """
    plan = plan_of(baseline, bounds, variant=variant, segment=segment, ignored=ignored, facet=facet)
    counts = count(plan)
    log_rejections(counts)
    require_fit(counts, plan)
    return window_counts(counts, plan, bounds)


def plan_of(
    baseline: Baseline,
    bounds: WindowBounds,
    *,
    variant: str | None = None,
    segment: str | None = None,
    ignored: frozenset[str] = frozenset(),
    facet: str | None = None,
) -> Plan:
    """Return what the files of a window are read for; the choices are those of `count_window`.

    Raises
    ------
    ConfigError
        If a bound is no time.
    """
    return Plan.of(
        baseline.specs,
        baseline.counts,
        bounds,
        variant=variant,
        segment=segment,
        ignored=ignored,
        outputs=outputs_of(baseline),
        facet=facet,
    )


def outputs_of(baseline: Baseline) -> Outputs:
    """Return what the endpoint's answers are made of."""
    if baseline.test is None or baseline.task is not Task.MULTICLASS:
        return Outputs(baseline.task)
    return Outputs(baseline.task, ordered(baseline.test.labels))


def count_folder(folder: Path, plan: Plan, block_bytes: int = BLOCK_BYTES) -> PartialCounts:
    """Count the records of every ``*.jsonl`` file below `folder`, without the events that were captured before.

    Compressed files are not read, but counted. Blank lines are no records.

    Raises
    ------
    ConfigError
        If the folder or a file of it cannot be read.
    """
    counter = FileCounter(plan, block_bytes)
    try:
        with EventLog() as events:
            counts = counter.count_all(capture_files(folder), events.add)
            for suspects in events.suspects():
                reject_duplicates(counts, suspects, folder, counter)
    except OSError as error:
        raise ConfigError(
            f"{error.filename or folder} must be readable, got {error.strerror or error}; "
            "check its permissions and the disk"
        ) from error
    return counts


def capture_files(folder: Path) -> Iterator[tuple[Path, str]]:
    """Yield each capture file below a folder and its path relative to it, with ``/``, in the order of these paths.

    Raises
    ------
    ConfigError
        If `folder` is no folder.
    """
    if not folder.is_dir():
        raise ConfigError(f"dataset_source must be a folder of capture files, got {str(folder)!r}; check the path")
    files = {file.relative_to(folder).as_posix(): file for file in folder.rglob("*") if file.name.endswith(SUFFIXES)}
    for name in sorted(files):
        yield files[name], name


def log_rejections(counts: PartialCounts) -> None:
    """Log one line per reason."""
    for reason in sorted(counts.rejected):
        # The platform hands over neighbouring hours as a matter of course: that is no cause for a warning.
        level = logging.INFO if reason in {Reason.OUTSIDE_WINDOW, Reason.OTHER_VARIANT} else logging.WARNING
        places = ", ".join(map(str, counts.examples[reason].first))
        _LOG.log(level, "%d records rejected as %s, for example %s", counts.rejected[reason], reason, places)
    for (feature, fault), cells in sorted(counts.unreadable.items()):
        places = ", ".join(map(str, cells.first))
        _LOG.warning("cells of %r could not be read (%s), for example %s", feature, fault, places)
