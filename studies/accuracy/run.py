"""The whole study, as far as an extent says: subjects are judged side by side, each in one process."""

import logging
import platform
import time
from concurrent.futures import ProcessPoolExecutor
from importlib.metadata import PackageNotFoundError, version
from multiprocessing import get_context

from contract.accuracy import Measure, MeasureReport
from plumbline.census import Census
from studies.accuracy import methods
from studies.accuracy.outcomes import Bounded, Outcome
from studies.accuracy.product import Product, Said
from studies.accuracy.results import Study
from studies.accuracy.subject import Subject
from studies.accuracy.tasks import TWIN, TWIN_COLUMNS, Extent, Task, Window, populations, tasks

PROJECTED = (Measure.AREA_UNDER_CURVE, Measure.PRECISION, Measure.RECALL, Measure.F1)
_LIBRARIES = ("numpy", "scipy", "scikit-learn", "xgboost-cpu", "xgboost")

_log = logging.getLogger(__name__)


def study(extent: Extent, income: Census | None, seed: int, processes: int) -> Study:
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
    return Study(
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


def judged(task: Task) -> list[Outcome]:
    """Judge the windows of one subject."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    started = time.monotonic()
    split, windows = task.drawn()
    subject = Subject.of(task.subject, split, task.seed, TWIN_COLUMNS if task.subject == TWIN else None)
    product = Product.of(subject)
    outcomes = [outcome(product, window, task.seed + number) for number, window in enumerate(windows)]
    _log.info("%s, seed %d: %d windows, %.0f s", task.subject, task.seed, len(outcomes), time.monotonic() - started)
    return outcomes


def outcome(product: Product, window: Window, seed: int) -> Outcome:
    """Judge one window; `seed` is that of the product's random draws."""
    subject = product.subject
    labelled = subject.window(window.rows)
    said = product.judge(labelled, window.rows, seed)
    projected, unlimited = said.projected, said.unlimited
    evidence, scenario = unlimited.evidence, unlimited.label_shift
    return Outcome(
        subject=subject.name,
        seed=subject.seed,
        family=window.family,
        case=window.case,
        severity=window.severity,
        n_rows=len(window.rows),
        reference=subject.test_accuracy,
        accuracy=Bounded(unlimited.estimate, unlimited.lower, unlimited.upper, labelled.accuracy),
        refused=projected.reason if projected.estimate is None else "",
        verdict=projected.verdict,
        separability=evidence.separability,
        over_represented=evidence.over_represented_fraction,
        outside=evidence.out_of_support_fraction,
        gate=evidence.gate_statistic,
        weighted=evidence.weighted,
        others=methods.others(subject, labelled, seed),
        scenario=Bounded(scenario.estimate, scenario.lower, scenario.upper, labelled.accuracy),
        selected=scenario.selected,
        measures={measure: _bounded(unlimited.measures, said, measure) for measure in PROJECTED},
        before=said.before,
        after=said.after,
    )


def _bounded(projected: tuple[MeasureReport, ...], said: Said, measure: Measure) -> Bounded:
    realised = said.realised(measure)
    found = next((one for one in projected if one.measure is measure), MeasureReport(measure=measure))
    return Bounded(found.value, found.lower, found.upper, None if realised is None else realised.value)
