import sys
from dataclasses import replace
from pathlib import Path

import pytest

from plumbline.local.aws.images.store import Image, ImageError, ImageStore


@pytest.fixture
def image(tmp_path: Path) -> Image:
    tree = tmp_path / "tree"
    (tree / "opt" / "program").mkdir(parents=True)
    (tree / "opt" / "program" / "run.sh").write_text("")
    return Image(
        tree=str(tree),
        digest="0",
        python=sys.executable,
        entrypoint=("python", "-m", "drift"),
        environment={"PYTHONPATH": "/opt/program:/absent", "PATH": "/opt/bin", "PLAIN": "text"},
        workdir="/opt/program",
        user="1000",
    )


def test_python_of_the_image_becomes_its_own_interpreter(image: Image) -> None:
    assert image.command([], ["--flag", "/opt/program"]) == [sys.executable, "-m", "drift", "--flag", "/opt/program"]


def test_given_entrypoint_replaces_the_images_own(image: Image) -> None:
    script = str(Path(image.tree) / "opt" / "program" / "run.sh")

    assert image.command(["/opt/program/run.sh"], []) == [script]
    assert image.command(["python3", "/opt/program/run.sh"], []) == [sys.executable, script]


def test_fails_for_a_program_that_the_image_does_not_have(image: Image) -> None:
    with pytest.raises(ImageError, match="python or a file of the image, got 'bash'"):
        image.command(["bash", "-c", "true"], [])


def test_fails_for_an_image_without_entrypoint(image: Image) -> None:
    with pytest.raises(ImageError, match="must have an ENTRYPOINT"):
        replace(image, entrypoint=()).command([], [])


def test_environment_maps_paths_of_the_image_only(image: Image) -> None:
    variables = image.variables()

    assert variables["PYTHONPATH"] == f"{image.tree}/opt/program:/absent"
    assert variables["PLAIN"] == "text"
    assert variables["PATH"].split(":")[0] == str(Path(sys.executable).parent)


def test_store_keeps_images_for_another_process(image: Image, folder: Path) -> None:
    ImageStore(folder).put("a:1", image)
    ImageStore(folder).put("a:2", replace(image, digest="2"))

    assert ImageStore(folder).get("a:1") == image
    assert "a:2" in ImageStore(folder)


def test_fails_for_an_unknown_reference_and_lists_the_known(image: Image, folder: Path) -> None:
    store = ImageStore(folder)
    store.put("a:1", image)

    with pytest.raises(ImageError, match=r"'b:1' must be built and pushed first; known: \['a:1'\]"):
        store.get("b:1")
