"""The promotion function's asset is `contract`, `promotion` and `shared`; nothing else is on its path but boto3."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from plumbline.stacks.constructs.retraining.loop_function import stage

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "lambda" / "promotion").glob("*.py"))


def test_asset_imports_in_a_bare_interpreter(tmp_path: Path) -> None:
    stage(ROOT, "promotion", tmp_path)
    # -S leaves out site-packages: not even boto3 is needed before the first call.
    program = "from plumbline.functions.promotion.handler import handler; print(handler.__name__)"
    result = subprocess.run(
        [sys.executable, "-S", "-B", "-c", program],
        env={"PYTHONPATH": str(tmp_path), "PATH": os.environ["PATH"]},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (result.returncode, result.stdout, result.stderr) == (0, "handler\n", "")


@pytest.mark.parametrize("source", SOURCES, ids=[source.name for source in SOURCES])
def test_asset_needs_only_the_standard_library_and_boto3(source: Path) -> None:
    allowed = sys.stdlib_module_names | {"boto3", "plumbline"}
    imported = set()
    for node in ast.walk(ast.parse(source.read_text())):
        if isinstance(node, ast.Import):
            imported |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add(str(node.module).split(".")[0])
    assert imported <= allowed
