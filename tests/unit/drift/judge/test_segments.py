from dataclasses import replace

import numpy as np

from plumbline.contract.accepted import Acceptance
from plumbline.contract.reasons import ReasonCode
from plumbline.contract.records import FeatureType, SegmentReport, Verdict, WindowBounds
from plumbline.contract.statistics import EffectMeasure
from plumbline.drift.data.counts import NumericCounts, ValueCounts, count
from plumbline.drift.data.table import FeatureSpec, Table
from plumbline.drift.data.window import Segment, SegmentCounts, SegmentKind
from plumbline.drift.judge.comparison import RunContext
from plumbline.drift.judge.segments import judge_segments
from plumbline.drift.reference.accepted import Accepted, AcceptedWindows
from plumbline.drift.reference.baseline import Baseline
from plumbline.drift.reference.learn import learn
from plumbline.drift.settings.policy import Policy

SPECS = (FeatureSpec("age", FeatureType.NUMERIC), FeatureSpec("sex", FeatureType.CATEGORICAL))
MEANS = {"f": 30.0, "m": 60.0}


def rows(sex: str, n: int, seed: int, mean: float | None = None) -> Table:
    random = np.random.default_rng(seed)
    ages = random.normal(MEANS[sex] if mean is None else mean, 5, n).round(1)
    return Table(SPECS, {"age": ages, "sex": np.array([sex] * n, dtype=object)})


def counted(table: Table) -> dict[str, ValueCounts]:
    return {spec.name: count(spec.type, table.columns[spec.name]) for spec in SPECS}


def both(women: Table, men: Table) -> Table:
    return Table(SPECS, {name: np.concatenate([women.columns[name], men.columns[name]]) for name in women.columns})


WOMEN, MEN = rows("f", 2000, 1), rows("m", 2000, 2)
BASELINE: Baseline = replace(
    learn(train=both(WOMEN, MEN), target_label="y"),
    segment_column="sex",
    segments={"f": counted(WOMEN), "m": counted(MEN)},
)


def counts(segments: dict[Segment, Table]) -> dict[Segment, SegmentCounts]:
    none = NumericCounts.of(np.array([]))
    return {segment: SegmentCounts(part.n_rows, counted(part), none) for segment, part in segments.items()}


def judged(segments: dict[Segment, Table], baseline: Baseline = BASELINE) -> dict[str, SegmentReport]:
    context = RunContext(policy=Policy(minimum_rows=200))
    return {found.value: found for found in judge_segments(baseline, counts(segments), context)}


def of_column(value: str) -> Segment:
    return Segment(SegmentKind.COLUMN, value)


def of_variant(value: str) -> Segment:
    return Segment(SegmentKind.VARIANT, value)


def test_a_segment_is_judged_against_the_same_segment_of_training() -> None:
    found = judged({of_column("f"): rows("f", 900, 5), of_column("m"): rows("m", 900, 6, mean=45)})
    assert (found["f"].verdict, found["m"].verdict) == (Verdict.NO_DRIFT, Verdict.DRIFT)
    assert (found["m"].kind, found["m"].n_rows, str(found["m"].reason)) == ("column", 900, "drift in age")
    assert [feature.name for feature in found["f"].features] == ["age", "sex"]


def test_the_segments_own_column_is_constant_and_not_judged() -> None:
    (age, sex) = judged({of_column("f"): rows("f", 900, 5)})["f"].features
    assert (age.verdict, sex.verdict) == (Verdict.NO_DRIFT, Verdict.NOT_JUDGED)


def test_a_variant_is_judged_against_all_training_rows() -> None:
    mixed = both(rows("f", 450, 5), rows("m", 450, 6))
    found = judged({of_variant("a"): mixed, of_variant("b"): rows("f", 900, 7)})
    assert (found["a"].kind, found["a"].verdict) == ("variant", Verdict.NO_DRIFT)
    assert found["b"].verdict is Verdict.DRIFT


def accepted(*features: FeatureSpec, mean: float) -> Accepted:
    """Windows of both sexes at one mean age, made the reference of some features."""
    table = both(rows("f", 900, 11, mean), rows("m", 900, 12, mean))
    statement = Acceptance(windows=(WindowBounds("2026-01-01", "2026-01-02"),), at="2026-01-03", by="Ada", reason="new")
    return Accepted(
        windows=AcceptedWindows(
            acceptance=statement,
            n_windows=1,
            n_rows=table.n_rows,
            specs=features,
            columns={spec.name: counted(table)[spec.name] for spec in features},
            probabilities=None,
            baseline=None,
            model=None,
            identity="one",
        )
    )


def test_a_variant_is_judged_against_accepted_windows() -> None:
    mixed = {name: both(rows("f", 450, 5, 80), rows("m", 450, 6, 80)) for name in "ab"}
    segments = counts({of_variant(name): table for name, table in mixed.items()})
    context = RunContext(policy=Policy(minimum_rows=200))
    assert {one.verdict for one in judge_segments(BASELINE, segments, context, WindowBounds())} == {Verdict.DRIFT}
    quiet = replace(context, accepted=accepted(*SPECS, mean=80))
    assert {one.verdict for one in judge_segments(BASELINE, segments, quiet, WindowBounds())} == {Verdict.NO_DRIFT}


def test_a_segment_of_a_column_is_judged_without_accepted_features() -> None:
    segments = counts({of_column("f"): rows("f", 900, 5, 80)})
    context = RunContext(policy=Policy(minimum_rows=200))
    (whole,) = judge_segments(BASELINE, segments, replace(context, accepted=accepted(*SPECS, mean=80)), WindowBounds())
    assert (whole.verdict, whole.features) == (Verdict.NOT_JUDGED, ())
    assert whole.reason == ReasonCode.ACCEPTED_WITHOUT_SEGMENTS.reason(names="age, sex")
    of_sex = replace(context, accepted=accepted(SPECS[1], mean=80))
    (one,) = judge_segments(BASELINE, segments, of_sex, WindowBounds())
    assert (one.verdict, [feature.name for feature in one.features]) == (Verdict.DRIFT, ["age"])
    assert "not judged are sex" in str(one.reason)


def test_the_only_variant_is_no_segment() -> None:
    assert judged({of_variant("a"): rows("f", 900, 7)}) == {}


def test_a_small_segment_is_not_judged_and_described() -> None:
    found = judged({of_column("f"): rows("f", 30, 5, mean=500)})["f"]
    assert (found.verdict, str(found.reason)) == (Verdict.NOT_JUDGED, "30 rows, fewer than the minimum of 200")
    assert found.features[0].effect(EffectMeasure.DRIFT_SCORE) is not None


def test_a_segment_that_training_does_not_have_is_not_judged() -> None:
    found = judged({of_column("x"): rows("f", 900, 5)})["x"]
    assert (found.verdict, found.features) == (Verdict.NOT_JUDGED, ())
    assert str(found.reason) == "the baseline has no rows of this segment"


def test_a_segment_that_fails_leaves_the_others_standing() -> None:
    broken = replace(BASELINE, segments={"f": {}, "m": counted(MEN)})
    found = judged({of_column("f"): rows("f", 900, 5), of_column("m"): rows("m", 900, 6)}, broken)
    assert found["m"].verdict is Verdict.NO_DRIFT
    assert {feature.verdict for feature in found["f"].features} == {Verdict.NOT_JUDGED}


def test_segments_of_a_mostly_rejected_window_are_not_judged_either() -> None:
    why = ReasonCode.REJECTED_FRACTION.reason(n_lost=4, n_records=9, percent=44, max_percent=20, loss="4 as not_json")
    context = RunContext(policy=Policy(minimum_rows=200), not_judged=why)
    found = judge_segments(BASELINE, counts({of_column("m"): rows("m", 900, 6, mean=45)}), context)
    assert [(one.verdict, one.reason) for one in found] == [(Verdict.NOT_JUDGED, why)]
