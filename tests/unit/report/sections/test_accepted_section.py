import html
from dataclasses import replace

from plumbline.contract.reasons import ReasonCode
from plumbline.contract.records import AcceptedReport, FeatureReport, FeatureType, Verdict, WindowBounds
from plumbline.report import summary
from plumbline.report.sections.accepted import accepted
from plumbline.report.sections.last_window import comparisons
from plumbline.report.timeline import Timeline, timeline
from tests.reports import because
from tests.unit.report.builders import report

AGE = FeatureReport(
    name="<age>",
    type=FeatureType.NUMERIC,
    effects={"jensen_shannon_distance": 0.213},
    p_value_adjusted=1e-9,
    verdict=Verdict.DRIFT,
    reason=because("moved & stayed"),
)
USED = AcceptedReport(
    is_used=True,
    windows=(WindowBounds("2026-02-01T00:00:00Z", "2026-02-02T00:00:00Z"),),
    n_windows=24,
    n_rows=7000,
    accepted_at="2026-02-02T08:00:00Z",
    accepted_by="<Ada>",
    stated_reason="a <new> region",
    accepted_features=("<age>", "job"),
    accepted_prediction=True,
    features=(AGE,),
)


def of(found: AcceptedReport) -> Timeline:
    return timeline([replace(report(0), accepted=found)], {}, [], [])


def test_nothing_accepted_is_no_section() -> None:
    assert accepted(of(AcceptedReport())) == ""
    assert not [line for line in summary.summary(of(AcceptedReport())) if "accepted" in line]


def test_section_says_who_when_why_and_what_still_differs() -> None:
    content = accepted(of(USED))
    assert "<Ada>" not in content
    words = html.unescape(content)
    for said in (
        "On 2026-02-02T08:00:00Z <Ada> made the windows 2026-02-01T00:00:00Z to 2026-02-02T00:00:00Z (7,000 rows)",
        "the reference of <age>, job and the prediction, because: a <new> region.",
        "0.213",
        "moved & stayed",
    ):
        assert said in words


def test_section_says_that_nothing_differs_any_more() -> None:
    assert "nothing of it differs from the training data" in accepted(of(replace(USED, features=())))


def test_section_says_why_what_was_accepted_is_not_used() -> None:
    reason = ReasonCode.ACCEPTED_ENDED.reason(at="2026-02-02", other="another baseline")
    content = accepted(of(replace(USED, is_used=False, reason=reason, features=())))
    assert "judged against the training data. what was accepted on 2026-02-02 ended" in content


def test_page_names_the_reference_and_sums_up() -> None:
    judged = timeline([replace(report(0), features=(AGE,), accepted=USED)], {}, [], [])
    assert "accepted windows" in comparisons(judged)
    text = " ".join(summary.summary(of(USED)))
    assert "1 window judged against those that <Ada> accepted on 2026-02-02T08:00:00Z: a <new> region." in text
    assert "In the last of them <age> still differs from the training data." in text
