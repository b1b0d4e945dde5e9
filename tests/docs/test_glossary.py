"""The glossary is complete: each name that users meet is made of its terms, and of no retired word."""

import dataclasses
import re
import typing
from collections.abc import Iterator
from enum import Enum
from typing import Any

import pytest
from pydantic import BaseModel

from plumbline.contract import names, retraining
from plumbline.contract.records import DriftReport
from plumbline.stacks.config.environment import EnvironmentConfig
from plumbline.stacks.constructs.alarms.alarm_rules import AlarmKind
from tests.docs.pages import GLOSSARY, rows

UNITS = frozenset("n row hour minute second millisecond day gb percent count".split())
AWS = frozenset(
    "5xx access account artifact autoscaling boundary canary capture datapoint email end id instance invocation "
    "kind latency log master name network package period permission protection region removal runtime sampling "
    "schedule security start status subnet tag termination train type volume".split()
)
"""Words of AWS and of every schedule, which keep their meaning at AWS's border."""
ORDINARY = frozenset(
    "above accepted added adjusted approximate assumed at back by categorical critical drifted enabled explained "
    "failed failure false final from ignore in internal is labelled max maximum min minimum missing needed no note "
    "numeric of out outside over per positive promoted range read rejected relative represented residual rolled seen "
    "selected selection skipped spread started stated stopped suspected true under unreadable unseen used wait "
    "warning weighted without".split()
)
"""Verbs, adjectives and prepositions with their everyday meaning."""
PROPER = frozenset("f1 q99 isolation forest jensen shannon wasserstein spark method metric p gate curve data".split())
"""Names of people and of programs, and words that every table of numbers has."""


def inner(annotation: Any) -> Iterator[Any]:
    """Yield an annotation and everything inside it: of ``list[X] | None`` also ``X``."""
    yield annotation
    for argument in typing.get_args(annotation):
        yield from inner(argument)


def report_keys(record: type[Any], seen: set[type[Any]]) -> Iterator[str]:
    """Yield the names of a record's fields, and of the records that it holds."""
    seen.add(record)
    for name, annotation in typing.get_type_hints(record).items():
        yield name
        for kind in inner(annotation):
            if dataclasses.is_dataclass(kind) and isinstance(kind, type) and kind not in seen:
                yield from report_keys(kind, seen)


def configuration_keys(model: type[BaseModel]) -> Iterator[str]:
    """Yield the keys of an environment file, at every depth."""
    for name, field in model.model_fields.items():
        yield name
        for kind in inner(field.annotation):
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                yield from configuration_keys(kind)


def metric_names() -> Iterator[str]:
    """Yield the members of every enumeration of metrics that the contract declares."""
    for module in (names, retraining):
        for name, kind in vars(module).items():
            if name.endswith("Metric") and isinstance(kind, type) and issubclass(kind, Enum):
                yield from (str(member.value) for member in kind)


NAMES = sorted(
    {*report_keys(DriftReport, set()), *configuration_keys(EnvironmentConfig), *metric_names(), *map(str, AlarmKind)}
)


def words(text: str) -> set[str]:
    """Return the words of a name or of a term, in the singular: ``DriftedFeatures`` has ``drifted`` and ``feature``."""
    parts = re.findall(r"[A-Z0-9]+(?![a-z])|[A-Z]?[a-z0-9]+", text)
    return {re.sub(r"(?<=\w[^su])s$", "", part.lower()) for part in parts}


TABLE = [row for row in rows(GLOSSARY.read_text()) if row[0] != "term"]
TERMS = {word for term, *_ in TABLE for word in words(term)}
RETIRED = {word for *_, avoid in TABLE for quoted in re.findall(r"`(\w+)`", avoid) for word in words(quoted)}


def test_names_are_found_in_the_code() -> None:
    assert {"DriftVerdict", "p_value_adjusted", "sampling_percent", "concept-shift"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_name_is_made_of_terms(name: str) -> None:
    assert words(name) - TERMS - UNITS - AWS - ORDINARY - PROPER == set()


@pytest.mark.parametrize("name", NAMES)
def test_name_holds_no_retired_word(name: str) -> None:
    assert words(name) & (RETIRED - TERMS) == set()


def test_each_term_stands_once_with_its_meaning() -> None:
    terms = [row[0] for row in TABLE]
    assert sorted(set(terms)) == sorted(terms)
    assert all(len(row) == 3 and row[1] for row in TABLE)


def test_lists_of_other_words_hold_none_too_many() -> None:
    used = {word for name in NAMES for word in words(name)}
    assert (UNITS | AWS | ORDINARY | PROPER) & TERMS - used == set()
