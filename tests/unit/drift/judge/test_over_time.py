"""The test over windows: what it finds and when, what it does not call, and how its state goes on.

Each says how likely it is to fail by chance where that is not obvious.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from numpy.typing import NDArray

from plumbline.contract.over_time import OverTimeReport
from plumbline.contract.reasons import ReasonCode
from plumbline.contract.records import FeatureType, ModelReport, Verdict, WindowBounds
from plumbline.contract.training import PROBABILITY_COLUMN
from plumbline.drift.compare.past_days import past_days
from plumbline.drift.data.counts import ValueCounts, count
from plumbline.drift.data.table import FeatureSpec, Table
from plumbline.drift.data.times import format_time
from plumbline.drift.judge.comparison import RunContext, Sample
from plumbline.drift.judge.over_time import OverTime, WindowTimes, judge_over_time
from plumbline.drift.judge.window_state import EarlierState, WindowState, read_window_state, window_state_text
from plumbline.drift.reference.baseline import Baseline
from plumbline.drift.reference.history import HistoryRows
from plumbline.drift.settings.policy import FeaturePolicy, Policy
from tests.reports import because

START = datetime(2026, 1, 5, tzinfo=UTC)
HOUR = timedelta(hours=1)
CONTEXT = RunContext(policy=Policy())
SPECS = (FeatureSpec("age", FeatureType.NUMERIC), FeatureSpec("job", FeatureType.CATEGORICAL))
N_REFERENCE = 20_000
Columns = dict[str, NDArray[np.generic]]


def columns(random: np.random.Generator, n: int, *, shift: float = 0.0, nurses: float = 0.3) -> Columns:
    jobs = np.where(random.random(n) < nurses, "nurse", "clerk").astype(object)
    return {"age": random.normal(shift, 1, n), "job": jobs, PROBABILITY_COLUMN: random.beta(2, 3, n)}


def sample(found: Columns) -> Sample:
    counts: dict[str, ValueCounts] = {
        spec.name: count(spec.type, found[spec.name])  # type: ignore[arg-type]
        for spec in SPECS
        if spec.name in found
    }
    if PROBABILITY_COLUMN not in found:
        return Sample(columns=counts)
    return Sample(columns=counts, probabilities=count(FeatureType.NUMERIC, found[PROBABILITY_COLUMN]))  # type: ignore[arg-type]


def reference(seed: int = 0) -> Sample:
    return sample(columns(np.random.default_rng([seed, 1]), N_REFERENCE))


class Stream:
    """Runs that follow each other: each goes on from the state that the one before left, through its file."""

    def __init__(
        self, side: Sample, context: RunContext = CONTEXT, past_days: Mapping[str, Mapping[str, float]] | None = None
    ) -> None:
        self.reference, self.context, self.past_days = side, context, past_days or {}
        self.state: WindowState | None = None

    def judged(self, hour: int, found: Columns, *, hours: int = 1, looked_back: int = 0) -> OverTimeReport:
        end = START + (hour + hours) * HOUR
        own = WindowBounds(format_time(end - hours * HOUR), format_time(end))
        times = WindowTimes(own=own, start=format_time(end - (hours + looked_back) * HOUR))
        outcome = self.run(times, found, EarlierState(is_searched=True, state=self.state))
        if outcome.state is not None:
            self.state = read_window_state(window_state_text(outcome.state))
        return outcome.report

    def run(self, times: WindowTimes, found: Columns, earlier: EarlierState) -> OverTime:
        n_rows = len(found["age"])
        window = sample(found)
        return judge_over_time(
            SPECS,
            self.reference,
            window,
            self.context,
            times=times,
            n_rows=n_rows,
            earlier=earlier,
            past_days=self.past_days,
        )


def reports(
    n_hours: int,
    hour_of: Callable[[np.random.Generator, int], Columns],
    *,
    seed: int = 0,
    context: RunContext = CONTEXT,
) -> Iterator[tuple[int, OverTimeReport]]:
    """Yield the report of each hour, and how many hours are over then."""
    stream, random = Stream(reference(seed), context), np.random.default_rng([seed, 2])
    for hour in range(n_hours):
        yield hour + 1, stream.judged(hour, hour_of(random, hour))


def first_alarm(
    n_hours: int, hour_of: Callable[[np.random.Generator, int], Columns], seed: int = 0
) -> tuple[int, OverTimeReport] | None:
    found = reports(n_hours, hour_of, seed=seed)
    return next(((hour, one) for hour, one in found if one.verdict is Verdict.DRIFT), None)


def ramp(hour: int, n_hours: int, to: float) -> float:
    return to * min(hour + 0.5, n_hours) / n_hours


@pytest.mark.parametrize("seed", range(3))
def test_a_ramp_of_a_fifth_of_a_standard_deviation_in_two_days_is_found_within_a_day_of_its_end(seed: int) -> None:
    found = first_alarm(72, lambda random, hour: columns(random, 1000, shift=ramp(hour, 48, 0.2)), seed)
    assert found is not None
    assert "drift over time in age (higher by" in str(found[1].reason)


def test_a_ramp_in_a_week_is_found_in_its_first_half() -> None:
    found = first_alarm(84, lambda random, hour: columns(random, 500, shift=ramp(hour, 168, 1.0)))
    assert found is not None


def test_a_ramp_of_a_label_names_it_and_since_when() -> None:
    found = first_alarm(72, lambda random, hour: columns(random, 500, nurses=0.3 + ramp(hour, 48, 0.15)))
    assert found is not None
    hour, report = found
    (job,) = [one for one in report.features if one.verdict is Verdict.DRIFT]
    assert job.name == "job"
    assert str(job.reason).startswith("clerk from 69.8 to ")
    assert job.start is not None
    assert START <= datetime.fromisoformat(job.start) < START + hour * HOUR
    assert report.start == job.start


def test_a_ramp_of_missing_values_and_of_the_prediction() -> None:
    def hour_of(random: np.random.Generator, hour: int) -> Columns:
        found = columns(random, 500)
        found["age"] = np.where(random.random(500) < ramp(hour, 48, 0.1), np.nan, found["age"])
        found[PROBABILITY_COLUMN] = random.beta(2 + ramp(hour, 48, 0.8), 3, 500)
        return found

    (*_, (_, last)) = reports(60, hour_of)
    assert last.prediction is not None
    assert last.prediction.verdict is Verdict.DRIFT
    (age,) = [one for one in last.features if one.verdict is Verdict.DRIFT]
    assert str(age.reason).startswith("missing from 0.0 to ")
    assert str(last.reason).startswith("drift over time in age (missing from 0.0 to ")
    assert ") and the prediction (higher by " in str(last.reason)


def test_day_and_night_and_clumps_are_no_change() -> None:
    """A swing of 0.5 standard deviations that training saw as a mix, and each value fifty times: a week without alarm.

    The bound is 5 % of months with an alarm: a week with one has a chance of less than 2 %.
    """

    def clumped(random: np.random.Generator, hour: int) -> Columns:
        shift = 0.5 if 8 <= hour % 24 < 20 else -0.5
        found = columns(random, 20, shift=shift)
        return {name: np.repeat(column, 50) for name, column in found.items()}

    mix = np.random.default_rng(5)
    stream, random = Stream(_mixed(mix)), np.random.default_rng(6)
    verdicts = {stream.judged(hour, clumped(random, hour)).verdict for hour in range(168)}
    assert verdicts == {Verdict.NOT_JUDGED, Verdict.NO_DRIFT}


def _mixed(random: np.random.Generator) -> Sample:
    found = columns(random, N_REFERENCE)
    found["age"] = found["age"] + random.choice([-0.5, 0.5], N_REFERENCE)
    return sample(found)


def test_a_small_reference_that_lies_off_by_chance_is_no_change() -> None:
    """300 rows lie off by 0.06 standard deviations on average: 10 references, 4 days each, at most one alarm."""
    n_alarms = 0
    for seed in range(10):
        random = np.random.default_rng([seed, 3])
        stream = Stream(sample(columns(random, 300)))
        n_alarms += any(stream.judged(h, columns(random, 500)).verdict is Verdict.DRIFT for h in range(60))
    assert n_alarms <= 1


def test_a_difference_that_nobody_has_to_know_is_no_change() -> None:
    found = first_alarm(72, lambda random, _: columns(random, 2000, shift=0.05))
    assert found is None


def test_a_feature_with_a_higher_threshold_may_move_farther() -> None:
    lenient = replace(CONTEXT, policy=Policy(features={"age": FeaturePolicy(effect_threshold=0.5)}))

    def shifted(random: np.random.Generator, _: int) -> Columns:
        return columns(random, 1000, shift=0.2)

    (*_, (_, default)), (*_, (_, tolerant)) = reports(48, shifted), reports(48, shifted, context=lenient)
    assert (default.verdict, tolerant.verdict) == (Verdict.DRIFT, Verdict.NO_DRIFT)


def test_an_ignored_feature_is_not_followed() -> None:
    context = replace(CONTEXT, policy=Policy(features={"age": FeaturePolicy(ignore=True)}))
    (*_, (_, last)) = reports(30, lambda random, _: columns(random, 300, shift=3.0), context=context)
    assert [one.name for one in last.features] == ["job"]
    assert last.verdict is Verdict.NO_DRIFT


def test_the_alarm_ends_with_the_first_day_after_the_change() -> None:
    def hour_of(random: np.random.Generator, hour: int) -> Columns:
        return columns(random, 500, shift=0.5 if 30 <= hour < 100 else 0.0)

    alarms = [hour for hour, one in reports(150, hour_of) if one.verdict is Verdict.DRIFT]
    assert alarms == list(range(alarms[0], alarms[-1] + 1))
    assert 30 < alarms[0] <= 54
    assert 100 <= alarms[-1] <= 125


def test_a_day_is_not_judged_before_it_is_almost_whole() -> None:
    found = list(reports(20, lambda random, _: columns(random, 300)))
    assert [one.verdict for _, one in found] == [Verdict.NOT_JUDGED] * 17 + [Verdict.NO_DRIFT] * 3
    assert str(found[3][1].reason) == "usable windows cover 4 of the last 24 hours, fewer than 18"


def test_windows_of_a_day_are_judged_when_it_is_known_how_days_differ() -> None:
    stream, random = Stream(reference()), np.random.default_rng(3)
    found = [stream.judged(24 * day, columns(random, 5000), hours=24) for day in range(14)]
    assert [one.verdict for one in found] == [Verdict.NOT_JUDGED] * 12 + [Verdict.NO_DRIFT] * 2
    assert str(found[5].reason) == (
        "5 windows that follow others, fewer than 12: how much they differ by chance is not known"
    )


def test_a_window_that_is_judged_again_gets_the_same_report_and_leaves_the_same_state() -> None:
    stream, random = Stream(reference()), np.random.default_rng(3)
    hours = [columns(random, 300) for _ in range(20)]
    for hour, found in enumerate(hours[:-1]):
        stream.judged(hour, found)
    before = stream.state
    first, after = stream.judged(19, hours[-1]), stream.state
    stream.state = before
    assert (stream.judged(19, hours[-1]), stream.state) == (first, after)


def test_missing_hours_are_holes_of_their_own_only() -> None:
    stream, random = Stream(reference()), np.random.default_rng(3)
    found = {hour: stream.judged(hour, columns(random, 300)) for hour in range(48) if hour not in {30, 31, 32}}
    assert found[47].verdict is Verdict.NO_DRIFT
    assert found[47].n_windows == 21
    assert found[33].n_rows == 300 * 21


def test_windows_that_overlap_do_not_count_their_rows_twice() -> None:
    """Each window looked back two hours: of 24 only every third has rows of its own."""
    stream, random = Stream(reference()), np.random.default_rng(3)
    found = [stream.judged(hour, columns(random, 300), looked_back=2) for hour in range(60)]
    assert (found[-1].verdict, found[-1].n_windows, found[-1].n_rows) == (Verdict.NO_DRIFT, 8, 2400)


def test_a_window_with_few_rows_counts_and_one_that_is_not_judged_otherwise_does_not() -> None:
    stream, random = Stream(reference()), np.random.default_rng(3)
    for hour in range(30):
        stream.judged(hour, columns(random, 20))
    few = replace(CONTEXT, not_judged=ReasonCode.TOO_FEW_ROWS.reason(n_rows=20, min_rows=200))
    stream.context = few
    assert stream.judged(30, columns(random, 20)).verdict is Verdict.NO_DRIFT
    stream.context = replace(CONTEXT, not_judged=because("half of the records rejected"))
    refused = stream.judged(31, columns(random, 20, shift=9.0))
    assert (refused.verdict, str(refused.reason)) == (
        Verdict.NOT_JUDGED,
        "the window is not judged: half of the records rejected",
    )
    stream.context = CONTEXT
    after = stream.judged(32, columns(random, 20))
    assert (after.verdict, after.n_windows) == (Verdict.NO_DRIFT, 23)


def test_another_reference_of_one_feature_begins_anew_for_that_feature() -> None:
    stream, random = Stream(reference()), np.random.default_rng(3)
    for hour in range(40):
        report = stream.judged(hour, columns(random, 500, shift=0.6))
    assert report.verdict is Verdict.DRIFT
    accepted = columns(random, N_REFERENCE, shift=0.6)
    stream.reference = replace(
        stream.reference, columns={**stream.reference.columns, "age": sample(accepted).columns["age"]}
    )
    after = [stream.judged(hour, columns(random, 500, shift=0.6)) for hour in range(40, 80)]
    verdicts = {name: [_of(one, name) for one in after] for name in ("age", "job")}
    assert verdicts["age"][0] is Verdict.NOT_JUDGED
    assert set(verdicts["job"]) == {Verdict.NO_DRIFT}
    assert verdicts["age"][-1] is Verdict.NO_DRIFT


def _of(report: OverTimeReport, name: str) -> Verdict:
    return next(one.verdict for one in report.features if one.name == name)


def test_another_model_begins_anew_for_the_prediction_alone() -> None:
    stream, random = Stream(reference()), np.random.default_rng(3)
    for hour in range(30):
        stream.judged(hour, columns(random, 300))
    stream.context = replace(CONTEXT, model=ModelReport(artifact="s3://b/new.tar.gz", baseline="s3://b/baseline"))
    found = stream.judged(30, columns(random, 300))
    assert found.prediction is not None
    assert found.prediction.verdict is Verdict.NOT_JUDGED
    assert {one.verdict for one in found.features} == {Verdict.NO_DRIFT}


def test_a_window_without_predictions_keeps_what_is_known_of_them() -> None:
    stream, random = Stream(reference()), np.random.default_rng(3)
    for hour in range(30):
        stream.judged(hour, columns(random, 300))
    whole = stream.reference
    stream.reference = replace(whole, probabilities=None)
    without = columns(random, 300)
    del without[PROBABILITY_COLUMN]
    assert stream.judged(30, without).prediction is None
    stream.reference = whole
    found = stream.judged(31, columns(random, 300))
    assert found.prediction is not None
    assert found.prediction.verdict is Verdict.NO_DRIFT


def test_without_times_or_place_or_with_an_error_nothing_is_judged() -> None:
    stream, found = Stream(reference()), columns(np.random.default_rng(3), 300)
    nowhere = WindowTimes(own=WindowBounds(), start=None)
    times = WindowTimes(own=WindowBounds("2026-01-05T00:00:00Z", "2026-01-05T01:00:00Z"), start="2026-01-05T00:00:00Z")
    without_times = stream.run(nowhere, found, EarlierState(is_searched=True))
    assert "no times" in str(without_times.report.reason)
    assert without_times.state is None
    # A state is left all the same for a run that searches.
    alone = stream.run(times, found, EarlierState())
    assert alone.report.is_switched_off
    assert alone.state is not None
    failed = stream.run(times, found, EarlierState(is_searched=True, failure="denied"))
    assert str(failed.report.reason) == "what the windows before left could not be read: denied"
    assert failed.state is None
    skipped = stream.run(times, found, EarlierState(is_searched=True, skipped=("a: damaged",)))
    assert str(skipped.report.reason).endswith("; skipped a: damaged")


def test_a_fault_leaves_the_state_before_it() -> None:
    stream, random = Stream(reference()), np.random.default_rng(3)
    stream.judged(0, columns(random, 300))
    before = stream.state
    stream.reference = replace(stream.reference, columns={})
    found = stream.judged(1, columns(random, 300))
    assert (found.verdict, str(found.reason)[:24]) == (Verdict.NOT_JUDGED, "internal fault: KeyError")
    assert before is not None
    assert stream.state is not None
    assert (stream.state.day, stream.state.courses) == (before.day, before.courses)


def test_the_threshold_is_that_of_a_month_of_windows_and_of_all_features() -> None:
    (*_, (_, hourly)) = reports(18, lambda random, _: columns(random, 300))
    # Two months of 720 windows, two features and the prediction, 0.8 * 0.05.
    assert hourly.evidence_threshold == pytest.approx(np.log(2 * 720 * 3 / 0.04))
    assert (hourly.alpha, hourly.n_windows, hourly.n_rows) == (0.05, 18, 5400)


def at_weekends(hour: int) -> float:
    """Weekends lie half a standard deviation higher, which training saw, so that the week is as training was."""
    is_weekend = (START + hour * HOUR).weekday() >= 5
    return 0.5 * (is_weekend - 2 / 7)


def days_of(n_days: int, shift: Callable[[int], float] = at_weekends, seed: int = 5) -> dict[str, dict[str, float]]:
    random, hours = np.random.default_rng(seed), range(-24 * n_days, 0)
    found = [columns(random, 50, shift=shift(hour)) for hour in hours]
    rows = {name: np.concatenate([one[name] for one in found]) for name in found[0]}
    history = HistoryRows(
        table=Table(SPECS, {spec.name: rows[spec.name] for spec in SPECS}),
        times=[format_time(START + hour * HOUR) for hour in hours for _ in range(50)],
        labels=(),
        probabilities=rows[PROBABILITY_COLUMN].astype(np.float64),
    )
    side = reference()
    baseline = Baseline(
        target_label=None, positive_label=None, n_rows=N_REFERENCE, specs=SPECS, counts=dict(side.columns)
    )
    return past_days(baseline, history)


def weeks(n_weeks: int, shift: Callable[[int], float], past: Mapping[str, Mapping[str, float]]) -> list[int]:
    """Return after how many hours there was an alarm."""
    stream, random = Stream(reference(), past_days=past), np.random.default_rng(6)
    reports = (stream.judged(hour, columns(random, 500, shift=shift(hour))) for hour in range(168 * n_weeks))
    return [hour for hour, one in enumerate(reports, 1) if one.verdict is Verdict.DRIFT]


def test_weekends_that_the_past_knows_are_no_news() -> None:
    past = days_of(28)
    # Weekdays lie 0.14 lower and weekends 0.36 higher, of a standard deviation: of ranks about 0.065 together.
    assert past["age"]["location"] == pytest.approx(0.0643**2, rel=0.25)
    others = [variance for name, series in past.items() if name != "age" for variance in series.values()]
    assert max(others, default=0.0) < past["age"]["location"] / 20
    assert weeks(2, at_weekends, {}) != []
    assert weeks(2, at_weekends, past) == []


def test_what_is_more_than_the_past_knows_is_found_among_weekends() -> None:
    assert weeks(2, lambda hour: at_weekends(hour) + (0.8 if hour >= 48 else 0.0), days_of(28)) != []


def test_a_past_of_few_days_knows_no_days() -> None:
    assert days_of(13) == {}
