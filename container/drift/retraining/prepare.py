"""The pipeline's first job: which labelled captures the challenger learns from, and which it is judged on."""

from collections import Counter
from functools import partial
from pathlib import Path

from plumbline.contract.prepared import Prepared, PreparedPart
from plumbline.contract.retraining import RetrainingFile
from plumbline.contract.retraining_jobs import JobInput, JobOutput, job_folder
from plumbline.contract.s3 import is_s3_uri
from plumbline.contract.training import ordered
from plumbline.drift.aws import Connect, client
from plumbline.drift.data.documents import csv_text, temporary_folder, write_text
from plumbline.drift.data.table import readers_of
from plumbline.drift.data.times import format_time
from plumbline.drift.errors import RetrainingError
from plumbline.drift.ground_truth.labels import Classes
from plumbline.drift.read.folder import listed
from plumbline.drift.read.s3 import fetch_variant_hours
from plumbline.drift.reference.column_types import ColumnRules
from plumbline.drift.reference.csv_inputs import read_labelled, read_training
from plumbline.drift.retraining.merged_rows import Account, Wanted, read_merged
from plumbline.drift.retraining.settings import PrepareSettings
from plumbline.drift.retraining.splitting import Part, Seen, keys_of, repeats_are_natural, split, without_leaks
from plumbline.drift.settings.platform import Platform


def prepare(settings: PrepareSettings, platform: Platform, connect: Connect | None = None) -> str:
    """Write the fresh rows, the holdout and their account; return what was made, for people.

    Equal captures, labels and data give equal bytes; in the account only what was read of each hour depends on how the
    captures are divided into files.

    Raises
    ------
    DriftError
        If a file cannot be read or written, or too few rows can be used.
    """
    root = str(platform.ml_root)
    train, labels = read_training(
        Path(job_folder(JobInput.TRAIN, root)),
        settings.target_label,
        # As the model takes the columns: a text in its numbers would make them names when it is trained again.
        ColumnRules(missing_values=settings.missing_values, recognised=False),
        settings.time_column,
    )
    test, _ = read_labelled(
        Path(job_folder(JobInput.TEST, root)), train.specs, settings.target_label, train, settings.time_column
    )
    readers = readers_of(train)
    wanted = Wanted(
        readers=readers, classes=Classes(ordered(labels)), start=settings.fresh_from, end=settings.fresh_until
    )
    account = Account()
    with temporary_folder() as workspace:
        merged = _merged(settings, workspace, connect or partial(client, "s3", platform.region))
        found = listed(merged)
        for _, reason in found.odd:
            account.n_read += 1
            account.reject(reason)
        records = read_merged(found.files, wanted, account)
    fresh, holdout = split(records)
    seen_in_training, test_keys = set(keys_of(train)), [*keys_of(test)]
    natural = repeats_are_natural(seen_in_training, test_keys)
    if not natural:
        seen = Seen(train=seen_in_training, test=set(test_keys))
        fresh, holdout = without_leaks(fresh, holdout, seen, readers, account)
    _require_enough(fresh, holdout, settings, account)
    prepared = Prepared(
        fresh_from=format_time(settings.fresh_from),
        fresh_until=format_time(settings.fresh_until),
        n_rows_read=account.n_read,
        fresh=_described(fresh),
        holdout=_described(holdout),
        rejected=account.rejected,
        repeats_are_natural=natural,
        hours=account.hours,
    )
    header = [*(spec.name for spec in train.specs), settings.target_label]
    for folder, name, text in (
        (JobOutput.FRESH, RetrainingFile.FRESH, _csv(header, fresh, settings.time_column)),
        (JobOutput.HOLDOUT, RetrainingFile.HOLDOUT, _csv(header, holdout)),
        (JobOutput.PREPARED, RetrainingFile.PREPARED, prepared.to_json()),
    ):
        write_text(Path(job_folder(folder, root)) / name, text)
    return (
        f"{prepared.fresh.n_rows} fresh rows and {prepared.holdout.n_rows} newer ones as the holdout, "
        f"of {account.n_read} labelled rows read{_given_up(account)}"
    )


def _merged(settings: PrepareSettings, workspace: Path, connect: Connect) -> Path:
    source = f"{settings.merged.rstrip('/')}/{settings.endpoint}"
    if not is_s3_uri(source):
        return Path(source)
    return fetch_variant_hours(source, settings.fresh_from, settings.fresh_until, workspace, connect)


def _require_enough(fresh: Part, holdout: Part, settings: PrepareSettings, account: Account) -> None:
    n_fresh, labels = len(fresh.rows), {label for _, label in holdout.rows}
    n_usable = n_fresh + len(holdout.rows)
    where = (
        f"of {account.n_read} labelled rows of {settings.endpoint} from {format_time(settings.fresh_from)} until "
        f"{format_time(settings.fresh_until)}{_given_up(account)}"
    )
    if n_usable < settings.minimum_rows:
        raise RetrainingError(
            f"labels needed: at least {settings.minimum_rows} usable labelled rows must have come, got {n_usable} "
            f"{where}; upload labels, or correct retraining.minimum_fresh_rows"
        )
    if not n_fresh or len(labels) < 2:
        raise RetrainingError(
            f"labels needed: there must be fresh rows and a holdout with two labels, got {n_fresh} fresh rows and the "
            f"labels {sorted(labels)} {where}; wait for more, or choose a longer retraining.fresh_hours"
        )


def _given_up(account: Account) -> str:
    """Return the rejected rows by reason, in words; nothing where there are none."""
    rejected = ", ".join(f"{number} {reason}" for reason, number in account.rejected.items())
    return f" (not used: {rejected})" if rejected else ""


def _described(part: Part) -> PreparedPart:
    times = [record.time for record in part.records]
    labels = Counter(label for _, label in part.rows)
    return PreparedPart(
        n_rows=len(part.rows),
        labels={label: labels[label] for label in ordered(labels)},
        first=format_time(times[0]),
        last=format_time(times[-1]),
    )


def _csv(header: list[str], part: Part, time_column: str | None = None) -> str:
    """Return rows as training reads them; with a time column, each with its inference time."""
    if time_column is None:
        return csv_text([header, *([*cells, label] for cells, label in part.rows)])
    timed = ((format_time(record.time), row) for record in part.records for row in record.rows)
    return csv_text([[*header, time_column], *([*cells, label, time] for time, (cells, label) in timed)])
