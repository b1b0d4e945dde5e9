"""The study of streams in small, end to end through the product, on a stream of the synthetic population."""

import csv
import gzip
import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from plumbline.contract.records import Verdict
from plumbline.data import population
from plumbline.data.rows import LabelledRows
from plumbline.drift.data.times import format_time
from research.studies.streams import run, sources
from research.studies.streams.__main__ import main
from research.studies.streams.outcomes import RunMode, StreamOutcome, read_lines
from research.studies.streams.replay import Replay
from research.studies.streams.sources import ORIGINS, Stream, StreamSource
from research.studies.streams.subject import StreamSubject, past_answers, past_rows

N_TRAIN, N_TEST, N_ROWS = 1_500, 700, 300
N_PRODUCTION = 3 * N_ROWS + 10
SEED = 4


def stream_rows() -> LabelledRows:
    """Return rows of one population; in the last window the labels are turned round."""
    rows = population.generate(N_TRAIN + N_TEST + N_PRODUCTION, SEED)
    first, last = sorted(set(rows.labels))
    turned = {first: last, last: first}
    end = N_TRAIN + N_TEST + 2 * N_ROWS
    labels = (label if place < end else turned[label] for place, label in enumerate(rows.labels))
    return LabelledRows(rows.header, rows.rows, tuple(labels))


def write_stream(path: Path, rows: LabelledRows) -> None:
    start = datetime(2025, 3, 1, tzinfo=UTC)
    with path.open("w", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(["time", *rows.header, "bought"])
        for place, (row, label) in enumerate(zip(rows.rows, rows.labels, strict=True)):
            writer.writerow([format_time(start + place * timedelta(minutes=10)), *row, label])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("streams")
    write_stream(place / "shop.csv", stream_rows())
    return place


@pytest.fixture(scope="module")
def source() -> StreamSource:
    return StreamSource.of(f"shop.csv:bought:{N_TRAIN}:{N_TEST}")


@pytest.fixture(scope="module")
def subject(folder: Path, source: StreamSource) -> StreamSubject:
    return run.prepared(source, folder / "shop.csv", SEED, history=False)


@pytest.fixture(scope="module")
def outcomes(subject: StreamSubject) -> list[StreamOutcome]:
    return Replay(subject, N_ROWS, subject.stream.starts(N_ROWS, 20)).outcomes(RunMode(history=False, late=1))


def test_every_window_of_production_is_judged_once(outcomes: list[StreamOutcome]) -> None:
    first = N_TRAIN + N_TEST
    assert [one.start for one in outcomes] == [first, first + N_ROWS, first + 2 * N_ROWS]
    assert all(one.figure.value is not None for one in outcomes)


def test_truth_is_that_of_the_windows_own_rows(subject: StreamSubject, outcomes: list[StreamOutcome]) -> None:
    labels = np.array(subject.stream.rows.labels)
    says = np.where(subject.probabilities >= 0.5, *sorted(set(labels), reverse=True))
    expected = [float(np.mean((says == labels)[one.start : one.start + N_ROWS])) for one in outcomes]
    assert [one.realised for one in outcomes] == expected
    assert outcomes[0].reference == float(np.mean((says == labels)[N_TRAIN : N_TRAIN + N_TEST]))


def test_quality_is_that_of_the_windows_own_labels(outcomes: list[StreamOutcome]) -> None:
    assert outcomes[2].loss > 0.3
    assert [one.quality for one in outcomes] == [Verdict.NO_DRIFT, Verdict.NO_DRIFT, Verdict.DRIFT]
    assert outcomes[2].concept is Verdict.DRIFT
    assert [one.starts_work for one in outcomes] == [False, False, True]


def test_parts_of_the_half_width_add_up_to_it(outcomes: list[StreamOutcome]) -> None:
    whole = [one for one in outcomes if one.figure.upper is not None and one.figure.upper < 1]
    assert whole
    assert all(sum(one.parts.values()) == pytest.approx(one.figure.half_width) for one in whole)


def test_labels_that_never_come_leave_quality_unjudged(subject: StreamSubject) -> None:
    (found,) = Replay(subject, N_ROWS, subject.stream.starts(N_ROWS, 20)[-1:]).outcomes(RunMode(False, None))
    assert found.quality is found.concept is Verdict.NOT_JUDGED
    assert found.figure.value is not None


def test_labels_two_windows_late_judge_the_same_windows(subject: StreamSubject, outcomes: list[StreamOutcome]) -> None:
    later = Replay(subject, N_ROWS, subject.stream.starts(N_ROWS, 20)).outcomes(RunMode(False, 2))
    assert [one.quality for one in later] == [one.quality for one in outcomes]
    assert [one.figure for one in later] == [one.figure for one in outcomes]


def test_past_answers_are_of_models_that_had_not_seen_the_rows(subject: StreamSubject) -> None:
    stream = subject.stream
    first, answered = past_answers(stream, SEED)
    assert first == round(ORIGINS[0] * stream.n_known)
    assert len(answered) == stream.n_known - first
    # The last origin's model does not know the last rows, so that turning their labels changes no answer to them.
    end = round(ORIGINS[-1] * stream.n_known)
    labels = (*stream.rows.labels[:end], *reversed(stream.rows.labels[end:]))
    other = Stream(stream.source, stream.times, LabelledRows(stream.rows.header, stream.rows.rows, labels))
    assert np.array_equal(past_answers(other, SEED)[1], answered)


def test_past_rows_have_their_times_labels_and_answers(subject: StreamSubject) -> None:
    found = past_rows(subject.stream, subject.baseline, SEED)
    assert found.table.n_rows == len(found.times) == len(found.labels) == len(found.probabilities)
    assert found.times[-1] == subject.stream.times[subject.stream.n_known - 1]
    assert [spec.name for spec in found.table.specs] == list(subject.stream.rows.header)


def test_long_streams_have_windows_spread_over_production(subject: StreamSubject) -> None:
    starts = subject.stream.starts(100, 5)
    first = subject.stream.n_known
    assert starts[0] == first
    assert starts[-1] == first + N_PRODUCTION - 100
    assert len(starts) == 5


def test_command_writes_a_line_for_each_window(folder: Path, tmp_path: Path) -> None:
    lines = tmp_path / "windows.jsonl"
    stated = f"shop.csv:bought:{N_TRAIN}:{N_TEST}"
    arguments = ["--streams", str(folder), "--stream", stated, "--only", "shop", "--sizes", str(N_ROWS)]
    assert main([*arguments, "--windows", "1", "--history", "without", "--processes", "1", "--lines", str(lines)]) == 0
    (found,) = read_lines(lines)
    assert found.number == 0
    assert (found.stream, found.n_rows, found.mode) == ("shop", N_ROWS, RunMode(False, 1))


def test_streams_that_are_not_there_are_left_out_and_named(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert list(sources.find(sources.STREAMS, tmp_path)) == []
    assert all(source.name in caplog.text for source in sources.STREAMS)


def test_a_file_of_other_bytes_is_refused(folder: Path, source: StreamSource) -> None:
    other = StreamSource(source.name, source.file, source.target, N_TRAIN, N_TEST, "0" * 64)
    with pytest.raises(ValueError, match="must have the SHA-256 000"):
        sources.read(other, folder / source.file)


def test_a_packed_file_is_read(folder: Path, tmp_path: Path) -> None:
    packed = gzip.compress((folder / "shop.csv").read_bytes(), mtime=0)
    (tmp_path / "shop.csv.gz").write_bytes(packed)
    digest = hashlib.sha256(packed).hexdigest()
    found = sources.read(
        StreamSource("shop", "shop.csv.gz", "bought", N_TRAIN, N_TEST, digest), tmp_path / "shop.csv.gz"
    )
    assert found.rows == stream_rows()


@pytest.mark.parametrize(
    ("text", "n_train", "message"),
    [("when,a,bought\n1,2,yes\n", 0, "must have a column 'time'"), ("time,a,bought\n1,2,yes\n", 1, "must have rows")],
)
def test_files_that_are_no_stream_are_refused(tmp_path: Path, text: str, n_train: int, message: str) -> None:
    (tmp_path / "odd.csv").write_text(text)
    with pytest.raises(ValueError, match=message):
        sources.read(StreamSource("odd", "odd.csv", "bought", n_train, 0), tmp_path / "odd.csv")


def test_a_column_without_a_value_in_the_first_rows_is_left_out(tmp_path: Path) -> None:
    lines = ["time,a,b,bought", *(f"2026-01-01,{place},{'?' if place < 4 else 1},yes" for place in range(12))]
    (tmp_path / "odd.csv").write_text("\n".join(lines))
    found = sources.read(StreamSource("odd", "odd.csv", "bought", 6, 4), tmp_path / "odd.csv")
    assert found.rows.header == ("a",)
    assert found.rows.rows[0] == ("0",)


def test_a_misstated_stream_is_refused() -> None:
    with pytest.raises(ValueError, match="FILE:TARGET:TRAIN:TEST"):
        StreamSource.of("visits.csv:bought")
