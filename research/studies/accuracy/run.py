"""The whole study in a given extent: subjects are judged in parallel, each in one process."""

import logging
import platform
import time
from concurrent.futures import ProcessPoolExecutor
from importlib.metadata import PackageNotFoundError, version
from multiprocessing import get_context

import numpy as np

from plumbline.contract.accuracy import Measure, MeasureReport
from plumbline.contract.training import DECISION_THRESHOLD
from plumbline.data.census import Census
from plumbline.drift.compare.isolation_forest import similarity
from plumbline.drift.projection.recalibration import ScoredLabels
from research.studies.accuracy.outcomes import IntervalEstimate, Method, WindowOutcome
from research.studies.accuracy.product import ProductAnswer, SubjectMonitor
from research.studies.accuracy.results import AccuracyStudy
from research.studies.accuracy.subject import LabelledWindow, Subject
from research.studies.accuracy.tasks import (
    TWIN,
    TWIN_COLUMNS,
    AccuracyExtent,
    DrawnWindow,
    SubjectTask,
    populations,
    tasks,
)

PROJECTED = (Measure.AREA_UNDER_CURVE, Measure.PRECISION, Measure.RECALL, Measure.F1)
_LIBRARIES = ("numpy", "scipy", "scikit-learn", "xgboost-cpu", "xgboost")

_log = logging.getLogger(__name__)


def study(extent: AccuracyExtent, income: Census | None, seed: int, processes: int) -> AccuracyStudy:
    """Judge every window; only the time it took depends on anything but the arguments.

    Parameters
    ----------
    income
        Census Income; None: the synthetic population stands in for it.
    processes
        1 judges in this very process.
    """
    started = time.monotonic()
    todo = tasks(extent, income, seed)
    if processes == 1:
        found = [judged(task) for task in todo]
    else:
        with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
            found = list(pool.map(judged, todo))
    return AccuracyStudy(
        command=extent.command,
        seed=seed,
        populations=populations(todo),
        versions={"Python": platform.python_version(), **_versions()},
        seconds=time.monotonic() - started,
        outcomes=tuple(outcome for outcomes in found for outcome in outcomes),
    )


def _versions() -> dict[str, str]:
    found = {}
    for library in _LIBRARIES:
        try:
            found[library] = version(library)
        except PackageNotFoundError:
            # XGBoost goes by two names.
            continue
    return found


def judged(task: SubjectTask) -> list[WindowOutcome]:
    """Judge the windows of one subject."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    started = time.monotonic()
    split, windows = task.drawn()
    subject = Subject.of(task.subject, split, task.seed, TWIN_COLUMNS if task.subject == TWIN else None)
    product = SubjectMonitor.of(subject)
    outcomes = [outcome(product, window, task.seed + number) for number, window in enumerate(windows)]
    _log.info("%s, seed %d: %d windows, %.0f s", task.subject, task.seed, len(outcomes), time.monotonic() - started)
    return outcomes


def outcome(product: SubjectMonitor, window: DrawnWindow, seed: int) -> WindowOutcome:
    """Judge one window; `seed` is that of the product's random draws."""
    subject = product.subject
    labelled = subject.window(window.rows)
    answer = product.judge(labelled, window.rows, seed)
    projected, unlimited = answer.projected, answer.unlimited
    evidence, scenario = unlimited.evidence, unlimited.label_shift
    return WindowOutcome(
        subject=subject.name,
        seed=subject.seed,
        family=window.family,
        case=window.case,
        severity=window.severity,
        n_rows=len(window.rows),
        reference=subject.test_accuracy,
        accuracy=IntervalEstimate(unlimited.estimate, unlimited.lower, unlimited.upper, labelled.accuracy),
        refusal_reason=str(projected.reason) if projected.estimate is None else None,
        verdict=projected.verdict,
        separability=evidence.separability,
        over_represented=evidence.over_represented_fraction,
        outside=evidence.out_of_support_fraction,
        gate=evidence.gate_statistic,
        weighted=evidence.weighted,
        others=other_estimates(subject, labelled, seed),
        scenario=IntervalEstimate(scenario.estimate, scenario.lower, scenario.upper, labelled.accuracy),
        selected=scenario.selected,
        measures={measure: _bounded(unlimited.measures, answer, measure) for measure in PROJECTED},
        before=answer.before,
        after=answer.after,
    )


def _bounded(projected: tuple[MeasureReport, ...], answer: ProductAnswer, measure: Measure) -> IntervalEstimate:
    realised = answer.realised(measure)
    found = next((one for one in projected if one.measure is measure), MeasureReport(measure=measure))
    return IntervalEstimate(found.value, found.lower, found.upper, None if realised is None else realised.value)


def other_estimates(subject: Subject, window: LabelledWindow, seed: int) -> dict[Method, float]:
    """Return the estimates of the methods other than the product, 0..1."""
    return {
        Method.CONFIDENCE: _confidence(subject, window),
        Method.UNCHANGED: subject.test_accuracy,
        Method.FOREST: _forest(subject, window, seed),
    }


def _confidence(subject: Subject, window: LabelledWindow) -> float:
    """Return the mean calibrated confidence: isotonic, fitted on the test set, every row of it counting the same."""
    test = subject.baseline.test
    if test is None or test.probabilities is None:
        raise ValueError("baseline must have a labelled test set with probabilities, got none; learn it with both")
    positive = np.array([label == subject.baseline.positive_label for label in test.labels])
    labelled = ScoredLabels.of(test.probabilities, positive)
    chance = labelled.calibrate(window.probabilities, np.ones(len(positive)))
    return float(np.mean(np.where(window.probabilities >= DECISION_THRESHOLD, chance, 1 - chance)))


def _forest(subject: Subject, window: LabelledWindow, seed: int) -> float:
    """Return the reference implementation's proxy, read as it reads it: 100 less the percentage of dissimilarity."""
    found = similarity(subject.baseline, window.counts.sample.table, seed).relative_difference_percent
    if found is None:
        raise ValueError("isolation forest must have rightly predicted test rows, got none; train a better model")
    return 1 - abs(found) / 100
