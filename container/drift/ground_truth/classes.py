"""The target's labels, and which of them a text or a JSON value means."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from contract.training import MISSING_TEXTS, finite_number

NO_LABEL = -1
"""The code of a row whose label has not come."""
_BOOLEANS = {"true": ("true", "True", "TRUE", "1"), "false": ("false", "False", "FALSE", "0")}


class UnknownLabelError(ValueError):
    """Raised for a label that the labelled test set does not have."""


@dataclass(frozen=True)
class Classes:
    """The labels of the test set in their order (`contract.training.ordered`); a label's code is its position."""

    labels: Sequence[str]

    @cached_property
    def _codes(self) -> dict[object, int]:
        codes: dict[object, int] = {label: code for code, label in enumerate(self.labels)}
        for code, label in enumerate(self.labels):
            number = finite_number(label)
            if number is not None:
                codes.setdefault(number, code)
        return codes

    def code(self, text: str) -> int:
        """Return the label's code; `NO_LABEL` for a missing one.

        A number may be written otherwise than in the test set: 1.0 is 1.

        Raises
        ------
        UnknownLabelError
            If it is none of the labels.
        """
        text = text.strip()
        if text in MISSING_TEXTS:
            return NO_LABEL
        if text in self._codes:
            return self._codes[text]
        for spelling in (finite_number(text), *_BOOLEANS.get(text.lower(), ())):
            if spelling is not None and spelling in self._codes:
                return self._codes[spelling]
        raise UnknownLabelError(text)
