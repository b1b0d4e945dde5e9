"""The layout that docs/architecture.md draws, as far as neither the import contracts nor the linter hold it."""

import ast
import os
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[2]
CODE = ("contract", "container", "lambda", "local", "model", "plumbline", "stacks")
LINKS = {
    "contract": "../contract",
    "drift": "../container/drift",
    "functions": "../lambda",
    "local": "../local",
    "model": "../model",
    "stacks": "../stacks",
}
ROOT_MODULES = {"__init__", "__main__", "cli", "run", "inputs", "aws", "errors", "preprocessing"}
"""Entry and composition of the container's program; all else is in a folder by its step."""


def sources() -> list[Path]:
    return [
        path for folder in CODE for path in sorted((ROOT / folder).rglob("*.py")) if "__pycache__" not in path.parts
    ]


def test_a_class_name_has_one_meaning() -> None:
    places: dict[str, list[str]] = defaultdict(list)
    for path in sources():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(str(path.relative_to(ROOT)))
    assert {name: found for name, found in places.items() if len(found) > 1} == {}


def test_the_containers_root_holds_entry_and_composition_only() -> None:
    assert {path.stem for path in (ROOT / "container" / "drift").glob("*.py")} == ROOT_MODULES


def test_the_package_holds_links_to_the_folders_of_the_repository() -> None:
    links = {path.name: str(path.readlink()) for path in (ROOT / "plumbline").iterdir() if path.is_symlink()}
    assert links == LINKS


def test_the_app_loads_no_module_twice() -> None:
    """Imported bare, a folder of the root would give each of its classes a twin that no `except` meets."""
    program = (
        "import sys, plumbline.stacks.application, plumbline.cli, plumbline.drift.run\n"
        f"bare = {set(LINKS) | {'shared', 'promotion', 'retraining'}!r} & {{n.split('.')[0] for n in sys.modules}}\n"
        "print(sorted(bare))\n"
    )
    finished = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True, env=dict(os.environ)
    )
    assert finished.stdout.splitlines()[-1] == "[]"
