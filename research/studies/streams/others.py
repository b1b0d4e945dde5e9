"""Other tools and methods on the same windows: by name, each with the accuracy it expects and its alarms."""

import csv
import json
import logging
import math
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plumbline.contract.training import DECISION_THRESHOLD
from plumbline.drift.data.documents import temporary_folder
from plumbline.drift.projection.recalibration import ScoredLabels
from plumbline.drift.statistics.proportion import NORMAL_QUANTILE
from plumbline.local import environments
from research.studies.model import TARGET
from research.studies.streams.outcomes import Bounded, PeerOutcome
from research.studies.streams.subject import StreamSubject

UNCHANGED, CONFIDENCE, EVIDENTLY, NANNYML = "accuracy unchanged", "calibrated confidence", "Evidently", "NannyML"
TOOLS = (EVIDENTLY, NANNYML)
_PROGRAMS = {EVIDENTLY: "evidently_windows", NANNYML: "nannyml_windows"}
_LOCKS = {EVIDENTLY: "bench-evidently", NANNYML: "bench-nannyml"}

_log = logging.getLogger(__name__)


def interpreters(names: Iterable[str]) -> dict[str, Path]:
    """Return an interpreter that has the tool, for each tool that can be installed; the log names the others.

    Each gets an environment of its own from the lock files of the benchmark.
    """
    found = {}
    for name in names:
        lock = environments.ROOT / "requirements" / f"{_LOCKS[name]}.txt"
        try:
            found[name] = environments.ensure(lock, name=lock.stem)
        except environments.EnvironmentSetupError as error:
            _log.warning("%s is left out, its environment could not be made: %s", name, error)
    return found


def outcomes(
    subject: StreamSubject, n_rows: int, starts: Sequence[int], python: Mapping[str, Path]
) -> Iterator[PeerOutcome]:
    """Yield what each method, and each tool with an interpreter, makes of the windows."""
    reference = subject.reference_accuracy
    realised = [float(subject.right[first : first + n_rows].mean()) for first in starts]
    n_test = subject.stream.source.n_test
    estimates = {
        UNCHANGED: [_bounded(reference, n_rows, n_test)] * len(starts),
        CONFIDENCE: [_bounded(one, n_rows, n_test) for one in _confidences(subject, n_rows, starts)],
    }
    alarms: dict[str, list[dict[str, bool]]] = {}
    for tool, interpreter in python.items():
        answers = _answers(tool, interpreter, subject, n_rows, starts)
        estimates[tool] = [Bounded(*map(_finite, answer.get("figure", ()))) for answer in answers]
        alarms[tool] = [answer["alarms"] for answer in answers]
    for tool, figures in estimates.items():
        for number, figure in enumerate(figures):
            yield PeerOutcome(
                tool=tool,
                stream=subject.stream.name,
                n_rows=n_rows,
                number=number,
                realised=realised[number],
                reference=reference,
                figure=figure,
                alarms=alarms[tool][number] if tool in alarms else {},
            )


def _bounded(estimate: float, n_rows: int, n_test: int) -> Bounded:
    """Return an estimate with the interval of sampling alone: of the window's rows and of the test set's."""
    half = NORMAL_QUANTILE * math.sqrt(estimate * (1 - estimate) * (1 / n_rows + 1 / n_test))
    return Bounded(estimate, estimate - half, min(1.0, estimate + half))


def _confidences(subject: StreamSubject, n_rows: int, starts: Sequence[int]) -> list[float]:
    """Return the mean calibrated confidence of each window: isotonic, fitted on the test set."""
    test = slice(subject.stream.source.n_train, subject.stream.n_known)
    positive = np.array(subject.stream.rows.labels[test]) == subject.baseline.positive_label
    labelled = ScoredLabels.of(subject.probabilities[test], positive)
    found = []
    for first in starts:
        probabilities = subject.probabilities[first : first + n_rows]
        chance = labelled.calibrate(probabilities, np.ones(len(positive)))
        found.append(float(np.mean(np.where(probabilities >= DECISION_THRESHOLD, chance, 1 - chance))))
    return found


def _answers(
    tool: str, python: Path, subject: StreamSubject, n_rows: int, starts: Sequence[int]
) -> list[dict[str, Any]]:
    places = np.concatenate([np.arange(first, first + n_rows) for first in starts])
    stream = subject.stream
    test = np.arange(stream.source.n_train, stream.n_known)
    with temporary_folder() as folder:
        reference, windows = folder / "reference.csv", folder / "windows.csv"
        if tool == EVIDENTLY:
            _write(reference, subject, np.arange(stream.source.n_train), with_answers=False)
            _write(windows, subject, places, with_answers=False)
        else:
            _write(reference, subject, test, with_answers=True)
            _write(windows, subject, places, with_answers=True)
        spec = find_spec(f"{__package__}.peers.{_PROGRAMS[tool]}")
        if spec is None or spec.origin is None:
            raise ValueError(f"the program for {tool} must be a module of the study, got none")
        command = [str(python), "-W", "ignore", spec.origin, str(reference), str(windows), str(n_rows)]
        answer = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - programs of ours
    if answer.returncode:
        raise ValueError(f"{tool} must answer, got exit code {answer.returncode}: {answer.stderr[-2000:]}")
    found: list[dict[str, Any]] = json.loads(answer.stdout)
    return found


def _finite(number: float) -> float | None:
    return None if math.isnan(number) else number


def _write(path: Path, subject: StreamSubject, places: NDArray[np.int64], *, with_answers: bool) -> None:
    rows = subject.stream.rows
    header = [*rows.header, *(("probability", "predicted", TARGET) if with_answers else ())]
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerow(header)
        for place in places.tolist():
            answers: tuple[object, ...] = ()
            if with_answers:
                probability = subject.probabilities[place]
                is_positive = rows.labels[place] == subject.baseline.positive_label
                answers = (repr(float(probability)), int(probability >= DECISION_THRESHOLD), int(is_positive))
            writer.writerow([*rows.rows[place], *answers])
