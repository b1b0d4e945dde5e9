"""The terminal: one line for each stage, one table row for each hour."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape

from plumbline.contract.description import interval, percent
from plumbline.contract.records import DriftReport, EffectMeasure, Verdict
from plumbline.local.demo.hours import Hour, LabelledHour

_VERDICT_STYLES = {Verdict.DRIFT: "bold red", Verdict.NO_DRIFT: "green", Verdict.NOT_JUDGED: "yellow"}

NAMES_SHOWN = 2


class Screen:
    """Prints progress to `console`; on a terminal a spinner shows what is happening now."""

    def __init__(self, console: Console) -> None:
        """Keep the console; everything else is derived."""
        self._console = console

    def say(self, text: str) -> None:
        """Print one line."""
        self._console.print(text, highlight=False, soft_wrap=True)

    @contextmanager
    def stage(self, text: str) -> Iterator[None]:
        """Show `text` while the block runs, then leave one line with the seconds it took."""
        began = time.monotonic()
        with self._console.status(text):
            yield
        self.say(f"[green]✓[/green] {text} [dim]{time.monotonic() - began:.0f} s[/dim]")

    @contextmanager
    def working(self, text: str) -> Iterator[None]:
        """Show `text` while the block runs, and leave nothing."""
        with self._console.status(text):
            yield

    def hour_header(self) -> None:
        """Print the column titles of `hour`."""
        self.say("")
        self.say(
            f"[bold]{'hour':>4}  {'rows':>6}  {'verdict':<10}  {'true':>7}  {'projected (95 %)':<23}  "
            f"{'realised':<16}  drifted features"
        )

    def hour(self, number: int, hour: Hour, notes: Sequence[str], labelled: LabelledHour | None = None) -> None:
        """Print one finished hour, what else happened in it, and the earlier hour whose labels were judged in it."""
        report = hour.report
        truth = "unknown" if hour.true_accuracy is None else percent(hour.true_accuracy)
        if report is None:
            self.say(f"{number:>4}  {'':>6}  [red]no report[/red]   {truth:>7}")
        else:
            style = _VERDICT_STYLES[report.verdict]
            verdict = f"[{style}]{report.verdict:<10}[/{style}]"
            self.say(
                f"{number:>4}  {report.n_rows:>6}  {verdict}  {truth:>7}  {_projection(report):<23}  "
                f"{_realised(labelled):<16}  {_drifted(report)}"
            )
        for note in notes:
            self.note(note)

    def note(self, text: str) -> None:
        """Print an event other than traffic."""
        self.say(f"      [cyan]→ {escape(text)}[/cyan]")


def _projection(report: DriftReport) -> str:
    projected = report.projected_accuracy
    if projected.estimate is None or projected.lower is None or projected.upper is None:
        return "not judged"
    return f"{percent(projected.estimate)} ({interval(projected)})"


def _realised(labelled: LabelledHour | None) -> str:
    if labelled is None or labelled.accuracy.value is None:
        return "–"
    return f"hour {labelled.hour}: {percent(labelled.accuracy.value)}"


def _drifted(report: DriftReport) -> str:
    """Return the drifted features, those that moved furthest first, and how many more there are."""
    moved = [feature for feature in report.features if feature.verdict is Verdict.DRIFT]
    names = [
        feature.name
        for feature in sorted(moved, key=lambda feature: -(feature.effect(EffectMeasure.DRIFT_SCORE) or 0.0))
    ]
    if not names:
        return "the prediction" if report.prediction.verdict is Verdict.DRIFT else "–"
    more = f" and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else ""
    return ", ".join(names[:NAMES_SHOWN]) + more
