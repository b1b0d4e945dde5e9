from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from plumbline.contract.bias import BiasMetric, BiasReport
from plumbline.contract.records import FeatureType, Status, Verdict
from plumbline.drift.data.counts import NumericCounts
from plumbline.drift.data.table import FeatureSpec, Table
from plumbline.drift.errors import ConfigError
from plumbline.drift.judge.bias import judge_bias, judge_labelled_bias, require_facet
from plumbline.drift.judge.comparison import RunContext
from plumbline.drift.reference.learn import learn
from plumbline.drift.settings.policy import Policy
from plumbline.drift.statistics.proportion import Share, difference, ratio
from tests.reports import because

SPECS = (FeatureSpec("sex", FeatureType.CATEGORICAL), FeatureSpec("age", FeatureType.NUMERIC))
CONTEXT = RunContext(policy=Policy(), facet="sex")
N = 1000


def scores(selected: int, total: int) -> NumericCounts:
    return NumericCounts.of(np.repeat([0.9, 0.1], [selected, total - selected]))


def half_and_half() -> Table:
    sex = np.array(["f", "m"] * N, dtype=object)
    return Table(SPECS, {"sex": sex, "age": np.arange(2 * N, dtype=np.float64)})


# Of each group 300 of 1,000 rows are selected.
ROWS = half_and_half()
TEST = np.where(np.arange(2 * N) < 600, 0.9, 0.1)
LABELS = ["yes" if position % 4 < 2 else "no" for position in range(2 * N)]
BASELINE = learn(train=ROWS, target_label="y", test=ROWS, test_labels=LABELS, probabilities=TEST)


def judged(facets: Mapping[str, NumericCounts], context: RunContext = CONTEXT) -> BiasReport:
    return judge_bias(BASELINE, facets, context)


def test_difference_has_the_interval_of_newcombe() -> None:
    # Newcombe (1998), table II, method 10, case a: 56/70 and 48/80 give 0.2000 with 0.0524 to 0.3339.
    found = difference(Share(48, 80), Share(56, 70))
    assert [round(one, 4) for one in (found.value, found.lower, found.upper)] == [0.2, 0.0524, 0.3339]


def test_ratio_has_the_interval_of_the_logarithm() -> None:
    # By hand: log(2) -/+ 1.959964 sqrt(1/20 - 1/100 + 1/10 - 1/100) = 0.693147 -/+ 0.706675.
    found = ratio(Share(20, 100), Share(10, 100))
    assert found is not None
    assert [found.value, found.lower, found.upper] == pytest.approx([2.0, 0.98656, 4.05448], abs=1e-4)


def test_ratio_is_not_defined_without_a_selected_row_among_the_others() -> None:
    assert ratio(Share(20, 100), Share(0, 100)) is None


def test_ratio_of_a_group_without_a_selected_row_is_zero_with_an_upper_bound() -> None:
    found = ratio(Share(0, 100), Share(50, 100))
    assert found is not None
    assert (found.value, found.lower) == (0.0, 0.0)
    assert 0.0 < found.upper < 1.0


def test_the_same_selection_rates_are_no_drift() -> None:
    report = judged({"f": scores(300, N), "m": scores(300, N)})
    assert (report.status, report.verdict, report.reason) == (Status.ESTIMATED, Verdict.NO_DRIFT, None)


def test_a_group_selected_less_often_is_drift() -> None:
    report = judged({"f": scores(150, N), "m": scores(300, N)})
    assert report.verdict is Verdict.DRIFT
    found = {measure.metric: measure for measure in report.groups[0].measures}
    assert found[BiasMetric.DIFFERENCE_IN_POSITIVE_PROPORTIONS].value == pytest.approx(0.15)
    assert found[BiasMetric.DISPARATE_IMPACT].value == pytest.approx(0.5)


def test_a_move_within_chance_is_no_drift() -> None:
    assert judged({"f": scores(12, 50), "m": scores(15, 50)}).verdict is Verdict.NO_DRIFT


def test_a_group_of_too_few_rows_is_described_and_not_judged() -> None:
    (small, _) = judged({"f": scores(5, 29), "m": scores(300, N)}).groups
    assert (small.verdict, small.n_rows, small.selection_rate) == (Verdict.NOT_JUDGED, 29, 5 / 29)
    assert "30 rows" in str(small.reason)


def test_a_group_that_the_window_lacks_is_not_judged() -> None:
    report = judged({"m": scores(300, N)})
    assert report.verdict is Verdict.NOT_JUDGED
    assert [group.n_rows for group in report.groups] == [0, N]


def test_a_refused_window_is_described_and_not_judged() -> None:
    report = judged({"f": scores(0, N), "m": scores(N, N)}, replace(CONTEXT, not_judged=because("too few rows")))
    assert report.verdict is Verdict.NOT_JUDGED
    assert "too few rows" in str(report.reason)
    assert report.groups[0].selection_rate == 0.0


@pytest.mark.parametrize("facet", ["age", "income"])
def test_a_facet_that_is_no_group_is_refused_with_a_reason(facet: str) -> None:
    report = judged({"f": scores(1, 2)}, replace(CONTEXT, facet=facet))
    assert (report.status, report.verdict) == (Status.NOT_JUDGED, Verdict.NOT_JUDGED)
    assert repr(facet) in str(report.reason)
    with pytest.raises(ConfigError, match="categorical column"):
        require_facet(BASELINE, facet)


def test_mistakes_of_one_group_are_drift_though_selection_is_not() -> None:
    before = {"f": (scores(150, 500), scores(150, 500)), "m": (scores(150, 500), scores(150, 500))}
    after = before | {"f": (scores(300, 500), scores(0, 500))}
    reports = [judge_labelled_bias(BASELINE, rows, CONTEXT) for rows in (before, after)]
    assert [report.verdict for report in reports] == [Verdict.NO_DRIFT, Verdict.DRIFT]
    moved = {one.metric for one in reports[1].groups[0].measures if one.verdict is Verdict.DRIFT}
    assert moved == {BiasMetric.TRUE_POSITIVE_RATE_DIFFERENCE, BiasMetric.FALSE_POSITIVE_RATE_DIFFERENCE}


def test_false_alarms_without_drift_stay_below_the_level() -> None:
    generator = np.random.default_rng(3)
    alarms = 0
    for _ in range(400):
        selected = generator.binomial(200, 0.3, size=2)
        alarms += judged({"f": scores(selected[0], 200), "m": scores(selected[1], 200)}).verdict is Verdict.DRIFT
    assert alarms <= 400 * Policy().alpha + 3 * (400 * Policy().alpha) ** 0.5
