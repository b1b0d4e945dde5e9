"""Partial counts as JSON text: the form in which workers return them."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from plumbline.contract.decoding import SCHEMA_ERRORS, require_flat
from plumbline.contract.records import FeatureType
from plumbline.contract.rejection import AnswerReason, RejectionReason
from plumbline.drift.read.kernel.partial_counts import (
    ColumnCounts,
    Group,
    GroupCounts,
    KeyTally,
    LabelTally,
    PartialCounts,
    SampledRows,
    ScoreGroup,
    ScoreKind,
)
from plumbline.drift.read.kernel.plan import WindowPlan
from plumbline.drift.read.kernel.records import Place, Places
from plumbline.drift.read.kernel.variants import RequestIds

PARTIAL_COUNTS_VERSION = 3


def to_json(counts: PartialCounts) -> bytes:
    """Return the counts as JSON; equal counts are equal bytes."""
    return msgspec.json.encode(
        {
            "version": PARTIAL_COUNTS_VERSION,
            "n_used": counts.n_used,
            "rejected": {str(reason): counts.rejected[reason] for reason in sorted(counts.rejected)},
            "examples": {str(reason): _places(counts.examples[reason]) for reason in sorted(counts.examples)},
            "unreadable": [[*cell, _places(counts.unreadable[cell])] for cell in sorted(counts.unreadable)],
            "n_answers_used": counts.n_answers_used,
            "unreadable_answers": {
                str(reason): [counts.unreadable_answers[reason], _places(counts.answer_examples[reason])]
                for reason in sorted(counts.unreadable_answers)
            },
            "n_out_of_support": counts.n_out_of_support,
            "repetition": _tally(counts.repetition),
            "requests": {variant: counts.requests[variant].smallest.tolist() for variant in sorted(counts.requests)},
            "sample": _sample(counts.sample),
            "scores": [
                {"kind": str(group.kind), "value": group.value, **_column(counts.scores[group])}
                for group in sorted(counts.scores)
            ],
            "groups": [_group(group, counts.groups[group]) for group in sorted(counts.groups)],
        }
    )


def from_json(text: bytes, plan: WindowPlan) -> PartialCounts:
    """Read partial counts that were made after `plan`.

    Raises
    ------
    ValueError
        If the text is of another version, or no such counts.
    """
    try:
        data = msgspec.json.decode(text)
        require_flat(data)
        if data["version"] != PARTIAL_COUNTS_VERSION:
            raise ValueError(f"partial counts must have version {PARTIAL_COUNTS_VERSION}, got {data['version']!r}")
        return _decoded(data, plan)
    except (*SCHEMA_ERRORS, RecursionError) as error:
        raise ValueError(f"partial counts must fit their schema, got {error!r}") from error


def _decoded(data: dict[str, Any], plan: WindowPlan) -> PartialCounts:
    return PartialCounts(
        groups={
            Group(_text(entry["variant"]), _text(entry["value"])): _read_group(entry, plan) for entry in data["groups"]
        },
        n_used=_whole(data["n_used"]),
        rejected=Counter({RejectionReason(reason): _whole(count) for reason, count in data["rejected"].items()}),
        examples={RejectionReason(reason): _read_places(entry) for reason, entry in data["examples"].items()},
        unreadable={(_text(name), _text(reason)): _read_places(entry) for name, reason, entry in data["unreadable"]},
        n_answers_used=_whole(data["n_answers_used"]),
        unreadable_answers=Counter(
            {AnswerReason(reason): _whole(count) for reason, (count, _) in data["unreadable_answers"].items()}
        ),
        answer_examples={
            AnswerReason(reason): _read_places(places) for reason, (_, places) in data["unreadable_answers"].items()
        },
        n_out_of_support=_whole(data["n_out_of_support"]),
        repetition=_read_tally(KeyTally.of_hashes(), data["repetition"]),
        requests={variant: RequestIds(np.array(ids, np.uint64)) for variant, ids in data["requests"].items()},
        sample=_read_sample(data["sample"], plan),
        scores={
            ScoreGroup(ScoreKind(entry["kind"]), _text(entry["value"])): _read_column(
                ColumnCounts.empty(FeatureType.NUMERIC), entry
            )
            for entry in data["scores"]
        },
    )


def _whole(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"a whole number is expected, got {value!r}")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"a text is expected, got {value!r}")
    return value


def _flat(values: Any, kind: Any, n_values: int | None = None) -> NDArray[Any]:
    """Return values as an array of one dimension, and of this length where one is given."""
    array: NDArray[Any] = np.array(values, dtype=kind)
    if array.ndim != 1 or n_values not in {None, len(array)}:
        raise ValueError(f"{n_values or 'some'} values are expected, got those of shape {array.shape}")
    return array


def _places(places: Places) -> list[list[str | int]]:
    return [[place.name, place.line, place.note] for place in places.first]


def _read_places(entry: Sequence[Sequence[Any]]) -> Places:
    return Places([Place(_text(name), _whole(line), _text(note)) for name, line, note in entry])


def _tally(tally: KeyTally) -> dict[str, object]:
    tally.settle()
    return {"is_collapsed": tally.is_collapsed, "keys": tally.keys.tolist(), "counts": tally.counts.tolist()}


def _read_tally(empty: KeyTally, entry: dict[str, Any]) -> KeyTally:
    empty.keys = _flat(entry["keys"], empty.keys.dtype)
    empty.counts = _flat(entry["counts"], np.int64, len(empty.keys))
    empty.is_collapsed = bool(entry["is_collapsed"])
    return empty


def _column(column: ColumnCounts) -> dict[str, object]:
    values = column.values
    if isinstance(values, KeyTally):
        return {"states": column.states.tolist(), **_tally(values)}
    labels = sorted(values.counts)
    counts = [values.counts[label] for label in labels]
    return {"states": column.states.tolist(), "is_collapsed": values.is_collapsed, "keys": labels, "counts": counts}


def _read_column(empty: ColumnCounts, entry: dict[str, Any]) -> ColumnCounts:
    empty.states += _flat(entry["states"], np.int64, len(empty.states))
    if isinstance(empty.values, KeyTally):
        _read_tally(empty.values, entry)
    else:
        labels = dict(zip(map(_text, entry["keys"]), map(_whole, entry["counts"]), strict=True))
        n_unknown = len(labels.keys() - empty.values.known)
        empty.values = LabelTally(empty.values.known, labels, n_unknown, bool(entry["is_collapsed"]))
    return empty


def _group(group: Group, counts: GroupCounts) -> dict[str, object]:
    columns = [_column(column) for column in counts.columns]
    return {"variant": group.variant, "value": group.value, "n_rows": counts.n_rows, "columns": columns}


def _read_group(entry: dict[str, Any], plan: WindowPlan) -> GroupCounts:
    empty = GroupCounts.empty(plan)
    columns = [_read_column(column, found) for column, found in zip(empty.columns, entry["columns"], strict=True)]
    return GroupCounts(columns, _whole(entry["n_rows"]))


def _sample(sample: SampledRows | None) -> dict[str, object] | None:
    if sample is None:
        return None
    # A missing number becomes null: JSON has no NaN.
    return {"keys": sample.keys.tolist(), "columns": [column.tolist() for column in sample.columns]}


def _read_sample(entry: dict[str, Any] | None, plan: WindowPlan) -> SampledRows | None:
    if entry is None:
        return None
    types = [np.float64 if spec.type is FeatureType.NUMERIC else np.object_ for spec in plan.specs]
    columns = zip(entry["columns"], [*types, np.float64], strict=True)
    keys = _flat(entry["keys"], np.uint64)
    return SampledRows(keys, tuple(_flat(column, kind, len(keys)) for column, kind in columns))
