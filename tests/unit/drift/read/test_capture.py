import base64
import errno
import gzip
import json
import logging
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from plumbline.contract.records import WindowBounds
from plumbline.contract.rejection import AnswerReason, CellReason, RejectionReason
from plumbline.contract.training import Task
from plumbline.drift.data.counts import OTHER_LABELS
from plumbline.drift.data.table import table
from plumbline.drift.data.window import Segment, SegmentKind, WindowCounts
from plumbline.drift.errors import BaselineError, ConfigError
from plumbline.drift.read.capture import count_folder, count_window, plan_of
from plumbline.drift.read.kernel import files as kernel_files
from plumbline.drift.reference.learn import learn
from tests.unit.drift.builders import SPECS, read_window, record, side, write_capture

EVERYTHING = WindowBounds()
HOUR = WindowBounds("2026-11-22T12:00:00Z", "2026-11-22T13:00:00Z")
BASELINE = learn(
    train=table(SPECS, [(17.0, "Private", 1.0), (90.0, "Self", 99.0)]), target_label="income", task=Task.BINARY
)


def read(folder: Path, *entries: Mapping[str, Any] | bytes, bounds: WindowBounds = EVERYTHING) -> WindowCounts:
    return read_window(write_capture(folder, entries), BASELINE, bounds)


def base64_side(text: str, content_type: str | None = None) -> dict[str, Any]:
    return side(base64.b64encode(text.encode()).decode(), "BASE64", content_type)


def json_side(document: object) -> dict[str, Any]:
    return side(json.dumps(document), "JSON", "application/json")


def columns(window: WindowCounts) -> list[list[object]]:
    """The present values of each column, in ascending order."""
    return [np.repeat(column.values, column.counts).tolist() for column in window.columns.values()]


def probabilities(window: WindowCounts) -> list[float]:
    return np.repeat(window.probabilities.values, window.probabilities.counts).tolist()


def test_one_row_becomes_one_cell_per_column(tmp_path: Path) -> None:
    window = read(tmp_path, record("41, Private, 40", "0.25\n"))
    assert columns(window) == [[41.0], ["Private"], [40.0]]
    assert probabilities(window) == [0.25]
    assert (window.records.read, window.records.used, dict(window.records.rejected)) == (1, 1, {})


def test_a_record_of_many_rows_is_one_record(tmp_path: Path) -> None:
    window = read(tmp_path, record("41,Private,40\n30,Self,20\r\n\n", "0.1\n0.2\n"))
    assert window.n_rows == 2
    assert window.records.used == 1
    assert probabilities(window) == [0.1, 0.2]


def test_question_mark_and_empty_are_missing(tmp_path: Path) -> None:
    window = read(tmp_path, record("?, ?, "))
    assert [column.n_missing for column in window.columns.values()] == [1, 1, 1]
    assert columns(window) == [[], [], []]


@pytest.mark.parametrize(
    "request_side",
    [
        json_side([[41, "Private", 40.0]]),
        json_side({"instances": [["41", " Private ", 40]]}),
        json_side([{"hours": 40, "age": 41, "workclass": "Private", "session": "x"}]),
        json_side({"instances": [{"hours": 40, "age": 41, "workclass": "Private"}]}),
        json_side({"hours": 40, "age": 41, "workclass": "Private"}),
        json_side([41, "Private", 40]),
        side("\ufeff41,Private,40"),
        base64_side('\ufeff[[41, "Private", 40]]', "application/json"),
        base64_side("41,Private,40\n", "text/csv"),
        base64_side("41,Private,40\n"),
        base64_side('[[41,"Private",40]]', "application/json"),
        base64_side('{"instances": [[41,"Private",40]]}'),
        base64_side(' [[41,"Private",40]]', "application/octet-stream"),
    ],
)
def test_every_encoding_of_a_row_reads_alike(tmp_path: Path, request_side: dict[str, Any]) -> None:
    window = read(tmp_path, record(request_side))
    assert columns(window) == [[41.0], ["Private"], [40.0]]


@pytest.mark.parametrize(
    "response",
    [
        "0.1\n0.2\n",
        "0.1,0.2",
        json_side({"predictions": [{"probability": 0.1}, {"probability": 0.2}]}),
        json_side({"predictions": [{"score": 0.1, "predicted_label": 0}, {"score": 0.2, "predicted_label": 0}]}),
        json_side([0.1, 0.2]),
        base64_side("0.1\n0.2", "text/csv; charset=utf-8"),
        base64_side('{"predictions": [{"probability": 0.1}, {"probability": 0.2}]}'),
    ],
)
def test_every_encoding_of_probabilities_reads_alike(tmp_path: Path, response: Any) -> None:
    window = read(tmp_path, record("41,Private,40\n30,Self,20", response))
    assert probabilities(window) == [0.1, 0.2]


@pytest.mark.parametrize("response", [json_side(0.25), json_side({"probability": 0.25}), json_side([0.25])])
def test_a_single_prediction_needs_no_list(tmp_path: Path, response: dict[str, Any]) -> None:
    assert probabilities(read(tmp_path, record(response=response))) == [0.25]


def test_sides_are_decoded_each_by_its_own_encoding(tmp_path: Path) -> None:
    window = read(tmp_path, record(json_side([[41, "Private", 40]]), base64_side("0.5")))
    assert probabilities(window) == [0.5]


def test_rows_without_captured_output_have_no_probability(tmp_path: Path) -> None:
    window = read(tmp_path, record(response=None))
    assert window.records.used == 1
    assert (window.probabilities.n_missing, probabilities(window)) == (1, [])


def test_a_feature_that_an_object_does_not_name_is_absent(tmp_path: Path) -> None:
    window = read(tmp_path, record(json_side([{"age": 41, "workclass": None}])))
    assert columns(window) == [[41.0], [], []]
    assert [column.n_missing for column in window.columns.values()] == [0, 1, 1]
    assert [column.n_absent for column in window.columns.values()] == [0, 0, 1]


@pytest.mark.parametrize(("value", "label"), [(40, "40"), (40.0, "40"), (40.5, "40.5"), (" a ", "a")])
def test_a_json_label_is_spelled_as_a_file_would(tmp_path: Path, value: object, label: str) -> None:
    window = read(tmp_path, record(json_side([[41, value, 40]])))
    assert columns(window)[1] == [label]


def test_window_is_half_open(tmp_path: Path) -> None:
    times = ["2026-11-22T11:59:59Z", "2026-11-22T12:00:00Z", "2026-11-22T12:59:59.999Z", "2026-11-22T13:00:00Z"]
    window = read(tmp_path, *(record(time=time) for time in times), bounds=HOUR)
    assert window.records.used == 2
    assert window.records.rejected == {RejectionReason.OUTSIDE_WINDOW: 2}
    assert window.bounds == HOUR


def test_times_of_another_zone_are_compared_as_moments(tmp_path: Path) -> None:
    assert read(tmp_path, record(time="2026-11-22T14:30:00+02:00"), bounds=HOUR).records.used == 1


def test_without_bounds_the_time_does_not_matter(tmp_path: Path) -> None:
    assert read(tmp_path, record(time="yesterday"), record(time=None)).records.used == 2


def test_the_same_event_counts_once(tmp_path: Path) -> None:
    window = read(tmp_path, record(event_id="a"), record(event_id="a"), record(event_id="b"))
    assert window.records.used == 2
    assert window.records.rejected == {RejectionReason.DUPLICATE_EVENT_ID: 1}


def test_an_event_is_not_a_duplicate_of_its_rejected_copy(tmp_path: Path) -> None:
    window = read(tmp_path, record("1,2", event_id="a"), record(event_id="a"))
    assert window.records.rejected == {RejectionReason.FIELD_COUNT: 1}
    assert window.records.used == 1


LINE = json.dumps(record()).encode()


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        (LINE[:-20], RejectionReason.NOT_JSON),
        (LINE + b" trailing", RejectionReason.NOT_JSON),
        (b"\x00\x00\x00", RejectionReason.NOT_JSON),
        (b"[" * 100_000, RejectionReason.NOT_JSON),
        (b"1" * 5000, RejectionReason.NOT_JSON),
        (LINE.replace(b"Private", b"\xff\xfe"), RejectionReason.NOT_UTF8),
        (b"[1, 2]", RejectionReason.NOT_A_CAPTURE_RECORD),
        (b'"text"', RejectionReason.NOT_A_CAPTURE_RECORD),
        ({}, RejectionReason.NOT_A_CAPTURE_RECORD),
        ({"captureData": [], "eventMetadata": {}}, RejectionReason.NOT_A_CAPTURE_RECORD),
        (b'[{"prefix": "s3://bucket/in/"}, "a.csv", "b.csv"]', RejectionReason.BATCH_TRANSFORM),
        (b'[{"prefix": "s3://bucket/in/"},', RejectionReason.BATCH_TRANSFORM),
        (b'    {"prefix": "s3://bucket/in/"},', RejectionReason.BATCH_TRANSFORM),
        (
            {"captureData": {"batchTransformOutput": {"data": "0.1", "encoding": "CSV"}}, "eventMetadata": {}},
            RejectionReason.BATCH_TRANSFORM,
        ),
        (
            {"captureData": {"batchTransformOutput": {"data": 0.1}}, "eventMetadata": {"eventId": 5}},
            RejectionReason.BATCH_TRANSFORM,
        ),
        ({"SageMakerInferenceId": "7", "SageMakerOutput": {}, "features": [1]}, RejectionReason.BATCH_TRANSFORM),
        (b'[{"file": "s3://bucket/in/"}, "a.csv"]', RejectionReason.NOT_A_CAPTURE_RECORD),
        ({"captureData": {}, "eventMetadata": None}, RejectionReason.NOT_A_CAPTURE_RECORD),
        ({"captureData": {"endpointInput": 3}, "eventMetadata": {}}, RejectionReason.NOT_A_CAPTURE_RECORD),
        (record(side(["41,Private,40"])), RejectionReason.NOT_A_CAPTURE_RECORD),
        (record(side("41,Private,40", "XML")), RejectionReason.NOT_A_CAPTURE_RECORD),
        (record(side("41,Private,40", ["CSV"])), RejectionReason.NOT_A_CAPTURE_RECORD),
        (record(None), RejectionReason.NO_INPUT),
        (record("\n\n"), RejectionReason.NO_INPUT),
        (record(json_side([])), RejectionReason.NO_INPUT),
        (record(side("%%%", "BASE64")), RejectionReason.INVALID_BASE64),
        (record(side("é", "BASE64")), RejectionReason.INVALID_BASE64),
        (
            record(side(base64.b64encode(gzip.compress(b"41,Private,40", mtime=0)).decode(), "BASE64")),
            RejectionReason.NOT_UTF8,
        ),
        (record("41,\ud800,40"), RejectionReason.NOT_UTF8),
        (record(json_side([[41, "\ud800", 40]])), RejectionReason.NOT_UTF8),
        (record('41,"Private,40'), RejectionReason.INPUT_NOT_CSV),
        (record("41," + "x" * 200_000 + ",40"), RejectionReason.INPUT_NOT_CSV),
        (record(side("[[41,", "JSON")), RejectionReason.INPUT_NOT_JSON),
        (record(json_side({"instances": 41})), RejectionReason.INPUT_NOT_ROWS),
        (record("age,workclass,hours"), RejectionReason.NO_INPUT),
        (record(side("k05VTVBZ", "BASE64", "application/x-npy")), RejectionReason.UNSUPPORTED_CONTENT_TYPE),
        (record(side("k05VTVBZ", "BASE64", None)), RejectionReason.UNSUPPORTED_CONTENT_TYPE),
        (record(json_side([41, ["Private"], 40])), RejectionReason.INPUT_NOT_ROWS),
        (record(json_side(41)), RejectionReason.INPUT_NOT_ROWS),
        (record("41,Private"), RejectionReason.FIELD_COUNT),
        (record("41,Private,40,0"), RejectionReason.FIELD_COUNT),
        (record("41,Private,40\n41,Private"), RejectionReason.FIELD_COUNT),
        (record(json_side([{"code": 424, "message": "error"}])), RejectionReason.FIELD_COUNT),
        (record(json_side({"rows": []})), RejectionReason.NO_INPUT),
        (record(json_side([41, "Private"])), RejectionReason.FIELD_COUNT),
    ],
)
def test_a_malformed_record_is_counted_under_its_reason(
    tmp_path: Path, entry: Mapping[str, Any] | bytes, reason: RejectionReason
) -> None:
    window = read(tmp_path, record("30,Self,20"), entry)
    assert window.records.rejected == {reason: 1}
    assert (window.records.read, window.records.used, window.n_rows) == (2, 1, 1)


@pytest.mark.parametrize(
    ("response", "reason"),
    [
        ("0.1\n0.2\n", AnswerReason.ROW_COUNT),
        ("", AnswerReason.ROW_COUNT),
        ("1.5", AnswerReason.NOT_A_PROBABILITY),
        ("nan", AnswerReason.NOT_A_PREDICTION),
        ("internal server error", AnswerReason.ERROR),
        (side("%%%", "BASE64"), AnswerReason.NO_TEXT),
        (json_side({"code": 424}), AnswerReason.ERROR),
        (json_side([True]), AnswerReason.NOT_A_PREDICTION),
        (json_side(None), AnswerReason.NOT_A_PREDICTION),
        (json_side({"predictions": None}), AnswerReason.NOT_A_PREDICTION),
        (json_side([{"certainty": 0.1}]), AnswerReason.NOT_A_PREDICTION),
        (side("{", "JSON"), AnswerReason.NO_TEXT),
        (side("0.5", "XML"), AnswerReason.NO_TEXT),
        (5, AnswerReason.NO_TEXT),
    ],
)
@pytest.mark.parametrize("request_side", ["41,Private,40", json_side([[41, "Private", 40]])])
def test_an_unreadable_answer_discards_no_request(
    tmp_path: Path, request_side: Any, response: Any, reason: AnswerReason
) -> None:
    window = read(tmp_path, record("30,Self,20", None), record("31,Self,20"), record(request_side, response))
    assert (window.records.read, window.records.used, window.n_rows) == (3, 3, 3)
    assert columns(window)[0] == [30.0, 31.0, 41.0]
    assert (window.answers.read, window.answers.used, window.answers.unreadable) == (2, 1, {reason: 1})
    assert window.answers.examples == {reason: ("ep/AllTraffic/2026/11/22/12/a.jsonl:3",)}
    assert (window.probabilities.n_present, window.probabilities.n_missing) == (1, 2)


def test_an_answer_that_cannot_be_read_is_named_in_the_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    read(tmp_path, *[record(response="secret")] * 7)
    (entry,) = caplog.records
    assert entry.getMessage().startswith("7 answers could not be read as not_a_prediction, for example ep/AllTraffic")
    assert entry.getMessage().count("a.jsonl:") == 5
    assert "secret" not in entry.getMessage()


def test_the_answer_of_a_duplicate_does_not_count(tmp_path: Path) -> None:
    answers = read(tmp_path, *[record(response="error", event_id="a")] * 3, record(event_id="b")).answers
    assert (answers.read, answers.used, answers.unreadable) == (2, 1, {AnswerReason.ERROR: 1})


@pytest.mark.parametrize("time", [None, 5, "", "noon", "0001-01-01T00:00:00+14:00"])
def test_a_record_without_usable_time_is_in_no_window(tmp_path: Path, time: object) -> None:
    assert read(tmp_path, record(time=time), bounds=HOUR).records.rejected == {RejectionReason.INVALID_TIME: 1}


@pytest.mark.parametrize("name", ["z.jsonl", "z.jsonl.gz"])
def test_a_compressed_file_is_one_rejected_record(tmp_path: Path, name: str) -> None:
    folder = write_capture(tmp_path, [record()])
    (folder / name).write_bytes(gzip.compress(LINE * 1000))
    window = read_window(folder, BASELINE, EVERYTHING)
    assert window.records.rejected == {RejectionReason.COMPRESSED_FILE: 1}
    assert window.records.used == 1


def test_files_are_read_whatever_their_depth(tmp_path: Path) -> None:
    for age, name in ((3, "c.jsonl"), (1, "a/2026/x.jsonl"), (2, "b/y.jsonl"), (9, "b/ignored.txt")):
        write_capture(tmp_path, [record(f"{age},Private,40")], name)
    (tmp_path / "empty.jsonl").touch()
    (tmp_path / "blank.jsonl").write_bytes(b"\n  \n")
    window = read_window(tmp_path, BASELINE, EVERYTHING)
    assert columns(window)[0] == [1.0, 2.0, 3.0]
    assert window.records.read == 3


def test_an_empty_folder_is_a_window_without_records(tmp_path: Path) -> None:
    window = read_window(tmp_path, BASELINE, HOUR)
    assert window.records.read == window.n_rows == 0
    assert list(window.columns) == ["age", "workclass", "hours"]
    assert window.columns["age"].values.dtype == np.float64


def test_the_log_names_five_places_and_no_content(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        read(tmp_path, *[record("secret")] * 7)
    (entry,) = caplog.records
    assert entry.levelno == logging.WARNING
    assert entry.getMessage().startswith("7 records rejected as field_count (1 field), for example ep/AllTraffic")
    assert entry.getMessage().count("a.jsonl:") == 5
    assert "secret" not in entry.getMessage()


def test_the_account_tells_what_was_there_instead(tmp_path: Path) -> None:
    strange = [
        record(side("k05VTVBZ", "BASE64", "application/x-npy")),
        record(side("iVBO", "BASE64", "image/png")),
        record("41;secret;40"),
        record(json_side({"request": {"age": "secret"}})),
    ]
    window = read(tmp_path, *strange * 3, b"{")
    assert window.records.seen == {
        "field_count": ("1 field, 3 if ';' divided them, which the content type has to say", "the keys request"),
        "unsupported_content_type": ("application/x-npy", "image/png"),
    }
    assert "secret" not in str(window.records)


def test_a_folder_that_is_not_there_is_the_operators_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="dataset_source must be a folder"):
        read_window(tmp_path / "nowhere", BASELINE, EVERYTHING)


def test_a_file_that_cannot_be_opened_is_the_operators_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(file: Path) -> bool:
        raise PermissionError(errno.EACCES, "Permission denied", str(file))

    (tmp_path / "locked.jsonl").touch()
    monkeypatch.setattr(kernel_files, "is_compressed", refuse)
    with pytest.raises(ConfigError, match=r"locked\.jsonl must be readable, got Permission denied"):
        read_window(tmp_path, BASELINE, EVERYTHING)


def test_a_file_that_fails_while_it_is_read_is_told_by_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The system does not say which file it was.
    def fail(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    (tmp_path / "broken.jsonl").touch()
    monkeypatch.setattr(kernel_files, "blocks", fail)
    with pytest.raises(ConfigError, match=f"{tmp_path} must be readable, got Input/output error"):
        read_window(tmp_path, BASELINE, EVERYTHING)


def test_bounds_that_are_no_times_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="must be an ISO 8601 time, got 'noon'"):
        read_window(tmp_path, BASELINE, WindowBounds("noon", None))


@pytest.mark.parametrize(
    ("request_side", "faults"),
    [
        ("alter,workclass,stunden", {"age": CellReason.NOT_A_NUMBER, "hours": CellReason.NOT_A_NUMBER}),
        ("4_1,Private,40", {"age": CellReason.NOT_A_NUMBER}),
        ("inf,Private,40", {"age": CellReason.NOT_FINITE}),
        ("1e400,Private,inf", {"age": CellReason.NOT_FINITE, "hours": CellReason.NOT_FINITE}),
        (side('[[1e400,"Private",40]]', "JSON"), {"age": CellReason.NOT_FINITE}),
        (side("[[41,Infinity,-Infinity]]", "JSON"), {"hours": CellReason.NOT_FINITE}),
        (side("[[" + "9" * 400 + ',"Private",40]]', "JSON"), {"age": CellReason.NOT_FINITE}),
        (json_side([[True, "Private", 40]]), {"age": CellReason.NOT_A_VALUE}),
        (json_side([[41, ["Private"], 40]]), {"workclass": CellReason.NOT_A_VALUE}),
    ],
)
def test_a_cell_that_cannot_be_read_costs_no_more_than_itself(
    tmp_path: Path, request_side: Any, faults: Mapping[str, CellReason]
) -> None:
    window = read(tmp_path, record("30,Self,20"), record(request_side))
    assert (window.records.used, window.n_rows) == (2, 2)
    assert {name: dict(column.unreadable) for name, column in window.columns.items()} == {
        name: {faults[name]: 1} if name in faults else {} for name in window.columns
    }
    assert window.n_out_of_support == 1


def test_the_log_names_the_places_of_unreadable_cells(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    read(tmp_path, *[record("secret,Private,40")] * 7)
    (entry,) = caplog.records
    assert entry.getMessage().startswith("cells of 'age' could not be read (not_a_number), for example ep/AllTraffic")
    assert entry.getMessage().count("a.jsonl:") == 5
    assert "secret" not in entry.getMessage()


def test_the_window_has_the_places_of_the_first_unreadable_cells(tmp_path: Path) -> None:
    bad = [record("secret,Private,40")] * 6
    window = read(tmp_path, record("30,Self,20"), *bad, record("1,Self,1e999"))
    file = "ep/AllTraffic/2026/11/22/12/a.jsonl"
    assert window.unreadable_examples == {
        "age": {CellReason.NOT_A_NUMBER: tuple(f"{file}:{line}" for line in range(2, 7))},
        "hours": {CellReason.NOT_FINITE: (f"{file}:8",)},
    }


def test_the_first_of_an_events_records_counts_whatever_the_order_of_reading(tmp_path: Path) -> None:
    write_capture(tmp_path, [record("30,Self,20", event_id="a")], "b.jsonl")
    write_capture(tmp_path, [record("2,2"), record("41,Private,40", event_id="a")], "a.jsonl")
    window = read_window(tmp_path, BASELINE, EVERYTHING)
    assert columns(window) == [[41.0], ["Private"], [40.0]]
    assert window.records.examples == {
        RejectionReason.DUPLICATE_EVENT_ID: ("b.jsonl:1",),
        RejectionReason.FIELD_COUNT: ("a.jsonl:1",),
    }
    assert window.sample.table.columns["age"].tolist() == [41.0]


def test_a_line_over_ten_megabytes_is_counted_and_passed_over(tmp_path: Path) -> None:
    window = read(tmp_path, record(), b'{"x":"' + b"y" * 10_000_000 + b'"}', record())
    assert window.records.rejected == {RejectionReason.LINE_TOO_LONG: 1}
    assert window.records.examples == {RejectionReason.LINE_TOO_LONG: ("ep/AllTraffic/2026/11/22/12/a.jsonl:2",)}
    assert window.records.used == 2


def test_records_of_another_variant_are_not_of_this_window(tmp_path: Path) -> None:
    write_capture(tmp_path, [record(), b"", record()], "ep/Shadow/2026/11/22/12/a.jsonl")
    write_capture(tmp_path, [record()], "ep/AllTraffic/2026/11/22/12/a.jsonl")
    write_capture(tmp_path, [record()], "loose.jsonl")
    window = read_window(tmp_path, BASELINE, EVERYTHING, variant="AllTraffic")
    assert window.records.rejected == {RejectionReason.OTHER_VARIANT: 2}
    assert window.records.used == 2


def test_variants_and_values_of_a_column_are_segments(tmp_path: Path) -> None:
    rows = {"A": ["41,Private,40", "42,Never,40"], "B": ["43,Private,40", "44,?,40"]}
    for variant, texts in rows.items():
        write_capture(tmp_path, [record(text) for text in texts], f"ep/{variant}/2026/11/22/12/a.jsonl")
    window = read_window(tmp_path, BASELINE, EVERYTHING, segment="workclass")
    ages = {
        (segment.kind, segment.value.strip()): counts.columns["age"].values.tolist()
        for segment, counts in window.segments.items()
    }
    assert ages == {
        (SegmentKind.VARIANT, "A"): [41.0, 42.0],
        (SegmentKind.VARIANT, "B"): [43.0, 44.0],
        (SegmentKind.COLUMN, "Private"): [41.0, 43.0],
        (SegmentKind.COLUMN, "other"): [42.0, 44.0],
    }


def test_one_variant_is_no_segment(tmp_path: Path) -> None:
    assert read(tmp_path, record()).segments == {}
    assert Segment(SegmentKind.VARIANT, "A") < Segment(SegmentKind.VARIANT, "B")


@pytest.mark.parametrize(
    ("entry", "seen"),
    [(record("41,Private"), "2 fields"), (record(json_side({"b": 1, "a": "secret"})), "the keys a, b")],
)
def test_a_baseline_of_another_schema_is_refused(tmp_path: Path, entry: Mapping[str, Any], seen: str) -> None:
    with pytest.raises(
        BaselineError, match=rf"3 columns \(age, workclass, hours\), got 38 .*\({seen} at ep/All"
    ) as error:
        read(tmp_path, *[record()] * 2, *[entry] * 38)
    assert "secret" not in str(error.value)


def test_a_few_rows_of_another_shape_are_not_a_matter_of_the_baseline(tmp_path: Path) -> None:
    assert read(tmp_path, *[record()] * 3, *[record("41,Private")] * 37).records.used == 3
    assert read(tmp_path / "b", *[record("41,Private")] * 19).records.used == 0


def test_values_of_an_ignored_feature_make_no_row_strange(tmp_path: Path) -> None:
    folder = write_capture(tmp_path, [record("41,Nobody,40"), record("200,Private,40")])
    window = count_window(
        partial(count_folder, folder), plan_of(BASELINE, EVERYTHING, ignored=frozenset({"workclass"}))
    )
    assert window.n_out_of_support == 1
    assert window.columns["workclass"].values.tolist() == ["Nobody", "Private"]


def test_the_predictions_are_counted_apart_by_the_values_of_the_facet(tmp_path: Path) -> None:
    entries = [
        record("41,Private,40", "0.25"),
        record("42,Self,40\n43,Private,40", "0.75\n0.5"),
        record("44,?,40", "0.1"),
        record("45,Pirate,40", "0.9"),
        record("46,Self,40", None),
    ]
    window = read_window(write_capture(tmp_path, entries), BASELINE, EVERYTHING, facet="workclass")
    found = {value: (counts.values.tolist(), counts.n_missing) for value, counts in window.facets.items()}
    assert found == {"Private": ([0.25, 0.5], 0), "Self": ([0.75], 1), OTHER_LABELS: ([0.9], 0)}
