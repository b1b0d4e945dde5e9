"""The archive that SageMaker gets is the content of model/ at its root, with what that imports beside it."""

import ast
import io
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from plumbline.cli import main
from plumbline.data.population import generate
from plumbline.local.aws.objects import write_member
from plumbline.stacks.constructs.storage.source_archive import archive

REPOSITORY = Path(__file__).parents[3]
IMAGE_HAS = {"numpy", "sagemaker_containers", "six", "xgboost"}
"""Python-dateutil, which pandas and boto3 need, brings six; six does not type-check, and is imported nowhere else."""
NEW_IN_3_11 = {"ExceptionGroup", "LiteralString", "Never", "Self", "StrEnum", "TaskGroup", "UTC", "assert_never"}
"""Names of the standard library that Python 3.10 lacks, as far as this code base uses their like."""
NEW_MODULES = {"tomllib"}


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("code")
    with tarfile.open(fileobj=io.BytesIO(archive(REPOSITORY))) as tar:
        for member in tar:
            write_member(tar, member, folder.resolve())
    return folder


def modules(folder: Path) -> dict[str, ast.Module]:
    """Return the modules by dotted name, parsed as Python 3.10."""
    found = {}
    for path in sorted(folder.rglob("*.py")):
        name = ".".join(path.relative_to(folder).with_suffix("").parts).removesuffix(".__init__")
        found[name] = ast.parse(path.read_text(), str(path), feature_version=(3, 10))
    return found


def imported(tree: ast.Module) -> set[tuple[str, str]]:
    """Return module and name of every import; the name is empty for a whole module."""
    names: set[tuple[str, str]] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {(alias.name, "") for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "the image has no package around the modules"
            names |= {(node.module or "", alias.name) for alias in node.names}
    return names


def test_code_imports_only_what_the_image_and_the_archive_have(unpacked: Path) -> None:
    found = modules(unpacked)
    outside = {
        module
        for tree in found.values()
        for module, name in imported(tree)
        if module not in found and f"{module}.{name}" not in found
    }

    assert {module.partition(".")[0] for module in outside} <= set(sys.stdlib_module_names) | IMAGE_HAS


def test_code_is_python_3_10(unpacked: Path) -> None:
    names = {name for tree in modules(unpacked).values() for name in imported(tree)}

    assert not {module for module, _ in names} & NEW_MODULES
    # Our own StrEnum is the reason why 3.10 is enough.
    assert {(module, name) for module, name in names if name in NEW_IN_3_11} == {
        ("plumbline.contract.enums", "StrEnum")
    }


def test_no_module_travels_that_training_and_serving_do_not_need(unpacked: Path) -> None:
    found = modules(unpacked)
    needed, waiting = set(), ["train", "inference"]
    while waiting:
        name = waiting.pop()
        if name in found and name not in needed:
            needed.add(name)
            waiting += [part for module, item in imported(found[name]) for part in (module, f"{module}.{item}")]

    packages = {name for name in found if any(other.startswith(f"{name}.") for other in found)}
    assert set(found) - needed <= packages


@pytest.fixture(scope="module")
def job(unpacked: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run the unpacked script as the image does."""
    folder = tmp_path_factory.mktemp("job")
    for seed, (name, n_rows) in enumerate({"train": 400, "test": 150}.items()):
        generate(n_rows, seed).write_csv(folder / name / f"{name}.csv", "income")
    variables = {f"SM_CHANNEL_{name.upper()}": str(folder / name) for name in ("train", "test")}
    variables |= {"SM_MODEL_DIR": str(folder / "model"), "SM_OUTPUT_DATA_DIR": str(folder / "output")}
    arguments = ["--target_label", "income", "--nthread", "1", "--segment_column", "sex"]
    # The archive's package hides the repository's: a module that does not travel is not found.
    finished = subprocess.run(
        [sys.executable, "train.py", *arguments],
        cwd=unpacked, env=variables | {"PYTHONPATH": str(unpacked)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert finished.returncode == 0, finished.stderr
    return folder


def test_the_job_leaves_the_baseline_that_the_command_learns_from_its_files(job: Path, tmp_path: Path) -> None:
    files = {
        "--train": job / "train" / "train.csv",
        "--test": job / "test" / "test.csv",
        "--predictions": job / "output" / "predictions.csv",
        "--output": tmp_path,
    }
    arguments = [text for option, path in files.items() for text in (option, str(path))]

    assert main(["baseline", "--target-label", "income", "--segment-column", "sex", *arguments]) == 0

    left = {path.name: path.read_bytes() for path in (job / "output" / "baseline").iterdir()}
    assert left == {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert left.keys() == {"baseline.json", "test.csv", "predictions.csv", "sample.csv"}
