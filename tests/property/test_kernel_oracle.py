"""The kernel against the slow reader: equal accounts and equal counts, however the files are cut or damaged."""

import base64
import json
import random
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from plumbline.contract.records import FeatureType, WindowBounds
from plumbline.contract.training import Task
from plumbline.drift.data.table import FeatureSpec, table
from plumbline.drift.data.window import WindowCounts
from plumbline.drift.read.capture import count_folder, plan_of
from plumbline.drift.read.kernel.partial_counts import window_counts
from plumbline.drift.reference.baseline import Baseline
from plumbline.drift.reference.learn import learn
from tests.oracles.request_shapes import content_types, csv_headers, shaped
from tests.oracles.slow_reader import Question, SlowWindow, read, value_counts

SPECS = (FeatureSpec("age", FeatureType.NUMERIC), FeatureSpec("work", FeatureType.CATEGORICAL))
FEATURES = (("age", True), ("work", False))
BOUNDS = WindowBounds("2026-11-22T12:00:00Z", "2026-11-22T13:00:00Z")
START, END = datetime(2026, 11, 22, 12, tzinfo=UTC), datetime(2026, 11, 22, 13, tzinfo=UTC)
BASELINE = learn(
    train=table(SPECS, [(17.0, "Private"), (90.0, "Self"), (30.0, None)]), target_label="income", task=Task.BINARY
)

KEYS = (
    "age work instances inputs data features values columns names rows dataframe_split dataframe_records index 0 1 "
    "name shape request keys".split()
)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS), inner),
    max_leaves=8,
)
numbers = st.sampled_from(
    [
        "41",
        " 30",
        "17.0",
        "-0.0",
        "?",
        "",
        "1e400",
        "nan",
        "4_1",
        "old",
        ".5",
        "٤",
        "0x1p3",
        "+1",
        "none",
        "-",
        "NaN",
        "true",
    ]
)
labels = st.sampled_from(
    ["Private", " Self", "?", "", "a\tb", '"x, y"', 'a"b', "é", "\ufeffz", "a\rb", "\x00"]
    + ["e\u0301", "1", "1.0", "1e3", "-.50", "02", "TRUE", "True", "NA", "none", "-"]
)
csv_rows = st.tuples(numbers, labels).map(",".join)
csv_texts = st.lists(csv_rows, min_size=1, max_size=3).map("\n".join) | csv_rows.map(lambda row: row + "\n")
payloads = st.one_of(
    csv_rows,
    csv_texts,
    st.sampled_from(
        ["", "\n", "41", "41,Private,1", "41,Private\n\n30,Self\n\n", "41,Private\r\n30,Self", "\ufeff41,x"]
    ),
    st.sampled_from(['[["41","a"]]', '{"instances": [[1,"a"]]}', '{"age": 1e400}', '[[NaN, "\\ud800"]]', "[[1,"]),
    st.text(max_size=20),
    json_values.map(json.dumps),
    shaped(),
    st.tuples(csv_headers, csv_texts).map("\n".join),
    shaped().map(lambda text: base64.b64encode(text.encode()).decode()),
    csv_texts.map(lambda text: text.replace(",", ";")),
    csv_texts.map(lambda text: base64.b64encode(text.encode()).decode()),
    st.binary(max_size=20).map(lambda data: base64.b64encode(data).decode()),
)
outputs = st.sampled_from(
    ["0.5", "0.5\n", " 0.25", "1e-400", "+.5", "1.5", "nan", "0.1,0.2", "0.1\n0.2\n", "[0.1]", '"0.5"', ""]
    + ["0.1\n\n", "٠", '{"predictions": [{"probability": 0.1}]}', "error", "0_1", "1e400"]
)


def sides(data: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    plain = data.map(lambda text: {"data": text, "encoding": "CSV", "observedContentType": "text/csv"})
    any_side = st.fixed_dictionaries(
        {"data": data | json_values, "encoding": st.sampled_from(["CSV", "JSON", "BASE64", "", None])},
        optional={"observedContentType": content_types},
    )
    return plain | any_side | st.none() | json_values


times = st.sampled_from(
    ["2026-11-22T12:00:00Z", "2026-11-22T12:30:00Z", "2026-11-22T13:00:00Z", "2026-11-22T14:30:00+02:00"]
)
records = st.fixed_dictionaries(
    {
        "captureData": st.fixed_dictionaries(
            {"endpointInput": sides(payloads), "endpointOutput": sides(outputs)},
            optional={"batchTransformOutput": sides(outputs)},
        ),
        "eventMetadata": st.fixed_dictionaries(
            {"inferenceTime": times | json_values},
            optional={"eventId": st.sampled_from(["a", "b", "é"]) | json_values, "customAttributes": json_values},
        ),
    },
    optional={"eventVersion": json_values},
)


def good(number: int) -> dict[str, Any]:
    """A record as SageMaker writes it."""
    return {
        "captureData": {
            "endpointInput": {
                "observedContentType": "text/csv",
                "mode": "INPUT",
                "data": f"{20 + number % 60},{('Private', 'Self', '?')[number % 3]}",
                "encoding": "CSV",
            },
            "endpointOutput": {
                "observedContentType": None,
                "mode": "OUTPUT",
                "data": f"0.{number}\n",
                "encoding": "CSV",
            },
        },
        "eventMetadata": {"eventId": f"event-{number}", "inferenceTime": "2026-11-22T12:30:00Z"},
        "eventVersion": "0",
    }


def encoded(record: dict[str, Any], way: int) -> dict[str, Any]:
    """The record as SageMaker writes it where CSV is not listed, or the endpoint takes JSON."""
    side, output = record["captureData"].values()
    age, work = side["data"].split(",")
    data, encoding, content_type = [
        (side["data"], "CSV", "text/csv"),
        (base64.b64encode(side["data"].encode()).decode(), "BASE64", "text/csv"),
        (json.dumps({"instances": [[int(age), work], [float(age), None]]}), "JSON", "application/json"),
        (json.dumps([{"work": work, "age": None if work == "?" else age, "other": [1]}]), "JSON", "application/json"),
        (json.dumps({"work": work, "session": 1}), "JSON", "application/json"),
    ][way]
    side |= {"data": data, "encoding": encoding, "observedContentType": content_type}
    if way == 2:
        output |= {"data": '{"predictions": [{"probability": 0.5}, {"probability": 1}]}', "encoding": "JSON"}
    return record


good_records = st.builds(encoded, st.integers(0, 40).map(good), st.integers(0, 4))


@st.composite
def lines(draw: st.DrawFn) -> bytes:
    """A record's line as it is, cut, written over, or doubled."""
    line = json.dumps(draw(good_records | records), ensure_ascii=draw(st.booleans())).encode("utf-8", "surrogatepass")
    start, end = sorted((draw(st.integers(0, len(line))), draw(st.integers(0, len(line)))))
    change = draw(st.sampled_from(["none", "none", "none", "cut", "overwrite", "double", "bom", "batch"]))
    if change == "cut":
        line = line[:end]
    elif change == "overwrite":
        line = line[:start] + draw(st.binary(max_size=4)) + line[end:]
    elif change == "double":
        line += b" " + line
    elif change == "bom":
        line = b"\xef\xbb\xbf" + line
    elif change == "batch":
        line = draw(st.sampled_from([b'[{"prefix": "s3://a/"}, "b"]', b' { "prefix":"s', b'{"SageMakerOutput": {}}']))
    return line


files = st.lists(st.lists(lines(), max_size=6), min_size=1, max_size=4)


def write(folder: Path, contents: Sequence[Sequence[bytes]], separator: bytes = b"\n") -> None:
    for number, content in enumerate(contents):
        file = folder / f"ep/{'AB'[number % 2]}/2026/11/22/12/{number}.jsonl"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(separator.join(content))


def kernel(folder: Path, bounds: WindowBounds, baseline: Baseline = BASELINE, **options: Any) -> WindowCounts:
    block_bytes = options.pop("block_bytes", 4 << 20)
    plan = plan_of(baseline, bounds, **options)
    return window_counts(count_folder(folder, plan, block_bytes), plan)


def question(bounds: WindowBounds, variant: str | None = None) -> Question:
    return Question(FEATURES, START if bounds.start else None, END if bounds.end else None, variant)


def assert_equal(window: WindowCounts, slow: SlowWindow) -> None:
    assert window.records.rejected == slow.rejected
    assert (window.records.used, window.n_rows) == (slow.used, len(slow.rows))
    assert window.records.read == slow.used + slow.rejected.total()
    assert window.records.examples == {
        reason: tuple(f"{name}:{line}" if line else name for name, line in sorted(places)[:5])
        for reason, places in slow.places.items()
    }
    answers = slow.answers - Counter(absent=slow.answers["absent"])
    assert (window.answers.read, window.answers.used) == (answers.total(), answers.pop("used", 0))
    assert window.answers.n_unreadable == answers["unreadable"]
    if "duplicate_event_id" not in slow.rejected:  # the places of copies stay among the examples
        examples = {place for places in window.answers.examples.values() for place in places}
        assert examples <= {f"{name}:{line}" for name, line in slow.answer_places.get("unreadable", [])}
    for position, (name, _) in enumerate(FEATURES):
        expected = value_counts(slow, position)
        column = window.columns[name]
        values = {
            ("value", value): count for value, count in zip(column.values.tolist(), column.counts.tolist(), strict=True)
        }
        unreadable = {("unreadable", reason): count for reason, count in column.unreadable.items()}
        rest = {("missing", None): column.n_missing - column.n_absent, ("absent", None): column.n_absent}
        assert Counter(values | unreadable | rest) == expected
    known = [row.probability for row in slow.rows if row.probability is not None]
    assert np.repeat(window.probabilities.values, window.probabilities.counts).tolist() == sorted(known)
    assert window.probabilities.n_missing == len(slow.rows) - len(known)
    assert window.n_out_of_support == sum(map(is_outside, (row.cells for row in slow.rows)))
    multiplicity = Counter(
        (tuple(("missing", None) if c[0] == "absent" else c for c in row.cells), row.probability) for row in slow.rows
    )
    n_rows = len(slow.rows)
    assert window.design_effect == (sum(m * m for m in multiplicity.values()) / n_rows if n_rows else 1.0)
    assert len(window.sample.probabilities) == min(n_rows, 2000)


def is_outside(cells: Sequence[tuple[str, Any]]) -> bool:
    """Return whether BASELINE has no ground for a row: its ages are 17 to 90, never missing; its labels two."""
    (age_state, age), (work_state, work) = cells
    return (
        age_state != "value" or not 17 <= age <= 90 or work_state == "unreadable"
        or (work_state == "value" and work not in {"Private", "Self"})
    )  # fmt: skip


@given(contents=files, bounds=st.sampled_from([BOUNDS, WindowBounds()]), block_bytes=st.sampled_from([1, 300, 4 << 20]))
def test_the_kernel_counts_what_the_slow_reader_counts(
    contents: list[list[bytes]], bounds: WindowBounds, block_bytes: int
) -> None:
    with TemporaryDirectory() as folder:
        write(Path(folder), contents)
        assert_equal(kernel(Path(folder), bounds, block_bytes=block_bytes), read(Path(folder), question(bounds)))


@given(contents=files)
def test_one_variant_is_read_alone(contents: list[list[bytes]]) -> None:
    with TemporaryDirectory() as folder:
        write(Path(folder), contents)
        assert_equal(
            kernel(Path(folder), WindowBounds(), variant="A"), read(Path(folder), question(WindowBounds(), "A"))
        )


@given(seed=st.integers(0, 2**32 - 1))
def test_damaged_capture_files_are_counted_alike(seed: int) -> None:
    random_numbers = random.Random(seed)
    records = [encoded(good(number), random_numbers.randrange(5)) for number in range(30)]
    content = bytearray(b"\n".join(json.dumps(record).encode() for record in records))
    for _ in range(random_numbers.randrange(6)):
        place = random_numbers.randrange(len(content))
        damage = random_numbers.choice(
            [b"", b"\n", b"\x00", b"\xff", b'"', b",", b"{", b"}\n{", b"1e400", b"\\", b"\r"]
        )
        content[place : place + random_numbers.randrange(3)] = damage
    with TemporaryDirectory() as folder:
        write(Path(folder), [[bytes(content)], [bytes(content[: len(content) // 2])]])
        assert_equal(kernel(Path(folder), BOUNDS), read(Path(folder), question(BOUNDS)))
