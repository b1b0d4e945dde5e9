import json
from pathlib import Path

import pytest

from plumbline.contract.records import RecordCounts
from plumbline.report.collect import ReportError, collect
from tests.reports import because
from tests.unit.report.builders import feature, labelled, quality, report, start_of, write


def test_reports_of_any_depth_come_in_the_order_of_their_windows(tmp_path: Path) -> None:
    write(tmp_path, report(3), report(1), report(2))
    (tmp_path / "drift_report.json").write_text(report(0).to_json())
    starts = [one.window.start for one in collect(tmp_path).reports]
    assert starts == [start_of(hour) for hour in range(4)]


def test_reports_without_times_keep_the_order_of_their_files(tmp_path: Path) -> None:
    write(tmp_path, report(None, reason=because("first")), report(None, reason=because("second")))
    assert [str(one.reason) for one in collect(tmp_path).reports] == ["first", "second"]


def _with_feature(**changes: object) -> str:
    return _changed(features=[json.loads(report(1).to_json())["features"][0] | changes])


def _changed(**changes: object) -> str:
    return json.dumps(json.loads(report(1).to_json()) | changes)


def _in_quality(**changes: object) -> str:
    document = json.loads(report(1, quality=quality(labelled(0))).to_json())
    document["quality"]["windows"][0] |= changes
    return json.dumps(document)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("", "not a drift report: JSONDecodeError"),
        ("[]", "drift report version must be 5, got 'list'"),
        (
            '{"version": 2}',
            "version must be 5, got 2; judge the window again with this version, or read the report with",
        ),
        ('{"version": 5}', "DriftReport must have the keys of this version, lacks endpoint, features"),
        (_changed(n_rows="many"), "DriftReport.n_rows must be int, got str"),
        (_with_feature(type="text"), "'text' is not a valid FeatureType"),
        (_with_feature(name=7), "DriftReport.features[0].name must be str, got int"),
        (_with_feature(effects={"drift_score": float("nan")}), "its numbers must be finite or null"),
        (_with_feature(p_value=float("inf")), "its numbers must be finite or null"),
        (_with_feature(min_sample_size="many"), "DriftReport.features[0].min_sample_size must be int, got str"),
        (_in_quality(projection_error=float("nan")), "its numbers must be finite or null"),
        (
            _in_quality(projection_error="much"),
            "DriftReport.quality.windows[0].projection_error must be float, got str",
        ),
        (_changed(window={"start": 5, "end": None}), "DriftReport.window.start must be str, got int"),
    ],
)
def test_broken_and_foreign_files_are_listed_with_the_reason(tmp_path: Path, content: str, why: str) -> None:
    write(tmp_path, report(0))
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "drift_report.json").write_text(content)
    collected = collect(tmp_path)
    assert [one.window.start for one in collected.reports] == [start_of(0)]
    (problem,) = collected.problems
    assert problem.what == "broken/drift_report.json"
    assert why in problem.why


def test_bytes_that_are_no_text_are_listed(tmp_path: Path) -> None:
    write(tmp_path, report(0))
    (tmp_path / "drift_report.json").write_bytes(b"\xff\xfe\x00")
    assert [problem.what for problem in collect(tmp_path).problems] == ["drift_report.json"]


def test_second_report_of_a_window_is_listed(tmp_path: Path) -> None:
    write(tmp_path, report(0, reason=because("first")), report(0, reason=because("second")))
    collected = collect(tmp_path)
    assert [str(one.reason) for one in collected.reports] == ["first"]
    assert "0000/drift_report.json, which is shown" in collected.problems[0].why


def test_no_report_is_an_error_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match="at least one drift_report.json, got none below .*; run plumbline monitor"):
        collect(tmp_path)


def test_only_unreadable_reports_is_an_error_that_is_explained(tmp_path: Path) -> None:
    (tmp_path / "drift_report.json").write_text("{")
    with pytest.raises(ReportError, match=r"1 unreadable: drift_report.json: not a drift report"):
        collect(tmp_path)


def test_missing_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match="the results must be a folder, got '.*absent'"):
        collect(tmp_path / "absent")


def test_reports_of_two_endpoints_are_refused(tmp_path: Path) -> None:
    write(tmp_path, report(0, endpoint="one"), report(1, endpoint="two"))
    with pytest.raises(ReportError, match="of one endpoint and schedule, got one / .*, two / "):
        collect(tmp_path)


def test_empty_window_is_a_report(tmp_path: Path) -> None:
    empty = report(0, features=())
    assert empty.records == RecordCounts(read=500, used=500)
    assert collect(write(tmp_path, empty, report(1, features=(feature("age"),)))).problems == ()
