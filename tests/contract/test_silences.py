"""Every way in which the monitor goes blind, from capture files to the alarms of every environment on either engine.

What the container publishes of such a window, hour after hour, is evaluated by the deployed alarms.
"""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from plumbline.contract.description import exit_message
from plumbline.contract.names import Metric, alarm_name
from plumbline.contract.records import DriftReport, Verdict
from plumbline.drift.errors import BaselineMismatchError
from plumbline.drift.report.metrics import MetricValue, of_failure, of_report
from plumbline.drift.run import monitor
from plumbline.local.aws.cloudwatch.alarms import ALARM, OK, EvaluationRule, decide
from plumbline.stacks.constructs.alarms.alarm_rules import MAY_START_RETRAINING, AlarmKind
from tests.unit.drift.builders import learn_baseline, record, side, write_capture
from tests.unit.drift.test_run import NAMES, probability, rows, write_csv
from tests.unit.stacks.synthesis import ENGINES, ENVIRONMENTS, environment

ENDPOINT = "plumbline-dev"
N_ROWS = 1000
SIX_HOURS = 6
"""So long an endpoint of the issue was blind without an alarm."""
Published = Mapping[Metric, float]
Records = list[dict[str, Any] | bytes]


def requests(n: int = N_ROWS, seed: int = 3) -> Records:
    """Records of unchanged traffic, one row each."""
    return [
        record(",".join(row[:-1]), f"{probability(row)}\n", event_id=str(number))
        for number, row in enumerate(rows(seed, n))
    ]


def of_rows(*change: Callable[[list[str]], list[str]], n: int = N_ROWS, part: float = 1.0) -> Records:
    """Records of unchanged traffic, a part of whose rows are changed."""
    source = random.Random(1)
    made: Records = []
    for number, row in enumerate(rows(3, n)):
        cells = list(row[:-1])
        for one in change if source.random() < part else ():
            cells = one(cells)
        made.append(record(",".join(cells), f"{probability(row)}\n", event_id=str(number)))
    return made


def of_bodies(data: str, encoding: str, content_type: str, n: int = 400) -> Records:
    """Records whose requests all have one body; their answers are those of unchanged traffic."""
    return [
        record(side(data, encoding, content_type), probability(row), event_id=str(number))
        for number, row in enumerate(rows(3, n))
    ]


def cut_off(records: Records, part: float = 1.0) -> Records:
    """The records, a part of them cut off in the middle of the line."""
    source = random.Random(2)
    return [b'{"captureData": {"endpointInput"' if source.random() < part else entry for entry in records]


def log_odds(records: Records) -> Records:
    """The records with answers that are no probabilities; some happen to lie between 0 and 1."""
    source = random.Random(4)
    for entry in records:
        assert isinstance(entry, dict)
        entry["captureData"]["endpointOutput"]["data"] = repr(source.gauss(-1, 2))
    return records


@dataclass(frozen=True)
class Silence:
    """One way to go blind: what was captured, which alarms fire, what the run's message says, and the verdict.

    `break_part` names what raises in place of its work.
    """

    captured: Callable[[], Records]
    fires: frozenset[AlarmKind]
    says: Sequence[str] = ()
    break_part: str | None = None
    verdicts: frozenset[Verdict] = field(default_factory=lambda: frozenset({Verdict.NOT_JUDGED}))


BLIND = frozenset({AlarmKind.NOT_JUDGED, AlarmKind.RECORDS_REJECTED})
SILENCES = {
    "unusable records": Silence(
        lambda: cut_off(requests()), BLIND, ("none of the 1000 records", "1,000 as not_json", "they were cut off")
    ),
    "86 % with one column too many": Silence(
        lambda: of_rows(lambda cells: [*cells, "1"], part=0.86),
        BLIND,
        ("of the 1,000 records", "more than 20 %", "as field_count", "learn the baseline from the data of the served"),
    ),
    "bodies of another content type": Silence(
        lambda: of_bodies("k05VTVBZ", "BASE64", "application/x-npy"),
        BLIND,
        ("400 as unsupported_content_type", "application/x-npy", "send rows as CSV or JSON"),
    ),
    "unreadable column": Silence(
        lambda: of_rows(lambda cells: ["about forty", *cells[1:]]),
        frozenset({AlarmKind.SCHEMA}),
        ("too many values of age cannot be read", "not as in training: age"),
        verdicts=frozenset({Verdict.DRIFT}),
    ),
    "every column unreadable": Silence(
        lambda: of_bodies('[[["41"], ["Private"], ["40"]]]', "JSON", "application/json"),
        frozenset({AlarmKind.SCHEMA}),
        ("too many values of age, workclass, hours cannot be read", "not as in training: age, workclass, hours"),
        verdicts=frozenset({Verdict.DRIFT}),
    ),
    "too little traffic": Silence(
        lambda: requests(50), frozenset({AlarmKind.NOT_JUDGED}), ("50 rows, fewer than the minimum of 200",)
    ),
    "too little traffic, and 15 % of it unusable": Silence(
        lambda: cut_off(requests(60), 0.15),
        BLIND,
        ("rows, fewer than the minimum of 200", "records rejected, most as not_json"),
    ),
    "15 % unusable": Silence(
        lambda: cut_off(requests(), 0.15),
        frozenset({AlarmKind.RECORDS_REJECTED}),
        ("records rejected, most as not_json",),
        verdicts=frozenset({Verdict.NO_DRIFT}),
    ),
    "answers in log-odds": Silence(
        lambda: log_odds(requests(1500)),
        frozenset({AlarmKind.ANSWERS_UNREADABLE}),
        verdicts=frozenset({Verdict.NO_DRIFT}),
    ),
    "internal fault in a statistic": Silence(
        requests,
        frozenset({AlarmKind.INTERNAL_FAULTS, AlarmKind.NOT_JUDGED}),
        ("internal fault: in workclass",),
        break_part="plumbline.drift.statistics.registry.chi_square",
    ),
    "internal fault in the projection": Silence(
        requests,
        frozenset({AlarmKind.INTERNAL_FAULTS, AlarmKind.NOT_JUDGED}),
        ("internal fault: in the projected accuracy",),
        break_part="plumbline.drift.projection.Projector.project",
    ),
}
NO_RUN: Published = {}
EVERYWHERE = [(name, engine) for name in ENVIRONMENTS for engine in ENGINES]


@pytest.fixture(scope="module")
def baseline(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder, test = tmp_path_factory.mktemp("reference"), rows(2, 1500)
    learn_baseline(
        train=write_csv(folder / "train.csv", NAMES, rows(1, 3000)),
        test=write_csv(folder / "test.csv", NAMES, test),
        predictions=write_csv(folder / "predictions.csv", ["probability"], [[probability(row)] for row in test]),
        target_label="income",
        output=folder / "baseline",
    )
    return folder / "baseline"


def judged(baseline: Path, folder: Path, captured: Records) -> DriftReport:
    data = write_capture(folder / "capture", captured) if captured else folder
    return monitor(dataset_source=data, baseline=baseline, output=folder / "results")


def published(values: Sequence[MetricValue]) -> Published:
    """Return what the alarms see: no alarm is on one feature's metric."""
    return {one.metric: one.value for one in values if len(one.dimensions) < 2}


@pytest.fixture(scope="module")
def quiet(baseline: Path, tmp_path_factory: pytest.TempPathFactory) -> Published:
    report = judged(baseline, tmp_path_factory.mktemp("quiet"), requests())
    assert (report.verdict, report.warnings, report.internal_faults) == (Verdict.NO_DRIFT, (), ())
    return published(of_report(report))


@cache
def alarms(name: str, engine: str) -> Mapping[AlarmKind, Mapping[str, Any]]:
    found = environment(name, engine).resources("monitoring", "AWS::CloudWatch::Alarm").values()
    by_name = {entry["Properties"]["AlarmName"]: entry["Properties"] for entry in found}
    return {
        kind: by_name[alarm_name(name, kind)]
        for kind in AlarmKind
        if alarm_name(name, kind) in by_name and isinstance(kind.rule.metric, Metric)
    }


def states(rules: Mapping[AlarmKind, Mapping[str, Any]], windows: Sequence[Published]) -> Iterator[set[AlarmKind]]:
    """Yield after each window, one a period, which alarms are in ALARM."""
    state = dict.fromkeys(rules, OK)
    for end in range(1, len(windows) + 1):
        for kind, properties in rules.items():
            rule = EvaluationRule.of(dict(properties))
            points = [window.get(kind.rule.metric) for window in reversed(windows[:end])]  # type: ignore[arg-type]
            padded = [*points, *[None] * rule.evaluation_range][: rule.evaluation_range]
            state[kind] = decide(rule, padded).state or state[kind]
        yield {kind for kind, now in state.items() if now == ALARM}


def require(name: str, engine: str, quiet: Published, blind: Sequence[Published], fires: frozenset[AlarmKind]) -> None:
    """The alarms fire within six hours of blindness, start nothing, and clear when the monitor sees again."""
    before, after = [quiet] * SIX_HOURS, [quiet] * 2 * SIX_HOURS
    seen = list(states(alarms(name, engine), [*before, *blind, *after]))
    assert seen[len(before) - 1] == set()
    assert seen[len(before) + SIX_HOURS - 1] == fires
    assert not set().union(*seen) & set(MAY_START_RETRAINING)
    assert seen[-1] == set()


@pytest.mark.parametrize("what", SILENCES)
def test_silence_has_an_alarm_in_every_environment_on_both_engines(
    what: str, baseline: Path, quiet: Published, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    silence = SILENCES[what]
    if silence.break_part:

        def fail(*_: object, **__: object) -> None:
            raise MemoryError

        monkeypatch.setattr(silence.break_part, fail)
    report = judged(baseline, tmp_path, silence.captured())
    assert report.verdict in silence.verdicts, report.reason
    message = exit_message(report)
    assert [text for text in silence.says if text not in message] == []
    for name, engine in EVERYWHERE:
        require(name, engine, quiet, [published(of_report(report))] * SIX_HOURS, silence.fires)


def test_hours_without_captures_have_an_alarm(baseline: Path, quiet: Published, tmp_path: Path) -> None:
    report = judged(baseline, tmp_path, [])
    assert exit_message(report) == "Completed: not judged, no records in the window (0 rows)"
    for name in ENVIRONMENTS:
        own = [published(of_report(report))] * SIX_HOURS
        require(name, "scheduler", quiet, own, frozenset({AlarmKind.NOT_JUDGED}))
        # Model Monitor starts no container where there is nothing to read.
        require(name, "model_monitor", quiet, [NO_RUN] * SIX_HOURS, frozenset({AlarmKind.MONITOR_MISSING}))


def test_failed_jobs_have_an_alarm(baseline: Path, quiet: Published, tmp_path: Path) -> None:
    with pytest.raises(BaselineMismatchError, match="the baseline must fit the captured rows"):
        judged(baseline, tmp_path, of_rows(lambda cells: [*cells, "1"]))
    failed = published(of_failure(ENDPOINT))
    both = frozenset({AlarmKind.MONITOR_FAILED, AlarmKind.MONITOR_MISSING})
    for name, engine in EVERYWHERE:
        require(name, engine, quiet, [failed] * SIX_HOURS, both)
        # A job that dies before our code publishes nothing at all.
        require(name, engine, quiet, [NO_RUN] * SIX_HOURS, frozenset({AlarmKind.MONITOR_MISSING}))


def test_windows_that_are_blind_in_turn_for_different_reasons_have_an_alarm(
    baseline: Path, quiet: Published, tmp_path: Path
) -> None:
    lost, few = (
        published(of_report(judged(baseline, tmp_path / folder, captured)))
        for folder, captured in (("lost", cut_off(requests(400))), ("few", requests(50)))
    )
    for name, engine in EVERYWHERE:
        require(name, engine, quiet, [lost, few] * (SIX_HOURS // 2), BLIND)
        require(name, engine, quiet, [few, quiet] * (SIX_HOURS // 2), frozenset({AlarmKind.NOT_JUDGED}))
        one = list(states(alarms(name, engine), [*[quiet] * SIX_HOURS, few, *[quiet] * SIX_HOURS]))
        assert one == [set()] * len(one)
