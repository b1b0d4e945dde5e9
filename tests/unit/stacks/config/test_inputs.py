import json
from pathlib import Path
from typing import Any

import pytest

from plumbline.stacks.config.errors import EnvironmentFileError
from plumbline.stacks.config.inputs import check_inputs
from tests.unit.stacks.synthesis import FULL, ROOT, config

FEATURES = [{"name": "a", "type": "numeric"}, {"name": "b", "type": "categorical"}]


def inputs(folder: Path, target: str = "y", segments: str | None = None) -> dict[str, Any]:
    """Write a baseline and two tables, and return the settings that name them."""
    (folder / "baseline").mkdir()
    document = {"version": 2, "target_label": target, "segment_column": segments, "features": FEATURES}
    (folder / "baseline" / "baseline.json").write_text(json.dumps(document))
    (folder / "train.csv").write_text("\ufeffa, b, y\n1, x, no\n")
    (folder / "test.csv").write_text('"a","b","y"\n1,x,no\n')
    return {
        "bias": {"facet": "b"},
        "model": {"baseline": "baseline"},
        "retraining": {"slice_columns": ["b"]},
        "training": {"train": "train.csv", "test": "test.csv", "target_label": "y"},
    }


def refusal(folder: Path, settings: dict[str, Any]) -> str:
    with pytest.raises(EnvironmentFileError) as caught:
        check_inputs(config(**settings), folder)
    return str(caught.value)


def test_inputs_that_fit_are_accepted(tmp_path: Path) -> None:
    check_inputs(config(**inputs(tmp_path)), tmp_path)


@pytest.mark.parametrize("name", ["dev", "staging", "prod"])
def test_committed_environments_have_inputs_that_fit(name: str) -> None:
    check_inputs(config(name), ROOT)


def test_inputs_in_s3_and_packed_ones_are_not_looked_into(tmp_path: Path) -> None:
    check_inputs(config(**FULL), tmp_path)
    (tmp_path / "baseline.zip").write_bytes(b"PK")
    check_inputs(config(model={"baseline": "baseline.zip"}), tmp_path)


@pytest.mark.parametrize("text", ["", "[]", "{}", "\ud800"])
def test_fails_when_the_baseline_is_none(tmp_path: Path, text: str) -> None:
    settings = inputs(tmp_path)
    (tmp_path / "baseline" / "baseline.json").write_bytes(text.encode(errors="surrogatepass"))
    assert refusal(tmp_path, settings) == (
        "model.baseline must be a folder with a readable baseline.json, got 'baseline'; "
        "name the folder that `plumbline baseline` wrote"
    )


def test_fails_when_the_baseline_is_of_an_older_version(tmp_path: Path) -> None:
    settings = inputs(tmp_path)
    path = tmp_path / "baseline" / "baseline.json"
    path.write_text(path.read_text().replace('"version": 2', '"version": 1'))
    assert refusal(tmp_path, settings) == (
        "model.baseline must be of version 2 or 3, got 1 in 'baseline'; learn it again with `plumbline baseline`"
    )


def test_fails_when_the_baseline_is_a_folder_of_something_else(tmp_path: Path) -> None:
    settings = inputs(tmp_path) | {"model": {"baseline": "."}}
    assert refusal(tmp_path, settings).startswith("model.baseline must be a folder with a readable baseline.json")


def test_fails_when_the_baseline_was_learned_for_another_target(tmp_path: Path) -> None:
    assert refusal(tmp_path, inputs(tmp_path, target="z")) == (
        "training.target_label must be the target of model.baseline, 'z', got 'y'; correct it, "
        "or learn a baseline for that target"
    )


def segmented(settings: dict[str, Any], column: str) -> dict[str, Any]:
    return settings | {"training": {**settings["training"], "segment_column": column}}


def test_segments_of_the_baseline_are_accepted(tmp_path: Path) -> None:
    check_inputs(config(**segmented(inputs(tmp_path, segments="b"), "b")), tmp_path)


def test_fails_when_the_baseline_has_no_segments(tmp_path: Path) -> None:
    assert refusal(tmp_path, segmented(inputs(tmp_path), "b")) == (
        "training.segment_column must be the segment column of model.baseline, none, got 'b'; correct it, "
        "or learn the baseline again to match"
    )


def test_fails_when_retraining_would_lose_the_segments_of_the_baseline(tmp_path: Path) -> None:
    assert refusal(tmp_path, inputs(tmp_path, segments="b")) == (
        "training.segment_column must be the segment column of model.baseline, 'b', got none; correct it, "
        "or learn the baseline again to match"
    )


def with_missing_values(settings: dict[str, Any], folder: Path, learned: list[str], *named: str) -> dict[str, Any]:
    file = folder / "baseline" / "baseline.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "version": 3, "missing_values": learned}))
    return settings | {"training": {**settings["training"], "missing_values": [*named]}}


def test_missing_values_of_the_baseline_are_accepted(tmp_path: Path) -> None:
    settings = with_missing_values(inputs(tmp_path), tmp_path, ["", "-"], "-")
    check_inputs(config(**settings), tmp_path)


def test_fails_when_retraining_would_read_other_missing_values_than_the_baseline(tmp_path: Path) -> None:
    assert refusal(tmp_path, with_missing_values(inputs(tmp_path), tmp_path, ["", "-"])) == (
        "training.missing_values must be the missing values of model.baseline, '', '-', got ''; correct them, "
        "or learn the baseline again to match"
    )


def timed(settings: dict[str, Any], column: str) -> dict[str, Any]:
    return settings | {"training": {**settings["training"], "time_column": column}}


def test_a_time_column_of_the_training_rows_alone_is_accepted(tmp_path: Path) -> None:
    settings = timed(inputs(tmp_path), "when")
    (tmp_path / "train.csv").write_text("a, b, when, y\n1, x, 2026-01-01, no\n")
    check_inputs(config(**settings), tmp_path)


def test_fails_when_the_training_rows_have_no_times(tmp_path: Path) -> None:
    assert refusal(tmp_path, timed(inputs(tmp_path), "when")).startswith(
        "training.train must have a column training.time_column, 'when', got 'a, b, y'"
    )


def test_fails_when_the_time_is_a_feature_of_the_baseline(tmp_path: Path) -> None:
    assert refusal(tmp_path, timed(inputs(tmp_path), "a")) == (
        "training.time_column must be no feature of model.baseline, got 'a'; learn it again with "
        "`plumbline baseline --time-column a`"
    )


@pytest.mark.parametrize("column", ["a", "c"], ids=["numeric", "unknown"])
def test_fails_when_the_segment_column_is_no_categorical_feature(tmp_path: Path, column: str) -> None:
    assert refusal(tmp_path, segmented(inputs(tmp_path), column)) == (
        f"training.segment_column must be a categorical feature of model.baseline, got {column!r}; allowed there: b; "
        "correct it in the environment file"
    )


@pytest.mark.parametrize("facet", ["a", "c"], ids=["numeric", "unknown"])
def test_fails_when_the_facet_is_no_categorical_feature(tmp_path: Path, facet: str) -> None:
    assert refusal(tmp_path, inputs(tmp_path) | {"bias": {"facet": facet}}) == (
        f"bias.facet must be a categorical feature of model.baseline, got {facet!r}; allowed there: b; "
        "correct it in the environment file"
    )


@pytest.mark.parametrize("name", ["train", "test"])
def test_fails_when_a_table_lacks_the_segment_column(tmp_path: Path, name: str) -> None:
    settings = segmented(inputs(tmp_path, segments="b"), "b")
    (tmp_path / f"{name}.csv").write_text("a,y\n1,no\n")
    assert refusal(tmp_path, settings) == (
        f"training.{name} must have a column training.segment_column, 'b', got 'a, y'; correct the name, "
        "or name a file with a header row"
    )


@pytest.mark.parametrize("kind", ["numeric", "id", "time", "ignore"])
def test_a_type_that_the_baseline_has_or_that_is_not_judged_is_accepted(tmp_path: Path, kind: str) -> None:
    check_inputs(config(**inputs(tmp_path), features={"a": {"type": kind}}), tmp_path)


def test_fails_when_a_feature_is_declared_to_be_of_another_type(tmp_path: Path) -> None:
    assert refusal(tmp_path, inputs(tmp_path) | {"features": {"a": {"type": "categorical"}}}) == (
        "features.a.type must be as model.baseline was learned, 'numeric', got 'categorical'; learn it again with "
        "`plumbline baseline --feature-type a=categorical`"
    )


def test_features_of_the_baseline_may_have_rules_of_their_own(tmp_path: Path) -> None:
    rules = {"a": {"effect_measure": "wasserstein_distance"}, "b": {"effect_measure": "drift_score"}}
    check_inputs(config(**inputs(tmp_path), features=rules), tmp_path)


def test_fails_when_a_feature_with_rules_is_none_of_the_baseline(tmp_path: Path) -> None:
    settings = inputs(tmp_path) | {"features": {"A": {"critical": True}}}
    assert refusal(tmp_path, settings) == (
        "features must be named as in model.baseline, got 'A'; allowed there: a, b; correct it in the environment file"
    )


def test_fails_when_a_measure_does_not_suit_its_feature(tmp_path: Path) -> None:
    settings = inputs(tmp_path) | {"features": {"b": {"effect_measure": "wasserstein_distance"}}}
    assert refusal(tmp_path, settings) == (
        "features.b.effect_measure must be a measure for categorical features, got 'wasserstein_distance'; "
        "choose another in the environment file"
    )


@pytest.mark.parametrize("name", ["train", "test"])
def test_fails_when_a_table_lacks_the_target(tmp_path: Path, name: str) -> None:
    settings = inputs(tmp_path)
    (tmp_path / f"{name}.csv").write_text("1,no\n")
    assert refusal(tmp_path, settings) == (
        f"training.{name} must have a column training.target_label, 'y', got '1, no'; correct the name, "
        "or name a file with a header row"
    )


def test_fails_when_a_table_is_not_utf8(tmp_path: Path) -> None:
    settings = inputs(tmp_path)
    (tmp_path / "train.csv").write_bytes(b"\xff\xfea,y\n")
    assert refusal(tmp_path, settings).startswith("training.train must be a CSV file in UTF-8, got 'train.csv': ")
