import logging
import random
import uuid
from collections.abc import Callable

import pytest

from plumbline.contract.statistics import ColumnType, FeatureType
from plumbline.drift.reference.column_types import ColumnRules, infer

N = 1000
Draw = Callable[[random.Random], object]


def column(draw: Draw, n: int = N) -> list[str]:
    rng = random.Random(7)
    return [str(draw(rng)) for _ in range(n)]


def shuffled(values: list[int]) -> list[str]:
    random.Random(7).shuffle(values)
    return [*map(str, values)]


def recognised(texts: list[str], name: str = "x") -> ColumnType:
    return infer(name, texts).column_type


@pytest.mark.parametrize(
    ("name", "texts"),
    [
        ("x", [str(number) for number in range(N)]),
        ("x", shuffled([*range(5000, 5000 + N)])),
        ("x", [str(7 * number) for number in range(N)]),
        ("x", shuffled(random.Random(1).sample(range(4 * N), N))),
        ("x", [f"{number}.0" for number in range(N)]),
        ("x", column(lambda rng: uuid.UUID(int=rng.getrandbits(128)))),
        ("x", column(lambda rng: f"C-{rng.randrange(10**9):09d}")),
        ("x", column(lambda rng: f"{rng.getrandbits(64):016x}")),
        ("x", column(lambda rng: f"{rng.randrange(10**8):09d}")),
        ("customer_id", column(lambda rng: rng.randrange(10**9))),
        ("customerId", column(lambda rng: rng.randrange(N))),
        ("CUSTOMERID", column(lambda rng: rng.randrange(10**9))),
        ("order no", column(lambda rng: rng.randrange(10**9))),
        ("accountNumber", column(lambda rng: rng.randrange(10**9))),
        ("id", ["", *column(lambda rng: f"u{rng.randrange(N)}")]),
        ("x", [*map(str, range(N)), "NA", ""]),
    ],
)
def test_identifiers_are_recognised(name: str, texts: list[str]) -> None:
    assert recognised(texts, name) is ColumnType.ID


@pytest.mark.parametrize(
    ("name", "draw"),
    [
        ("x", lambda rng: f"2026-{rng.randrange(1, 13):02d}-{rng.randrange(1, 29):02d}"),
        ("x", lambda rng: f"2026-03-01T{rng.randrange(24):02d}:15:00Z"),
        ("x", lambda rng: f"2026-03-01 {rng.randrange(24):02d}:15:00.123456+02:00"),
        ("x", lambda rng: f"{rng.randrange(1, 29):02d}.03.2026"),
        ("x", lambda rng: f"03/{rng.randrange(1, 29)}/2026 4:05 PM"),
        ("x", lambda rng: f"{rng.randrange(1, 29)} Mar 2026"),
        ("x", lambda rng: f"{rng.randrange(24):02d}:30"),
        ("x", lambda rng: f"2026{rng.randrange(1, 13):02d}{rng.randrange(1, 29):02d}"),
        ("created_at", lambda rng: 1_700_000_000 + rng.randrange(10**7)),
        ("eventTime", lambda rng: 1000 * (1_700_000_000 + rng.randrange(10**7))),
        ("ts", lambda rng: 1_700_000_000 + rng.random()),
        ("x", lambda rng: rng.choice(["", "2026-01-01", "NaT"])),
    ],
)
def test_times_are_recognised(name: str, draw: Draw) -> None:
    assert recognised(column(draw), name) is ColumnType.TIME


POSTCODES = random.Random(3).sample(range(10_000, 100_000), 300)


@pytest.mark.parametrize(
    ("name", "draw"),
    [
        ("x", lambda rng: rng.choice(POSTCODES)),
        ("x", lambda rng: f"{rng.choice(POSTCODES)}.0"),
        ("x", lambda rng: rng.choice([*POSTCODES, 1234])),
        ("x", lambda rng: f"{rng.randrange(1, 40):02d}"),
        ("x", lambda rng: f"{rng.choice(POSTCODES) // 3:05d}"),
        ("zip", lambda rng: rng.randrange(500, 900)),
        ("branchCode", lambda rng: rng.randrange(1, 50)),
    ],
)
def test_numeric_codes_are_categories(name: str, draw: Draw) -> None:
    spec = infer(name, column(draw))
    assert (spec.type, spec.unjudged) == (FeatureType.CATEGORICAL, None)


@pytest.mark.parametrize(
    ("name", "draw"),
    [
        ("age", lambda rng: rng.randrange(17, 91)),
        ("hours", lambda rng: rng.choice([40, 40, 40, rng.randrange(1, 99)])),
        ("gain", lambda rng: rng.choice([0, 0, 0, 0, 7688, 15024, 3103, 99999, 5178])),
        ("weight", lambda rng: round(rng.lognormvariate(12, 0.5))),
        ("salary", lambda rng: 500 * round(rng.gauss(90, 20))),
        ("price", lambda rng: round(rng.lognormvariate(3, 1), 2)),
        ("year", lambda rng: rng.randrange(1950, 2026)),
        ("area", lambda rng: round(rng.gauss(1500, 150))),
        ("score", lambda rng: rng.randrange(300, 851)),
        ("rooms", lambda rng: rng.randrange(1, 9)),
        ("number_of_doors", lambda rng: rng.randrange(1, 9)),
        ("flag", lambda rng: rng.randrange(2)),
        ("x", lambda rng: rng.gauss(0, 1)),
        ("x", lambda rng: rng.random() * 1e9),
        ("paid", lambda rng: rng.randrange(10**9)),
        ("balance", lambda rng: rng.randrange(-(10**6), 10**6)),
    ],
)
def test_measurements_stay_numbers(name: str, draw: Draw) -> None:
    assert recognised(column(draw), name) is ColumnType.NUMERIC


@pytest.mark.parametrize(
    ("name", "draw"),
    [
        ("x", lambda rng: rng.choice(["red", "blue"])),
        ("city", lambda rng: f"city {rng.randrange(200)}"),
        ("x", lambda rng: rng.choice(["May", "June"])),
        ("x", lambda rng: rng.choice([rng.gauss(0, 1), rng.gauss(0, 1), "many"])),
        ("size", lambda rng: rng.choice(["1/2", "3/4", "10-20"])),
    ],
)
def test_names_stay_categories(name: str, draw: Draw) -> None:
    assert recognised(column(draw), name) is ColumnType.CATEGORICAL


def test_few_rows_recognise_nothing_but_dates() -> None:
    assert recognised([*map(str, range(99))]) is ColumnType.NUMERIC
    assert recognised([f"C{number}" for number in range(99)]) is ColumnType.CATEGORICAL
    assert recognised(["2026-01-01"] * 9) is ColumnType.CATEGORICAL
    assert recognised(["2026-01-01"] * 10) is ColumnType.TIME


@pytest.mark.parametrize("kind", [*ColumnType])
def test_a_declared_type_comes_first_and_is_not_told(kind: ColumnType, caplog: pytest.LogCaptureFixture) -> None:
    texts = [*map(str, range(N))]
    spec = infer("x", texts, ColumnRules(types={"x": kind}))
    assert spec.column_type is kind
    assert spec.type is (FeatureType.NUMERIC if kind in {"numeric", "ignore"} else FeatureType.CATEGORICAL)
    assert not caplog.messages


def test_the_model_takes_columns_as_numbers_or_names() -> None:
    assert infer("id", [*map(str, range(N))], ColumnRules(recognised=False)).column_type is ColumnType.NUMERIC


def test_what_is_recognised_is_told_with_what_to_do(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        infer("id", [*map(str, range(N))])
    assert caplog.messages == [
        "column 'id' is taken for an identifier: 1000 of its 1000 whole numbers differ; if it is not, say what it is, "
        "for example --feature-type id=numeric"
    ]
