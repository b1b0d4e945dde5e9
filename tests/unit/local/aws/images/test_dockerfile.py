import pytest

from plumbline.local.aws.images import dockerfile
from plumbline.local.aws.images.dockerfile import DockerfileError, Instruction

DIGEST = "sha256:" + "a" * 64


def test_comments_and_continuations_are_understood() -> None:
    text = f"# syntax\nFROM python@{DIGEST}\n\nENV A=1 \\\n    # between\n    B='two words'\n"

    assert dockerfile.parse(text) == [
        Instruction("FROM", f"python@{DIGEST}"),
        Instruction("ENV", "A=1      B='two words'"),
    ]
    assert dockerfile.assignments("A=1      B='two words'") == {"A": "1", "B": "two words"}


@pytest.mark.parametrize("base", [f"python:3.12-slim@{DIGEST}", f"--platform=linux/amd64 registry/python@{DIGEST}"])
def test_pinned_bases_are_accepted(base: str) -> None:
    dockerfile.check_base(base)


@pytest.mark.parametrize("base", ["python:3.12", "python@sha256:abc", f"python@{DIGEST} AS build"])
def test_fails_when_the_base_is_not_pinned_or_the_build_has_stages(base: str) -> None:
    with pytest.raises(DockerfileError, match="pinned by digest"):
        dockerfile.check_base(base)


@pytest.mark.parametrize(
    "value",
    [
        "pip install --no-cache-dir --require-hashes -r requirements.txt",
        "python -m pip install --require-hashes --requirement requirements.txt",
    ],
)
def test_hashed_installs_name_their_lock_file(value: str) -> None:
    assert dockerfile.locked_requirements(value) == "requirements.txt"


@pytest.mark.parametrize(
    "value",
    [
        "pip install -r requirements.txt",
        "pip install --require-hashes",
        "pip install --require-hashes -r a.txt -r b.txt",
        "pip install --require-hashes -r a.txt && rm -rf /",
        "apt-get install gcc",
    ],
)
def test_fails_for_any_other_command(value: str) -> None:
    with pytest.raises(DockerfileError, match="RUN must be"):
        dockerfile.locked_requirements(value)


@pytest.mark.parametrize("value", ["python -m drift", "[]", '["python", 3]', '{"a": 1}'])
def test_fails_for_an_entrypoint_in_shell_form(value: str) -> None:
    with pytest.raises(DockerfileError, match="ENTRYPOINT must be in exec form"):
        dockerfile.exec_form("ENTRYPOINT", value)


@pytest.mark.parametrize("value", ["NAME value", "HOME=$OTHER/x"])
def test_fails_for_environment_without_plain_values(value: str) -> None:
    with pytest.raises(DockerfileError, match="ENV must be"):
        dockerfile.assignments(value)


def test_copy_options_that_change_nothing_here_are_left_out() -> None:
    assert dockerfile.copy_paths("--chown=1000:1000 a b/ target/") == (["a", "b/"], "target/")


@pytest.mark.parametrize("value", ["--from=build a b", "a"])
def test_fails_for_copies_out_of_the_context(value: str) -> None:
    with pytest.raises(DockerfileError, match="COPY must be"):
        dockerfile.copy_paths(value)
