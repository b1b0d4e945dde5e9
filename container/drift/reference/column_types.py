"""What a training column is: a feature, or an identifier or a time, which are new in every row and judge nothing.

Recognised by the training rows alone, and told in the log; a declared type comes first. The rules lean to a feature: a
column that is wrongly judged makes itself heard, one that is wrongly not judged does not.
"""

import logging
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

from plumbline.contract.statistics import ColumnType, FeatureType
from plumbline.contract.training import finite_number
from plumbline.contract.values import (
    DEFAULT_MISSING_VALUES,
    LEGACY_MISSING_VALUES,
    NumberCells,
    present_labels,
    reads_as_numbers,
)
from plumbline.drift.data.table import FeatureSpec

_LOG = logging.getLogger(__name__)

MIN_VALUES = 100
"""Values of a column from which on their distribution tells what it is."""
MIN_DATES = 10
"""Values from which on dates are no accident of a few labels."""
NEARLY_ALL = 0.95
MIN_REPEATS = 3.0
"""Mean number of rows with the same value, from which on a value stands for a group."""
MAX_OCCUPIED = 0.25
"""A measurement that repeats so often takes more of the values between its smallest and its largest."""
MAX_ROUND = 0.5
"""From this fraction of multiples of 5 on, whole numbers are rounded measurements: of codes a fifth are."""
MIN_EXPECTED_REPEATS = 10.0
MIN_DIGITS = 3
SAME_LENGTH = 0.9
"""Fraction of codes that have the most frequent number of digits: programs drop zeros in front."""

_DATE = r"(?:\d{4}[-/.]\d{1,2}(?:[-/.]\d{1,2})?|\d{1,2}[-/.]\d{1,2}[-/.]\d{4})"
_MONTH_NAME = r"(?:\d{1,2}[ -][A-Za-z]{3,9}[ -]\d{4}|[A-Za-z]{3,9} \d{1,2},? \d{4})"
_TIME_OF_DAY = r"\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?: ?[AaPp][Mm])?"
_ZONE = r"(?: ?(?:Z|UTC|GMT|[+-]\d{2}:?\d{2}))?"
_TIME = re.compile(rf"(?:{_DATE}|{_MONTH_NAME})(?:[T ,]+{_TIME_OF_DAY}{_ZONE})?|{_TIME_OF_DAY}{_ZONE}")
_UUID = re.compile(r"\{?[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\}?")
_ID_WORDS = frozenset({"id", "ids", "uuid", "guid", "key", "identifier", "number", "no", "nr"})
_RUN_TOGETHER = re.compile(
    r"(?:account|case|claim|client|customer|device|employee|invoice|item|loan|member|order|passenger|patient|person"
    r"|policy|product|record|row|session|student|ticket|transaction|user)(?:id|no|nr|key)"
)
"""Names of identifiers without anything between their words: what ends in id may be paid, or a bid."""
_TIME_WORDS = frozenset({"time", "date", "datetime", "timestamp", "ts", "at", "epoch", "on"})
_CODE_WORDS = frozenset({"zip", "zipcode", "postcode", "postal", "postalcode", "plz", "code", "codes", "sku"})
_EPOCHS = (1.0, 1e3, 1e6, 1e9)
_FIRST, _LAST = 3e8, 4.2e9
"""Seconds since 1970: from 1979 to 2103."""


@dataclass(frozen=True, kw_only=True)
class ColumnRules:
    """How training columns are read.

    `missing_values` are the texts of a cell without a value and `types` the declared types by column. With
    `recognised` columns that are no features are found, as what they are; without, every column is numeric or
    categorical, as the model takes it.
    """

    missing_values: frozenset[str] = DEFAULT_MISSING_VALUES
    types: Mapping[str, ColumnType] = field(default_factory=dict)
    recognised: bool = True


_DEFAULT_RULES = ColumnRules()


def infer(name: str, texts: Sequence[str], rules: ColumnRules = _DEFAULT_RULES) -> FeatureSpec:
    """Return what a column of training rows is.

    As declared in `rules`; else numeric when every present value reads as a finite number, categorical otherwise, and
    an identifier or a time where it looks like one. A column without any present value is categorical. The log tells
    what was recognised, a column that a few values make categorical, and words that are read as missing where they
    might be values of their own.
    """
    declared = rules.types.get(name)
    if declared is not None:
        return _declared(name, texts, declared, rules)
    column = _Column(name, texts, rules.missing_values)
    found = _recognised(column) if rules.recognised else None
    if found is None:
        return _plain(column)
    kind, why = found
    spec = spec_of(name, kind, column.type, rules.missing_values)
    _LOG.warning(
        "column %r is taken for %s: %s; if it is not, say what it is, for example --feature-type %s=%s",
        name, kind.words, why, name, ColumnType.IGNORE if kind.is_judged else column.type,
    )  # fmt: skip
    return spec


def spec_of(name: str, kind: ColumnType, own: FeatureType, missing_values: frozenset[str]) -> FeatureSpec:
    """Return the spec of a column that was declared or recognised as `kind` and reads as the type `own`."""
    if kind in {ColumnType.NUMERIC, ColumnType.CATEGORICAL}:
        return FeatureSpec(name, FeatureType(kind), missing_values)
    # Whatever an identifier or a time holds is a text that can be read.
    return FeatureSpec(name, own if kind is ColumnType.IGNORE else FeatureType.CATEGORICAL, missing_values, kind)


def _declared(name: str, texts: Sequence[str], kind: ColumnType, rules: ColumnRules) -> FeatureSpec:
    is_numeric = reads_as_numbers(dict.fromkeys(texts), NumberCells(rules.missing_values, is_binary=True))
    own = FeatureType.NUMERIC if is_numeric else FeatureType.CATEGORICAL
    return spec_of(name, kind, own, rules.missing_values)


def _plain(column: "_Column") -> FeatureSpec:
    """Return the column as a feature, and tell what makes its type doubtful."""
    name, labels = column.name, column.labels
    if column.type is FeatureType.CATEGORICAL:
        if column.is_mostly_numeric:
            _LOG.warning(
                "column %r is categorical: %d of its %d values are no finite numbers, for example %r; "
                "if that means missing, leave the cell empty, or name it: --missing-value",
                name, sum(column.others.values()), sum(labels.values()), next(iter(column.others)),
            )  # fmt: skip
        words = sorted(text for text in column.counts.keys() - LEGACY_MISSING_VALUES if text in column.missing_values)
        if labels and words:
            _LOG.warning(
                "column %r: %d cells are read as missing (%s); if they are a value of their own, "
                "name what is missing: --missing-value",
                name, sum(column.counts[text] for text in words), ", ".join(map(repr, words)),
            )  # fmt: skip
    return FeatureSpec(name, column.type, column.missing_values)


@dataclass(frozen=True, eq=False)
class _Column:
    """A column's cells, and what can be seen of them."""

    name: str
    texts: Sequence[str]
    missing_values: frozenset[str]

    @cached_property
    def counts(self) -> Counter[str]:
        return Counter(self.texts)

    @cached_property
    def type(self) -> FeatureType:
        is_numeric = reads_as_numbers(self.counts, NumberCells(self.missing_values, is_binary=True))
        return FeatureType.NUMERIC if is_numeric else FeatureType.CATEGORICAL

    @cached_property
    def labels(self) -> dict[str, int]:
        return present_labels(self.texts, self.missing_values)

    @cached_property
    def others(self) -> dict[str, int]:
        return {text: number for text, number in self.labels.items() if finite_number(text) is None}

    @property
    def is_mostly_numeric(self) -> bool:
        return sum(self.others.values()) * 2 < sum(self.labels.values())

    @cached_property
    def numbers(self) -> list[float]:
        """The numbers in the rows' order, without missing ones."""
        cells = NumberCells(self.missing_values, is_binary=True)
        read = {text: cells.read(text) for text in self.counts}
        found = (read[text] for text in self.texts)
        return [number for number in found if number is not None and not math.isnan(number)]

    @cached_property
    def words(self) -> list[str]:
        """The parts of the name, in lower case: customerId and customer_id are two words."""
        return [word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+", self.name)]

    @property
    def is_called_id(self) -> bool:
        return self.is_called(_ID_WORDS) or bool(self.words and _RUN_TOGETHER.fullmatch(self.words[-1]))

    def is_called(self, words: frozenset[str]) -> bool:
        return not words.isdisjoint(self.words[-1:])


def _recognised(column: _Column) -> tuple[ColumnType, str] | None:
    return _of_numbers(column) if column.type is FeatureType.NUMERIC else _of_texts(column)


def _of_texts(column: _Column) -> tuple[ColumnType, str] | None:
    n_values, labels = sum(column.labels.values()), column.labels
    if n_values >= MIN_DATES and all(_TIME.fullmatch(label) for label in labels):
        return ColumnType.TIME, "all of its values are dates or times"
    if n_values >= MIN_DATES and all(_UUID.fullmatch(label) for label in labels):
        return ColumnType.ID, "all of its values are UUIDs"
    if n_values < MIN_VALUES or column.is_mostly_numeric:
        return None
    distinct = len(labels) / n_values
    if distinct >= NEARLY_ALL or (column.is_called_id and distinct >= 1 / 2):
        return ColumnType.ID, f"{len(labels)} of its {n_values} values differ"
    return None


def _of_numbers(column: _Column) -> tuple[ColumnType, str] | None:
    numbers, n_values, n_distinct = column.numbers, len(column.numbers), len(set(column.numbers))
    if n_values >= MIN_DATES and _are_moments(column):
        return ColumnType.TIME, "all of its values are dates, or seconds since 1970"
    if n_values < MIN_DATES or not all(number.is_integer() for number in numbers):
        return None
    is_padded = any(re.fullmatch(r"\s*0\d+\s*", text) for text in column.counts)
    if n_values >= MIN_VALUES and _are_ids(column, n_distinct, is_padded):
        return ColumnType.ID, f"{n_distinct} of its {n_values} whole numbers differ"
    if is_padded:
        return ColumnType.CATEGORICAL, "its numbers have zeros in front, as codes have"
    if n_values >= MIN_VALUES and _are_codes(column, n_distinct):
        return ColumnType.CATEGORICAL, f"its {n_distinct} distinct numbers are codes"
    return None


def _are_moments(column: _Column) -> bool:
    if all(_is_date(text) for text in column.labels):
        return True
    if column.words and column.is_called(_TIME_WORDS):
        return any(all(_FIRST <= number / unit <= _LAST for number in column.numbers) for unit in _EPOCHS)
    return False


def _is_date(text: str) -> bool:
    """Return whether a number is a day written as 20261201."""
    if not re.fullmatch(r"(?:19|20)\d{6}", text):
        return False
    try:
        date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        return False
    return True


def _are_ids(column: _Column, n_distinct: int, is_padded: bool) -> bool:
    """Return whether whole numbers number the rows: by name or form, as they rise, or without the repeats of chance.

    Independent draws from so narrow a range would repeat themselves; at least as often as from equal chances.
    """
    numbers, n_values = column.numbers, len(column.numbers)
    if column.is_called_id and n_distinct >= n_values / 2:
        return True
    if n_distinct < NEARLY_ALL * n_values:
        return False
    if is_padded or all(later > earlier for earlier, later in zip(numbers, numbers[1:], strict=False)):
        return True
    expected = n_values * (n_values - 1) / 2 / (max(numbers) - min(numbers) + 1)
    return expected >= MIN_EXPECTED_REPEATS * (n_values - n_distinct + 1)


def _are_codes(column: _Column, n_distinct: int) -> bool:
    """Return whether whole numbers that repeat often are names: by their name, or by their form.

    By their form, where they are of one length, unrounded, and far from each other: a measurement that takes the same
    value again and again takes its neighbours too.
    """
    numbers, n_values = column.numbers, len(column.numbers)
    if column.is_called(_CODE_WORDS):
        return n_values >= 2 * n_distinct
    if n_values < MIN_REPEATS * n_distinct or n_distinct < MIN_DATES or min(numbers) < 0:
        return False
    width, n_of_width = Counter(len(str(int(number))) for number in numbers).most_common(1)[0]
    if width < MIN_DIGITS or n_of_width < SAME_LENGTH * n_values:
        return False
    if sum(number % 5 == 0 for number in numbers) >= MAX_ROUND * n_values:
        return False
    distinct = sorted(set(numbers))
    middle = distinct[n_distinct // 10 : n_distinct - n_distinct // 10]
    return len(middle) < MAX_OCCUPIED * (middle[-1] - middle[0] + 1)
