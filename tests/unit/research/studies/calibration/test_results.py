from pathlib import Path

import pytest
from scipy import stats

from research.studies.calibration import page, run, tables
from research.studies.calibration.evidently_check import compared
from research.studies.calibration.false_alarms import RULES, TEXTBOOK, AlarmTally, FeatureTally, columns, generator
from research.studies.calibration.other_rules import evidently_rule
from research.studies.calibration.results import Agreement, CalibrationStudy
from research.studies.pages import BEGIN, END, interval
from tests.unit.research.studies.people import people

EXTENT = run.CalibrationExtent({600: 2}, (200, 300), 1, "make study")


def small() -> CalibrationStudy:
    return run.study(people(), "a small town", EXTENT, 7, Agreement("0.7.21", 2, 28, 28))


@pytest.fixture(scope="module")
def study() -> CalibrationStudy:
    return small()


@pytest.mark.parametrize(("n_events", "n_trials"), [(0, 40), (3, 40), (40, 40)])
def test_interval_is_clopper_and_pearsons(n_events: int, n_trials: int) -> None:
    expected = stats.binomtest(n_events, n_trials).proportion_ci(0.95, method="exact")
    assert interval(n_events, n_trials) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_study_covers_its_extent(study: CalibrationStudy) -> None:
    assert [(tally.n_reference, tally.n_window, tally.repetitions) for tally in study.tallies] == [
        (600, 200, 2), (600, 300, 2),
    ]  # fmt: skip
    assert all(tuple(tally.alarms) == RULES and len(tally.features) == 14 for tally in study.tallies)
    assert all(one.tested[TEXTBOOK] == 2 for tally in study.tallies for one in tally.features.values())
    assert {(one.n_window, one.repetitions) for one in study.found} == {(200, 1), (300, 1)}
    assert {one.feature for one in study.found} == {
        "age", "hours-per-week", "sex", "native-country", "occupation", "workclass",
    }  # fmt: skip


def test_study_depends_on_its_seed_only(study: CalibrationStudy) -> None:
    again = small()
    assert (again.tallies, again.found) == (study.tallies, study.found)


def test_large_changes_are_found_and_named(study: CalibrationStudy) -> None:
    large = [one for one in study.found if one.effect > 0.3]
    assert large
    assert all(one.named == one.repetitions for one in large)


def test_results_are_kept(study: CalibrationStudy, tmp_path: Path) -> None:
    study.save(tmp_path / "new" / "results.json")
    assert CalibrationStudy.load(tmp_path / "new" / "results.json") == study


def test_page_takes_results_between_its_markers_and_plots_beside_it(study: CalibrationStudy, tmp_path: Path) -> None:
    text = f"# Title\n\nBefore.\n\n{BEGIN}\nold\n{END}\n\nAfter.\n"
    (tmp_path / "page.md").write_text(text)
    page.write(study, tmp_path / "page.md", tmp_path / "images")
    written = (tmp_path / "page.md").read_text()
    assert written.startswith(f"# Title\n\nBefore.\n\n{BEGIN}\n")
    assert written.endswith(f"\n{END}\n\nAfter.\n")
    assert "\nold\n" not in written
    assert "28 of 28 columns" in written
    for plot in (page.FALSE_ALARMS_PLOT, page.POWER_PLOT):
        assert f"(images/{plot})" in written
        assert (tmp_path / "images" / plot).read_bytes().startswith(b"\x89PNG")


def test_page_without_markers_is_refused(study: CalibrationStudy, tmp_path: Path) -> None:
    (tmp_path / "page.md").write_text("# Title\n")
    with pytest.raises(ValueError, match=r"page\.md must hold .*; add them"):
        page.write(study, tmp_path / "page.md", tmp_path / "images")
    assert (tmp_path / "page.md").read_text() == "# Title\n"


def test_sizes_show_in_bold_what_chance_does_not_explain_and_not_what_is_rare() -> None:
    features = {
        "a": FeatureTally(tested={TEXTBOOK: 400, "t": 400, "rare": 49}, significant={TEXTBOOK: 24, "t": 60, "rare": 9})
    }
    text = tables.sizes([AlarmTally(1_000, 200, 400, 0, dict.fromkeys(RULES, 0), features)])
    assert text.splitlines()[2:] == [
        "| `a` | `rare` | – |",
        "| `a` | `t` | **15.0** |",
        "| `a` | scipy | 6.0 |",
    ]


def test_agreement_asks_for_method_score_and_number_of_drifted_columns() -> None:
    random = generator(1)
    window = columns(people(), people().draw(800, random), people().draw(300, random))
    scores = {pair.spec.name: evidently_rule(pair) for pair in window}
    n_drifted = sum(score.drifts for score in scores.values())
    answer = {name: {"method": score.method, "score": score.value} for name, score in scores.items()}
    agreeing = {"n_drifted": n_drifted, "columns": answer}
    one_off = {"n_drifted": n_drifted, "columns": {**answer, "sex": {**answer["sex"], "score": 0.5}}}
    other_number = {"n_drifted": n_drifted + 1, "columns": answer}
    counted = compared([window] * 3, {"version": "0", "windows": [agreeing, one_off, other_number]})
    assert counted == Agreement("0", 3, 3 * 14, 14 + 13)
