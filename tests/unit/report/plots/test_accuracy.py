import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from plumbline.contract.accuracy import LabelShiftScenario
from plumbline.contract.reasons import ReasonCode
from plumbline.contract.records import DriftReport, ProjectedAccuracy, Status, Verdict
from plumbline.report.plots import accuracy as plot_accuracy
from plumbline.report.plots import style
from plumbline.report.plots.refusals import refusal_key
from plumbline.report.timeline import timeline
from tests.reports import because
from tests.unit.report.builders import ESTIMATED, day, labelled, quality, report

TOLERATED = replace(ESTIMATED, drop_threshold=0.02)


@pytest.fixture(autouse=True)
def _plotting() -> Iterator[None]:
    with style.plotting("test"):
        yield


def axes_of(*reports: DriftReport, truth: dict[str, float] | None = None) -> Any:
    return plot_accuracy.draw(timeline(reports, truth or {}, [], [])).axes[0]


def drawn(axes: Any, colour: str, marker: str) -> list[tuple[float, float]]:
    """Return the points of all lines of one colour and marker that are numbers."""
    lines = [line for line in axes.get_lines() if line.get_color() == colour and line.get_marker() == marker]
    points = [point for line in lines for point in zip(line.get_xdata(), line.get_ydata(), strict=True)]
    return [(float(x), round(float(y), 6)) for x, y in points if not math.isnan(y)]


def texts(axes: Any) -> list[str]:
    return [text.get_text() for text in axes.texts]


def refused(text: str, hour: int, code: ReasonCode = ReasonCode.OTHER) -> DriftReport:
    return report(hour, projected=ProjectedAccuracy(reason=because(text, code)))


def test_realised_accuracy_is_drawn_with_its_interval_beside_the_projection() -> None:
    axes = axes_of(report(0), report(1, quality=quality(labelled(0, 0.861), labelled(1, None))))
    ((x, y),) = drawn(axes, style.GREEN, "s")
    assert 0 < x < 0.5
    assert y == 86.1
    spans = [segment for found in axes.collections for segment in getattr(found, "get_segments", list)()]
    assert any(math.isclose(s[0][1], 84.5) and math.isclose(s[1][1], 87.7) for s in spans)
    assert "realised 86.1 %" in texts(axes)


def test_realised_intervals_of_many_windows_are_a_band() -> None:
    reports = [report(hour, quality=quality(labelled(hour))) for hour in range(60)]
    bands = [found for found in axes_of(*reports).collections if found.get_paths() and not found.get_array()]
    assert len(bands) == 2
    ends = [{round(float(y), 6) for y in band.get_paths()[0].vertices[:, 1]} for band in bands]
    assert {84.4, 87.6} in ends


def test_realised_accuracy_stands_in_the_gap_of_a_refusal() -> None:
    axes = axes_of(refused("why", 0), report(1, quality=quality(labelled(0, 0.8))))
    assert drawn(axes, style.BLUE, "o") == [(1.0, 82.3)]
    assert [y for _, y in drawn(axes, style.GREEN, "s")] == [80.0]


def test_labels_that_do_not_suffice_draw_nothing() -> None:
    axes = axes_of(report(0, quality=quality(labelled(0, None))))
    assert drawn(axes, style.GREEN, "s") == []
    assert not any("realised" in text for text in texts(axes))


def test_drops_are_orange_and_windows_that_wait_for_labels_hollow() -> None:
    dropped = replace(TOLERATED, verdict=Verdict.DRIFT)
    axes = axes_of(
        report(0, projected=dropped), report(1, quality=quality(labelled(0, 0.8), labelled(1, 0.86, is_final=False)))
    )
    assert drawn(axes, style.VERMILION, "o") == [(0.0, 82.3)]
    assert [y for _, y in drawn(axes, style.VERMILION, "s")] == [80.0]
    assert [y for _, y in drawn(axes, style.PAPER, "s")] == [86.0]


def test_reference_and_tolerance_are_lines() -> None:
    axes = axes_of(report(0, projected=TOLERATED))
    levels = {round(float(line.get_ydata()[0]), 6) for line in axes.get_lines() if len(set(line.get_ydata())) == 1}
    assert {86.7, 84.7} <= levels
    assert {"reference 86.7 %", "tolerance 84.7 %"} <= set(texts(axes))


def test_label_shift_is_drawn_only_where_it_is_selected() -> None:
    scenario = LabelShiftScenario(status=Status.ESTIMATED, selected=True, estimate=0.7, lower=0.68, upper=0.72)
    other = replace(scenario, selected=False, estimate=0.6)
    axes = axes_of(*(report(i, projected=replace(ESTIMATED, label_shift=s)) for i, s in enumerate((scenario, other))))
    assert [y for _, y in drawn(axes, style.PAPER, "v")] == [70.0]
    assert "if label shift 70.0 %" in texts(axes)
    bottom, _ = axes.get_ylim()
    assert 60 < bottom < 68


def test_refusals_are_numbered_by_reason_whatever_they_measured() -> None:
    separable = ReasonCode.WINDOW_SEPARABLE
    reports = [refused("AUC 0.97, 0.95 or more", 0, separable), refused("AUC 0.99, 0.95 or more", 1, separable)]
    reports += [report(2), refused("no predictions", 3, ReasonCode.NO_PREDICTIONS)]
    reports += [refused("AUC 0.96, 0.95 or more", 4, separable)]
    assert [text for text in texts(axes_of(*reports)) if text.isdigit()] == ["1", "2", "1"]
    assert refusal_key(timeline(reports, {}, [], []).slots) == [
        "1: no estimate in 3 windows, in the last: AUC 0.96, 0.95 or more",
        "2: no estimate in 1 window: no predictions",
    ]


def test_the_figure_explains_its_numbers() -> None:
    axes = axes_of(refused("no predictions", 0), report(1))
    assert "1: no estimate in 1 window: no predictions" in axes.get_xlabel()
    assert "no estimate" not in axes_of(report(0)).get_xlabel()


def test_long_reasons_are_wrapped_not_cut() -> None:
    reason = "separated " * 20 + "at the end"
    key = refusal_key(timeline([refused(reason, 0)], {}, [], []).slots)
    assert len(key) == 2
    assert max(map(len, key)) <= 140
    assert " ".join(" ".join(key).split()) == f"1: no estimate in 1 window: {reason}"


def test_many_reasons_are_cut_with_a_hint() -> None:
    codes = [code for code in ReasonCode if code is not ReasonCode.WINDOW_NOT_JUDGED][:9]
    key = refusal_key(timeline([refused("why", n, code) for n, code in enumerate(codes)], {}, [], []).slots)
    assert len(key) == 6
    assert key[-1] == "6 and up: see the table of what was not judged"


def test_a_window_of_no_rows_gives_the_reports_reason() -> None:
    empty = report(
        0, verdict=Verdict.NOT_JUDGED, features=(), reason=because("no records"), projected=ProjectedAccuracy()
    )
    assert refusal_key(timeline([empty], {}, [], []).slots) == ["1: no estimate in 1 window: no records"]


def overlaps(boxes: Sequence[Any]) -> bool:
    return any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[i + 1 :])


def test_names_of_lines_do_not_overlap() -> None:
    reports = day()
    figure = plot_accuracy.draw(timeline(reports, {reports[-1].window.start or "": 0.866}, [], []))
    figure.draw_without_rendering()
    names = [text for text in figure.axes[0].texts if " %" in text.get_text()]
    assert len(names) == 6
    assert not overlaps([name.get_window_extent() for name in names])


def test_windows_whose_labels_show_concept_shift_are_marked_on_the_band() -> None:
    moved = [labelled(hour, 0.79, concept=True) for hour in (1, 2)]
    axes = axes_of(report(0), report(1), report(2), report(3, quality=quality(labelled(0, 0.86), *moved)))
    assert "labels: concept changed" in texts(axes)
    spans = [patch.get_extents() for patch in axes.patches]
    inverse = axes.transData.inverted()
    ends = [(inverse.transform(span.min)[0], inverse.transform(span.max)[0]) for span in spans]
    assert any(math.isclose(left, 0.5) and math.isclose(right, 2.5) for left, right in ends)
    assert "labels: concept changed" not in texts(axes_of(report(0), report(1, quality=quality(labelled(0, 0.86)))))
