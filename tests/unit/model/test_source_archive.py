"""The archive that SageMaker gets is the content of model/ at its root and a copy of contract/ beside it."""

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[3]
MODULES = sorted(path for path in (REPOSITORY / "model").glob("*.py") if path.name != "__init__.py")
IMAGE_HAS = {"numpy", "xgboost", "contract"}


def imported(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}: the image has no package around the modules"
            names.add((node.module or "").partition(".")[0])
    return names


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_model_code_imports_only_what_the_image_has(path: Path) -> None:
    siblings = {module.stem for module in MODULES}

    assert imported(path) <= sys.stdlib_module_names | IMAGE_HAS | siblings


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_model_code_is_python_3_10(path: Path) -> None:
    ast.parse(path.read_text(), feature_version=(3, 10))
    assert not {"tomllib", "StrEnum"} & imported(path)


def test_modules_find_each_other_and_the_contract_in_the_unpacked_archive(tmp_path: Path) -> None:
    for module in MODULES:
        shutil.copy(module, tmp_path)
    shutil.copytree(REPOSITORY / "contract", tmp_path / "contract")
    command = [sys.executable, "-c", "import train, contract; print(train.__file__, contract.__file__)"]

    finished = subprocess.run(
        command, cwd=tmp_path, env={"PYTHONPATH": str(tmp_path)}, capture_output=True, text=True, check=True
    )

    assert finished.stdout.split() == [str(tmp_path / "train.py"), str(tmp_path / "contract" / "__init__.py")]
