"""The demo's environment file is the development environment with other inputs, and nothing else."""

import tomllib
from pathlib import Path

import pytest

from plumbline.local.demo.deployment import derive
from plumbline.stacks.config.file import load_environment

ROOT = Path(__file__).parents[4]
DEV = ROOT / "environments" / "dev.toml"


def test_only_the_named_keys_differ(tmp_path: Path) -> None:
    values = {"model.artifact": "s3://models/a/model.tar.gz", "training.train": "/data/train.csv"}
    derived = load_environment(str(derive(DEV, tmp_path / "demo.toml", values)), ROOT).model_dump()
    expected = load_environment("dev", ROOT).model_dump()
    expected["model"]["artifact"] = "s3://models/a/model.tar.gz"
    expected["training"]["train"] = "/data/train.csv"

    assert derived == expected


@pytest.mark.parametrize("folder", ['two "quotes"', "back\\slash", "größe"])
def test_any_folder_name_is_kept(tmp_path: Path, folder: str) -> None:
    derived = derive(DEV, tmp_path / "demo.toml", {"training.train": f"/data/{folder}/train.csv"})

    written = tomllib.loads(derived.read_text(encoding="utf-8"))
    assert written["training"]["train"] == f"/data/{folder}/train.csv"


def test_environment_itself_can_have_another_name(tmp_path: Path) -> None:
    derived = load_environment(str(derive(DEV, tmp_path / "own.toml", {"name": "own"})), ROOT)

    assert derived == load_environment("dev", ROOT).model_copy(update={"name": "own"})


def test_absent_keys_are_added_to_their_sections(tmp_path: Path) -> None:
    values = {"retraining.extra": 1, "promotion.canary_percent": 50, "promotion.bake_minutes": 3, "model.other": 0.5}
    written = tomllib.loads(derive(DEV, tmp_path / "demo.toml", values).read_text(encoding="utf-8"))
    before = tomllib.loads(DEV.read_text(encoding="utf-8"))
    before["retraining"]["extra"] = 1
    before["promotion"] |= {"canary_percent": 50, "bake_minutes": 3}
    before["model"]["other"] = 0.5
    assert written == before


def test_absent_sections_are_added(tmp_path: Path) -> None:
    values: dict[str, str | int | float] = {
        "thresholds.minimum_rows": 500,
        "network.extra": "x",
        "thresholds.alpha": 0.01,
        "model.other": 1,
    }
    written = tomllib.loads(derive(DEV, tmp_path / "demo.toml", values).read_text(encoding="utf-8"))
    before = tomllib.loads(DEV.read_text(encoding="utf-8"))
    before |= {"thresholds": {"minimum_rows": 500, "alpha": 0.01}, "network": {"extra": "x"}}
    before["model"]["other"] = 1
    assert written == before


def test_fails_when_the_template_has_no_such_key_above_its_sections(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="must have the keys nmae"):
        derive(DEV, tmp_path / "demo.toml", {"nmae": "x"})
