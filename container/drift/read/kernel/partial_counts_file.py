"""Partial counts as JSON text: the form in which workers return them."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np

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
        If the text is of another version.
    """
    data = msgspec.json.decode(text)
    if data["version"] != PARTIAL_COUNTS_VERSION:
        raise ValueError(f"partial counts must have version {PARTIAL_COUNTS_VERSION}, got {data['version']!r}")
    return PartialCounts(
        groups={Group(entry["variant"], entry["value"]): _read_group(entry, plan) for entry in data["groups"]},
        n_used=data["n_used"],
        rejected=Counter({RejectionReason(reason): count for reason, count in data["rejected"].items()}),
        examples={RejectionReason(reason): _read_places(entry) for reason, entry in data["examples"].items()},
        unreadable={(feature, reason): _read_places(entry) for feature, reason, entry in data["unreadable"]},
        n_answers_used=data["n_answers_used"],
        unreadable_answers=Counter(
            {AnswerReason(reason): count for reason, (count, _) in data["unreadable_answers"].items()}
        ),
        answer_examples={
            AnswerReason(reason): _read_places(places) for reason, (_, places) in data["unreadable_answers"].items()
        },
        n_out_of_support=data["n_out_of_support"],
        repetition=_read_tally(KeyTally.of_hashes(), data["repetition"]),
        requests={variant: RequestIds(np.array(ids, np.uint64)) for variant, ids in data["requests"].items()},
        sample=_read_sample(data["sample"], plan),
        scores={
            ScoreGroup(ScoreKind(entry["kind"]), entry["value"]): _read_column(
                ColumnCounts.empty(FeatureType.NUMERIC), entry
            )
            for entry in data["scores"]
        },
    )


def _places(places: Places) -> list[list[str | int]]:
    return [[place.name, place.line, place.note] for place in places.first]


def _read_places(entry: Sequence[Sequence[Any]]) -> Places:
    return Places([Place(*place) for place in entry])


def _tally(tally: KeyTally) -> dict[str, object]:
    tally.settle()
    return {"is_collapsed": tally.is_collapsed, "keys": tally.keys.tolist(), "counts": tally.counts.tolist()}


def _read_tally(empty: KeyTally, entry: dict[str, Any]) -> KeyTally:
    empty.keys = np.array(entry["keys"], dtype=empty.keys.dtype)
    empty.counts = np.array(entry["counts"], dtype=np.int64)
    empty.is_collapsed = entry["is_collapsed"]
    return empty


def _column(column: ColumnCounts) -> dict[str, object]:
    values = column.values
    if isinstance(values, KeyTally):
        return {"states": column.states.tolist(), **_tally(values)}
    labels = sorted(values.counts)
    counts = [values.counts[label] for label in labels]
    return {"states": column.states.tolist(), "is_collapsed": values.is_collapsed, "keys": labels, "counts": counts}


def _read_column(empty: ColumnCounts, entry: dict[str, Any]) -> ColumnCounts:
    empty.states += np.array(entry["states"], dtype=np.int64)
    if isinstance(empty.values, KeyTally):
        _read_tally(empty.values, entry)
    else:
        labels = dict(zip(entry["keys"], entry["counts"], strict=True))
        n_unknown = len(labels.keys() - empty.values.known)
        empty.values = LabelTally(empty.values.known, labels, n_unknown, entry["is_collapsed"])
    return empty


def _group(group: Group, counts: GroupCounts) -> dict[str, object]:
    columns = [_column(column) for column in counts.columns]
    return {"variant": group.variant, "value": group.value, "n_rows": counts.n_rows, "columns": columns}


def _read_group(entry: dict[str, Any], plan: WindowPlan) -> GroupCounts:
    empty = GroupCounts.empty(plan)
    columns = [_read_column(column, found) for column, found in zip(empty.columns, entry["columns"], strict=True)]
    return GroupCounts(columns, entry["n_rows"])


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
    return SampledRows(
        np.array(entry["keys"], dtype=np.uint64), tuple(np.array(column, dtype=kind) for column, kind in columns)
    )
