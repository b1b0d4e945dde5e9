import html
import logging
import math
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from plumbline.contract.records import (
    ISOLATION_FOREST_NOTE,
    SWITCHED_OFF,
    AnswerCounts,
    Contributor,
    DriftReport,
    EffectMeasure,
    FeatureReport,
    FeatureType,
    MultivariateReport,
    OverTimeReport,
    SegmentReport,
    Status,
    VariantReport,
    VariantRole,
    Verdict,
    Violation,
)
from plumbline.report import Event, build
from plumbline.report.plots.p_values import minus_log10
from plumbline.report.timeline import timeline
from tests.reports import because
from tests.unit.report.builders import REFUSED, SIMILAR, feature, report, start_of, write

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
NASTY = '<script>alert("1")</script> & $x_1$ \n \ud800 名'
DRIFTED = (feature("age"), feature("hours-per-week", 92.0, drift=True, p=0.0))


class Reader(HTMLParser):
    """Collects what a browser would see: tags, attributes, text."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data


def made(tmp_path: Path, *reports: DriftReport, **options: object) -> Path:
    return build(write(tmp_path / "results", *reports), tmp_path / "out", **options)  # type: ignore[arg-type]


def test_page_and_plots_are_written(tmp_path: Path) -> None:
    page = made(tmp_path, report(0), report(1, features=DRIFTED, similarity=SIMILAR))
    assert page == tmp_path / "out" / "report.html"
    plots = {path.name: path.read_bytes() for path in (tmp_path / "out").glob("*.png")}
    assert set(plots) == {
        "drift_score.png",
        "projected_accuracy.png",
        "p_values.png",
        "isolation_forest_similarity.png",
    }
    assert all(content.startswith(PNG_SIGNATURE) for content in plots.values())


def test_page_loads_nothing_and_runs_nothing(tmp_path: Path) -> None:
    page = made(tmp_path, report(0, features=DRIFTED, similarity=SIMILAR))
    reader = Reader(page)
    assert not {"script", "link", "iframe", "img", "object"} & set(reader.tags)
    assert "://" not in page.read_text(encoding="utf-8")
    assert "@import" not in page.read_text(encoding="utf-8")
    targets = [value for name, value in reader.attributes if name in ("href", "src", "xlink:href") and value]
    assert targets
    assert all(target.startswith("#") for target in targets)


def test_ids_of_the_page_are_unique_and_every_reference_has_its_target(tmp_path: Path) -> None:
    page = made(tmp_path, report(0), report(1, features=DRIFTED, similarity=SIMILAR))
    reader = Reader(page)
    ids = [value for name, value in reader.attributes if name == "id"]
    assert len(ids) == len(set(ids))
    used = {value.removeprefix("#") for name, value in reader.attributes if name == "href" and value}
    used |= set(re.findall(r"url\(#([^)]+)\)", page.read_text(encoding="utf-8")))
    assert used <= set(ids)


def test_plots_are_described_for_those_who_do_not_see_them(tmp_path: Path) -> None:
    reader = Reader(made(tmp_path, report(0)))
    labels = [value for name, value in reader.attributes if name == "aria-label" and value]
    assert len(labels) == reader.tags.count("svg") == 3
    assert ("role", "img") in reader.attributes
    assert ("lang", "en") in reader.attributes


def test_names_from_data_are_escaped_everywhere(tmp_path: Path) -> None:
    page = made(
        tmp_path,
        report(
            0,
            features=(feature(NASTY, 92.0, drift=True),),
            reason=because(NASTY),
            endpoint=NASTY,
            rejected={NASTY: 1},
        ),
        report(1, verdict=Verdict.NOT_JUDGED, features=(), reason=because("<b>why</b>"), endpoint=NASTY),
        events=[Event(start_of(0), "<i>alarm</i>", "<u>fired</u>")],
        title="<title>",
    )
    reader = Reader(page)
    assert "script" not in reader.tags
    assert not {"i", "u"} & set(reader.tags)
    assert '<script>alert("1")</script> & $x_1$' in reader.text


def test_equal_inputs_give_equal_bytes(tmp_path: Path) -> None:
    results = write(tmp_path / "results", report(0), report(1, features=DRIFTED, similarity=SIMILAR))
    folders = [tmp_path / "first", tmp_path / "second"]
    for folder in folders:
        build(results, folder, truth={start_of(0): 0.8})
    first, second = ({path.name: path.read_bytes() for path in folder.iterdir()} for folder in folders)
    assert len(first) == 5
    assert first == second


def test_hour_table_shows_verdict_rows_rejections_and_accuracy(tmp_path: Path) -> None:
    page = made(
        tmp_path, report(0, features=DRIFTED, rejected={"not_json": 2, "field_count": 1}), truth={start_of(0): 0.8211}
    )
    text = page.read_text(encoding="utf-8")
    row = re.search(r'<tr><th scope="row">1 Mar 2026 00:00</th>(.*?)</tr>', text)
    assert row
    cells = re.findall(r"<td.*?>(.*?)</td>", row[1])
    assert [re.sub("<[^>]*>", " ", cell).split() for cell in cells] == [
        ["●", "drift"],
        ["2,000"],
        ["503"],
        ["1", "×", "field_count", "2", "×", "not_json"],
        ["hours-per-week"],
        ["82.3", "%", "(80.7", "to", "83.9", "%)"],
        ["82.1", "%"],
    ]


def test_refusals_and_holes_are_listed_with_their_reason(tmp_path: Path) -> None:
    empty = report(
        0, verdict=Verdict.NOT_JUDGED, features=(), reason=because("no records in the window"), projected=REFUSED
    )
    section = _section(made(tmp_path, empty, report(2)), "not-judged")
    assert "no records in the window" in section
    assert "no predictions were captured" in section
    assert "no report for this window was found" in section


def _section(page: Path, name: str) -> str:
    match = re.search(rf'<section id="{name}">(.*?)</section>', page.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert match
    return match[1]


def test_unreadable_answers_are_listed_with_both_readings_of_an_ambiguous_one(tmp_path: Path) -> None:
    reading = f"the label {NASTY}, or a probability"
    answers = AnswerCounts(500, 100, {"ambiguous": 300, "error": 100}, readings=(reading,))
    page = made(tmp_path, replace(report(0), answers=answers)).read_text(encoding="utf-8")
    assert "answers that could not be read" in page
    assert "300 × ambiguous, 100 × error, of 500; the label " in page
    assert NASTY not in page


def test_last_window_with_features_is_shown_feature_by_feature(tmp_path: Path) -> None:
    empty = report(1, verdict=Verdict.NOT_JUDGED, features=(), projected=REFUSED)
    section = _section(made(tmp_path, report(0, features=DRIFTED), empty), "features")
    assert "Window of 00:00 on 1 March 2026" in section
    assert "&lt; 1e-300" in section
    assert "kolmogorov smirnov" in section


def test_scores_without_verdict_are_not_drawn_as_quiet() -> None:
    refused = FeatureReport(name="age", type=FeatureType.NUMERIC, effects={"drift_score": 90.0}, p_value_adjusted=0.5)
    line = timeline([report(0, features=(refused,)), report(1, features=(feature("age"),))], {}, [], [])
    (row, _) = line.ranked_rows()
    assert math.isnan(row.scores[0])
    assert row.highest == row.scores[1] == 4.0


def test_records_of_other_windows_are_not_counted_as_broken(tmp_path: Path) -> None:
    page = made(tmp_path, report(0, rejected={"outside_window": 1500, "not_json": 2}))
    assert "<dt>records rejected</dt><dd>2<small>and 1,500 of other windows</small>" in page.read_text(encoding="utf-8")


def test_isolation_forest_is_shown_under_its_own_name_with_its_note(tmp_path: Path) -> None:
    section = _section(made(tmp_path, report(0, similarity=SIMILAR)), "isolation-forest-similarity")
    assert "Isolation Forest similarity: not an accuracy" in section
    assert html.escape(ISOLATION_FOREST_NOTE) in section


def test_isolation_forest_is_left_out_where_it_was_off(tmp_path: Path) -> None:
    page = made(tmp_path, report(0))
    assert not (tmp_path / "out" / "isolation_forest_similarity.png").exists()
    assert "Isolation" not in page.read_text(encoding="utf-8")


def test_unreadable_files_are_listed_and_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "drift_report.json").write_text("<oops>")
    with caplog.at_level(logging.WARNING):
        page = made(tmp_path, report(0))
    assert "drift_report.json</code>: not a drift report" in _section(page, "left-out")
    assert "left out of the report: drift_report.json: not a drift report" in caplog.text


@pytest.mark.parametrize(
    "reports",
    [
        [report(0, verdict=Verdict.NOT_JUDGED, features=(), projected=REFUSED)],
        [report(None)],
        [report(0, features=(feature("age", None, p=None),), projected=REFUSED)],
        [report(hour, features=DRIFTED) for hour in range(0, 100)],
        [report(0, features=tuple(feature(f"f{n}") for n in range(70)))],
    ],
    ids=["nothing judged", "no times", "nulls", "100 windows", "70 features"],
)
def test_every_shape_of_data_can_be_drawn(tmp_path: Path, reports: list[DriftReport]) -> None:
    page = made(tmp_path, *reports, events=[Event(start_of(0), "alarm", "fired")])
    assert Reader(page).tags.count("svg") == 3


def test_every_window_is_on_the_plot_of_p_values(tmp_path: Path) -> None:
    line = timeline([report(hour) for hour in range(30)], {}, [], [])
    assert [len(line.feature(name)) for name in line.features] == [30, 30]


@pytest.mark.parametrize(("p", "expected"), [(1.0, 0.0), (0.01, 2.0), (1e-10, 10.0), (0.0, 300.0), (5e-324, 300.0)])
def test_minus_log10_ends_where_floating_point_ends(p: float, expected: float) -> None:
    assert minus_log10(p) == pytest.approx(expected)


def _text(tmp_path: Path, one: DriftReport) -> str:
    return made(tmp_path, one).read_text(encoding="utf-8")


def test_drifted_features_show_what_moved(tmp_path: Path) -> None:
    moved = replace(feature("job", drift=True), top_contributors=(Contributor("<nurse>", 0.125, 0.5),))
    page = _text(tmp_path, report(0, features=(moved,)))
    row = '<th scope="row">job</th><td>&lt;nurse&gt;</td><td class="number">12.5 %</td><td class="number">50.0 %</td>'
    assert row in page


def test_without_moves_there_is_no_table_of_them(tmp_path: Path) -> None:
    assert 'id="moves"' not in _text(tmp_path, report(0))


def test_a_feature_shows_its_rule_its_violation_and_what_could_not_be_read(tmp_path: Path) -> None:
    broken = replace(
        feature("age"),
        critical=True,
        relative_error=0.001,
        min_sample_size=1434,
        effect_measure=EffectMeasure.DRIFT_SCORE,
        effect_threshold=20.0,
        unreadable_fraction=0.625,
        violation=Violation.DATA_TYPE,
        verdict=Verdict.NOT_JUDGED,
    )
    page = _text(tmp_path, report(0, features=(broken,)))
    assert "numeric, critical, approximate, 0.1 %" in page
    assert '<span class="drift">data_type_check</span>' in page
    assert "drift score 20 counts, found from 1,434 rows on" in page
    assert "62.5 %" in page


def test_page_shows_what_the_past_demands_of_a_change(tmp_path: Path) -> None:
    known = replace(feature("age"), effect_threshold=0.1, past_threshold=0.234567)
    page = _text(tmp_path, replace(report(0, features=(known,)), past=because("43 past windows of 200 rows")))
    assert "0.1 counts, if it exceeds its own past's 0.235" in page.replace("&#x27;", "'")
    assert "Held against the past: 43 past windows of 200 rows" in page


def test_every_comparison_of_the_last_window_is_shown(tmp_path: Path) -> None:
    one = replace(
        report(0),
        rule="drift in any feature",
        over_time=OverTimeReport(
            verdict=Verdict.DRIFT, reason=because("drift over time in <age>"), n_windows=24, n_rows=48000
        ),
        segments=(
            SegmentReport(
                kind="variant",
                value="blue&",
                n_rows=40,
                verdict=Verdict.NOT_JUDGED,
                reason=because("40 rows"),
                features=(),
            ),
        ),
        multivariate=MultivariateReport(
            status=Status.ESTIMATED, area_under_curve=0.73, p_value=0.001, n_reference=2000, n_window=1999
        ),
    )
    page = _text(tmp_path, one)
    assert "A comparison's verdict is drift where there is drift in any feature." in page
    name = "training data, over time (24 windows of the last day)"
    assert f'<th scope="row">{name}</th><td><span class="drift">● drift</span></td>' in page
    assert "drift over time in &lt;age&gt;" in page
    assert "training data, variant blue&amp;" in page
    assert "a classifier separates them with AUC 0.730 (0.5 is chance), p 0.001" in page
    assert "1,999" in page


def test_variants_are_shown_with_their_roles(tmp_path: Path) -> None:
    whole = report(0)
    variants = tuple(
        VariantReport(
            variant=name,
            role=role,
            records=whole.records,
            n_rows=600,
            verdict=verdict,
            reason=because(f"of {name}"),
            features=whole.features,
            prediction=whole.prediction,
            projected_accuracy=whole.projected_accuracy,
        )
        for name, role, verdict in (
            ("AllTraffic", VariantRole.PRODUCTION, Verdict.NO_DRIFT),
            ("Shadow<01>", VariantRole.SHADOW, Verdict.DRIFT),
        )
    )
    segment = SegmentReport(
        kind="variant", value="AllTraffic", n_rows=600, verdict=Verdict.NO_DRIFT, reason=None, features=()
    )
    page = _text(tmp_path, replace(whole, variant="AllTraffic", variants=variants, segments=(segment,)))
    assert "training data, production variant AllTraffic" in page
    assert "training data, shadow variant Shadow&lt;01&gt;" in page
    assert "of Shadow&lt;01&gt;" in page
    assert "training data, variant AllTraffic" not in page


def test_comparisons_that_were_switched_off_are_left_out(tmp_path: Path) -> None:
    off = replace(
        report(0),
        over_time=OverTimeReport(reason=SWITCHED_OFF),
        multivariate=MultivariateReport(reason=SWITCHED_OFF),
    )
    page = _text(tmp_path, off)
    assert "whole rows</th>" not in page
    assert "before</th>" not in page
    refused = replace(off, multivariate=MultivariateReport(reason=because("few rows")))
    assert "few rows" in _text(tmp_path, refused)
