"""What the pages quote exists, where they point there is something, and no file names this or that machine."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from plumbline.stacks.config.errors import EnvironmentFileError
from plumbline.stacks.config.file import parse_environment
from tests.docs.pages import (
    CONFIGURATION,
    PAGES,
    README,
    ROOT,
    TROUBLESHOOTING,
    anchors,
    blocks,
    first_codes,
    links,
    section,
)
from tests.unit.stacks.synthesis import document

SOURCES = ("contract", "container", "lambda", "local", "model", "plumbline", "stacks")
QUOTED = first_codes(section(TROUBLESHOOTING, "Texts of Plumbline"))
PRIVATE = re.compile(
    r"/(?:work|farm|home|root|Users)/|"
    + "|".join(map(re.escape, ("pypi" + ".org", "python" + "hosted", "registry." + "npmjs")))
)
"""Hosts of package registries, and folders of a person's or a machine's own."""
MAX_IMAGE_BYTES = 150_000
MAX_README_LINES = 350


def texts_of_the_code() -> Iterator[str]:
    """Yield every text that the code can print, with … for each value that is put in."""
    yield (ROOT / "Makefile").read_text()
    for folder in SOURCES:
        for path in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.JoinedStr):
                    yield "".join(part.value if isinstance(part, ast.Constant) else "…" for part in node.values)  # type: ignore[misc]
                elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                    yield re.sub(r"\{\w+(?:[:!][^}]*)?\}", "…", node.value)


PRINTED = "\n".join(texts_of_the_code())


def test_troubleshooting_is_worth_reading() -> None:
    assert len(QUOTED) >= 10
    assert len(set(QUOTED)) == len(QUOTED)


@pytest.mark.parametrize("text", QUOTED)
def test_quoted_error_text_is_one_of_the_code(text: str) -> None:
    assert text in PRINTED


def test_configuration_shows_true_refusals() -> None:
    data = document(capture={"sampling": 5})
    del data["retraining"]["cooldown_hours"]
    with pytest.raises(EnvironmentFileError) as caught:
        parse_environment(data, "dev.toml")
    (shown,) = blocks(CONFIGURATION, "text")
    assert sorted(shown.splitlines()) == sorted(str(caught.value).splitlines())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    for path, anchor in links(page):
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), path
        assert not anchor or anchor in anchors(target), f"{path}#{anchor}"


def test_readme_is_read_in_one_sitting() -> None:
    assert len(README.read_text().splitlines()) <= MAX_README_LINES


def test_every_page_is_listed_in_the_readme() -> None:
    listed = {(ROOT / path).resolve() for path, _ in links(README)}
    assert {page for page in PAGES if page.parent != ROOT / "docs" / "adr"} - {README} <= listed


def test_images_are_shown_and_small() -> None:
    shown = {(page.parent / path).resolve() for page in PAGES for path, _ in links(page) if path.endswith(".png")}
    kept = set((ROOT / "docs" / "images").iterdir())
    assert shown == kept
    assert all(image.stat().st_size < MAX_IMAGE_BYTES for image in kept)


def test_no_committed_file_names_a_registry_or_a_machine() -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    found = []
    for name in filter(None, listed.split("\0")):
        content = (ROOT / name).read_bytes() if (ROOT / name).is_file() else b""
        if b"\0" not in content and (match := PRIVATE.search(content.decode(errors="replace"))):
            found.append(f"{name}: {match[0]}")
    assert found == []
