import re

from research.studies.accuracy import flights
from research.studies.accuracy import page as accuracy
from research.studies.accuracy.results import AccuracyStudy
from research.studies.accuracy.tasks import FULL
from research.studies.pages import BEGIN, END
from tests.docs.pages import ROOT, STATISTICS, rows, section

ACCURACY = ROOT / "docs" / "accuracy.md"
CALIBRATION = ROOT / "docs" / "calibration.md"
MIN_REPETITIONS = 400
MAX_FALSE_ALARMS_PERCENT = 5.0
N_WINDOWS = ["200", "500", "2,000", "10,000", "100,000"]


def test_study_shows_no_more_false_alarms_than_promised() -> None:
    text = section(CALIBRATION, "False alarms")
    repetitions = [int(number) for number in re.findall(r"([\d,]+) repetitions", text.replace(",", ""))]
    shown = rows(text)
    assert [row[0] for row in shown] == N_WINDOWS * len(repetitions)
    assert repetitions
    assert min(repetitions) >= MIN_REPETITIONS
    assert max(float(row[1].split(" %")[0]) for row in shown) <= MAX_FALSE_ALARMS_PERCENT


def test_study_was_held_to_the_package_that_it_speaks_of() -> None:
    agreeing, columns = re.findall(r"agree in (\d+) of (\d+) columns", CALIBRATION.read_text())[0]
    assert agreeing == columns


def test_statistics_page_quotes_the_study() -> None:
    shown = rows(section(CALIBRATION, "False alarms"))
    ours, reference = (sorted(float(row[column].split(" %")[0]) for row in shown) for column in (1, 3))
    text = " ".join(section(STATISTICS, "Statistics").split())
    assert f"{ours[0]} to {ours[-1]} % of them alarm" in text
    assert f"{reference[0]} to {reference[-1]} % do" in text


def test_accuracy_page_is_what_its_results_say() -> None:
    shown = ACCURACY.read_text().partition(BEGIN)[2].partition(END)[0]
    assert shown == f"\n{accuracy.body(AccuracyStudy.load(ACCURACY.with_suffix('.json')), 'images')}\n"


def test_accuracy_page_is_of_the_whole_study_with_census_income() -> None:
    study = AccuracyStudy.load(ACCURACY.with_suffix(".json"))
    assert study.command == FULL.command
    assert {outcome.subject for outcome in study.outcomes} == {*FULL.splits, *flights.NAMES}
    assert not any("stands in" in name for name in study.populations)


def test_accuracy_page_shows_its_plots() -> None:
    for plot in (accuracy.ESTIMATES_PLOT, accuracy.STREAMS_PLOT, accuracy.REFUSALS_PLOT):
        assert f"(images/{plot})" in ACCURACY.read_text()
        assert (ACCURACY.parent / "images" / plot).read_bytes().startswith(b"\x89PNG")


def test_accuracy_page_repeats_its_tables_in_words() -> None:
    text = " ".join(section(ACCURACY, "What to make of it").split())
    shown = {(row[0], row[1]): row[2] for row in rows(section(ACCURACY, "Interval"))}
    census, everybody = (float(shown[name, "2,000"]) for name in ("Census Income", "**all**"))
    assert f"holds the truth in {census:.0f} %, over all subjects in {everybody:.0f} %" in text
    covariate = [one for one in AccuracyStudy.load(ACCURACY.with_suffix(".json")).outcomes if one.family == "covariate"]
    assert [one.n_rows for one in covariate if one.selected] == [500]
    assert f"one of {len(covariate)} windows of covariate shift got it wrongly, at 500 rows" in text
