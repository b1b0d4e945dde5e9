import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from plumbline.contract.names import MlPath, Variable
from plumbline.contract.prepared import Prepared, PreparedHour
from plumbline.contract.retraining import RetrainingFile
from plumbline.contract.retraining_jobs import JobInput, JobOutput
from plumbline.drift.data.times import parse_time
from plumbline.drift.errors import ConfigError, RetrainingError
from plumbline.drift.retraining.cli import main
from plumbline.drift.retraining.prepare import prepare
from plumbline.drift.retraining.settings import PrepareSettings
from tests.unit.drift.builders import side
from tests.unit.drift.fake_s3 import FakeS3
from tests.unit.drift.retraining.builders import (
    END,
    HEADER,
    START,
    TARGET,
    folder,
    merged,
    platform,
    read_rows,
    write_merged,
    write_rows,
)

TRAIN = [[str(20 + number), "Private", "40", "no" if number % 2 else "yes"] for number in range(50)]
TEST = [["19", "State", str(number), "no"] for number in range(40)]


def at(minute: int, hour: int = 10) -> str:
    return f"2026-11-22T{hour}:{minute:02}:00Z"


def settings(source: str, minimum_rows: int = 1) -> PrepareSettings:
    return PrepareSettings(
        target_label=TARGET,
        endpoint="ep",
        merged=source,
        fresh_from=parse_time(START),
        fresh_until=parse_time(END),
        minimum_rows=minimum_rows,
    )


def labelled(number: int, label: str | None = None) -> dict[str, Any]:
    """Record `number` of a run of records, a minute apart, none of whose rows is known elsewhere."""
    text = label or ("yes" if number % 2 else "no")
    return merged(f"{number}.5,Private,10", text, event=f"e{number:02}", time=at(number))


def run(
    root: Path, records: list[dict[str, Any] | str], minimum_rows: int = 1
) -> tuple[Prepared, list[Any], list[Any]]:
    """Prepare the records; return the account, the fresh rows and the holdout, without their headers."""
    write_rows(folder(root, JobInput.TRAIN) / "train.csv", TRAIN)
    write_rows(folder(root, JobInput.TEST) / "test.csv", TEST)
    prepare(settings(str(write_merged(root / "merged", records)), minimum_rows), platform(root))
    prepared = Prepared.from_json((folder(root, JobOutput.PREPARED) / RetrainingFile.PREPARED).read_text())
    fresh, holdout = (
        read_rows(folder(root, which) / name)
        for which, name in ((JobOutput.FRESH, RetrainingFile.FRESH), (JobOutput.HOLDOUT, RetrainingFile.HOLDOUT))
    )
    assert fresh[0] == holdout[0] == [*HEADER, TARGET]
    assert prepared.n_rows_read == prepared.fresh.n_rows + prepared.holdout.n_rows + sum(prepared.rejected.values())
    assert [prepared.fresh.n_rows, prepared.holdout.n_rows] == [len(fresh) - 1, len(holdout) - 1]
    return prepared, fresh[1:], holdout[1:]


def test_the_newest_two_fifths_are_the_holdout(tmp_path: Path) -> None:
    prepared, fresh, holdout = run(tmp_path, [labelled(number) for number in (9, 3, 0, 1, 8, 7, 5, 6, 4, 2)])

    assert fresh == [[f"{number}.5", "Private", "10", "yes" if number % 2 else "no"] for number in range(6)]
    assert [row[0] for row in holdout] == ["6.5", "7.5", "8.5", "9.5"]
    assert (prepared.fresh.first, prepared.fresh.last, prepared.holdout.first) == (at(0), at(5), at(6))
    assert prepared.fresh.labels == {"no": 3, "yes": 3}
    assert prepared.rejected == {}


def test_a_record_of_several_rows_is_never_divided(tmp_path: Path) -> None:
    rows = "1.5,Private,1\n2.5,Private,1\n3.5,Private,1"
    many = merged(rows, "yes\nno\nyes", event="many", time=at(30))
    prepared, fresh, holdout = run(tmp_path, [labelled(10), labelled(11), many])

    assert (prepared.fresh.n_rows, [row[0] for row in holdout]) == (2, ["1.5", "2.5", "3.5"])


def test_json_rows_are_written_as_the_training_file_spells_them(tmp_path: Path) -> None:
    objects = json.dumps(
        [{"hours": 40.0, "age": 1, "workclass": " State "}, {"age": None, "hours": 2, "workclass": ""}]
    )
    request = side(objects, "JSON", "application/json")
    _, fresh, _ = run(tmp_path, [merged(request, "yes\nno", event="a", time=at(0)), labelled(1), labelled(2)])

    assert fresh == [["1", "State", "40", "yes"], ["", "", "2", "no"]]


def test_missing_cells_are_missing_in_whatever_words_and_booleans_numbers_where_they_may_be(tmp_path: Path) -> None:
    request = side('[[NaN, "None", 40], ["n/a", "State", "-"], [true, "State", 1]]', "JSON", "application/json")
    event = merged(request, "yes\nno\nno", event="a", time=at(0))
    prepared, fresh, _ = run(tmp_path, [event, labelled(1), labelled(2)])

    assert fresh == [["", "None", "40", "yes"], ["n/a", "State", "-", "no"]]
    assert prepared.rejected == {"not_a_value": 1}


def test_the_environment_says_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    records = [merged(f"{n}.5,State,unknown", "no" if n % 2 else "yes", event=f"e{n}", time=at(n)) for n in range(9)]
    run(tmp_path, [labelled(number) for number in range(10)])
    write_merged(tmp_path / "merged", records)

    assert call(tmp_path, monkeypatch, missing_values='["unknown"]') == 0
    assert call(tmp_path, monkeypatch) == 2
    assert "9 not_a_number" in (tmp_path / MlPath.MESSAGE).read_text()


@pytest.mark.parametrize(
    "request_side",
    [
        side("hours,age,workclass\n40,1,State\n2,,"),
        side('{"hours": 40, "age": 1, "workclass": "State"}\n{"hours": 2, "age": null, "workclass": ""}', "JSON"),
        side('{"columns": ["age", "workclass", "hours"], "data": [[1, "State", 40], [null, "", 2]]}', "JSON"),
        side('{"instances": [{"features": [1, "State", 40]}, {"features": [null, "", 2.0]}]}', "JSON"),
        side("1\tState\t40\n\t\t2", content_type="text/tab-separated-values"),
    ],
)
def test_requests_of_other_shapes_are_trained_on_as_the_monitor_reads_them(
    tmp_path: Path, request_side: dict[str, Any]
) -> None:
    _, fresh, _ = run(tmp_path, [merged(request_side, "yes\nno", event="a", time=at(0)), labelled(1), labelled(2)])

    assert fresh == [["1", "State", "40", "yes"], ["", "", "2", "no"]]


@pytest.mark.parametrize(
    ("record", "rejected"),
    [
        ("{", {"not_a_merged_record": 1}),
        (json.dumps({"captureData": {}, "eventMetadata": {"eventId": "a"}}), {"not_a_merged_record": 1}),
        (merged("1,Private", "yes", event="a", time=at(9)), {"field_count": 1}),
        (merged("1,Private,2\n2,Private,2", "yes", event="a", time=at(9)), {"label_count_mismatch": 1}),
        (merged("1,Private,2\n2,Private,2", "\nmaybe", event="a", time=at(9)), {"no_label": 1, "unknown_label": 1}),
        (merged("old,Private,2", "yes", event="a", time=at(9)), {"not_a_number": 1}),
        (merged("1e400,Private,2", "yes", event="a", time=at(9)), {"not_finite": 1}),
        (merged(side('[{"age": 1}]', "JSON"), "yes", event="a", time=at(9)), {"not_a_value": 1}),
        (merged(None, "yes\nno", event="a", time=at(9)), {"no_input": 2}),
        (merged("1,Private,2", "yes", event="a", time=at(0, 14)), {"outside_window": 1}),
        (merged("1,Private,2", "yes", event="a", time="then"), {"invalid_time": 1}),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_counted_by_reason(tmp_path: Path, record: Any, rejected: dict[str, int]) -> None:
    prepared, fresh, holdout = run(tmp_path, [labelled(number) for number in range(1, 6)] + [record])

    assert prepared.rejected == rejected
    assert len(fresh) + len(holdout) == 5


def test_of_an_event_joined_twice_the_last_record_counts(tmp_path: Path) -> None:
    write_merged(tmp_path / "merged", [labelled(1, "no"), labelled(2)], "10/part-30000.jsonl")
    again = merged("9.5,Private,10", "no", event="other", time=at(5), inference_id="same")
    first = merged("8.5,Private,10", "yes", event="another", time=at(4), inference_id="same")
    prepared, fresh, holdout = run(tmp_path, [labelled(1, "yes"), labelled(3), first, again])

    assert prepared.rejected == {"repeated_event": 2}
    assert [row for row in fresh + holdout if row[0] in {"1.5", "8.5", "9.5"}] == [
        ["1.5", "Private", "10", "no"],
        ["9.5", "Private", "10", "no"],
    ]


def test_no_row_that_a_model_was_trained_on_judges_it(tmp_path: Path) -> None:
    records: list[Any] = [labelled(number) for number in range(1, 13)]
    in_holdout = merged("12.50,Private,1e1", "yes", event="h", time=at(0))
    in_test = merged("19.0,State,3", "yes", event="t", time=at(0))
    in_train = merged("20.0,Private,40", "no", event="s", time=at(59))
    prepared, fresh, holdout = run(tmp_path, [*records, in_holdout, in_test, in_train])

    assert prepared.rejected == {
        "fresh_row_in_holdout": 1,
        "fresh_row_in_test_set": 1,
        "holdout_row_in_training_data": 1,
    }
    assert not {tuple(row[:3]) for row in fresh} & {tuple(row[:3]) for row in holdout}
    assert not prepared.repeats_are_natural


def test_where_the_original_data_repeat_themselves_identical_rows_stay(tmp_path: Path) -> None:
    write_rows(folder(tmp_path, JobInput.TEST) / "again.csv", TRAIN)
    records: list[Any] = [
        merged("20,Private,40", "yes no".split()[n % 2], event=f"e{n}", time=at(n)) for n in range(10)
    ]
    prepared, fresh, holdout = run(tmp_path, records)

    assert (len(fresh), len(holdout), prepared.rejected) == (6, 4, {})
    assert prepared.repeats_are_natural


def test_equal_captures_in_other_files_and_orders_give_equal_bytes(tmp_path: Path) -> None:
    records: list[Any] = [labelled(number) for number in range(10)] + [labelled(30 + number) for number in range(3)]
    run(tmp_path / "one", records)
    write_merged(tmp_path / "two" / "merged", records[7:], "11/part-00000.jsonl")
    run(tmp_path / "two", records[6::-1])

    outputs = [folder(tmp_path / name, JobOutput.FRESH).parent for name in ("one", "two")]
    files = [
        {path.relative_to(output).as_posix(): path.read_bytes() for path in output.rglob("*") if path.is_file()}
        for output in outputs
    ]
    accounts = [json.loads(each.pop(f"{JobOutput.PREPARED}/{RetrainingFile.PREPARED}")) for each in files]
    hours = [account.pop("hours") for account in accounts]
    assert accounts[0] == accounts[1]
    assert files[0] == files[1]
    assert len(files[0]) == 2
    assert [sum(hour["n_labelled"] for hour in each.values()) for each in hours] == [13, 13]


def test_account_says_what_was_read_of_each_hour(tmp_path: Path) -> None:
    unusable: list[Any] = ["no record", merged("7.5,Private,1\n8.5,Private,1", "yes\n", event="half", time=at(20))]
    later = write_merged(tmp_path / "merged", [labelled(40), labelled(41)], "11/part-00000.jsonl")
    prepared, _, _ = run(tmp_path, [*(labelled(number) for number in range(5)), *unusable])
    day = later / "ep" / "AllTraffic" / "2026" / "11" / "22"
    sizes = [(day / hour / "part-00000.jsonl").stat().st_size for hour in ("10", "11")]
    assert prepared.hours == {
        "2026/11/22/10": PreparedHour(6, sizes[0]),
        "2026/11/22/11": PreparedHour(2, sizes[1]),
    }


def test_account_of_an_earlier_revision_is_read(tmp_path: Path) -> None:
    prepared, _, _ = run(tmp_path, [labelled(number) for number in range(5)])
    document = json.loads(prepared.to_json())
    del document["hours"]
    assert Prepared.from_json(json.dumps(document)) == replace(prepared, hours={})


@pytest.mark.parametrize(
    ("records", "minimum_rows", "message"),
    [
        ([], 1, "labels needed: at least 1 usable labelled rows must have come, got 0 of 0 labelled rows of ep from"),
        ([labelled(1), "{"], 2, r"at least 2 usable .* got 1 of 2 .*\(not used: 1 not_a_merged_record\)"),
        ([labelled(1)], 1, r"got 0 fresh rows and the labels \['yes'\]"),
        ([labelled(1), labelled(3), labelled(5)], 1, r"got 1 fresh rows and the labels \['yes'\]"),
    ],
)
def test_too_few_rows_say_that_labels_are_needed(
    tmp_path: Path, records: list[Any], minimum_rows: int, message: str
) -> None:
    with pytest.raises(RetrainingError, match=message):
        run(tmp_path, records, minimum_rows)


def test_the_wanted_hours_of_every_variant_are_fetched(tmp_path: Path) -> None:
    def key(variant: str, hour: str) -> str:
        return f"merged/ep/{variant}/2026/11/22/{hour}/part-00000.jsonl"

    objects = {
        key("a", "09"): json.dumps(labelled(1)),
        key("a", "10"): json.dumps(labelled(2)) + "\n" + json.dumps(labelled(3)),
        key("b", "13"): json.dumps(merged("7.5,Private,1", "no", event="b", time=at(0, 13))),
        key("b", "14"): json.dumps(merged("8.5,Private,1", "yes", event="c", time=at(59, 13))),
        key("a", "10").replace("/ep/", "/epsilon/"): json.dumps(labelled(9)),
    }
    write_rows(folder(tmp_path, JobInput.TRAIN) / "train.csv", TRAIN)
    write_rows(folder(tmp_path, JobInput.TEST) / "test.csv", TEST)
    told = prepare(settings("s3://bucket/merged/"), platform(tmp_path), FakeS3(objects))

    assert told == "1 fresh rows and 2 newer ones as the holdout, of 3 labelled rows read"
    assert read_rows(folder(tmp_path, JobOutput.HOLDOUT) / RetrainingFile.HOLDOUT)[-1][0] == "7.5"


ARGUMENTS = {
    "--target_label": TARGET,
    "--endpoint_name": "ep",
    "--fresh_from": START,
    "--fresh_until": END,
    "--minimum_rows": "5",
}


def call(root: Path, monkeypatch: pytest.MonkeyPatch, **changed: str) -> int:
    monkeypatch.setenv(Variable.ML_ROOT, str(root))
    given = {
        **ARGUMENTS,
        "--merged_s3_uri": str(root / "merged"),
        **{f"--{name}": text for name, text in changed.items()},
    }
    return main(["prepare", *(part for pair in given.items() for part in pair)])


def test_the_program_leaves_rows_and_a_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(tmp_path, [labelled(number) for number in range(10)])

    assert call(tmp_path, monkeypatch) == 0
    assert (tmp_path / MlPath.MESSAGE).read_text() == (
        "Completed: 6 fresh rows and 4 newer ones as the holdout, of 10 labelled rows read"
    )


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("fresh_from", "yesterday", "--fresh_from must be an ISO 8601 time, got 'yesterday'"),
        ("fresh_until", START, "--fresh_until must be after --fresh_from"),
        ("minimum_rows", "0", "--minimum_rows must be a whole number of 1 or more, got '0'"),
        ("minimum_rows", "99", "labels needed: at least 99 usable labelled rows"),
        (
            "missing_values",
            "NA",
            "--missing_values must be a JSON list of texts, got 'NA'; correct training.missing_values",
        ),
        ("colour", "red", "arguments must be those of --help, got: unrecognized arguments: --colour red"),
    ],
)
def test_what_the_operator_can_fix_ends_with_code_2_and_a_message(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    name: str,
    text: str,
    message: str,
) -> None:
    run(tmp_path, [labelled(number) for number in range(10)])

    assert call(tmp_path, monkeypatch, **{name: text}) == 2
    assert message in capsys.readouterr().err
    assert message in (tmp_path / MlPath.MESSAGE).read_text()


def test_what_we_must_fix_ends_with_code_3(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(tmp_path, [labelled(number) for number in range(10)])
    monkeypatch.setattr("plumbline.drift.retraining.prepare.split", lambda _: 1 / 0)

    assert call(tmp_path, monkeypatch) == 3
    assert (tmp_path / MlPath.MESSAGE).read_text() == "Failed: internal error, ZeroDivisionError; see the job's log"


def test_captures_that_are_nowhere_are_told(tmp_path: Path) -> None:
    write_rows(folder(tmp_path, JobInput.TRAIN) / "train.csv", TRAIN)
    write_rows(folder(tmp_path, JobInput.TEST) / "test.csv", TEST)

    with pytest.raises(ConfigError, match="must be a folder of capture files, got"):
        prepare(settings(str(tmp_path / "nowhere")), platform(tmp_path))


def test_the_time_column_is_no_feature_and_fresh_rows_get_their_inference_time(tmp_path: Path) -> None:
    header = ("age", "when", "workclass", "hours", TARGET)
    rows = [[row[0], "2025-01-01", *row[1:]] for row in TRAIN]
    write_rows(folder(tmp_path, JobInput.TRAIN) / "train.csv", rows, header)
    write_rows(folder(tmp_path, JobInput.TEST) / "test.csv", TEST)
    several = merged("20.5,Private,1\n21.5,Private,1", "yes\nno", event="two", time=at(2))
    records = [labelled(1), several, *(labelled(number) for number in range(3, 7))]
    timed = replace(settings(str(write_merged(tmp_path / "merged", records))), time_column="when")

    prepare(timed, platform(tmp_path))

    fresh = read_rows(folder(tmp_path, JobOutput.FRESH) / RetrainingFile.FRESH)
    assert fresh[0] == [*HEADER, TARGET, "when"]
    assert [row[-2:] for row in fresh[1:]] == [
        ["yes", "2026-11-22T10:01:00Z"],
        ["yes", "2026-11-22T10:02:00Z"],
        ["no", "2026-11-22T10:02:00Z"],
        ["yes", "2026-11-22T10:03:00Z"],
    ]
    # No model is trained on the holdout, so that it needs no times.
    assert read_rows(folder(tmp_path, JobOutput.HOLDOUT) / RetrainingFile.HOLDOUT)[0] == [*HEADER, TARGET]
