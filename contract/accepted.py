"""Windows that were accepted as the reference: what the command records, and what an environment file states.

Both are the same statement, `Acceptance`; of several the latest counts (docs/adr/0031-accepted-windows.md).
"""

import json
import unicodedata
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timezone
from typing import Any

from plumbline.contract.decoding import decode, read_json
from plumbline.contract.verdicts import WindowBounds

ACCEPTED_VERSION = 1
"""Of a record, and of the file that an environment's section becomes."""
MAX_REASON = 300
MAX_NAME = 256
"""Characters of who accepted: an ARN is no longer."""


@dataclass(frozen=True, kw_only=True)
class Acceptance:
    """Which windows are the reference from their end on: who said so, when and why.

    Parameters
    ----------
    windows
        Times whose windows are accepted, in order.
    at
        When it was said, ISO 8601 in UTC with Z.
    by
        Who said it.
    reason
        Why, in one line.
    features
        Names of the features whose reference they are; empty: all, and the prediction.
    prediction
        Whether the prediction is accepted beside `features`.
    """

    windows: tuple[WindowBounds, ...]
    at: str
    by: str
    reason: str
    features: tuple[str, ...] = ()
    prediction: bool = False

    @property
    def end(self) -> str:
        """End of the last window: from then on they are the reference."""
        return str(self.windows[-1].end)

    @property
    def has_prediction(self) -> bool:
        """Whether the prediction is accepted."""
        return self.prediction or not self.features

    @property
    def times(self) -> str:
        """The windows' times in words."""
        return ", ".join(f"{one.start} to {one.end}" for one in self.windows)

    def checked(self) -> "Acceptance":
        """Return the statement with its times in UTC with Z and its windows in order.

        Raises
        ------
        ValueError
            If a time is none, a window ends before it begins, two overlap, or a text is not clean.
        """
        windows = tuple(sorted((_in_utc(one) for one in self.windows), key=lambda one: moment(str(one.start))))
        if not windows:
            raise ValueError("an acceptance must name at least one window, got none")
        for one, after in zip(windows, windows[1:], strict=False):
            if moment(str(after.start)) < moment(str(one.end)):
                raise ValueError(f"windows must not overlap, got {one.start}/{one.end} and {after.start}/{after.end}")
        if len(set(self.features)) < len(self.features):
            raise ValueError(f"features must each be named once, got {', '.join(self.features)}")
        return replace(
            self,
            windows=windows,
            at=_text(moment(self.at)),
            by=clean_text("by", self.by, MAX_NAME),
            reason=clean_text("reason", self.reason, MAX_REASON),
        )

    def to_json(self) -> str:
        """Return the text of the file that an environment's section becomes; `from_json` reads it."""
        return json.dumps({"version": ACCEPTED_VERSION, **asdict(self)}, indent=2, sort_keys=True) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "Acceptance":
        """Read what `to_json` wrote.

        Raises
        ------
        ValueError
            If it is of another version, or no statement that `checked` takes.
        """
        document = read_json(text)
        found = document.pop("version", None) if isinstance(document, dict) else None
        if found != ACCEPTED_VERSION:
            raise ValueError(f"it must be of version {ACCEPTED_VERSION}, got {found!r}")
        return cls.of(document)

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> "Acceptance":
        """Return the statement of a JSON object with its fields.

        Raises
        ------
        ValueError
            If a field is missing or of another type, or `checked` refuses it.
        """
        return decode(cls, document).checked()


def read_window(text: str) -> WindowBounds:
    """Return the times of ``START/END``, in UTC with Z.

    Raises
    ------
    ValueError
        If there are not two times, or the end is not after the start.

    Examples
    --------
    >>> read_window("2026-01-31T13:00:00+01:00/2026-01-31T14:00:00Z")
    WindowBounds(start='2026-01-31T12:00:00Z', end='2026-01-31T14:00:00Z')
    """
    start, separator, end = text.partition("/")
    if not separator:
        raise ValueError(f"a window must be two times, START/END, got {text!r}")
    return _in_utc(WindowBounds(start, end))


def clean_text(name: str, text: str, max_characters: int) -> str:
    """Return a text of one line without white space around it.

    Raises
    ------
    ValueError
        If it is empty, too long, or has a character that no report can show: a line's end, a control character.
    """
    found = text.strip(" ")
    if not found:
        raise ValueError(f"{name} must say something, got an empty text")
    if len(found) > max_characters:
        raise ValueError(f"{name} must have at most {max_characters} characters, got {len(found)}")
    odd = next((one for one in found if unicodedata.category(one) in _UNSHOWN), None)
    if odd is not None:
        raise ValueError(f"{name} must be one line without control characters, got {odd!r} in it")
    return found


_UTC = timezone.utc  # noqa: UP017 - Python 3.10 has no other name for it
_UNSHOWN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Unicode's categories of what a report cannot show: control characters, what turns a line's direction, line ends."""


def moment(text: str) -> datetime:
    """Return the moment of an ISO 8601 text; one without a zone is UTC.

    Raises
    ------
    ValueError
        If it is no time.
    """
    try:
        found = datetime.fromisoformat(text.strip().replace("Z", "+00:00"))
        return found.replace(tzinfo=_UTC) if found.tzinfo is None else found.astimezone(_UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"a time must be ISO 8601 like 2026-01-31T13:00:00Z, got {text!r}") from error


def _text(time: datetime) -> str:
    return time.isoformat().replace("+00:00", "Z")


def _in_utc(window: WindowBounds) -> WindowBounds:
    start, end = moment(window.start or ""), moment(window.end or "")
    if end <= start:
        raise ValueError(f"a window must end after it begins, got {window.start}/{window.end}")
    return WindowBounds(_text(start), _text(end))
