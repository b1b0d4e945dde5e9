"""What the preparing job says it has read is what the controller counts: a run's own captures are never new to it."""

import io
from pathlib import Path
from typing import Any

from botocore.response import StreamingBody

from plumbline.contract.prepared import Prepared
from plumbline.contract.retraining import RetrainingFile
from plumbline.contract.retraining_jobs import JobInput, JobOutput
from plumbline.drift.data.times import parse_time
from plumbline.drift.retraining.prepare import prepare
from plumbline.drift.retraining.settings import PrepareSettings
from plumbline.functions.retraining.fresh_rows import FreshRowCounter
from tests.unit.drift.retraining.builders import END, START, TARGET, folder, merged, platform, write_merged, write_rows

ROWS = [[str(20 + number), "Private", "40", "no" if number % 2 else "yes"] for number in range(50)]
DAY = "2026/11/22"
ENOUGH = 1000


class Folder:
    """S3 as the counter asks for it, over a folder of the endpoint's merged records."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def get_paginator(self, _: str) -> "Folder":
        return self

    def paginate(self, *, Prefix: str, Delimiter: str = "", **_: str) -> list[dict[str, Any]]:
        if Delimiter:
            return [{"CommonPrefixes": [{"Prefix": f"{Prefix}{each.name}/"} for each in (self.root / "ep").iterdir()]}]
        files = sorted((self.root / Prefix.removeprefix("merged/")).rglob("*.jsonl"))
        keys = [f"merged/{file.relative_to(self.root).as_posix()}" for file in files]
        return [
            {"Contents": [{"Key": key, "Size": file.stat().st_size} for key, file in zip(keys, files, strict=True)]}
        ]

    def get_object(self, *, Key: str, **_: str) -> dict[str, Any]:
        content = (self.root / Key.removeprefix("merged/")).read_bytes()
        return {"Body": StreamingBody(io.BytesIO(content), len(content))}


def records(first: int, last: int, *, labels: str = "yes\nno") -> list[Any]:
    rows = [f"{number}.5,Private,1\n{number}.25,State,2" for number in range(first, last)]
    return [
        merged(row, labels, event=f"e{first}-{number}", time=f"{START[:14]}{number:02}:00Z")
        for number, row in enumerate(rows)
    ]


def test_rows_that_a_run_has_read_are_not_new_and_others_are(tmp_path: Path) -> None:
    write_rows(folder(tmp_path, JobInput.TRAIN) / "train.csv", ROWS)
    write_rows(folder(tmp_path, JobInput.TEST) / "test.csv", ROWS[:9])
    # A line that is no record, a row without a label, a label that training does not have, and a repetition.
    odd = ["no record", *records(50, 52, labels="yes\n"), *records(60, 61, labels="maybe\nno"), *records(50, 51)]
    root = write_merged(tmp_path / "merged", [*records(0, 8), *odd])
    write_merged(root, records(20, 24), "11/part-00000.jsonl")
    settings = PrepareSettings(
        target_label=TARGET,
        endpoint="ep",
        merged=str(root),
        fresh_from=parse_time(START),
        fresh_until=parse_time(END),
        minimum_rows=1,
    )
    prepare(settings, platform(tmp_path))
    prepared = Prepared.from_json((folder(tmp_path, JobOutput.PREPARED) / RetrainingFile.PREPARED).read_text())
    counter = FreshRowCounter(Folder(root), "capture", "ep")

    assert counter.count_new(START, END, ENOUGH, prepared.hours) == 0
    assert sum(hour.n_labelled for hour in prepared.hours.values()) == counter.count(START, END, ENOUGH)

    # Labels of the second hour come late, and a third hour is joined.
    write_merged(root, [*records(20, 24), *records(30, 33)], "11/part-00000.jsonl")
    write_merged(root, records(40, 45), "12/part-00000.jsonl")
    assert counter.count_new(START, END, ENOUGH, prepared.hours) == 2 * 3 + 2 * 5
    assert counter.count_new(START, END, 7, prepared.hours) == 7
