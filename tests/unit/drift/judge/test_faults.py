import ast
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from plumbline import drift
from plumbline.contract.accuracy import Shift
from plumbline.contract.reasons import ReasonCode
from plumbline.contract.records import DriftReport, InternalFault, RecordCounts, Verdict
from plumbline.drift.data.table import Table
from plumbline.drift.data.window import WindowCounts
from plumbline.drift.judge.analysis import analyse
from plumbline.drift.judge.comparison import RunContext
from plumbline.drift.judge.faults import FaultLog, with_faults
from plumbline.drift.reference.baseline import Baseline
from plumbline.drift.settings.policy import Policy
from tests.oracles.counted_rows import CapturedWindow, count_rows
from tests.unit.drift.judge.test_analysis import BOUNDS, SPECS, Column, learned, rows, scores

PLACES = {
    "chi-square of a label column": ("plumbline.drift.statistics.registry.chi_square", "job"),
    "Kolmogorov-Smirnov of a column of numbers": ("plumbline.drift.statistics.registry.kolmogorov_smirnov", "age"),
    "tails of a column of numbers": ("plumbline.drift.compare.features.exceedance", "age"),
    "test of missing values": ("plumbline.drift.compare.features.missing_chi_square", "age"),
    "Jensen-Shannon distance": ("plumbline.drift.statistics.jensen_shannon.null_quantile", "gain"),
    "power": ("plumbline.drift.compare.features.min_sample_size", "job"),
    "schema": ("plumbline.drift.judge.comparison.schema_finding", "age"),
    "projection": ("plumbline.drift.projection.projector.Projector.project", "the projected accuracy"),
    "domain classifier": ("plumbline.drift.projection.projector.compare", "the projected accuracy"),
    "joint distribution": ("plumbline.drift.judge.analysis.separability", "whole rows"),
    "Isolation Forest": ("plumbline.drift.compare.isolation_forest.similarity", "the Isolation Forest similarity"),
    "kinds of shift": ("plumbline.drift.judge.analysis.shifts_before_labels", "the kinds of shift"),
    "bias": ("plumbline.drift.judge.analysis.judge_bias", "bias"),
}
POLICY = Policy(minimum_rows=200)
ERRORS = (MemoryError(), ImportError("no module"), RecursionError("too deep"))


@pytest.fixture(scope="module")
def baseline() -> Baseline:
    return learned()


def counted(baseline: Baseline, columns: dict[str, Column]) -> WindowCounts:
    n = len(columns["age"])
    return count_rows(baseline, CapturedWindow(BOUNDS, Table(SPECS, columns), scores(columns), RecordCounts(n, n)))


def report(baseline: Baseline, window: WindowCounts, policy: Policy = POLICY, *, whole: bool = False) -> DriftReport:
    context = RunContext(policy=policy, isolation_forest=whole, multivariate=whole, facet="job")
    return analyse(baseline, window, context)


def raising(error: Exception) -> Callable[..., Any]:
    def fail(*_: object, **__: object) -> Any:
        raise error

    return fail


@pytest.mark.parametrize(
    ("place", "error"),
    [*((place, ValueError("boom")) for place in PLACES), *(("projection", error) for error in ERRORS)],
    ids=str,
)
def test_a_fault_anywhere_is_never_no_drift(
    baseline: Baseline, monkeypatch: pytest.MonkeyPatch, place: str, error: Exception
) -> None:
    window = counted(baseline, rows(800, 3))
    target, part = PLACES[place]
    monkeypatch.setattr(target, raising(error))
    found = report(baseline, window, whole=place in {"joint distribution", "Isolation Forest"})
    assert found.verdict is Verdict.NOT_JUDGED
    assert found.reason is not None
    assert found.reason.code is ReasonCode.INTERNAL_FAULT
    assert part in str(found.reason)
    text = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    assert InternalFault(name=part, text=text) in found.internal_faults
    assert DriftReport.from_json(found.to_json()) == found


def test_an_unchanged_window_has_no_fault(baseline: Baseline) -> None:
    found = report(baseline, counted(baseline, rows(800, 3)), whole=True)
    assert (found.verdict, found.internal_faults) == (Verdict.NO_DRIFT, ())


def test_a_label_never_seen_behind_a_fault_is_no_all_clear(baseline: Baseline, monkeypatch: pytest.MonkeyPatch) -> None:
    columns = rows(800, 3)
    columns["job"] = np.array(["astronaut"] * 800, dtype=object)
    window = counted(baseline, columns)
    assert report(baseline, window).verdict is Verdict.DRIFT
    monkeypatch.setattr("plumbline.drift.statistics.registry.chi_square", raising(ZeroDivisionError("by zero")))
    found = report(baseline, window)
    (job,) = (one for one in found.features if one.name == "job")
    assert job.verdict is Verdict.NOT_JUDGED
    assert job.reason is not None
    assert job.reason.code is ReasonCode.INTERNAL_FAULT
    assert str(job.reason) == "internal fault: ZeroDivisionError: by zero; the run's log has the traceback"
    assert found.verdict is Verdict.NOT_JUDGED
    (covariate,) = (one for one in found.shifts if one.shift is Shift.COVARIATE)
    assert covariate.verdict is Verdict.NOT_JUDGED


def test_drift_of_another_feature_stays_drift(baseline: Baseline, monkeypatch: pytest.MonkeyPatch) -> None:
    columns = rows(800, 3)
    columns["age"] = columns["age"].astype(np.float64) + 30
    window = counted(baseline, columns)
    monkeypatch.setattr("plumbline.drift.statistics.registry.chi_square", raising(ValueError("boom")))
    found = report(baseline, window)
    assert found.verdict is Verdict.DRIFT
    assert "age" in found.drifted_features
    assert {fault.name for fault in found.internal_faults} >= {"job"}


def test_too_little_drift_for_the_window_is_no_all_clear_either(
    baseline: Baseline, monkeypatch: pytest.MonkeyPatch
) -> None:
    columns = rows(800, 3)
    columns["gain"] = columns["gain"].astype(np.float64) + 30
    policy = Policy(minimum_rows=200, drifted_fraction=1.0)
    window = counted(baseline, columns)
    assert report(baseline, window, policy).verdict is Verdict.NO_DRIFT
    monkeypatch.setattr("plumbline.drift.statistics.registry.chi_square", raising(ValueError("boom")))
    assert report(baseline, window, policy).verdict is Verdict.NOT_JUDGED


def test_the_same_analysis_twice_has_the_same_faults(baseline: Baseline, monkeypatch: pytest.MonkeyPatch) -> None:
    window = counted(baseline, rows(800, 3))
    monkeypatch.setattr("plumbline.drift.judge.analysis.judge_bias", raising(ValueError("boom")))
    context = RunContext(policy=Policy(minimum_rows=200), facet="job")
    assert analyse(baseline, window, context) == analyse(baseline, window, context)
    assert len(context.faults.found) == len(context.faults.tracebacks) == 2
    assert 'ValueError("boom")' not in context.faults.tracebacks[0]
    assert context.faults.tracebacks[0].startswith("Traceback (most recent call last)")


def test_a_window_refused_for_another_reason_keeps_that_reason(baseline: Baseline) -> None:
    faults = FaultLog()
    faults.guarded("bias", raising(ValueError("boom")), str)
    few = analyse(baseline, counted(baseline, rows(12, 3)), RunContext(policy=Policy(minimum_rows=200)))
    found = with_faults(few, faults)
    assert (found.verdict, found.reason) == (Verdict.NOT_JUDGED, few.reason)
    assert found.internal_faults == (InternalFault(name="bias", text="ValueError: boom"),)
    assert with_faults(few, FaultLog()) is few


def test_an_interrupt_is_no_fault() -> None:
    with pytest.raises(KeyboardInterrupt):
        FaultLog().guarded("bias", raising_interrupt, str)


def raising_interrupt() -> str:
    raise KeyboardInterrupt


def broad_handlers() -> Iterator[str]:
    root = Path(drift.__file__).parent
    for folder in ("judge", "projection", "compare", "statistics", "ground_truth", "report", "run.py"):
        for file in [root / folder] if folder.endswith(".py") else sorted((root / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(file.read_text())):
                broad = isinstance(node, ast.ExceptHandler) and (
                    node.type is None
                    or any(isinstance(name, ast.Name) and name.id in BROAD for name in ast.walk(node.type))
                )
                if broad:
                    yield file.relative_to(root).as_posix()


BROAD = {"Exception", "BaseException", "MemoryError", "ImportError"}


def test_there_is_one_place_that_catches_what_nobody_expects() -> None:
    # A label record that cannot be read is rejected alone, and no verdict.
    assert list(broad_handlers()) == ["judge/faults.py", "ground_truth/labels.py"]


def test_faults_are_not_lost_between_parts() -> None:
    ours, theirs = FaultLog(), FaultLog()
    theirs.guarded("age", raising(ValueError("boom")), str)
    ours.add(theirs)
    assert ours.found == theirs.found
    assert replace(RunContext(policy=Policy()), faults=ours) == RunContext(policy=Policy())
