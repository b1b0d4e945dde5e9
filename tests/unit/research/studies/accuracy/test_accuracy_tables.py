import math
from dataclasses import replace

import pytest

from plumbline.contract.accuracy import Shift
from plumbline.contract.verdicts import Verdict
from plumbline.drift.projection import Limits
from research.studies.accuracy import page, summary, tables
from research.studies.accuracy.cases import Family
from research.studies.accuracy.outcomes import IntervalEstimate, Method
from research.studies.accuracy.results import AccuracyStudy
from research.studies.accuracy.sweep import refuses, rules, sweep
from tests.unit.research.studies.accuracy_outcomes import outcome

MISSED = outcome(family=Family.COVARIATE, accuracy=IntervalEstimate(0.80, 0.78, 0.82, 0.85), separability=0.9)
REFUSED = outcome(
    family=Family.COVARIATE,
    accuracy=IntervalEstimate(0.70, 0.68, 0.72, 0.80),
    refusal_reason="out of support",
    verdict=Verdict.NOT_JUDGED,
    separability=0.99,
)
DROPPED = outcome(family=Family.COVARIATE, accuracy=IntervalEstimate(0.80, 0.78, 0.82, 0.80), verdict=Verdict.DRIFT)
FOUR = [outcome(), MISSED, REFUSED, DROPPED]


def cells(text: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines()[2:]]


def test_refused_windows_count_for_the_others_and_apart_for_plumbline() -> None:
    assert cells(tables.errors(FOUR)) == [
        ["none", "500", "1", "1.00", "1.00", "2.00", "0.00", "14.00"],
        ["covariate", "500", "3", "2.50", "5.00", "2.67", "3.33", "17.33"],
    ]


def test_only_intervals_of_windows_that_are_not_refused_count() -> None:
    [town, everybody] = cells(tables.intervals(FOUR))
    assert town == ["town", "500", "100.0", "50.0", "66.7 % (9.4 to 99.2)", "2.00"]
    assert everybody[1:] == town[1:]


def test_verdicts_are_split_by_the_drop_that_there_was() -> None:
    [[rows, without, no_lower, clear]] = cells(tables.verdicts(FOUR))
    assert rows == "500"
    assert without == "0.0 % (0.0 to 97.5)"
    assert no_lower == "0.0 % (0.0 to 84.2)"
    assert clear == "100.0 % (2.5 to 100.0)"


def test_refusals_say_what_was_kept_and_what_was_lost() -> None:
    assert cells(tables.refusals(FOUR))[1] == ["covariate", "500", "3", "33.3", "2.50", "10.00", "50.0", "1", "1"]


def test_real_drift_has_a_row_for_each_stream() -> None:
    time = [outcome(family=Family.TIME, subject="rain"), outcome(family=Family.TIME, subject="late")]
    assert [row[0] for row in cells(tables.streams(time))] == ["rain", "late"]
    assert cells(tables.refusals(time))[0][:2] == ["time", "–"]


def test_shifts_are_named_by_what_there_is_and_silence_is_shown() -> None:
    seen = outcome(family=Family.LABEL, before={Shift.LABEL: Verdict.DRIFT}, after={Shift.LABEL: Verdict.DRIFT})
    unseen = outcome(family=Family.LABEL)
    assert cells(tables.naming([seen, unseen])) == [
        ["label", "500", "2", "0.0 [50.0]", "50.0", "50.0", "0.0 [50.0]"],
    ]


def test_shifts_are_named_case_by_case_with_the_drop_that_there_was() -> None:
    seen = outcome(family=Family.CONCEPT, case="some", accuracy=MISSED.accuracy, after={Shift.CONCEPT: Verdict.DRIFT})
    unseen = outcome(family=Family.CONCEPT, case="some", accuracy=DROPPED.accuracy)
    assert cells(tables.naming_by_case([seen, unseen, outcome()])) == [
        ["concept", "some", "2", "2.50", "0.0", "0.0 [50.0]", "50.0"],
    ]


def test_scenario_is_held_to_the_truth_where_it_was_selected() -> None:
    picked = outcome(family=Family.LABEL, selected=True, scenario=IntervalEstimate(0.86, 0.84, 0.88, 0.85))
    assert cells(tables.selections([picked, outcome(family=Family.LABEL)])) == [
        ["label", "500", "50.0 % (1.3 to 98.7)", "1.00", "1.00", "100.0"],
    ]


def test_other_measures_count_where_they_are_estimated() -> None:
    silent = outcome(measures={"f1": IntervalEstimate(None, None, None, 0.5)})
    assert cells(tables.measures([outcome(), silent])) == [["F1", "500", "50.0", "5.00", "100.0 % (2.5 to 100.0)"]]


def test_rank_correlation_needs_estimates_that_differ() -> None:
    rising = [outcome(accuracy=IntervalEstimate(0.7 + step, None, None, 0.6 + step)) for step in (0.0, 0.1, 0.2)]
    assert summary.rank_correlation(rising, Method.PLUMBLINE) == pytest.approx(1)
    assert summary.rank_correlation(rising, Method.UNCHANGED) is None


def test_a_window_is_refused_from_a_limit_on() -> None:
    limits = Limits()
    assert refuses(limits, outcome(separability=limits.separability))
    assert not refuses(limits, outcome(separability=limits.separability - 1e-9))
    assert refuses(limits, outcome(over_represented=limits.over_represented_fraction))
    assert refuses(limits, outcome(outside=limits.out_of_support_fraction))
    assert not refuses(replace(limits, separability=math.inf), outcome(separability=1.0))
    assert not refuses(limits, outcome(separability=None))


def test_sweep_has_a_row_for_each_rule_and_starts_with_the_one_that_is_shipped() -> None:
    shown = cells(sweep([*FOUR, outcome(family=Family.CONCEPT, separability=1.0)]))
    assert [row[0] for row in shown] == [name for name, _ in rules()]
    assert shown[0] == ["as shipped", "25.0", "–", "50.0", "2.00", "66.7", "–"]


def test_page_says_which_target_is_not_met() -> None:
    text = page.body(AccuracyStudy("a test", 1, ("town",), {}, 60.0, tuple(FOUR)), "images")
    assert "| the interval holds the truth, 500 rows | at least 93 % | 66.7 % of 3 | **not met** |" in text


def test_page_names_the_shifts_behind_the_intervals_that_missed() -> None:
    named = {Shift.CONCEPT: Verdict.DRIFT}
    time = [
        outcome(family=Family.TIME),
        outcome(family=Family.TIME, accuracy=MISSED.accuracy, after=named),
        outcome(family=Family.TIME, accuracy=MISSED.accuracy),
        outcome(family=Family.TIME, accuracy=MISSED.accuracy, after=named, refusal_reason="out of support"),
    ]
    text = page.body(AccuracyStudy("a test", 1, ("town",), {}, 60.0, (*FOUR, *time)), "images")
    assert "Of the 2 windows whose interval missed the truth, 1 are called label shift or concept shift" in text
    assert "of the 1 whose interval held it, 0." in text


def test_gate_is_shown_once_for_each_split() -> None:
    twin = [outcome(subject="twin", seed=seed, gate=24.0 + seed, weighted=True) for seed in (1, 1, 2)]
    assert cells(tables.gates([outcome(), *twin])) == [
        ["town", "0.5", "0 of 1"],
        ["twin", "25.0, 26.0", "2 of 2"],
    ]
