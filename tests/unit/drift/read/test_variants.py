"""Which variants answered callers, by their names and the requests that they share."""

from collections.abc import Sequence

import numpy as np
import pytest

from plumbline.drift.read.kernel.variants import MAX_IDS, RequestIds, request_hashes, variants_apart

EVERY = range(20_000)


def ids(numbers: Sequence[int]) -> RequestIds:
    found = RequestIds()
    events = np.zeros(len(numbers), dtype=np.uint64)
    found.add(request_hashes([f"request-{number}" for number in numbers], events))
    return found


def roles(**requests: Sequence[int]) -> dict[str, str]:
    named = {name.replace("_", "-"): numbers for name, numbers in requests.items()}
    found = variants_apart(
        {name: len(numbers) for name, numbers in named.items()}, {name: ids(numbers) for name, numbers in named.items()}
    )
    return {one.name: str(one.role) for one in found}


def test_variants_that_share_traffic_answer_callers_and_the_largest_leads() -> None:
    assert roles(a=EVERY[:5000], b=EVERY[5000:], c=range(90_000, 90_010)) == dict.fromkeys("bac", "production")
    assert list(roles(a=EVERY[:5000], b=EVERY[5000:])) == ["b", "a"]


@pytest.mark.parametrize("name", ["Shadow-01", "my-SHADOW", "shadowvariant"])
def test_a_variant_named_after_a_shadow_is_one(name: str) -> None:
    assert roles(**{"a": EVERY[:100], name: EVERY}) == {"a": "production", name: "shadow"}


def test_several_shadows_of_one_variant_are_no_riddle() -> None:
    found = roles(AllTraffic=EVERY, candidate=EVERY, other=EVERY[:10_000])
    assert found == {"AllTraffic": "production", "candidate": "shadow", "other": "shadow"}


@pytest.mark.parametrize("name", ["AllTraffic", "production", "my-Primary-1", "champion"])
def test_of_copies_the_one_named_after_production_is_it(name: str) -> None:
    assert roles(**{"a": EVERY, name: EVERY[:15_000]}) == {name: "production", "a": "shadow"}
    assert next(iter(roles(**{"a": EVERY[:100], name: EVERY[100:200]}))) == name
    assert set(roles(**{"production-2": EVERY, name: EVERY}).values()) == {"unknown"}


def test_copies_that_nothing_tells_apart_are_unknown_and_others_lead() -> None:
    assert roles(a=EVERY, b=EVERY) == {"a": "unknown", "b": "unknown"}
    assert roles(a=EVERY, b=EVERY[:19_000], c=range(50_000, 50_100)) == {
        "c": "production",
        "a": "unknown",
        "b": "unknown",
    }


def test_half_of_the_requests_copied_make_a_shadow() -> None:
    assert roles(a=EVERY, b=EVERY[::2]) == {"a": "production", "b": "shadow"}


def test_variants_with_nothing_but_shadows_names_are_told_apart_by_their_requests() -> None:
    assert roles(shadow_a=EVERY[:9000], shadow_b=EVERY[9000:]) == {"shadow-b": "production", "shadow-a": "production"}


@pytest.mark.parametrize("n_rows", [{}, {"a": 3}, {"": 3}, {"": 3, "a": 2}])
def test_one_variant_is_none_of_several(n_rows: dict[str, int]) -> None:
    assert variants_apart(n_rows, {}) == ()


def test_a_variant_without_rows_counts_only_where_nothing_but_shadows_has_any() -> None:
    silent = {"old": RequestIds(), "a": ids(EVERY[:10])}
    assert variants_apart({"a": 10, "old": 0}, silent) == ()
    found = variants_apart({"shadow": 10}, {"shadow": ids(EVERY[:10]), "a": RequestIds(), "": RequestIds()})
    assert [(one.name, one.n_rows, str(one.role)) for one in found] == [
        ("a", 0, "production"),
        ("shadow", 10, "shadow"),
    ]


def test_without_ids_nothing_is_shared() -> None:
    found = variants_apart({"a": 5, "b": 5}, {})
    assert [str(one.role) for one in found] == ["production", "production"]


def test_the_events_id_stands_for_a_missing_inference_id() -> None:
    events = np.array([7, 0, 9], dtype=np.uint64)
    assert request_hashes([None, None, None], events).tolist() == [7, 0, 9]
    own = request_hashes(["x", None, ""], events)
    assert own[0] not in (0, 7)
    assert own[1:].tolist() == [0, 9]


@pytest.mark.parametrize("n_parts", [1, 3, 7])
def test_parts_add_up_whatever_their_order_and_stay_bounded(n_parts: int) -> None:
    whole, parts = ids(EVERY), RequestIds()
    for part in reversed([ids(EVERY[number::n_parts]) for number in range(n_parts)]):
        parts.add(part.smallest)
    assert len(whole.smallest) == MAX_IDS
    assert np.array_equal(parts.smallest, whole.smallest)


def test_the_common_fraction_is_estimated_from_bounded_samples() -> None:
    assert ids(EVERY).common(ids(EVERY[:15_000])) == pytest.approx(1, abs=0.05)
    assert ids(EVERY[:12_000]).common(ids(EVERY[8_000:])) == pytest.approx(1 / 3, abs=0.05)
    assert ids(EVERY).common(ids(EVERY[:100])) == 1
    assert ids(EVERY[:100]).common(ids(EVERY[100:200])) == 0
