"""`plumbline accept`."""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from plumbline.commands import environment
from plumbline.contract.accepted import Acceptance, clean_text, moment, read_window
from plumbline.contract.description import count, listed
from plumbline.contract.thresholds import THRESHOLDS
from plumbline.contract.verdicts import Verdict, WindowBounds
from plumbline.exit_codes import EXIT_FINISHED, CommandError

if TYPE_CHECKING:
    from plumbline.drift.judge.accepted import SameModel
    from plumbline.drift.reference.accepted import AcceptedWindows, Undone
    from plumbline.drift.reference.baseline import Baseline
    from plumbline.drift.settings.policy import Policy
    from plumbline.environment.deployed import Deployed

_CHECKED = tuple(row for row in THRESHOLDS if row.name in {"minimum_rows", "maximum_rejected_fraction"})


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    place = parser.add_argument_group("where", "a deployed environment, or the folders of monitor")
    place.add_argument("--environment", metavar="NAME", help="the deployed environment")
    place.add_argument(
        "--baseline", type=Path, metavar="DIR", help="or the folder of the baseline; the record is kept beside it"
    )
    place.add_argument(
        "--reports", type=Path, metavar="DIR", help="with --baseline: folder with the reports of monitor, at any depth"
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument(
        "--window", action="append", metavar="TIMES",
        help="START/END, ISO 8601: all windows between these times, without a gap; or START: the window that begins "
        "then; can be given several times",
    )  # fmt: skip
    what.add_argument("--undo", action="store_true", help="judge against the training data again")
    what.add_argument("--list", action="store_true", help="list what was accepted and undone, oldest first")
    parser.add_argument("--reason", metavar="TEXT", help="why, in one line; needed with --window")
    parser.add_argument(
        "--by", metavar="TEXT", help="who accepts (default: the ARN of the AWS credentials, or this computer's user)"
    )
    parser.add_argument(
        "--feature", action="append", default=[], metavar="NAME",
        help="accept this feature alone; can be given several times (default: every feature, and the prediction)",
    )  # fmt: skip
    parser.add_argument("--prediction", action="store_true", help="with --feature: accept the prediction too")
    parser.add_argument("--dry-run", action="store_true", help="read and compare everything, record nothing")
    for row in _CHECKED:
        parser.add_argument(
            row.option, type=row.kind, metavar=row.unit.upper(),
            help=f"{row.text[0].lower()}{row.text[1:]}, as the monitor has it (default: {row.absent})",
        )  # fmt: skip
    environment.add_aws_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Accept windows, undo that, or list both."""
    from plumbline.drift.errors import DriftError

    _check(arguments)
    try:
        with (
            environment.aws_errors(),
            _place(arguments) as place,
        ):
            if arguments.list:
                _list(place)
            elif arguments.undo:
                _undo(place, arguments, datetime.now(UTC))
            else:
                _accept(place, arguments, datetime.now(UTC))
    except DriftError as error:
        raise CommandError(str(error)) from error
    return EXIT_FINISHED


def _check(arguments: argparse.Namespace) -> None:
    if (arguments.environment is None) == (arguments.baseline is None):
        raise CommandError("exactly one of --environment and --baseline must be given; name the place of the record")
    if arguments.window and arguments.baseline and arguments.reports is None:
        raise CommandError("--reports must come with --baseline, got none; name the folder of monitor's --output")
    if arguments.reports is not None and not arguments.reports.is_dir():
        raise CommandError(
            f"--reports must be a folder, got {str(arguments.reports)!r}; name that of monitor's --output"
        )
    if arguments.window and arguments.reason is None:
        raise CommandError("--reason must come with --window, got none; say why this is the new normal")
    if arguments.prediction and not arguments.feature:
        raise CommandError("--prediction must come with --feature, got it alone; without both all is accepted")
    if not arguments.window and (arguments.feature or arguments.dry_run):
        raise CommandError("--feature and --dry-run must come with --window, got them alone; leave them out")


@dataclass(frozen=True, eq=False)
class _Place:
    """Where accepted windows are recorded, as local folders; `store` writes a record there."""

    records: Path
    scratch: Path
    folder: Path = Path()
    files: Path | None = None
    deployed: "Deployed | None" = None

    def baseline(self) -> "Baseline":
        """Return the baseline that serves as reference now."""
        from plumbline.drift.read.s3 import fetch
        from plumbline.drift.reference.baseline import load

        if self.deployed is None:
            return load(self.folder)
        deployed = self.deployed
        source = deployed.history().live.baseline
        return load(fetch(source, self.scratch / "baseline", lambda: deployed.connect("s3")))

    def reports(self, windows: "tuple[WindowBounds, ...]") -> Path:
        """Return a folder with what runs left of the windows."""
        from plumbline.drift.read.s3 import fetch_window_counts_within

        if self.deployed is None:
            return self.files or Path()
        deployed, folder = self.deployed, self.scratch / "reports"
        for one in windows:
            start, end = moment(str(one.start)), moment(str(one.end or one.start))
            fetch_window_counts_within(deployed.reports_uri(), start, end, folder, lambda: deployed.connect("s3"))
        return folder

    def model(self) -> "tuple[str | None, SameModel]":
        """Return the artifact of the model that serves, and whether it alone answered a window."""
        if self.deployed is None:
            return None, lambda _: True
        history = self.deployed.history()
        live = history.live
        return live.artifact, lambda bounds: history.serving(str(bounds.start), str(bounds.end)) == live

    def store(self, name: str, text: str) -> None:
        """Write one record, which is not there yet."""
        from plumbline.contract.s3 import split_s3_uri
        from plumbline.drift.data.documents import write_text

        if self.deployed is None:
            write_text(self.records / name, text)
            return
        bucket, prefix = split_s3_uri(self.deployed.accepted_uri())
        self.deployed.connect("s3").put_object(Bucket=bucket, Key=f"{prefix}/{name}", Body=text.encode())

    def said(self) -> "list[AcceptedWindows | Undone]":
        """Return every record, oldest first; raise ValueError where one is damaged."""
        from plumbline.drift.reference.accepted import read_record, record_files

        found = []
        for file in record_files(self.records):
            try:
                found.append(read_record(file.read_bytes().decode()))
            except ValueError as error:
                raise ValueError(f"the record {file.name} {error}; restore it, or remove it") from error
        return found


_EVERY = 10_000
"""Records that are read: more than anybody makes."""


@contextmanager
def _place(arguments: argparse.Namespace) -> Iterator[_Place]:
    from plumbline.drift.data.documents import temporary_folder
    from plumbline.drift.read.s3 import fetch_last
    from plumbline.drift.reference.accepted import folder_beside, is_record

    with temporary_folder() as scratch:
        if arguments.environment is None:
            folder = arguments.baseline
            yield _Place(folder_beside(folder), scratch, folder, arguments.reports)
            return
        with environment.deployed(arguments) as deployed:
            uri = deployed.accepted_uri()
            records = fetch_last(uri, is_record, scratch / "records", lambda: deployed.connect("s3"), _EVERY)
            yield _Place(records, scratch, deployed=deployed)


def _accept(place: _Place, arguments: argparse.Namespace, now: datetime) -> None:
    from plumbline.drift.judge.accepted import take
    from plumbline.drift.reference.accepted import accepted_text, record_name

    # The words first: nothing is fetched for a record that cannot be written.
    _clean(arguments)
    baseline, policy = place.baseline(), _policy(arguments)
    stated = tuple(map(_times, arguments.window))
    reports = place.reports(stated)
    acceptance = Acceptance(
        windows=tuple(_whole(reports, one) for one in stated),
        at=_at(place, now),
        by=_by(place, arguments),
        reason=arguments.reason,
        features=tuple(arguments.feature),
        prediction=arguments.prediction,
    ).checked()
    model, same_model = place.model()
    windows = replace(take(reports, acceptance, baseline, policy, same_model), model=model)
    for line in _taken(windows, baseline, policy):
        print(line)
    if arguments.dry_run:
        print("nothing is recorded (--dry-run)")
        return
    place.store(record_name(acceptance.at), accepted_text(windows))
    print(f"recorded at {acceptance.at} by {acceptance.by}: {acceptance.reason}")
    print(f"windows from {acceptance.end} on are judged against these; `plumbline accept --undo` ends that")


def _clean(arguments: argparse.Namespace) -> None:
    from plumbline.contract.accepted import MAX_NAME, MAX_REASON

    if arguments.reason is not None:
        clean_text("--reason", arguments.reason, MAX_REASON)
    if arguments.by is not None:
        clean_text("--by", arguments.by, MAX_NAME)


def _times(text: str) -> WindowBounds:
    """Return the times of an argument; without an end, one that only begins."""
    try:
        return read_window(text) if "/" in text else WindowBounds(moment(text).isoformat())
    except ValueError as error:
        raise ValueError(f"--window must be START or START/END, got {text!r}: {error}; correct it") from error


def _whole(reports: Path, stated: WindowBounds) -> WindowBounds:
    from plumbline.drift.judge.accepted import window_from

    return stated if stated.end else window_from(reports, str(stated.start))


def _at(place: _Place, now: datetime) -> str:
    """Return the time of a record: later than that of every other, also where clocks differ."""
    from plumbline.drift.data.times import format_time
    from plumbline.drift.reference.accepted import said_at

    before = [moment(said_at(one)) + timedelta(seconds=1) for one in place.said()]
    return format_time(max([now.replace(microsecond=0), *before]))


def _by(place: _Place, arguments: argparse.Namespace) -> str:
    import getpass

    if arguments.by is not None:
        return str(arguments.by)
    if place.deployed is not None:
        return place.deployed.caller()
    try:
        return getpass.getuser()
    except (KeyError, OSError) as error:
        raise ValueError("--by must say who accepts, got no user of this computer; give it") from error


def _policy(arguments: argparse.Namespace) -> "Policy":
    from plumbline.drift.settings.policy import Policy

    given = {row.name: getattr(arguments, row.name) for row in _CHECKED}
    return Policy(**{name: value for name, value in given.items() if value is not None})


def _taken(windows: "AcceptedWindows", baseline: "Baseline", policy: "Policy") -> Iterator[str]:
    """Yield what the new reference is, how it differs from the training data, and what it is too small for."""
    from plumbline.contract.reasons import ReasonCode, has_code
    from plumbline.drift.judge.comparison import RunContext, Sample, judge

    acceptance = windows.acceptance
    yield f"windows: {acceptance.times}: {count(windows.n_windows, 'window')} with {count(windows.n_rows, 'row')}"
    chosen = listed(acceptance.features) if acceptance.features else "every feature"
    prediction = " and the prediction" if windows.probabilities is not None else ""
    yield f"accepted: {chosen}{prediction}"
    if acceptance.has_prediction and windows.probabilities is None:
        yield "the prediction is not accepted: no answers of the model that serves were captured in these windows"
    columns = {spec.name: spec.column_type for spec in baseline.specs}
    context = RunContext(policy=policy.of_columns(columns))
    new, training = Sample(columns=windows.columns), Sample(columns=baseline.counts)
    moved = [one for one in judge(windows.specs, training, new, context).features if one.verdict is Verdict.DRIFT]
    for feature in moved:
        yield f"differs from the training data: {feature.name}: {feature.reason}"
    if not moved:
        yield "no feature of them drifted from the training data"
    small = [
        one.name
        for one in judge(windows.specs, new, new, context).features
        if has_code(one.reason, ReasonCode.TOO_FEW_REFERENCE_VALUES)
    ]
    if small:
        yield f"too few rows to find drift in {listed(small)}, which will not be judged; accept more hours"


def _undo(place: _Place, arguments: argparse.Namespace, now: datetime) -> None:
    from plumbline.drift.reference.accepted import Undone, record_name, undone_text

    _clean(arguments)
    said = place.said()
    if place.deployed is None and (not said or isinstance(said[-1], Undone)):
        raise CommandError("--undo must undo what was accepted, got nothing that is; see --list")
    undone = Undone(at=_at(place, now), by=_by(place, arguments), reason=arguments.reason or "none given").checked()
    place.store(record_name(undone.at), undone_text(undone))
    last = said[-1] if said and not isinstance(said[-1], Undone) else None
    what = f"the windows {last.acceptance.times}" if last else "what the environment file accepts, if it does,"
    verb = "are" if last else "is"
    print(f"{what} {verb} no longer the reference: windows are judged against the training data again")
    print(f"recorded at {undone.at} by {undone.by}: {undone.reason}")


def _list(place: _Place) -> None:
    from plumbline.drift.reference.accepted import Undone
    from plumbline.drift.reference.baseline import identity_of

    said = place.said()
    if not said:
        print("nothing was accepted")
        return
    identity = identity_of(place.baseline())
    for one in said:
        if isinstance(one, Undone):
            print(f"{one.at} undone by {one.by}: {one.reason}")
            continue
        acceptance = one.acceptance
        chosen = listed(acceptance.features) if acceptance.features else "every feature"
        print(f"{acceptance.at} accepted by {acceptance.by}: {acceptance.reason}")
        print(f"  {acceptance.times}, {count(one.n_rows, 'row')}, {chosen}{_standing(one, said[-1], identity)}")


def _standing(one: "AcceptedWindows", last: "AcceptedWindows | Undone", identity: str) -> str:
    if one is not last:
        return ""
    return "; the reference now" if one.baseline == identity else "; ended: the baseline is another one now"
