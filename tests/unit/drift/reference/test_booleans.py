import json
from pathlib import Path

import pytest

from plumbline.contract.records import WindowBounds
from plumbline.drift.data.window import WindowCounts
from plumbline.drift.reference.csv_inputs import infer_table
from plumbline.drift.reference.learn import learn
from tests.unit.drift.builders import read_window, record, side, write_capture


def window_of(folder: Path, trained: list[str], sent: list[object]) -> WindowCounts:
    baseline = learn(train=infer_table(["member"], [trained]), target_label=None)
    request = side(json.dumps([[value] for value in sent]), "JSON", "application/json")
    return read_window(write_capture(folder, [record(request, None)]), baseline, WindowBounds())


@pytest.mark.parametrize(
    ("trained", "values", "counts"),
    [
        (["True", "False"], ["False", "True"], [1, 2]),
        (["true", "false"], ["false", "true"], [1, 2]),
        (["FALSE", "FALSE"], ["FALSE", "true"], [1, 2]),
        (["0", "1"], [0.0, 1.0], [1, 2]),
    ],
)
def test_a_json_boolean_is_what_the_training_file_spells_so(
    tmp_path: Path, trained: list[str], values: list[object], counts: list[int]
) -> None:
    column = window_of(tmp_path, trained, [True, False, True]).columns["member"]
    assert (column.values.tolist(), column.counts.tolist(), column.n_unreadable) == (values, counts, 0)


@pytest.mark.parametrize("trained", [["Private", "Self"], ["17", "90"], ["", ""]])
def test_a_json_boolean_is_no_value_where_training_had_none(tmp_path: Path, trained: list[str]) -> None:
    column = window_of(tmp_path, trained, [True, False]).columns["member"]
    assert (column.values.tolist(), dict(column.unreadable)) == ([], {"not_a_value": 2})


def test_a_boolean_that_training_never_had_is_outside_of_it(tmp_path: Path) -> None:
    assert window_of(tmp_path, ["False", "False"], [True, False, True]).n_out_of_support == 2
