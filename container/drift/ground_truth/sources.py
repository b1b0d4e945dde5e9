"""Where labels and captures come from and merged records go: folders, or prefixes of S3."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from contract.records import WindowBounds
from drift.capture import capture_files
from drift.errors import ConfigError
from drift.ground_truth.classes import Classes
from drift.ground_truth.join import JoinedWindow
from drift.ground_truth.merged import write_merged
from drift.ground_truth.waiting import Captures, Files, Keep, Labels, PlanOf, SameModel, Waiting
from drift.judgement import RunContext
from drift.settings import GroundTruthSource
from drift.sources import Connect, fetch_hour, fetch_hours, is_s3, store_folder
from drift.times import HOUR, parse_time

_NAMELESS = "endpoint"
"""Stands for the endpoint's name in the layout of merged records where nobody gave it."""


def waiting_of(
    source: GroundTruthSource,
    *,
    connect: Connect,
    endpoint: str | None,
    plan: PlanOf,
    context: RunContext,
    same_model: SameModel = lambda _: True,
) -> Waiting:
    """Return what the windows before this one are read for."""
    return Waiting(
        labels=labels_of(source.labels, connect),
        captures=captures_of(source.captures, connect),
        plan=plan,
        keep=keep_of(source.merged, endpoint, connect) if source.merged else None,
        context=context,
        same_model=same_model,
    )


def captures_of(source: str, connect: Connect) -> Captures:
    """Return what gives a window's capture files: those of its hours in S3, or all below a folder."""

    @contextmanager
    def given(bounds: WindowBounds) -> Iterator[Files]:
        if not is_s3(source):
            yield _below(Path(source))
            return
        start, end = _times([bounds])
        with tempfile.TemporaryDirectory(prefix="plumbline-") as name:
            folder, hour = Path(name), start.replace(minute=0, second=0, microsecond=0)
            while hour < end:
                fetch_hour(source, hour, folder, connect)
                hour += HOUR
            yield _below(folder)

    return given


def labels_of(source: str, connect: Connect) -> Labels:
    """Return what gives the label files that can concern some windows.

    In S3 they are those collected between the first window's start and the last one's end, so that a run depends on its
    window and not on when it happens; of a folder they are all.
    """

    @contextmanager
    def given(windows: Sequence[WindowBounds]) -> Iterator[Files]:
        if not is_s3(source):
            yield _below(Path(source))
            return
        start, end = _times(windows)
        with tempfile.TemporaryDirectory(prefix="plumbline-") as name:
            # A folder is an hour: of one that ends within the window the whole is read.
            yield _below(fetch_hours(source, start, end + HOUR - timedelta.resolution, Path(name), connect))

    return given


def keep_of(merged: str, endpoint: str | None, connect: Connect) -> Keep:
    """Return what writes a window's labelled records to a folder or below a prefix of S3."""

    def keep(window: JoinedWindow, files: Files, classes: Classes) -> None:
        name = endpoint or _NAMELESS
        if not is_s3(merged):
            write_merged(Path(merged), files, window, classes, name)
            return
        with tempfile.TemporaryDirectory(prefix="plumbline-") as folder:
            write_merged(Path(folder), files, window, classes, name)
            store_folder(Path(folder), merged, connect)

    return keep


def _below(folder: Path) -> Files:
    return {name: path for path, name in capture_files(folder)}


def _times(windows: Sequence[WindowBounds]) -> tuple[datetime, datetime]:
    start, end = windows[0].start, windows[-1].end
    if start is None or end is None:
        raise ConfigError("the window must have times for its labels to be found in S3, got none; give start and end")
    return parse_time(start), parse_time(end)
