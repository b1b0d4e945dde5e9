"""The table of labels says of each answered row what it deserved, hour by hour."""

import io
from collections.abc import Sequence
from pathlib import Path

import pytest

from plumbline.traffic.replay import ReplayAnswer, ReplayPlan
from plumbline.traffic.source import LabelsOut, labels_file

PLAN = ReplayPlan("e", hours=2, rows_per_hour=3, rows_per_request=2, name="t")


def labels_of_hour(hour: int, n: int) -> Sequence[str]:
    return [f"h{hour}-{position}" for position in range(n)]


def written(*answers: ReplayAnswer) -> list[str]:
    stream = io.StringIO()
    out = LabelsOut(PLAN, labels_of_hour, stream)
    for answer in answers:
        out.take(answer)
    out.finish_hour()
    return stream.getvalue().splitlines()[1:]


FIRST, SECOND, NEXT = (
    ReplayAnswer(1, 0, 2, (0.1, 0.2)),
    ReplayAnswer(1, 2, 1, (0.3,)),
    ReplayAnswer(2, 0, 2, (0.4, 0.5)),
)


@pytest.mark.parametrize("order", [(FIRST, SECOND, NEXT), (SECOND, FIRST, NEXT)])
def test_the_order_of_answers_within_an_hour_does_not_matter(order: tuple[ReplayAnswer, ...]) -> None:
    assert written(*order) == [
        "t-h001-r000000,0,h1-0",
        "t-h001-r000000,1,h1-1",
        "t-h001-r000001,0,h1-2",
        "t-h002-r000000,0,h2-0",
        "t-h002-r000000,1,h2-1",
    ]


def test_a_failed_request_is_left_out() -> None:
    assert written(ReplayAnswer(1, 0, 2, failure="Throttled"), SECOND) == ["t-h001-r000001,0,h1-2"]


def test_an_hour_is_in_the_file_when_the_next_one_begins(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    with labels_file(path, PLAN, labels_of_hour) as out:
        out.take(SECOND)
        out.take(NEXT)
        assert path.read_text() == "id,row,label\nt-h001-r000001,0,h1-2\n"


def test_what_was_answered_before_an_interruption_is_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    with pytest.raises(KeyboardInterrupt), labels_file(path, PLAN, labels_of_hour) as out:
        out.take(SECOND)
        raise KeyboardInterrupt

    assert path.read_text().splitlines()[1:] == ["t-h001-r000001,0,h1-2"]
