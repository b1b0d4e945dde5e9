"""How the text of a cell is read: missing, a number or a label. Monitor, training and the served model read by this.

One value has one spelling: 1, 1.0 and 1e0 are one label, true and TRUE are, and so are composed and decomposed letters
(docs/adr/0023-one-spelling-of-a-value.md). Python 3.10, standard library only.
"""

import json
import math
import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping
from functools import cached_property

from plumbline.contract.training import finite_number

DEFAULT_MISSING_VALUES = frozenset(
    {
        *("", "?", "-", "--"),
        *("NaN", "nan", "NAN", "-nan", "-NaN", "NaT"),
        *("NA", "N/A", "n/a", "<NA>", "#N/A", "#NA", "#N/A N/A"),
        *("NULL", "Null", "null", "(null)", "\\N"),
        *("None", "NONE"),
    }
)
"""Texts of a cell that has no value, unless the reference names others: what pandas reads so, and databases write."""
LEGACY_MISSING_VALUES = frozenset({"", "?"})
"""What baselines of version 2, and models of that time, were learned with."""

_NUMBER = re.compile(r"([+-]?)([0-9]*)(?:\.([0-9]*))?(?:[eE]([+-]?[0-9]{1,4}))?")
_LONGEST_PLAIN = 25
_BOOLEANS: Mapping[str, str] = {"true": "1", "false": "0"}


def missing_values_of(texts: Iterable[str]) -> frozenset[str]:
    """Return the set of texts that mean a missing value; an empty cell always does.

    Examples
    --------
    >>> sorted(missing_values_of([" NA "])), sorted(missing_values_of([]))
    (['', 'NA'], [''])
    """
    return frozenset({"", *(_composed(text) for text in texts)})


def read_missing_values(text: str) -> frozenset[str]:
    """Return the set that an argument of a job has as a JSON list.

    Raises
    ------
    ValueError
        If it is none; the text is a rule, for an error message.

    Examples
    --------
    >>> sorted(read_missing_values('["NA", "-"]'))
    ['', '-', 'NA']
    """
    try:
        texts = json.loads(text)
    except (ValueError, RecursionError):
        texts = None
    if not isinstance(texts, list) or not all(isinstance(one, str) for one in texts):
        raise ValueError(f"must be a JSON list of texts, got {text!r}")
    return missing_values_of(texts)


def canonical(text: str) -> str:
    """Return the one spelling of a label: without blanks around it, its letters composed (NFC).

    Numbers lose what does not change them: a plus sign, an exponent, zeros behind the decimal point. Zeros in front
    stay, and so does what carries them: they make a code, not a number.

    Examples
    --------
    >>> [canonical(text) for text in ("1.0", "1e3", "+0.50", "-0", "02", " TRUE", "Berlin")]
    ['1', '1000', '0.5', '0', '02', 'true', 'Berlin']
    """
    text = _composed(text)
    lower = text.lower()
    if lower in _BOOLEANS:
        return lower
    return _number(text) or text


def _composed(text: str) -> str:
    text = text.strip()
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def _number(text: str) -> str | None:
    """Return a number's shortest decimal, exactly, or None for what is none, or is written with zeros in front."""
    found = _NUMBER.fullmatch(text)
    if not found:
        return None
    sign, whole, fraction, exponent = found[1], found[2], found[3] or "", int(found[4] or 0)
    if not whole + fraction or (len(whole) > 1 and whole[0] == "0"):
        return None
    digits = (whole + fraction).lstrip("0")
    point = len(digits) - len(fraction) + exponent
    digits = digits.rstrip("0")
    return f"{'-' if sign == '-' else ''}{_decimal(digits, point)}" if digits else "0"


def _decimal(digits: str, point: int) -> str:
    """Return the number 0.`digits` times ten to the power of `point`."""
    if not -_LONGEST_PLAIN < point <= _LONGEST_PLAIN:
        return f"{digits}e{point - len(digits)}"
    if point <= 0:
        return f"0.{'0' * -point}{digits}"
    if point < len(digits):
        return f"{digits[:point]}.{digits[point:]}"
    return digits + "0" * (point - len(digits))


def _without_zeros(text: str) -> str:
    """Return the number that a code with zeros in front stands for, or the text: 02 may be written 2 by a program."""
    rest = text.lstrip("0")
    return (_number(rest or "0") or text) if text[:1] == "0" else text


def missing_labels(missing_values: Collection[str]) -> frozenset[str]:
    """Return the texts that mean a missing value in a categorical column; of a number also its canonical spelling."""
    numbers = (canonical(text) for text in missing_values if finite_number(text) is not None)
    return frozenset({*missing_values, *numbers})


def present_labels(texts: Iterable[str], missing_values: Collection[str]) -> dict[str, int]:
    """Return how often each text of a categorical column occurs that is no missing value, by its composed form."""
    missing = missing_labels(missing_values)
    counts: dict[str, int] = {}
    for text in texts:
        label = _composed(text)
        if label not in missing and canonical(label) not in missing:
            counts[label] = counts.get(label, 0) + 1
    return counts


def spellings(labels: Mapping[str, int]) -> dict[str, str]:
    """Return, for each of a column's labels, the one by which it is known: of equal values the most frequent spelling.

    `labels` has the number of cells of each. Of equally frequent spellings the first in order.

    Examples
    --------
    >>> spellings({"1": 2, "1.0": 5, "02": 1, "2": 1})
    {'1.0': '1.0', '1': '1.0', '02': '02', '2': '2'}
    """
    chosen: dict[str, str] = {}
    ordered = sorted(labels, key=lambda label: (-labels[label], label))
    return {label: chosen.setdefault(canonical(label), _composed(label)) for label in ordered}


class LabelCells:
    r"""Reads the cells of a categorical column whose labels are known, however a cell spells them.

    In this order a text is the label that it is, the label of equal value, of two booleans the one that 1 or 0 stands
    for (and the other way round), or the only label that differs in zeros in front. Everything else is a new label.

    Examples
    --------
    >>> cells = LabelCells(["1.0", "02", "Zürich"])
    >>> [cells.read(text) for text in ("1", "2", "Zu\u0308rich ", "3.0", "NA")]
    ['1.0', '02', 'Zürich', '3', None]
    """

    def __init__(self, labels: Iterable[str], missing_values: Collection[str] = DEFAULT_MISSING_VALUES) -> None:
        self._labels = frozenset(labels)
        self._missing = missing_labels(missing_values)
        self._has_numbers = any(finite_number(text) is not None for text in missing_values)

    @cached_property
    def _canonical(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for label in sorted(self._labels):
            found.setdefault(canonical(label), label)
        return found

    @cached_property
    def _booleans(self) -> dict[str, str]:
        """Labels that are booleans, by the other way of writing them; empty where any label is something else."""
        known = self._canonical
        for words in (_BOOLEANS, {number: word for word, number in _BOOLEANS.items()}):
            if known and known.keys() <= words.keys():
                return {words[key]: label for key, label in known.items()}
        return {}

    @cached_property
    def _padded(self) -> dict[str, str | None]:
        """Labels by their number without zeros in front; None where several have it."""
        found: dict[str, str | None] = {}
        for label in self._labels:
            number = _without_zeros(canonical(label))
            found[number] = None if number in found else label
        return found

    @property
    def has_booleans(self) -> bool:
        """Whether a boolean is one of the labels."""
        return not {"true", "false"}.isdisjoint(self._canonical) or bool(self._booleans)

    def read(self, text: str) -> str | None:
        """Return the label, or None for a missing value."""
        label = _composed(text)
        if not self._labels and not self._has_numbers:
            # Of a column without known values, as identifiers are, nothing is to be found.
            return None if label in self._missing else label
        key = canonical(label)
        if label in self._missing or key in self._missing:
            return None
        if label in self._labels:
            return label
        return self._canonical.get(key) or self._booleans.get(key) or self._padded.get(_without_zeros(key)) or key


class NumberCells:
    """Reads the cells of a column of numbers; upper and lower case of missing values are alike there.

    With `is_binary`, the reference has no other numbers than 0 and 1, and booleans stand for them.

    Examples
    --------
    >>> cells = NumberCells(is_binary=True)
    >>> [cells.read(text) for text in ("1.0", "True", " n/A", "many")]
    [1.0, 1.0, nan, None]
    """

    def __init__(self, missing_values: Collection[str] = DEFAULT_MISSING_VALUES, *, is_binary: bool = False) -> None:
        self._missing = frozenset(text.casefold() for text in missing_values)
        numbers = (finite_number(text) for text in missing_values)
        self.missing_numbers = frozenset(number for number in numbers if number is not None)
        """Numbers that mean a missing value, such as -999."""
        self.is_binary = is_binary

    def is_missing(self, text: str) -> bool:
        """Return whether the text means a missing value."""
        return _composed(text).casefold() in self._missing or finite_number(text) in self.missing_numbers

    def read(self, text: str) -> float | None:
        """Return the number, NaN for a missing value, or None for what is no finite number."""
        number = finite_number(text)
        if number is not None:
            return math.nan if number in self.missing_numbers else number
        if self.is_missing(text):
            return math.nan
        word = text.strip().lower()
        return float(_BOOLEANS[word]) if self.is_binary and word in _BOOLEANS else None


def reads_as_numbers(texts: Iterable[str], cells: NumberCells) -> bool:
    """Return whether every value among the texts is a finite number; booleans are, beside nothing but 0 and 1.

    Without any value it is no column of numbers.
    """
    words, numbers = False, set()
    for text in texts:
        if cells.is_missing(text):
            continue
        number = finite_number(text)
        if number is None and text.strip().lower() not in _BOOLEANS:
            return False
        words |= number is None
        numbers.add(number)
    numbers.discard(None)
    return bool(numbers) and (not words or is_binary(numbers))


def is_binary(numbers: Collection[float | None]) -> bool:
    """Return whether there are numbers, and no others than 0 and 1."""
    return bool(numbers) and set(numbers) <= {0.0, 1.0}
