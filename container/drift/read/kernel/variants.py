"""Which variants of an endpoint answered callers: the ids of their requests, and what names and ids tell of them.

Captures say nothing of a variant but its name, as a folder of the path. A shadow variant gets copies of the requests of
a production variant, under the same inference ids. Source: SageMaker Developer Guide, "Shadow tests"; captures of
aws/amazon-sagemaker-examples, the notebook on shadow tests.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from plumbline.contract.records import VariantRole
from plumbline.drift.data.window import VariantRows
from plumbline.drift.read.kernel.columns import Hashes, text_hashes

MAX_IDS = 4096
_SHADOW = "shadow"
_PRODUCTION = ("alltraffic", "production", "primary", "champion")
"""Parts of names of variants that answer callers; the first is SageMaker's own."""
MIRRORED = 0.5
"""From this fraction of common requests on, two variants answered the same ones: of two that share traffic none is."""
_PART = 0.9
"""Up to this fraction of another's rows, a variant that answered nothing else got a part of its requests copied."""


@dataclass(eq=False)
class RequestIds:
    """The smallest hashes of a variant's request ids, `MAX_IDS` at most: those of parts add up in any order.

    References
    ----------
    Beyer, Haas, Reinwald, Sismanis and Gemulla (2007), On synopses for distinct-value estimation under multiset
    operations, section 3.
    """

    smallest: Hashes = field(default_factory=lambda: np.zeros(0, dtype=np.uint64))

    def add(self, hashes: Hashes) -> None:
        """Take note of ids; 0 stands for a request without one."""
        limit = self.limit
        chosen = hashes[(hashes != 0) if limit is None else (hashes != 0) & (hashes < limit)]
        if len(chosen):
            self.smallest = np.union1d(self.smallest, chosen)[:MAX_IDS]

    @property
    def limit(self) -> np.uint64 | None:
        """The hash from which on ids are not known; None where all are."""
        return self.smallest[-1] if len(self.smallest) >= MAX_IDS else None

    def common(self, other: "RequestIds") -> float:
        """Return which fraction of the ids of the one with fewer the other has too, 0 to 1; 0 without ids."""
        limits = [limit for limit in (self.limit, other.limit) if limit is not None]
        mine, theirs = (
            side.smallest[side.smallest <= min(limits)] if limits else side.smallest for side in (self, other)
        )
        fewer = min(len(mine), len(theirs))
        return len(np.intersect1d(mine, theirs, assume_unique=True)) / fewer if fewer else 0.0


def request_hashes(inference_ids: Sequence[str | None], event_ids: Hashes) -> Hashes:
    """Return the hash of each request's id: the client's own, else that of the event; 0 without either."""
    if not any(inference_ids):
        return event_ids
    own = text_hashes([text or None for text in inference_ids])
    return np.where(own != 0, own, event_ids)


def variants_apart(n_rows: Mapping[str, int], requests: Mapping[str, RequestIds]) -> tuple[VariantRows, ...]:
    """Return the variants of a window with their roles, the one that leads first; nothing where there is one at most.

    `n_rows` and `requests` have what is known of each variant, the latter also of those without a usable record.

    A variant named after a shadow is one. Of several that answered the same requests only one can have answered
    callers: the one named after production, as ``AllTraffic`` is, else the one whose requests the others got a part of;
    else it is not known.
    """
    rows = {name: n_rows.get(name, 0) for name in {*n_rows, *requests} if name}
    named = [name for name in rows if rows[name]]
    if named and all(map(_is_named_shadow, named)):
        # None of production's records could be used: a shadow's rows are no answers that callers saw.
        named += [name for name in rows if not rows[name] and not _is_named_shadow(name)]
    if len(named) < 2:
        return ()
    named.sort(key=lambda name: (-rows[name], not _is_named_production(name), name))
    roles = dict(_roles(named, rows, requests))
    order = [VariantRole.PRODUCTION, VariantRole.UNKNOWN, VariantRole.SHADOW]
    return tuple(
        VariantRows(name, rows[name], roles[name])
        for name in sorted(named, key=lambda name: (order.index(roles[name]), named.index(name)))
    )


def _is_named_shadow(name: str) -> bool:
    return _SHADOW in name.casefold()


def _is_named_production(name: str) -> bool:
    return any(part in name.casefold() for part in _PRODUCTION)


def _roles(
    named: Sequence[str], n_rows: Mapping[str, int], requests: Mapping[str, RequestIds]
) -> Iterator[tuple[str, VariantRole]]:
    shadows = set(filter(_is_named_shadow, named))
    if len(shadows) == len(named):
        shadows = set()
    yield from ((name, VariantRole.SHADOW) for name in shadows)
    waiting = [name for name in named if name not in shadows]
    while waiting:
        same = _mirrors_of(waiting[0], waiting, requests)
        waiting = [name for name in waiting if name not in same]
        yield from _roles_of_mirrors(same, n_rows)


def _mirrors_of(first: str, names: Sequence[str], requests: Mapping[str, RequestIds]) -> list[str]:
    """Return the variants that answered the same requests as the first one, that one first."""
    nothing = RequestIds()
    ids = requests.get(first, nothing)
    return [name for name in names if name == first or ids.common(requests.get(name, nothing)) >= MIRRORED]


def _roles_of_mirrors(same: Sequence[str], n_rows: Mapping[str, int]) -> Iterator[tuple[str, VariantRole]]:
    largest, *others = same
    if not others:
        yield largest, VariantRole.PRODUCTION
        return
    got_a_part = all(n_rows[name] <= _PART * n_rows[largest] for name in others)
    production = [*filter(_is_named_production, same)]
    leading = production[0] if len(production) == 1 else largest if got_a_part else None
    for name in same:
        role = VariantRole.PRODUCTION if name == leading else VariantRole.SHADOW
        yield name, VariantRole.UNKNOWN if leading is None else role
