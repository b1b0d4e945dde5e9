"""What endpoints answer: a probability, a distribution over classes, or a number."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from plumbline.contract.predictions import PredictionFormat
from plumbline.contract.records import WindowBounds
from plumbline.contract.rejection import AnswerReason
from plumbline.contract.training import Task
from plumbline.drift.data.table import table
from plumbline.drift.read.kernel.answers import NO_PREDICTION, decode_output
from plumbline.drift.read.kernel.predictions import NO_CLASS, Outputs, RowPrediction, Unreadable
from plumbline.drift.read.kernel.records import CaptureSide, Payload
from plumbline.drift.reference.learn import learn
from tests.unit.drift.builders import SPECS, read_window, record, write_capture

COLOURS = Outputs(Task.MULTICLASS, ("blue", "green", "red"))
NUMBERS = Outputs(Task.REGRESSION)


def of_json(document: Any) -> Payload:
    return CaptureSide(json.dumps(document), "JSON", "application/json")


@pytest.mark.parametrize(
    "side",
    [
        "0.2,0.7,0.1\n0.9,0.05,0.05\n",
        "0.2,0.7,0.1,0.9,0.05,0.05",
        of_json([[0.2, 0.7, 0.1], [0.9, 0.05, 0.05]]),
        of_json({"predictions": [[0.2, 0.7, 0.1], [0.9, 0.05, 0.05]]}),
        of_json([{"probabilities": [0.2, 0.7, 0.1]}, {"score": [0.9, 0.05, 0.05], "predicted_label": "blue"}]),
        of_json([{"predicted_label": "green", "score": 0.7}, {"predicted": "blue", "probability": 0.9}]),
    ],
)
def test_the_most_probable_class_is_the_prediction(side: Payload) -> None:
    assert decode_output(side, 2, COLOURS) == [RowPrediction(0.7, 1), RowPrediction(0.9, 0)]


@pytest.mark.parametrize(
    ("side", "reason"),
    [
        ("0.2,0.7", AnswerReason.ROW_COUNT),
        ("0.2,0.7,0.1\n0.2,0.7,0.1", AnswerReason.ROW_COUNT),
        ("0.2,0.7,0.7", AnswerReason.NOT_A_PROBABILITY),
        ("red,0.7,0.3", AnswerReason.NOT_A_PREDICTION),
        (of_json([[0.2, 0.8]]), AnswerReason.NOT_A_PREDICTION),
        (of_json([{"predicted_label": "pink", "score": 0.7}]), AnswerReason.UNKNOWN_LABEL),
        (of_json([{"predicted_label": "red", "score": 1.7}]), AnswerReason.NOT_A_PROBABILITY),
        (of_json([{"error": "overloaded"}]), AnswerReason.ERROR),
    ],
)
def test_what_is_no_distribution_over_the_classes_is_rejected(side: Payload, reason: AnswerReason) -> None:
    with pytest.raises(Unreadable) as error:
        decode_output(side, 1, COLOURS)
    assert error.value.reason is reason


def test_numbered_classes_may_be_named_by_floats() -> None:
    outputs = Outputs(Task.MULTICLASS, ("0", "1", "2"))
    assert decode_output(of_json([{"predicted_label": 2.0, "score": 0.6}]), 1, outputs) == [RowPrediction(0.6, 2)]


def test_a_number_of_any_size_is_a_prediction_of_a_numeric_target() -> None:
    assert decode_output("-3.5\n1e9", 2, NUMBERS) == [RowPrediction(-3.5), RowPrediction(1e9)]
    with pytest.raises(Unreadable):
        decode_output("nan", 1, NUMBERS)


def test_an_output_that_was_not_captured_is_no_prediction() -> None:
    (found,) = decode_output(None, 1, COLOURS)
    assert found is NO_PREDICTION
    assert math.isnan(found.number)
    assert found.predicted == NO_CLASS


def test_a_window_counts_confidence_by_predicted_class(tmp_path: Path) -> None:
    rows = table(SPECS, [(17.0, "Private", 1.0), (90.0, "Self", 99.0), (30.0, "Self", 9.0)])
    baseline = learn(
        train=rows, target_label="colour", test=rows, test_labels=["red", "blue", "green"],
        probabilities=np.array([0.8, 0.6, 0.5]), predicted=["red", "blue", "blue"],
    )  # fmt: skip
    entries = [record("41,Private,40", "0.2,0.7,0.1"), record("30,Self,20\n31,?,2", "0.3,0.6,0.1\n0.1,0.0,0.9")]
    window = read_window(write_capture(tmp_path, entries), baseline, WindowBounds())
    assert window.n_rows == 3
    assert window.probabilities.values.tolist() == [0.6, 0.7, 0.9]
    assert {label: counts.values.tolist() for label, counts in window.classes.items()} == {
        "green": [0.6, 0.7],
        "red": [0.9],
    }


SALARY = Outputs(Task.BINARY, ("<=50K", ">50K"))


@pytest.mark.parametrize(
    ("text", "probability"), [("<=50K", 0.0), (" >50K\n", 1.0), ("<=50K,0.9", 0.1), ('"<=50K"', 0.0)]
)
def test_a_label_may_begin_like_a_page(text: str, probability: float) -> None:
    (found,) = decode_output(text, 1, SALARY)
    assert found.number == pytest.approx(probability)


@pytest.mark.parametrize(
    "text", ["<html><body>502</body></html>", " <!DOCTYPE html>", "<?xml version='1.0'?><Error/>", "<h1>Bad Gateway"]
)
def test_a_page_is_an_error(text: str) -> None:
    with pytest.raises(Unreadable) as error:
        decode_output(text, 1, SALARY)
    assert error.value.reason is AnswerReason.ERROR


@pytest.mark.parametrize("path", ["max_by(@, &score)", "sum(@)", "abs(@[0])", "@[0].score[*]", "to_number(@)"])
def test_a_path_that_does_not_suit_an_answer_gives_up_no_more_than_it(path: str) -> None:
    outputs = Outputs(Task.BINARY, ("no", "yes"), "yes", PredictionFormat(path=path))
    side = of_json([{"label": "no", "score": "high"}, {"score": 0.3}])
    with pytest.raises(Unreadable):
        decode_output(side, 1, outputs)
