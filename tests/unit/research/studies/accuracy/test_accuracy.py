"""The study of projected accuracy in small, end to end through the product, on the synthetic population."""

from pathlib import Path

import numpy as np
import pytest

from plumbline.contract.accuracy import Measure, Shift
from plumbline.contract.records import WindowBounds
from plumbline.contract.verdicts import RecordCounts, Verdict
from plumbline.data import population
from plumbline.drift.projection.recalibration import ScoredLabels
from research.studies.accuracy import page, run
from research.studies.accuracy.cases import Family
from research.studies.accuracy.outcomes import Method, WindowOutcome
from research.studies.accuracy.product import SubjectMonitor
from research.studies.accuracy.results import AccuracyStudy
from research.studies.accuracy.subject import Subject
from research.studies.accuracy.tasks import SYNTHETIC, AccuracyExtent, SubjectTask, tasks
from research.studies.pages import BEGIN, END
from tests.oracles.counted_rows import CapturedWindow, count_rows

N_ROWS = 500
EXTENT = AccuracyExtent(
    command="a test",
    splits={SYNTHETIC: 1},
    n_windows=(N_ROWS,),
    n_usual=0,
    unshifted=1,
    synthetic=(3_000, 1_000, 3_000),
    stream_windows=0,
)


@pytest.fixture(scope="module")
def outcomes() -> list[WindowOutcome]:
    return few(SubjectTask(SYNTHETIC, 5, EXTENT, None))


def few(task: SubjectTask) -> list[WindowOutcome]:
    """Judge the windows as `run.judged` does, but only every fifth."""
    split, windows = task.drawn()
    product = SubjectMonitor.of(Subject.of(task.subject, split, task.seed))
    return [run.outcome(product, window, task.seed + number) for number, window in enumerate(windows) if not number % 5]


@pytest.fixture(scope="module")
def study(outcomes: list[WindowOutcome]) -> AccuracyStudy:
    return AccuracyStudy("a test", 5, ("a small town",), {"Python": "3"}, 1.0, tuple(outcomes))


@pytest.fixture(scope="module")
def subject() -> Subject:
    return Subject.of("town", population.split(5, n_train=2_000, n_test=800, n_pool=1), 5, ("age", "education-num"))


def test_windows_are_counted_as_their_rows_are(subject: Subject) -> None:
    rows = population.generate(300, 8)
    window = subject.window(rows)
    oracle = count_rows(
        subject.baseline,
        CapturedWindow(WindowBounds(), window.table, window.probabilities, RecordCounts(len(rows), len(rows))),
    )
    assert window.counts.n_rows == oracle.n_rows
    assert window.counts.n_out_of_support == oracle.n_out_of_support
    assert window.counts.design_effect == pytest.approx(oracle.design_effect)
    for found, expected in [
        (window.counts.probabilities, oracle.probabilities),
        *((window.counts.columns[name], oracle.columns[name]) for name in oracle.columns),
    ]:
        assert found.values.tolist() == expected.values.tolist()
        assert found.counts.tolist() == expected.counts.tolist()
        assert found.n_missing == expected.n_missing


def test_accuracy_is_the_share_of_rightly_called_labels(subject: Subject) -> None:
    rows = population.generate(300, 8)
    window = subject.window(rows)
    called = [">50K" if probability >= 0.5 else "<=50K" for probability in window.probabilities.tolist()]
    right = [one == label for one, label in zip(called, rows.labels, strict=True)]
    assert window.accuracy == pytest.approx(sum(right) / len(right))


def test_model_sees_only_the_features_that_it_is_given(subject: Subject) -> None:
    rows = population.generate(200, 8)
    other = rows.with_column("marital-status", ["Divorced"] * len(rows))
    assert subject.window(rows).probabilities.tolist() == subject.window(other).probabilities.tolist()
    assert len(subject.baseline.specs) == len(rows.header)


def test_calibrated_confidence_is_the_mean_of_the_calibrated_chance_of_being_right(subject: Subject) -> None:
    window = subject.window(population.generate(300, 8))
    test = subject.baseline.test
    assert test is not None
    assert test.probabilities is not None
    labelled = ScoredLabels.of(test.probabilities, np.array(test.labels) == ">50K")
    chance = labelled.calibrate(window.probabilities, np.ones(len(test.labels)))
    expected = np.where(window.probabilities >= 0.5, chance, 1 - chance).mean()
    said = run.other_estimates(subject, window, seed=3)
    assert said[Method.CONFIDENCE] == pytest.approx(expected)
    assert said[Method.UNCHANGED] == pytest.approx(subject.test_accuracy)
    assert 0 < said[Method.FOREST] <= 1


def test_outcomes_hold_what_product_and_labels_say(outcomes: list[WindowOutcome]) -> None:
    assert {outcome.family for outcome in outcomes} == {Family.NONE, Family.COVARIATE, Family.LABEL, Family.CONCEPT}
    for outcome in outcomes:
        assert outcome.n_rows == N_ROWS
        assert 0 < outcome.realised < 1
        assert set(outcome.measures) == set(run.PROJECTED)
        assert set(outcome.before) == {Shift.COVARIATE, Shift.LABEL}
        assert set(outcome.after) == {Shift.LABEL, Shift.CONCEPT}
        assert outcome.measures[Measure.RECALL].realised is not None
        assert bool(outcome.refusal_reason) == (outcome.verdict is Verdict.NOT_JUDGED)


def test_same_seed_gives_the_same_outcomes(outcomes: list[WindowOutcome]) -> None:
    assert few(SubjectTask(SYNTHETIC, 5, EXTENT, None)) == outcomes


def test_results_are_kept_to_a_thousandth_of_a_point(study: AccuracyStudy, tmp_path: Path) -> None:
    study.save(tmp_path / "new" / "results.json")
    once = AccuracyStudy.load(tmp_path / "new" / "results.json")
    assert [one.case for one in once.outcomes] == [one.case for one in study.outcomes]
    for kept, made in zip(once.outcomes, study.outcomes, strict=True):
        assert kept.realised == pytest.approx(made.realised, abs=1e-5)
        assert kept.before == made.before
        assert kept.others == pytest.approx(made.others, abs=1e-5)
    once.save(tmp_path / "again.json")
    assert (tmp_path / "again.json").read_bytes() == (tmp_path / "new" / "results.json").read_bytes()
    assert AccuracyStudy.load(tmp_path / "again.json") == once


def test_page_takes_results_between_its_markers_and_plots_beside_it(study: AccuracyStudy, tmp_path: Path) -> None:
    (tmp_path / "page.md").write_text(f"# Title\n\n{BEGIN}\nold\n{END}\n\nAfter.\n")
    page.write(study, tmp_path / "page.md", tmp_path / "images")
    written = (tmp_path / "page.md").read_text()
    assert written == f"# Title\n\n{BEGIN}\n{page.body(study, 'images')}\n{END}\n\nAfter.\n"
    assert "## Real drift over time" not in written
    for plot in (page.ESTIMATES_PLOT, page.REFUSALS_PLOT):
        assert f"(images/{plot})" in written
        assert (tmp_path / "images" / plot).read_bytes().startswith(b"\x89PNG")


def test_every_split_has_its_own_seed() -> None:
    extent = AccuracyExtent(**{**vars(EXTENT), "splits": {"a": 2, "b": 1}, "stream_windows": 3})
    todo = tasks(extent, None, 7)
    assert [task.subject for task in todo[:3]] == ["a", "a", "b"]
    assert len(todo) == 6
    assert len({task.seed for task in todo}) == len(todo)
