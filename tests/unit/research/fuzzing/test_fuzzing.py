"""A bounded run of every fuzz target, and that a run can find what it is for. `make fuzz` runs longer."""

import json
import logging
import math
import random
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import pytest

from plumbline.contract import training
from plumbline.contract.champion import ChampionHistory
from plumbline.drift.read.kernel import answers
from research.fuzzing import __main__ as program
from research.fuzzing.mutator import NUMBERS, mutated
from research.fuzzing.runner import Escape, Outcome, fuzz, kept, mutations
from research.fuzzing.targets import CORPUS, TARGETS, Broken, Target, signed_text

EXECUTIONS = 1000
SECONDS = 3.0


@pytest.fixture(autouse=True)
def logs_as_before() -> Iterator[None]:
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
def test_no_mutation_escapes(target: Target) -> None:
    outcome = fuzz(target, EXECUTIONS, seconds=SECONDS)
    if outcome.escape:
        raise AssertionError(f"escaped: {outcome.escape.data[:500]!r}") from outcome.escape.error
    assert outcome.executions >= len(target.inputs())


def test_the_corpus_is_that_of_the_targets() -> None:
    assert {folder.name for folder in CORPUS.iterdir()} == set(TARGETS)
    assert all(target.inputs() for target in TARGETS.values())


def _always(error: Exception) -> Callable[[Path], Callable[[bytes], None]]:
    def run(_: bytes) -> None:
        raise error

    return lambda _: run


@pytest.mark.parametrize(
    ("error", "documented", "escapes"),
    [
        (OverflowError("int too large"), (), True),
        (OverflowError("int too large"), ("ValueError",), True),
        (OverflowError("int too large"), ("ArithmeticError",), False),
        (UnicodeDecodeError("utf-8", b"", 0, 1, "no"), ("ValueError",), False),
        (Broken("an account that does not add up"), ("Broken", "Exception"), True),
    ],
)
def test_what_is_not_documented_escapes(error: Exception, documented: tuple[str, ...], escapes: bool) -> None:
    target = Target("policy", "", _always(error), documented)
    found = fuzz(target, 3).escape
    assert (found is not None) == escapes
    if found:
        assert found.error is error


def test_the_integer_of_hundreds_of_digits_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def as_it_was(value: object) -> float | None:
        if isinstance(value, str):
            return training.finite_number(value)
        return float(value) if isinstance(value, int | float) and math.isfinite(value) else None

    monkeypatch.setattr(answers, "finite_number", as_it_was)
    inputs = [data for data in TARGETS["answers"].inputs() if len(data) < 300]  # without the one that it is kept by
    target = Target("answers", "", TARGETS["answers"].make)
    monkeypatch.setattr(Target, "inputs", lambda _: inputs)
    escape = fuzz(target, 20_000).escape
    assert escape is not None
    assert isinstance(escape.error, OverflowError)


def test_nested_json_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("plumbline.contract.champion.read_json", json.loads)
    escape = fuzz(TARGETS["champion"], 20_000).escape
    assert escape is not None
    assert isinstance(escape.error, RecursionError)


def test_a_record_that_is_lost_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("plumbline.drift.read.kernel.records.parse_lines", lambda lines, _: _nothing())
    escape = fuzz(TARGETS["records"], 5000).escape
    assert escape is not None
    assert isinstance(escape.error, Broken)


def _nothing() -> object:
    from plumbline.drift.read.kernel.records import CaptureRecords

    return CaptureRecords()


def test_equal_seeds_give_equal_mutations_and_others_others() -> None:
    first, second, other = ([*islice(mutations(TARGETS["records"], seed), 300)] for seed in (1, 1, 2))
    assert first == second
    assert len({*first} - {*other}) > len({*first}) / 2


def test_mutations_reach_every_kind_of_damage() -> None:
    record = next(data for data in TARGETS["records"].inputs() if b"endpointOutput" in data)
    source = random.Random(0)
    found = [mutated(record, record, source) for _ in range(6000)]
    for number in NUMBERS:
        assert any(number.encode() in data for data in found), number
    kinds: dict[str, Callable[[bytes], bool]] = {
        "not UTF-8": lambda data: _fails(data.decode),
        "no JSON": lambda data: _fails(lambda: json.loads(data)),
        "cut off": lambda data: record.startswith(data) and data != record,
        "byte order mark": lambda data: data.startswith(b"\xef\xbb\xbf"),
        "half a surrogate pair": lambda data: b"\\ud800" in data or b"\xed\xa0\x80" in data,
        "nested": lambda data: b"[" * 60 in data or b'{"a":' * 60 in data,
        "a key twice": lambda data: data.count(b'"eventMetadata"') > 1,
        "a side is missing": lambda data: b"endpointInput" not in data,
        "the side is BASE64": lambda data: b'"BASE64"' in data,
        "a line end inside": lambda data: b"\n" in data.strip(),
    }
    for kind, holds in kinds.items():
        assert any(map(holds, found)), kind


def _fails(step: Callable[[], object]) -> bool:
    try:
        step()
    except (ValueError, RecursionError):
        return True
    return False


def test_a_document_is_read_past_its_checksum() -> None:
    text = '{\n  "version": 1,\n  "checksum": "' + "0" * 64 + '",\n  "a": 2\n}\n'
    from plumbline.drift.data.documents import read_signed

    assert read_signed(signed_text(text.encode()), 1)["a"] == 2


def test_an_escape_is_kept_and_ends_the_program_with_an_exit_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    escape = Escape(b"damage", KeyError("a"))
    monkeypatch.setattr(program, "FOUND", tmp_path)
    monkeypatch.setattr(program, "fuzz", lambda *_: Outcome(7, 2.0, escape))
    assert program.main(["policy", "--executions", "10"]) == 1
    (file,) = (tmp_path / "policy").iterdir()
    assert file.read_bytes() == b"damage"
    assert kept(escape, tmp_path / "policy") == file
    shown = capsys.readouterr()
    assert "policy: 7 executions in 2 s" in shown.out
    assert "KeyError" in shown.err


def test_the_program_ends_well_without_an_escape(monkeypatch: pytest.MonkeyPatch) -> None:
    assert program.main(["policy", "champion", "--executions", "20"]) == 0
    assert ChampionHistory.from_json(TARGETS["champion"].inputs()[-1].decode()).champions


def test_an_unknown_target_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        program.main(["nothing"])
    assert "unknown target nothing; there are records, windows" in capsys.readouterr().err
