"""A file that is in SageMaker's ground-truth format already: checked line by line, and passed on as it is."""

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from plumbline.contract.rejection import LabelRejectionReason
from plumbline.contract.training import MISSING_TEXTS
from plumbline.drift.ground_truth.labels import LabelRejectedError, numbered_lines, parse_label_record
from plumbline.labels.table import LabelAccount, LabelRowReason, LabelTable, spelling_of

_KEY = "groundTruthData"
_REASONS = (*LabelRejectionReason, LabelRowReason.DUPLICATE, LabelRowReason.CONTRADICTED)


@dataclass(frozen=True)
class FinalRecord:
    """A label record as it stands in the file."""

    number: int
    line: str
    labels: tuple[str, ...]
    collected: datetime

    def to_json(self) -> str:
        """Return the record as one line."""
        return self.line


def is_final_form(path: Path) -> bool:
    """Return whether the first line of a file that can be read has SageMaker's keys.

    Raises
    ------
    OSError
        If the file cannot be read.
    """
    return path.suffix.lower() == ".jsonl" and next(_has_key(path), False)


def _has_key(path: Path) -> Iterator[bool]:
    for _, line in numbered_lines(path):
        try:
            record = json.loads((line or b"").decode("utf-8-sig"))
        except (ValueError, RecursionError):
            continue
        yield isinstance(record, dict) and _KEY in record


def read_final_form(path: Path, *, collected: datetime) -> LabelTable:
    """Read a file in SageMaker's format, whose records were collected at one time.

    Equal records of one event are one; of records that contradict each other none is used, since nothing says which is
    the later one.

    Raises
    ------
    OSError
        If the file cannot be read.
    """
    account = LabelAccount(path.name)
    found: dict[str, list[FinalRecord]] = defaultdict(list)
    for number, line in numbered_lines(path):
        try:
            event_id, texts = parse_label_record(line)
            if all(text.strip() in MISSING_TEXTS for text in texts):
                raise LabelRejectedError(LabelRejectionReason.NO_LABEL)
        except LabelRejectedError as error:
            account.reject(error.reason, number)
            continue
        text = (line or b"").decode("utf-8-sig").strip()
        found[event_id].append(FinalRecord(number, text, tuple(texts), collected))
    kept, contradicted = [], []
    for event_id, records in found.items():
        if len({tuple(map(spelling_of, record.labels)) for record in records}) > 1:
            contradicted.append(event_id)
            for record in records:
                account.reject(LabelRowReason.CONTRADICTED, record.number)
            continue
        kept.append(records[0])
        for record in records[1:]:
            account.reject(LabelRowReason.DUPLICATE, record.number)
    account.used = len(kept)
    return LabelTable(tuple(kept), account.counts(_REASONS), contradicted=tuple(contradicted), is_final=True)
