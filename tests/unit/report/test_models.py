"""The model changes between windows: named in the table, the sentences and the plots."""

import html
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from plumbline.contract.records import MODEL_CHANGED, DriftReport, ModelReport, Verdict
from plumbline.report import build
from plumbline.report.models import changes, models, sentences, stays
from plumbline.report.timeline import Timeline, timeline
from tests.unit.report.builders import feature, labelled, quality, report, start_of, write

FIRST = ModelReport(artifact="s3://a/models/1/model.tar.gz", baseline="s3://a/baseline.zip")
SECOND = ModelReport(
    artifact="s3://a/models/2/model.tar.gz",
    baseline="s3://a/retraining/x/baseline",
    model_package="arn:aws:sagemaker:eu-central-1:111122223333:model-package/plumbline-dev/7",
    serving_since="2026-03-01T03:20:00Z",
)
DRIFTED = (feature("age", 90.0, drift=True, p=0.0),)


def served(hour: int, model: ModelReport | None, **changes: Any) -> DriftReport:
    return replace(report(hour), model=model, **changes)


def changed(hour: int) -> DriftReport:
    return served(hour, None, verdict=Verdict.NOT_JUDGED, reason=MODEL_CHANGED)


def promoted() -> tuple[DriftReport, ...]:
    """Two hours of the first model, the second one drifted; an hour of change; two hours of the second model."""
    late = quality(labelled(0, 0.86), labelled(1, 0.74))
    refused = replace(labelled(1), verdict=Verdict.NOT_JUDGED, reason=MODEL_CHANGED, measures=())
    return (
        served(0, FIRST),
        replace(report(1, features=DRIFTED), model=FIRST),
        replace(changed(2), quality=late),
        served(3, SECOND, quality=quality(refused)),
        served(4, SECOND, quality=quality(refused, labelled(3, 0.85))),
    )


def line(*reports: DriftReport, truth: dict[str, float] | None = None) -> Timeline:
    return timeline(reports, truth or {}, [], [])


def test_each_stay_has_the_windows_that_its_model_alone_answered() -> None:
    first, second = stays(line(*promoted()))
    assert (first.name, len(first.slots), first.n_judged, first.n_drifted) == ("first model", 2, 2, 1)
    assert (second.name, len(second.slots), second.n_drifted) == ("version 7", 2, 0)


def test_a_model_that_comes_back_has_two_stays() -> None:
    found = stays(line(served(0, FIRST), served(1, SECOND), served(2, FIRST)))
    assert [stay.name for stay in found] == ["first model", "version 7", "first model"]


def test_what_labels_said_of_the_first_model_outlives_it() -> None:
    """The second model's reports do not judge the first one's windows, whose labels they read again."""
    first, second = stays(line(*promoted()))
    assert (first.realised, second.realised) == ((0.86, 0.74), (0.85,))


@pytest.mark.parametrize(
    ("reports", "places"),
    [
        ((served(0, FIRST), served(1, FIRST)), []),
        ((served(0, FIRST), served(1, SECOND)), [(0.5, "version 7 serves")]),
        ((served(0, FIRST), changed(1), changed(2), served(3, SECOND)), [(1.5, "version 7 serves")]),
        ((served(0, FIRST), changed(1)), [(1.0, "model changing")]),
        ((changed(0),), [(0.0, "model changing")]),
        ((report(0), report(1)), []),
    ],
    ids=["one", "between", "within", "at the end", "alone", "unknown"],
)
def test_the_change_is_placed_between_or_within_windows(
    reports: tuple[DriftReport, ...], places: list[tuple[float, str]]
) -> None:
    assert [(change.place, change.text) for change in changes(line(*reports))] == places


def test_the_table_shows_what_each_model_did() -> None:
    content = models(line(*promoted(), truth={start_of(0): 0.861, start_of(1): 0.752, start_of(4): 0.855}))
    rows = re.findall(r"<tr>(<th scope=\"row\">.*?)</tr>", content)
    cells = [
        [html.unescape(re.sub("<[^>]*>", "", cell)) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row)]
        for row in rows
    ]
    assert cells == [
        [
            "first model",
            "1 Mar 2026 00:00 to 1 Mar 2026 01:00",
            "1 of 2 judged",
            "86.0 % → 74.0 %",
            "86.1 % → 75.2 %",
            FIRST.baseline,
            FIRST.artifact,
        ],
        [
            "version 7",
            "1 Mar 2026 03:00 to 1 Mar 2026 04:00",
            "0 of 2 judged",
            "85.0 %",
            "85.5 %",
            SECOND.baseline,
            SECOND.artifact,
        ],
    ]


def test_without_a_known_model_there_is_no_table() -> None:
    assert models(line(report(0))) == ""


def test_the_change_is_shown_with_what_was_before_and_after() -> None:
    (sentence,) = sentences(line(*promoted(), truth={start_of(1): 0.752, start_of(4): 0.855}))
    assert sentence == (
        "Version 7 took over from first model at 03:20 on 1 March 2026: true accuracy was 75.2 % in its last window "
        "and is 85.5 % in the newest; drift in 1 of 2 judged windows before, in 0 of 2 after."
    )
    (by_labels,) = sentences(line(*promoted()))
    assert "realised accuracy was 74.0 % in its last window and is 85.0 % in the newest" in by_labels


def test_the_page_marks_the_change(tmp_path: Path) -> None:
    page = build(write(tmp_path / "reports", *promoted()), tmp_path / "page").read_text()
    assert '<section id="models"><h2>Which model served</h2>' in page
    assert "took over from first model" in page
    same = build(write(tmp_path / "quiet", served(0, FIRST), served(1, FIRST)), tmp_path / "other").read_text()
    assert page.count("stroke: var(--green); stroke-width: 1.6") > same.count("stroke: var(--green); stroke-width: 1.6")
