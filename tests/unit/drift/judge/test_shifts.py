"""Which shift labels show: populations with known truth."""

from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from plumbline.contract.accuracy import LabelShiftScenario, ProjectedAccuracy, Shift
from plumbline.contract.quality import ShiftReport
from plumbline.contract.reasons import ReasonCode
from plumbline.contract.records import FeatureReport, FeatureType, Status, Verdict
from plumbline.drift.compare.shift_tests import (
    ExpectedVsObserved,
    ShiftTestResult,
    conditional_shift,
    label_mix_shift,
    score_shift_by_label,
)
from plumbline.drift.data.counts import NumericCounts
from plumbline.drift.judge.shifts import LabelEvidence, shifts_after_labels, shifts_before_labels
from tests.reports import because

DRIFT, QUIET, UNKNOWN = Verdict.DRIFT, Verdict.NO_DRIFT, Verdict.NOT_JUDGED


@dataclass(frozen=True)
class Rows:
    """Scores that are the true P(y = 1), and labels drawn by them."""

    scores: NDArray[np.float64]
    labels: NDArray[np.float64]

    def believed(self, design_effect: float = 1.0) -> ExpectedVsObserved:
        ones = np.ones(len(self.scores))
        return ExpectedVsObserved(self.scores, self.labels, ones, ones, design_effect)

    @property
    def accuracy(self) -> float:
        return float(np.mean((self.scores >= 0.5) == (self.labels == 1)))

    @property
    def expected_accuracy(self) -> float:
        return float(np.mean(np.maximum(self.scores, 1 - self.scores)))

    def of(self, label: float) -> NumericCounts:
        return NumericCounts.of(self.scores[self.labels == label])


def drawn(n: int, seed: int, a: float = 1.0, b: float = 2.0) -> Rows:
    random = np.random.default_rng(seed)
    scores = random.beta(a, b, n)
    return Rows(scores, (random.random(n) < scores).astype(float))


REFERENCE = drawn(6_000, 0)


def relabelled(rows: Rows, shift: float) -> Rows:
    """The same rows with another P(y | score): concept shift."""
    random = np.random.default_rng(9)
    return Rows(rows.scores, (random.random(len(rows.scores)) < np.clip(rows.scores + shift, 0, 1)).astype(float))


def reweighted(n: int, seed: int, share: float) -> Rows:
    """Rows of each label as in the reference's population, but with another share of positives: label shift."""
    random = np.random.default_rng(seed)
    many = drawn(60_000, seed + 1)
    wanted = random.random(n) < share
    scores = np.where(
        wanted,
        random.choice(many.scores[many.labels == 1], n),
        random.choice(many.scores[many.labels == 0], n),
    )
    return Rows(scores, wanted.astype(float))


def verdicts(window: Rows, projection_error: float | None = None, allowed: float = 0.02) -> tuple[Verdict, Verdict]:
    found = diagnosis(window, projection_error, allowed)
    assert [report.shift for report in found] == [Shift.LABEL, Shift.CONCEPT]
    return found[0].verdict, found[1].verdict


def diagnosis(window: Rows, projection_error: float | None = None, allowed: float = 0.02) -> tuple[ShiftReport, ...]:
    """Return the shifts of a window; without a `projection_error` nothing was projected, and calibration expects."""
    is_projected = projection_error is not None
    loss = window.expected_accuracy - window.accuracy if projection_error is None else -projection_error
    scores = {str(label): (REFERENCE.of(label), window.of(label)) for label in (0.0, 1.0)}
    evidence = LabelEvidence(
        window=window.believed(),
        reference=REFERENCE.believed(),
        scores=scores,
        dropped=REFERENCE.accuracy - window.accuracy >= 0.02 or (is_projected and loss >= 0.02),
        loss=loss,
        allowed=allowed,
        is_projected=is_projected,
    )
    return shifts_after_labels(evidence, 0.02)


@pytest.mark.parametrize("seed", range(1, 6))
def test_each_shift_is_named_for_what_it_is(seed: int) -> None:
    assert verdicts(drawn(2_000, seed)) == (QUIET, QUIET)
    assert verdicts(drawn(2_000, seed, a=3.0)) == (QUIET, QUIET)  # covariate shift: labels are as expected
    assert verdicts(reweighted(2_000, seed, 0.6)) == (DRIFT, QUIET)
    assert verdicts(relabelled(drawn(2_000, seed), 0.15)) == (QUIET, DRIFT)
    assert verdicts(relabelled(drawn(2_000, seed, a=3.0), -0.15)) == (QUIET, DRIFT)


@pytest.mark.parametrize("seed", range(1, 6))
def test_labels_that_are_otherwise_and_cost_nothing_are_no_concept_shift(seed: int) -> None:
    """Most rows are called positive, and more of them are."""
    better = relabelled(drawn(2_000, seed, a=3.0), 0.15)
    assert better.accuracy > better.expected_accuracy
    label, concept = diagnosis(better)
    assert (label.verdict, concept.verdict) == (QUIET, QUIET)
    assert concept.reason is not None
    assert concept.reason.code is ReasonCode.LABELS_UNEXPECTED_WITHOUT_LOSS


def test_a_drop_that_nothing_explains_is_not_judged() -> None:
    """A loss names no shift where the labels differ too little, by the test of labels and by the projection's."""
    concept = diagnosis(drawn(2_000, 1), -0.05, 0.03)[1]
    assert concept.verdict is UNKNOWN
    assert concept.reason is not None
    assert concept.reason.code is ReasonCode.CAUSE_NOT_IDENTIFIED
    assert "5.0 points below" in str(concept.reason)


def test_a_drop_that_the_rows_explain_is_no_concept_shift() -> None:
    harder = drawn(2_000, 4, a=2.0)
    assert harder.accuracy < REFERENCE.accuracy - 0.02
    assert verdicts(harder)[1] is QUIET


def test_a_quiet_window_is_seldom_called_a_concept_shift() -> None:
    alarms = [verdicts(drawn(1_000, 100 + seed)) for seed in range(200)]
    assert sum(DRIFT in found for found in alarms) <= 2


def test_the_test_of_labels_keeps_its_level_with_few_rows_and_with_many() -> None:
    for n, repetitions in ((300, 300), (5_000, 200)):
        p_values = [
            conditional_shift(drawn(n, 1_000 + seed, a=2.0).believed(), drawn(3_000, 9_000 + seed).believed()).p_value
            for seed in range(repetitions)
        ]
        # Expected 5 %; more than 9.5 % of 200 has a probability below 0.005.
        assert np.mean(np.array(p_values) < 0.05) <= 0.095


def test_a_projection_that_missed_beyond_its_interval_is_concept_shift() -> None:
    quiet = drawn(2_000, 1)
    assert verdicts(quiet, projection_error=-0.05, allowed=0.02) == (QUIET, DRIFT)
    assert verdicts(quiet, projection_error=-0.05, allowed=0.07) == (QUIET, QUIET)
    assert verdicts(quiet, projection_error=-0.015, allowed=0.001) == (QUIET, QUIET)  # less than anybody minds
    assert verdicts(quiet, projection_error=0.05, allowed=0.02) == (QUIET, QUIET)  # better than projected
    assert "-5.0 points from what was projected" in str(diagnosis(quiet, -0.05, 0.02)[1].reason)


def test_identical_rows_are_no_evidence_of_their_number() -> None:
    few = relabelled(drawn(100, 3), -0.15)
    alone = conditional_shift(few.believed(), REFERENCE.believed())
    tenfold = Rows(np.repeat(few.scores, 10), np.repeat(few.labels, 10))
    repeated = conditional_shift(tenfold.believed(design_effect=10.0), REFERENCE.believed())
    assert repeated.p_value == pytest.approx(alone.p_value, rel=0.01)


def test_one_label_alone_is_judged_and_crashes_nothing() -> None:
    # Most rows are called negative: of positive labels alone the accuracy drops, of negative ones alone it rises.
    for label, verdict in ((0.0, QUIET), (1.0, DRIFT)):
        rows = Rows(REFERENCE.scores[:500], np.full(500, label))
        assert verdicts(rows)[1] is verdict


def test_scores_of_zero_and_one_are_not_taken_at_their_word() -> None:
    sure = Rows(np.repeat([0.0, 1.0], 300), np.repeat([0.0, 1.0], 300))
    labels = sure.labels.copy()
    labels[0] = 1.0
    moved = conditional_shift(Rows(sure.scores, labels).believed(), sure.believed())
    assert moved.p_value > 0.01


def test_equal_classes_do_not_move() -> None:
    sides = {"1": (REFERENCE.of(1.0), REFERENCE.of(1.0))}
    assert score_shift_by_label(sides).effect == 0.0
    assert score_shift_by_label({}).p_value == 1.0


def mix(before: list[int], now: list[int], design_effect: float = 1.0) -> ShiftTestResult:
    sides = {
        str(label): tuple(NumericCounts.of(np.full(n, 0.5)) for n in pair)
        for label, pair in enumerate(zip(before, now, strict=True))
    }
    return label_mix_shift(sides, design_effect)  # type: ignore[arg-type]


def test_the_mix_of_labels_is_held_to_the_textbooks_test() -> None:
    found = mix([240, 760], [300, 700])
    expected = stats.chi2_contingency([[240, 760], [300, 700]], correction=False)
    assert found.p_value == pytest.approx(expected.pvalue, rel=1e-9)
    assert found.effect == pytest.approx(0.06)
    three = mix([100, 200, 300], [300, 200, 100])
    assert three.p_value == pytest.approx(stats.chi2_contingency([[100, 200, 300], [300, 200, 100]]).pvalue, rel=1e-9)
    assert three.effect == pytest.approx(1 / 3)
    assert mix([240, 760], [600, 1400], 2.0).p_value == pytest.approx(found.p_value, rel=1e-9)
    assert mix([10, 10], [0, 0]).p_value == 1.0
    assert mix([10, 0], [10, 0]).p_value == 1.0


def feature(verdict: Verdict, name: str = "age") -> FeatureReport:
    return FeatureReport(name=name, type=FeatureType.NUMERIC, verdict=verdict, effects={"jensen_shannon_distance": 0.3})


def suspected(selected: bool) -> ProjectedAccuracy:
    scenario = LabelShiftScenario(
        status=Status.ESTIMATED, selected=selected, positive_fraction=0.5, positive_fraction_reference=0.24
    )
    return ProjectedAccuracy(label_shift=scenario)


def test_without_labels_covariate_shift_is_seen_in_the_features() -> None:
    features = [feature(DRIFT), feature(QUIET, "hours")]
    covariate, label = shifts_before_labels(features, suspected(False), None)
    assert (covariate.verdict, str(covariate.reason), covariate.effect) == (DRIFT, "the rows' mix moved in age", 0.3)
    assert label.verdict is QUIET
    assert shifts_before_labels([feature(QUIET)], suspected(False), None)[0].verdict is QUIET


def test_without_labels_a_suspected_label_shift_is_not_told_from_covariate_shift() -> None:
    covariate, label = shifts_before_labels([feature(DRIFT)], suspected(True), None)
    assert (covariate.verdict, label.verdict) == (UNKNOWN, DRIFT)
    assert "only labels tell the two apart" in str(covariate.reason)
    assert "50.0 % positive labels, 24.0 % on the test set" in str(label.reason)


def test_a_window_that_is_not_judged_has_no_shift() -> None:
    found = shifts_before_labels([feature(DRIFT)], suspected(True), because("no records in the window"))
    assert {(report.verdict, str(report.reason)) for report in found} == {(UNKNOWN, "no records in the window")}
    covariate, label = shifts_before_labels([feature(UNKNOWN)], ProjectedAccuracy(), None)
    assert (str(covariate.reason), str(label.reason)) == (
        "no feature could be judged",
        "there are no labels to see it by",
    )
