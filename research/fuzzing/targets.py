"""What is fuzzed: a parser, the errors that it documents, and what must hold of whatever it reads."""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
CORPUS = ROOT / "tests" / "corpus"


class Broken(Exception):
    """Raised when a parser takes an input and what must hold does not."""


@dataclass(frozen=True)
class Target:
    """One parser.

    `make` returns what runs it on one input, given a folder of its own. What it may raise is `documented`, by name so
    that no target loads another's modules. `seeds` are files of the repository beside those of the corpus. `together`
    mutations are the lines of one input.
    """

    name: str
    about: str
    make: Callable[[Path], Callable[[bytes], object]]
    documented: tuple[str, ...] = ()
    seeds: tuple[str, ...] = ()
    together: int = 1

    def inputs(self) -> list[bytes]:
        """Return the corpus: what mutations begin with, and what once broke the parser."""
        kept = [path for path in sorted((CORPUS / self.name).glob("*")) if path.is_file()]
        return [path.read_bytes() for path in (*kept, *(ROOT / name for name in self.seeds))]

    def check(self, run: Callable[[bytes], object], data: bytes) -> None:
        """Run the parser on one input.

        Raises
        ------
        Exception
            Whatever the parser raises and does not document.
        """
        try:
            run(data)
        except Exception as error:
            if not {kind.__name__ for kind in type(error).__mro__} & {*self.documented} or isinstance(error, Broken):
                raise


def require(holds: bool, what: str) -> None:
    """Raise Broken unless something holds."""
    if not holds:
        raise Broken(what)


def lines_of(data: bytes) -> list[bytes]:
    """Return the lines that a reader counts: those that hold anything."""
    return [line for line in data.split(b"\n") if line.strip()]


@cache
def example() -> Any:
    """Return a baseline of two numbers, a label and a flag, with a labelled test set of two classes."""
    import numpy as np

    from plumbline.contract.records import FeatureType
    from plumbline.drift.data.table import FeatureSpec, table
    from plumbline.drift.reference.learn import learn

    specs = [
        FeatureSpec("age", FeatureType.NUMERIC),
        FeatureSpec("work", FeatureType.CATEGORICAL),
        FeatureSpec("hours", FeatureType.NUMERIC),
        FeatureSpec("flag", FeatureType.NUMERIC),
    ]
    work = ("Private", "Self", "Gov", None)
    rows: list[tuple[float | str | None, ...]] = [
        (20.0 + n, work[n % 4], 40.0 if n % 5 else np.nan, float(n % 2)) for n in range(40)
    ]
    return learn(
        train=table(specs, rows),
        target_label="income",
        test=table(specs, rows),
        test_labels=["0", "1"] * 20,
        probabilities=np.linspace(0, 1, 40),
        segment_column="work",
    )


def _records(_: Path) -> Callable[[bytes], object]:
    from plumbline.drift.read.kernel.records import Block, Rejected, parse

    def run(data: bytes) -> None:
        rejected: list[int] = []

        def reject(_: Rejected, number: int) -> None:
            rejected.append(number)

        records = parse(Block(1, data), reject)
        numbers = sorted([*records.positions, *rejected])
        held = [number for number, line in enumerate(data.split(b"\n"), 1) if line.strip()]
        require(numbers == held, f"lines {held} must be records or rejected, got {numbers}")

    return run


def _plans() -> list[Any]:
    from plumbline.contract.records import WindowBounds
    from plumbline.drift.read.capture import plan_of

    hour = WindowBounds("2026-11-22T12:00:00Z", "2026-11-22T13:00:00Z")
    return [plan_of(example()), plan_of(example(), hour, segment="work", facet="work")]


def _windows(folder: Path) -> Callable[[bytes], object]:
    from plumbline.contract.rejection import RejectionReason
    from plumbline.drift.read.kernel.files import FileCounter
    from plumbline.drift.read.kernel.partial_counts import PartialCounts, window_counts
    from plumbline.drift.read.kernel.partial_counts_file import from_json, to_json

    counters = [FileCounter(plan) for plan in _plans()]
    good = b"\n".join(_good_records())

    def counted(counter: FileCounter, data: bytes) -> PartialCounts:
        file = folder / "a.jsonl"
        file.write_bytes(data)
        return counter.count(file, "a.jsonl", lambda *_: None)

    def run(data: bytes) -> None:
        if data.startswith(b"\x1f\x8b"):
            data = b"\n" + data  # a file that begins so is one record
        for counter in counters:
            of_data, both = counted(counter, data), counted(counter, good + b"\n" + data)
            n_lines = len(lines_of(data))
            account = of_data.records()
            require(account.read == account.used + sum(account.rejected.values()) == n_lines, f"{n_lines}: {account}")
            require(RejectionReason.INTERNAL_FAULT not in of_data.rejected, "an internal fault")
            # The other records of the window count as they do without these.
            of_good = counted(counter, good)
            of_good.merge(of_data, counter.plan)
            require(_without_places(both) == _without_places(of_good), "other records must count as they do alone")
            require(to_json(from_json(to_json(both), counter.plan)) == to_json(both), "counts must survive as JSON")
            window_counts(counted(counter, data), counter.plan)

    return run


def _without_places(counts: Any) -> dict[str, Any]:
    """Return counts as JSON, without what names places, which differ, and the sample, which is not read from places."""
    from plumbline.drift.read.kernel.partial_counts_file import to_json

    document = json.loads(to_json(counts))
    return {name: part for name, part in document.items() if name not in _OF_PLACES}


_OF_PLACES = frozenset({"examples", "unreadable", "unreadable_answers", "sample"})


def _good_records() -> Iterator[bytes]:
    for number in range(20):
        side = {"observedContentType": "text/csv", "mode": "INPUT", "encoding": "CSV"}
        row = f"{20 + number},{('Private', 'Self')[number % 2]},40,{number % 2}"
        record = {
            "captureData": {
                "endpointInput": {**side, "data": row},
                "endpointOutput": {**side, "mode": "OUTPUT", "data": f"0.{number:02}"},
            },
            "eventMetadata": {"eventId": f"good-{number}", "inferenceTime": "2026-11-22T12:30:00Z"},
            "eventVersion": "0",
        }
        yield json.dumps(record).encode()


def _sides(data: bytes) -> Iterator[Any]:
    """Yield the input as a side of a record: what it says of itself if it is one, and as text in every encoding."""
    import base64

    from plumbline.drift.read.kernel.records import CaptureSide

    text = data.decode("utf-8", "surrogateescape")
    kind, _, rest = text.partition("\n") if text.startswith("#") else ("", "", text)
    content_type = kind[1:] or None
    packed = base64.b64encode(rest.encode("utf-8", "surrogateescape")).decode()
    yield rest
    yield CaptureSide(rest, "JSON", content_type)
    yield CaptureSide(packed, "BASE64", content_type)
    yield CaptureSide(rest, "CSV", content_type)


def _runs(folder: Path) -> Callable[[bytes], object]:
    from plumbline.contract.description import exit_message, report_lines
    from plumbline.contract.names import ReportFile
    from plumbline.contract.records import DriftReport
    from plumbline.drift.run import monitor
    from plumbline.drift.settings.policy import Policy
    from plumbline.drift.settings.run import OptionalAnalyses

    good = b"\n".join(_good_records())
    captures = folder / "captures"
    captures.mkdir(exist_ok=True)
    analyses = OptionalAnalyses(isolation_forest=False, multivariate=False, facet="work")

    def run(data: bytes) -> None:
        (captures / "a.jsonl").write_bytes(good + b"\n" + data)
        monitor(
            dataset_source=captures,
            baseline=example(),
            output=folder / "reports",
            policy=Policy(minimum_rows=10),
            analyses=analyses,
            recent=folder,
        )
        report = DriftReport.from_json((folder / "reports" / ReportFile.DRIFT_REPORT).read_text())
        require(not report.internal_faults, f"no internal fault expected, got {report.internal_faults}")
        account = report.records
        require(
            account.read == account.used + sum(account.rejected.values()), f"an account that adds up, got {account}"
        )
        exit_message(report).encode()
        [*report_lines(report)]

    return run


def _requests(_: Path) -> Callable[[bytes], object]:
    from plumbline.drift.read.kernel.payloads import unwrapped
    from plumbline.drift.read.kernel.records import Rejected
    from plumbline.drift.read.kernel.requests import decode_input

    names = [spec.name for spec in example().specs]

    def run(data: bytes) -> None:
        for side in _sides(data):
            unwrapped(side)
            for columns in (names, names[:1]):
                try:
                    rows = decode_input(side, columns)
                except Rejected as error:
                    error.shape.encode()  # a report shows it
                    continue
                require(bool(rows) and {len(row) for row in rows} == {len(columns)}, f"rows must fit, got {rows}")

    return run


def _answers(_: Path) -> Callable[[bytes], object]:
    from plumbline.contract.predictions import PredictionFormat, PredictionKind
    from plumbline.contract.training import Task
    from plumbline.drift.read.kernel.answers import decode_output
    from plumbline.drift.read.kernel.predictions import Outputs, Unreadable

    two = Outputs(Task.BINARY, ("0", "1"), "1")
    stated = [
        PredictionFormat(PredictionKind.LOG_ODDS),
        PredictionFormat(PredictionKind.LABEL, "0"),
        PredictionFormat(path="predictions[*].score"),
        PredictionFormat(path="max_by(@, &score) || sum(@)"),
        PredictionFormat(path="1"),
    ]
    shapes = [
        *map(Outputs, (Task.BINARY, Task.REGRESSION, None)),
        *(two, Outputs(Task.MULTICLASS, ("a", "b", "1"))),
        *(replace(two, stated=one) for one in stated),
        Outputs(Task.MULTICLASS, ("a", "b", "1"), stated=stated[0]),
    ]

    def run(data: bytes) -> None:
        for side in _sides(data):
            for n_rows in (1, 3):
                for outputs in shapes:
                    try:
                        predictions = decode_output(side, n_rows, outputs)
                    except Unreadable:
                        continue
                    require(len(predictions) == n_rows, f"{n_rows} predictions expected, got {predictions}")

    return run


def _labels(folder: Path) -> Callable[[bytes], object]:
    from plumbline.contract.rejection import LabelRejectionReason
    from plumbline.drift.ground_truth.labels import Classes, LabelBook

    classes = [Classes(("0", "1")), Classes(("<=50K", ">50K")), Classes(("true", "false", "1.5"))]

    def run(data: bytes) -> None:
        file = folder / "a.jsonl"
        file.write_bytes(data)
        for known in classes:
            book = LabelBook(known)
            book.read([(file, "a.jsonl")])
            for key in ("e1", "e2"):
                book.codes_of([key], 1)
            account = book.account()
            n_lines = 1 if data.startswith(b"\x1f\x8b") else len(lines_of(data))
            require(account.read == account.used + sum(account.rejected.values()) == n_lines, f"{n_lines}: {account}")
            require(LabelRejectionReason.INTERNAL_FAULT not in account.rejected, "an internal fault")

    return run


def _label_table(folder: Path) -> Callable[[bytes], object]:
    from datetime import UTC, datetime

    from plumbline.drift.ground_truth.labels import parse_label_record
    from plumbline.labels.final_form import is_final_form, read_final_form
    from plumbline.labels.records import label_files
    from plumbline.labels.table import read_labels

    now = datetime(2026, 1, 5, 12, tzinfo=UTC)

    def run(data: bytes) -> None:
        for name in ("a.jsonl", "a.csv"):
            file = folder / name
            file.write_bytes(data)
            if is_final_form(file):
                table = read_final_form(file, collected=now)
            else:
                try:
                    table = read_labels(file, collected=now, now=now)
                except ValueError:
                    continue
            account = table.counts
            require(account.read == account.used + sum(account.rejected.values()), f"{account}")
            lines = [line for one in label_files(table.requests) for line in one.body.split(b"\n") if line]
            records = [*map(parse_label_record, lines)]
            require(len(records) == len(table.requests), f"{len(table.requests)} records expected, got {records}")
            require(len({event for event, _ in records}) == len(records), f"an event has two labels: {records}")

    return run


def signed_text(data: bytes) -> str:
    """Return a document with the checksum that it would have been written with: mutations are read past it."""
    from plumbline.drift.data.documents import sha256

    text = re.sub(' *"checksum": "[0-9a-f]{64}", *\n?', "", data.decode("utf-8", "replace"))
    opening, brace, rest = text.partition("{")
    body = f"{opening}{brace}\n{rest.removeprefix(chr(10))}"
    return body.replace(f"{brace}\n", f'{brace}\n  "checksum": "{sha256(body)}",\n', 1) if brace else text


def _baseline(folder: Path) -> Callable[[bytes], object]:
    from plumbline.contract.names import BASELINE_FILE
    from plumbline.drift.read.capture import plan_of
    from plumbline.drift.read.kernel.files import FileCounter
    from plumbline.drift.reference.baseline import load, save

    save(example(), folder)
    captures = folder / "a.jsonl"
    captures.write_bytes(b"\n".join(_good_records()))

    def run(data: bytes) -> None:
        # As it is, and past the checksum.
        for text in (data, signed_text(data).encode("utf-8", "surrogatepass")):
            (folder / BASELINE_FILE).write_bytes(text)
            try:
                baseline = load(folder)
            except Exception as error:
                require(type(error).__name__ == "BaselineError", f"BaselineError expected, got {error!r}")
                continue
            # What was loaded can be read with.
            counts = FileCounter(plan_of(baseline)).count(captures, "a.jsonl", lambda *_: None)
            require(counts.records().read == 20, f"20 records expected, got {counts.records()}")

    return run


def _window_counts(_: Path) -> Callable[[bytes], object]:
    from plumbline.drift.judge.window_counts import merged, read_window_counts

    def run(data: bytes) -> None:
        for text in (data.decode("utf-8", "replace"), signed_text(data)):
            try:
                window = read_window_counts(text)
            except ValueError:
                continue
            for counts in window.columns.values():
                merged([counts, counts])

    return run


def _partial_counts(_: Path) -> Callable[[bytes], object]:
    from plumbline.drift.read.kernel.partial_counts_file import from_json, to_json

    plan = _plans()[0]

    def run(data: bytes) -> None:
        counts = from_json(data, plan)
        require(to_json(from_json(to_json(counts), plan)) == to_json(counts), "counts must survive as JSON")

    return run


def _environment(folder: Path) -> Callable[[bytes], object]:
    from plumbline.stacks.config.file import load_environment

    file = folder / "fuzz.toml"

    def run(data: bytes) -> None:
        file.write_bytes(data)
        load_environment(str(file), ROOT)

    return run


def _pipeline(_: Path) -> Callable[[bytes], object]:
    from plumbline.local.aws.pipelines.definition import Definition, parameter_values

    def run(data: bytes) -> None:
        definition = Definition.parse(data.decode("utf-8", "surrogateescape"))
        definition.ready({}, {})
        definition.ready({step.name: "Succeeded" for step in definition.steps[:2]}, {definition.steps[0].name: True})
        parameter_values(definition.parameters, [])

    return run


def _encodable(value: Any) -> None:
    json.dumps(value, ensure_ascii=False, default=str).encode()


def _alarm_event(_: Path) -> Callable[[bytes], object]:
    from dataclasses import asdict

    from plumbline.functions.promotion import events as promotion
    from plumbline.functions.retraining import events as retraining

    def run(data: bytes) -> None:
        try:
            event = json.loads(data)
        except (ValueError, RecursionError):
            return  # Lambda hands over JSON
        for found in (*retraining.parse(event, "id"), promotion.parse(event, "id", endpoint="e", group="g")):
            # It is logged, stored and sent to people.
            _encodable(asdict(found))

    return run


def _champion(folder: Path) -> Callable[[bytes], object]:
    from plumbline.contract.champion import ChampionHistory
    from plumbline.contract.records import WindowBounds
    from plumbline.drift.read.champion import read_serving_model

    file = folder / "history.json"
    bounds = [WindowBounds(), WindowBounds("2026-11-22T12:00:00Z", "2026-11-22T13:00:00Z")]

    def run(data: bytes) -> None:
        file.write_bytes(data)
        for window in bounds:
            serving = read_serving_model(str(file), window, folder, lambda: None)
            if serving is not None:
                require(serving.first in serving.history.champions, "the first model must be of the history")
                ChampionHistory.from_json(serving.history.to_json())

    return run


def _policy(folder: Path) -> Callable[[bytes], object]:
    from plumbline.contract.records import FeatureType
    from plumbline.drift.settings.policy import Policy
    from plumbline.drift.settings.policy_file import read_policy

    file = folder / "policy.json"

    def run(data: bytes) -> None:
        file.write_bytes(data)
        policy = read_policy(file, Policy())
        for kind in FeatureType:
            policy.rule("age", kind)
        policy.require_features({spec.name: spec.type for spec in example().specs})

    return run


def _report(_: Path) -> Callable[[bytes], object]:
    from plumbline.contract.description import exit_message, report_lines
    from plumbline.contract.records import DriftReport

    def run(data: bytes) -> None:
        report = DriftReport.from_json(data.decode("utf-8", "replace"))
        exit_message(report)
        [*report_lines(report)]

    return run


def _reference(folder: Path) -> Callable[[bytes], object]:
    from plumbline.drift.reference.csv_inputs import ReferenceFiles

    file = folder / "train.csv"

    def run(data: bytes) -> None:
        file.write_bytes(data)
        for target in (None, "income"):
            try:
                ReferenceFiles(train=file, target_label=target, test=file if target else None).learn()
            except Exception as error:
                require(type(error).__name__ == "BaselineError", f"BaselineError expected, got {error!r}")

    return run


_ENVIRONMENTS = ("environments/dev.toml", "environments/prod.toml")
_ALL: Sequence[Target] = (
    Target("records", "lines of a capture file", _records),
    Target("windows", "a capture file: counts, account, and the other records' counts", _windows, together=50),
    Target("runs", "a whole run: a report, and no internal fault in it", _runs, ("DriftError",), together=30),
    Target("requests", "the request of a record, in every encoding", _requests),
    Target("answers", "the answer of a record, of every task", _answers),
    Target("labels", "a file of ground truth", _labels),
    Target("label_table", "a table of labels to be uploaded", _label_table),
    Target("baseline", "baseline.json, also past its checksum", _baseline),
    Target("window_counts", "counts of an earlier window, also past their checksum", _window_counts, ("ValueError",)),
    Target("partial_counts", "counts as Spark's workers return them", _partial_counts, ("ValueError",)),
    Target("reference", "a CSV file that a baseline is learned from", _reference),
    Target("environment", "an environment file", _environment, ("EnvironmentFileError",), _ENVIRONMENTS),
    Target("pipeline", "a pipeline's definition", _pipeline, ("ApiError",), ("stacks/pipeline/definition.json",)),
    Target("alarm_event", "an event of either function", _alarm_event),
    Target("champion", "the history of the endpoint's models", _champion, ("ConfigError",)),
    Target("policy", "a policy file", _policy, ("ConfigError",)),
    Target("report", "drift_report.json", _report, ("ValueError",)),
)  # fmt: skip
TARGETS: Mapping[str, Target] = {target.name: target for target in _ALL}
