import csv
import json
import math
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import xgboost
from dataset import TrainingDataError
from history import ORIGINS, rolled
from inference import model_fn, predict, read_request
from train import evaluate, fresh_weights, main, parse_hyperparameters, train

from plumbline.contract.values import DEFAULT_MISSING_VALUES
from plumbline.data.population import generate
from plumbline.data.rows import LabelledRows
from plumbline.drift.errors import BaselineError
from plumbline.drift.preprocessing import NumericColumn
from plumbline.drift.projection.learn_history import with_history
from plumbline.drift.reference.baseline import load

TARGET = "income"
REPOSITORY = Path(__file__).parents[3]


def environment(folder: Path, **extra: LabelledRows) -> dict[str, str]:
    channels = {"train": generate(600, 1), "test": generate(200, 2), **extra}
    for name, rows in channels.items():
        rows.write_csv(folder / name / f"{name}.csv", TARGET)
    variables = {f"SM_CHANNEL_{name.upper()}": str(folder / name) for name in channels}
    return variables | {"SM_MODEL_DIR": str(folder / "model"), "SM_OUTPUT_DATA_DIR": str(folder / "output")}


def run(folder: Path, *arguments: str, **extra: LabelledRows) -> dict[str, float | int | None]:
    return train(parse_hyperparameters(["--target_label", TARGET, *arguments]), environment(folder, **extra))


def predictions(folder: Path) -> list[float]:
    with (folder / "output" / "predictions.csv").open(newline="") as stream:
        return [float(row["probability"]) for row in csv.DictReader(stream)]


def test_defaults_are_those_of_the_reference_task() -> None:
    found = vars(parse_hyperparameters(["--target_label", TARGET]))

    assert found | {"seed": 0, "nthread": 0} == {
        "target_label": TARGET,
        "segment_column": None,
        "time_column": None,
        "missing_values": DEFAULT_MISSING_VALUES,
        "feature_types": {},
        "fresh_weight_fraction": 0.5,
        "max_depth": 5,
        "eta": 0.2,
        "gamma": 4.0,
        "min_child_weight": 6.0,
        "subsample": 0.7,
        "num_round": 50,
        "seed": 0,
        "nthread": 0,
    }


def test_predictions_are_those_that_the_endpoint_makes_for_the_test_rows(tmp_path: Path) -> None:
    run(tmp_path)
    with (tmp_path / "test" / "test.csv").open(newline="") as stream:
        payload = "\n".join(",".join(row[:-1]) for row in list(csv.reader(stream))[1:])

    served = predict(read_request(payload, "text/csv"), model_fn(str(tmp_path / "model"))).probabilities

    np.testing.assert_array_equal(np.array(predictions(tmp_path), np.float32), served)


def test_metrics_file_says_what_the_predictions_are_worth(tmp_path: Path) -> None:
    returned = run(tmp_path)
    labels = [label == ">50K" for label in generate(200, 2).labels]
    hits = [(p >= 0.5) == label for p, label in zip(predictions(tmp_path), labels, strict=True)]

    written = json.loads((tmp_path / "output" / "metrics.json").read_text())

    assert written == returned
    assert written["accuracy"] == sum(hits) / 200
    assert written["n_rows"] == 200
    assert written["n_training_rows"] == 600
    assert written["positive_fraction"] == pytest.approx(sum(labels) / 200)


def test_equal_jobs_leave_equal_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        run(tmp_path / name, "--nthread", "1")

    left = ("model/xgboost-model.json", "model/preprocessor.json", "output/predictions.csv")
    for file in (*left, "output/baseline/baseline.json", "output/baseline/sample.csv"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_seed_and_other_hyperparameters_reach_the_booster(tmp_path: Path) -> None:
    run(tmp_path, "--num_round", "3", "--seed", "7")

    assert xgboost.Booster(model_file=tmp_path / "model" / "xgboost-model.json").num_boosted_rounds() == 3


def test_fresh_rows_are_training_rows(tmp_path: Path) -> None:
    metrics = run(tmp_path, fresh=generate(50, 3))

    assert metrics["n_training_rows"] == 650


def test_fresh_rows_have_their_share_of_the_weight_and_no_less_than_their_number_gives_them() -> None:
    weights = fresh_weights(900, 100, 0.5)

    assert [weights.sum(), weights[900:].sum()] == pytest.approx([1000, 500])
    assert fresh_weights(10, 90, 0.5).tolist() == [1.0] * 100


@pytest.mark.parametrize("share", [-0.1, 1.0])
def test_a_share_that_leaves_nothing_to_either_side_is_refused(share: float) -> None:
    with pytest.raises(TrainingDataError, match="fresh_weight_fraction must be 0 or more and less than 1, got"):
        fresh_weights(2, 2, share)


def opposite(rows: LabelledRows) -> LabelledRows:
    other = {"<=50K": ">50K", ">50K": "<=50K"}
    return LabelledRows(rows.header, rows.rows, tuple(other[label] for label in rows.labels))


def test_what_fresh_rows_say_weighs_by_the_share(tmp_path: Path) -> None:
    fresh, shares = opposite(generate(100, 3)), (0.0, 0.9)
    accuracies = [run(tmp_path, "--fresh_weight_fraction", str(share), fresh=fresh)["accuracy"] for share in shares]

    # The test set keeps the old labels: the more the opposite ones weigh, the less of it is right.
    assert accuracies[0] is not None
    assert accuracies[1] is not None
    assert accuracies[0] > 0.75
    assert accuracies[1] < 0.5


def test_a_fresh_channel_without_rows_changes_no_byte(tmp_path: Path) -> None:
    for name, extra in (("without", {}), ("empty", {"fresh": generate(5, 3).take([])})):
        run(tmp_path / name, "--nthread", "1", **extra)

    models = [(tmp_path / name / "model" / "xgboost-model.json").read_bytes() for name in ("without", "empty")]
    assert models[0] == models[1]


def test_the_baseline_is_of_all_rows_that_were_trained_on(tmp_path: Path) -> None:
    run(tmp_path, fresh=generate(50, 3))

    baseline = load(tmp_path / "output" / "baseline")

    assert baseline.n_rows == 650
    assert baseline.target_label == TARGET
    assert baseline.test is not None
    assert baseline.test.probabilities is not None
    assert baseline.test.probabilities.tolist() == predictions(tmp_path)


def test_types_and_missing_values_are_kept_by_baseline_and_model(tmp_path: Path) -> None:
    types = '{"fnlwgt": "id", "education-num": "categorical"}'
    run(tmp_path, "--feature_types", types, "--missing_values", '["NA"]')

    baseline = load(tmp_path / "output" / "baseline")
    model = model_fn(str(tmp_path / "model")).preprocessor

    kinds = {spec.name: spec.column_type for spec in baseline.specs}
    assert (kinds["fnlwgt"], kinds["education-num"], kinds["age"]) == ("id", "categorical", "numeric")
    assert baseline.missing_values == model.missing_values == {"", "NA"}
    columns = {column.name: column for column in model.columns}
    assert all(isinstance(columns[name], NumericColumn) for name in ("fnlwgt", "education-num"))
    assert {name: column.monitored_as for name, column in columns.items() if column.monitored_as} == {
        "fnlwgt": "id",
        "education-num": "categorical",
    }


def test_types_do_not_change_the_model(tmp_path: Path) -> None:
    for name, types in (("plain", "{}"), ("typed", '{"fnlwgt": "id", "education-num": "categorical"}')):
        run(tmp_path / name, "--nthread", "1", "--feature_types", types)

    models = [(tmp_path / name / "model" / "xgboost-model.json").read_bytes() for name in ("plain", "typed")]
    assert models[0] == models[1]


@pytest.mark.parametrize(
    ("types", "message"),
    [
        ('{"wage": "id"}', "feature_types must name columns of the training rows, got wage; allowed there: age, "),
        ('{"sex": "numeric"}', "a column of feature_types numeric must hold finite numbers, got '(Fem|M)ale'"),
    ],
)
def test_types_that_do_not_fit_are_refused(tmp_path: Path, types: str, message: str) -> None:
    with pytest.raises(TrainingDataError, match=message):
        run(tmp_path, "--feature_types", types)


def test_equal_values_are_one_input_of_the_served_model(tmp_path: Path) -> None:
    rows = generate(600, 1)
    columns = ("member", "grade", "age")
    cells = tuple((("True", "False")[i % 2], ("1.0", "2", "x")[i % 3], row[0]) for i, row in enumerate(rows.rows))
    named = LabelledRows(columns, cells, rows.labels)
    for name in ("train", "test"):
        named.write_csv(tmp_path / name / f"{name}.csv", TARGET)
    variables = {f"SM_CHANNEL_{name.upper()}": str(tmp_path / name) for name in ("train", "test")}
    variables |= {"SM_MODEL_DIR": str(tmp_path / "model"), "SM_OUTPUT_DATA_DIR": str(tmp_path / "output")}
    train(parse_hyperparameters(["--target_label", TARGET]), variables)
    model = model_fn(str(tmp_path / "model"))

    sent = [
        ("True,1.0,40\n", "text/csv"),
        ("TRUE,1,40.0\n", "text/csv"),
        ("1,1e0,4e1\n", "text/csv"),
        ("[[true, 1.0, 40]]", "application/json"),
        ('[["true", 1, 40.0]]', "application/json"),
        ('[{"age": "40", "grade": "+1", "member": 1}]', "application/json"),
    ]
    answers = {predict(read_request(text, kind), model).probabilities[0] for text, kind in sent}
    assert len(answers) == 1
    missing = ["True,1.0,\n", "True,1.0,NaN\n", "True,1.0,null\n", "True,1.0,-\n"]
    assert len({predict(read_request(text, "text/csv"), model).probabilities[0] for text in missing}) == 1


def test_a_segment_column_that_divides_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BaselineError, match="segment_column must be a categorical feature, got the numeric .*'age'"):
        run(tmp_path, "--segment_column", "age")


def test_test_rows_may_have_their_columns_in_another_order(tmp_path: Path) -> None:
    variables = environment(tmp_path)
    hyperparameters = parse_hyperparameters(["--target_label", TARGET])
    expected = train(hyperparameters, variables)
    rows = generate(200, 2)
    turned = LabelledRows(rows.header[::-1], tuple(row[::-1] for row in rows.rows), rows.labels)
    turned.write_csv(tmp_path / "test" / "test.csv", TARGET)

    assert train(hyperparameters, variables) == expected


def test_absent_channel_is_refused_by_name(tmp_path: Path) -> None:
    variables = environment(tmp_path)
    del variables["SM_CHANNEL_TEST"]

    with pytest.raises(TrainingDataError, match="must have a channel 'test'"):
        train(parse_hyperparameters(["--target_label", TARGET]), variables)


def test_test_set_without_rows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TrainingDataError, match="channel 'test' must hold labelled rows, got headers only"):
        run(tmp_path, test=generate(200, 2).take([]))


def test_one_class_is_refused(tmp_path: Path) -> None:
    rows = generate(50, 1)
    one = LabelledRows(rows.header, rows.rows, ("no",) * 50)

    with pytest.raises(TrainingDataError, match="must have two classes, got 1: no"):
        run(tmp_path, train=one)


def test_test_label_unknown_to_training_is_refused(tmp_path: Path) -> None:
    rows = generate(50, 2)
    odd = LabelledRows(rows.header, rows.rows, ("maybe",) * 50)

    with pytest.raises(TrainingDataError, match="labels must be one of <=50K, >50K, got maybe"):
        run(tmp_path, test=odd)


def test_evaluation_equals_figures_worked_out_by_hand() -> None:
    labels = np.array([1, 1, 0, 0], np.float32)
    probabilities = np.array([0.9, 0.4, 0.4, 0.1], np.float32)

    found = evaluate(labels, probabilities)

    assert found["accuracy"] == 0.75
    assert found["log_loss"] == pytest.approx(-(2 * math.log(0.9) + math.log(0.4) + math.log(0.6)) / 4, rel=1e-6)
    # Pairs (positive, negative): 0.9 beats both; 0.4 ties one and beats the other: 3.5 of 4.
    assert found["auc"] == 0.875


def test_area_under_the_curve_of_one_class_is_none() -> None:
    assert evaluate(np.ones(3, np.float32), np.full(3, 0.5, np.float32))["auc"] is None


def test_program_ends_with_one_line_when_the_data_cannot_be_used(tmp_path: Path) -> None:
    variables = environment(tmp_path) | {"PYTHONPATH": str(REPOSITORY)}
    command = [sys.executable, str(REPOSITORY / "model" / "train.py"), "--target_label", "salary"]

    finished = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)

    assert finished.returncode == 1
    assert finished.stderr.startswith("training failed: train.csv must have one column 'salary'")
    assert not (tmp_path / "model").exists()


def test_program_prints_its_metrics_as_one_json_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in environment(tmp_path).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "argv", ["train.py", "--target_label", TARGET])

    main()

    assert json.loads(capsys.readouterr().out) == json.loads((tmp_path / "output" / "metrics.json").read_text())


START = datetime(2026, 1, 1, tzinfo=UTC)


def timed(rows: LabelledRows, *, first_hour: int = 0) -> LabelledRows:
    """The rows, one an hour, with their time in a column of its own."""
    times = [f"{(START + timedelta(hours=first_hour + n)).isoformat()}" for n in range(len(rows.rows))]
    return LabelledRows(
        (*rows.header, "when"), tuple((*row, time) for row, time in zip(rows.rows, times, strict=True)), rows.labels
    )


def past(folder: Path) -> list[dict[str, str]]:
    with (folder / "output" / "history.csv").open(newline="") as stream:
        return [*csv.DictReader(stream)]


def bytes_by_name(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_the_past_is_predicted_by_models_of_earlier_rows(tmp_path: Path) -> None:
    rows = generate(600, 1)
    given = ("--nthread", "1", "--time_column", "when")
    run(tmp_path / "whole", *given, train=timed(rows), test=timed(generate(200, 2), first_hour=1000))
    found = past(tmp_path / "whole")

    assert [*found[0]] == [*rows.header, TARGET, "when", "probability"]
    # 40 % of the rows are predicted by no model; the test rows, which came later, are by the final one.
    assert [row["when"] for row in found[:2]] == ["2026-01-11T00:00:00Z", "2026-01-11T01:00:00Z"]
    assert len(found) == 360 + 200
    assert [row[TARGET] for row in found[:360]] == [*rows.labels[240:]]
    assert [float(row["probability"]) for row in found[360:]] == predictions(tmp_path / "whole")

    # What came after an origin changes nothing that was predicted from it.
    other = LabelledRows(rows.header, rows.rows, (*rows.labels[:420], *("<=50K" for _ in rows.labels[420:])))
    run(tmp_path / "other", *given, train=timed(other), test=timed(generate(200, 2)))
    changed = past(tmp_path / "other")
    assert [row["probability"] for row in changed[:180]] == [row["probability"] for row in found[:180]]
    assert [row["probability"] for row in changed[270:360]] != [row["probability"] for row in found[270:360]]
    # Test rows of the time of the training rows are no part of it: the model has seen what came after them.
    assert len(changed) == 360


def test_the_time_column_is_no_feature_and_changes_no_other_byte(tmp_path: Path) -> None:
    rows, test = generate(600, 1), generate(200, 2)
    run(tmp_path / "with", "--nthread", "1", "--time_column", "when", train=timed(rows), test=timed(test))
    run(tmp_path / "without", "--nthread", "1", train=rows, test=test)
    run(tmp_path / "absent", "--nthread", "1", "--time_column", "when", train=rows, test=test)

    for part in ("model", "output"):
        expected = bytes_by_name(tmp_path / "without" / part)
        assert bytes_by_name(tmp_path / "absent" / part) == expected
        found = bytes_by_name(tmp_path / "with" / part)
        assert (found.pop("history.csv", None) is not None) is (part == "output")
        assert found == expected


def test_fresh_rows_are_the_newest_of_the_past_and_rows_are_in_time_order(tmp_path: Path) -> None:
    rows = timed(generate(300, 1))
    backwards = LabelledRows(rows.header, rows.rows[::-1], rows.labels[::-1])
    fresh = timed(generate(100, 3), first_hour=300)
    run(tmp_path, "--time_column", "when", train=backwards, fresh=fresh, test=generate(200, 2))
    found = past(tmp_path)

    assert len(found) == 240
    assert [row["when"] for row in found] == sorted(row["when"] for row in found)
    assert [row[TARGET] for row in found[-100:]] == [*fresh.labels]


def test_fresh_rows_without_times_are_trained_on_and_no_part_of_the_past(tmp_path: Path) -> None:
    metrics = run(tmp_path, "--time_column", "when", train=timed(generate(300, 1)), fresh=generate(100, 3))
    assert metrics["n_training_rows"] == 400
    assert len(past(tmp_path)) == 180


def test_rows_of_one_moment_are_on_one_side_of_an_origin() -> None:
    asked: list[tuple[list[int], list[int]]] = []

    def predict(earlier: Sequence[int], later: Sequence[int]) -> np.ndarray[tuple[int], np.dtype[np.float32]] | None:
        asked.append(([*earlier], [*later]))
        return None if len(asked) == 1 else np.full(len(later), 0.25, np.float32)

    times = [START + timedelta(days=day) for day in (0, 0, 0, 1, 1, 1, 2, 2, 3, 3)]
    found = rolled(times, predict)

    assert ORIGINS == (0.4, 0.55, 0.7, 0.85)
    # Rows 4 and 5 are of the day of row 3, so that the first two origins are one.
    assert asked == [([*range(6)], [6, 7]), ([*range(8)], [8, 9])]
    # An origin from which nothing can be learned leaves its rows out.
    assert found == [(8, 0.25), (9, 0.25)]
    assert rolled([START] * 10, predict) == []


def test_a_past_that_cannot_be_predicted_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = generate(300, 1)
    same = LabelledRows((*rows.header, "when"), tuple((*row, "2026-01-01") for row in rows.rows), rows.labels)
    run(tmp_path, "--time_column", "when", train=same)
    assert not (tmp_path / "output" / "history.csv").exists()
    assert (
        "no history.csv: channel 'train' must have the column 'when' with times that differ" in capsys.readouterr().err
    )


def test_times_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    rows = timed(generate(10, 1))
    broken = LabelledRows(rows.header, (*rows.rows[:2], (*rows.rows[2][:-1], "soon"), *rows.rows[3:]), rows.labels)
    message = "row 3 of channel 'train' must have an ISO 8601 time in 'when', got 'soon'"
    with pytest.raises(TrainingDataError, match=message):
        run(tmp_path, "--time_column", "when", train=broken)


def test_a_feature_may_not_have_the_name_of_the_predictions(tmp_path: Path) -> None:
    rows = timed(generate(300, 1))
    named = LabelledRows(("probability", *rows.header[1:]), rows.rows, rows.labels)
    test = LabelledRows(named.header[:-1], generate(50, 2).rows, generate(50, 2).labels)
    with pytest.raises(TrainingDataError, match="no column may be named 'probability' where time_column is set"):
        run(tmp_path, "--time_column", "when", train=named, test=test)


def test_the_past_of_a_training_job_is_what_a_baseline_reads(tmp_path: Path) -> None:
    run(tmp_path, "--time_column", "when", train=timed(generate(1200, 1)))
    baseline = with_history(load(tmp_path / "output" / "baseline"), tmp_path / "output" / "history.csv", "when")
    assert baseline.history is not None
    assert baseline.history.n_rows == 720
    assert {size: len(windows) for size, windows in baseline.history.windows.items()} == {200: 3}
