"""The HTML page: one file, no script, nothing loaded from anywhere."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from plumbline.contract.description import count, interval, percent, realised_accuracy
from plumbline.contract.reasons import UNUSABLE_LABELS, has_code
from plumbline.contract.records import PROJECTED_ACCURACY_NOTE, Status, Verdict
from plumbline.contract.rejection import RejectionReason
from plumbline.report import summary
from plumbline.report.models import models, sentences
from plumbline.report.plots.style import BLUE, GREEN, GRID, INK, MUTED, PAPER, PURPLE, VERMILION
from plumbline.report.sections.accepted import accepted
from plumbline.report.sections.accuracy import accuracies, other_measures
from plumbline.report.sections.evidence import evidence
from plumbline.report.sections.html import text
from plumbline.report.sections.labels import ground_truth, shifts
from plumbline.report.sections.last_window import comparisons, last_features, last_moves
from plumbline.report.sections.model_behaviour import attribution, bias
from plumbline.report.sections.windows import hours, problems, unjudged
from plumbline.report.timeline import Timeline


@dataclass(frozen=True)
class Plot:
    """One figure of the page: `svg` is an element, the rest plain text."""

    anchor: str
    title: str
    caption: str
    svg: str


_LIGHT = (
    f"--ink:{INK};--muted:{MUTED};--grid:{GRID};--paper:{PAPER};--blue:{BLUE};"
    f"--vermilion:{VERMILION};--green:{GREEN};--purple:{PURPLE};--ground:#f6f7f9;--drift-text:#b04a00"
)
_DARK = (
    "--ink:#e8ebef;--muted:#a3adb8;--grid:#353c46;--paper:#1a1f26;--blue:#56b4e9;"
    "--vermilion:#ff8a3d;--green:#3ecf9f;--purple:#dd92bd;--ground:#12161b;--drift-text:#ff9d5c"
)

STYLE_SHEET = f"""
:root {{ color-scheme: light dark; {_LIGHT} }}
@media (prefers-color-scheme: dark) {{ :root {{ {_DARK} }} }}
* {{ box-sizing: border-box; }}
body {{ margin: 0; background: var(--ground); color: var(--ink); line-height: 1.5;
  font-family: system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }}
main {{ max-width: 72rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; }}
header p.kicker {{ margin: 0; color: var(--muted); }}
h1 {{ margin: .2rem 0 .6rem; font-size: 1.8rem; line-height: 1.2; }}
h1.alert {{ color: var(--drift-text); }}
h2 {{ margin: 2.4rem 0 .5rem; font-size: 1.25rem; }}
.lead {{ max-width: 62rem; font-size: 1.06rem; }}
.lead p {{ margin: .25rem 0; }}
.facts {{ display: flex; flex-wrap: wrap; gap: .75rem; margin: 1.4rem 0 0; padding: 0; }}
.facts div {{ flex: 1 1 10rem; padding: .7rem .9rem; background: var(--paper); border: 1px solid var(--grid);
  border-radius: .5rem; }}
.facts dt {{ color: var(--muted); font-size: .82rem; }}
.facts dd {{ margin: 0; font-size: 1.35rem; font-weight: 650; font-variant-numeric: tabular-nums; }}
.facts dd small {{ display: block; color: var(--muted); font-size: .78rem; font-weight: 400; }}
figure {{ margin: 0; padding: 1rem; background: var(--paper); border: 1px solid var(--grid); border-radius: .5rem; }}
figure + p {{ margin-top: .5rem; }}
svg.plot {{ display: block; width: 100%; height: auto; }}
.drawing {{ overflow-x: auto; }}
.drawing svg.plot {{ min-width: 44rem; }}
figcaption {{ margin-top: .7rem; color: var(--muted); font-size: .92rem; max-width: 60rem; }}
.scroll {{ overflow-x: auto; background: var(--paper); border: 1px solid var(--grid); border-radius: .5rem; }}
.scroll + .scroll {{ margin-top: .8rem; }}
table {{ width: 100%; border-collapse: collapse; font-size: .86rem; }}
caption {{ padding: .6rem .7rem 0; color: var(--muted); text-align: left; }}
th, td {{ padding: .35rem .45rem; text-align: left; vertical-align: top; border-bottom: 1px solid var(--grid); }}
thead th.number {{ white-space: normal; }}
thead th {{ color: var(--muted); font-size: .8rem; font-weight: 600; vertical-align: bottom; }}
tbody th {{ font-weight: 600; white-space: nowrap; }}
tbody tr:last-child > * {{ border-bottom: 0; }}
.number {{ text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }}
.drift {{ color: var(--drift-text); font-weight: 650; white-space: nowrap; }}
.reason {{ min-width: 9rem; }}
.calm {{ white-space: nowrap; }}
.unjudged, small {{ color: var(--muted); }}
.unjudged {{ font-style: italic; white-space: nowrap; }}
small {{ white-space: nowrap; }}
.uri {{ display: block; min-width: 20em; white-space: normal; overflow-wrap: anywhere; }}
.number small, .reason small, .facts dd small {{ white-space: normal; }}
dl.terms dt {{ font-weight: 600; }}
dl.terms dd {{ margin: 0 0 .5rem; color: var(--muted); }}
footer {{ margin-top: 3rem; color: var(--muted); font-size: .85rem; }}
@media print {{
  :root {{ {_LIGHT};--ground:#ffffff }}
  main {{ max-width: none; padding: 0; }}
  figure, .facts div, tr {{ break-inside: avoid; }}
  h2 {{ break-after: avoid; }}
  .scroll, .drawing {{ overflow: visible; }}
  .drawing svg.plot {{ min-width: 0; }}
  table {{ font-size: .7rem; }}
  tbody th, .number, small, .calm, .drift, .unjudged {{ white-space: normal; }}
  @page {{ size: A4 landscape; margin: 12mm; }}
}}
"""

_TERMS = (
    ("Drift score", "100 × the sum of |share now − share in the reference| over the feature's values or bins: 0 % is "
     "equal, 200 % has nothing in common. It measures how large a change is, not whether it could be chance."),
    ("Adjusted p-value", "How often chance alone would differ this much if nothing had changed, corrected for the "
     "number of features tested at once. −log10 p of 3 is one in a thousand."),
    ("Drift verdict", "Given only where the change is both improbable as chance (adjusted p-value) and large enough "
     "to matter (Jensen–Shannon distance, unless the policy names another size), or where the missing share moved."),
    ("Violation", "The feature is absent from every row (missing_column_check), or its values are of another type than "
     "in training (data_type_check). That is a broken payload, not drift."),
    ("Projected accuracy", PROJECTED_ACCURACY_NOTE),
    ("Realised accuracy", "The share of right predictions among the rows whose label has come. It is held against what "
     "was projected for the same rows; where it lies further off than the interval allows, the concept moved."),
    ("Covariate, label and concept shift", "The mix of rows moved; the mix of labels moved; or the label of a given "
     "row moved. The first is visible in the rows, the others for certain only in labels."),
    ("Not judged", "Too little or unsuitable data for an honest answer. It is never counted as no drift."),
)  # fmt: skip


@dataclass(frozen=True)
class PageSection:
    """One part of the page; `content` returns its HTML, empty where there is nothing to show."""

    anchor: str
    title: str
    content: Callable[[Timeline], str]


SECTIONS = (
    PageSection("hours", "Window by window", hours),
    PageSection("models", "Which model served", models),
    PageSection("accuracies", "Projected and realised accuracy", accuracies),
    PageSection("evidence", "Behind the last projection", evidence),
    PageSection("shifts", "Which shift", shifts),
    PageSection("ground-truth", "Ground truth: the labels that came", ground_truth),
    PageSection("measures", "Beyond accuracy", other_measures),
    PageSection("bias", "Bias by group", bias),
    PageSection("attribution", "What the predictions rest on", attribution),
    PageSection("features", "Last window, by feature", last_features),
    PageSection("moves", "Last window, what moved", last_moves),
    PageSection("accepted", "Accepted: the new normal", accepted),
    PageSection("comparisons", "Last window, each comparison", comparisons),
    PageSection("not-judged", "What was not judged, and why", unjudged),
    PageSection("left-out", "Left out of this report", problems),
    PageSection("limits", "What this report cannot see", lambda _: _limits()),
    PageSection("terms", "How to read it", lambda _: _terms()),
)
"""In the page's order, below the plots. A new section is a function of the timeline and a line here."""


def render(timeline: Timeline, plots: Iterable[Plot], title: str) -> str:
    """Return the whole page; equal input gives equal text."""
    mood = "alert" if summary.drifted_slots(timeline) or summary.concerns(timeline) else "calm"
    lead = (*summary.summary(timeline), *sentences(timeline))
    return "\n".join(
        (
            '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{text(title)}</title>\n<style>{STYLE_SHEET}</style>\n</head>\n<body>\n<main>\n<header>",
            f'<p class="kicker">{text(title)}</p>',
            f'<h1 class="{mood}">{text(summary.headline(timeline))}</h1>',
            f'<div class="lead">{"".join(f"<p>{text(line)}</p>" for line in lead)}</div>',
            _facts(timeline),
            "</header>",
            *(_figure(plot) for plot in plots),
            *(_section(section, timeline) for section in SECTIONS),
            f"<footer>Made by plumbline from {count(len(timeline.reports), 'drift report')}.</footer>",
            "</main>\n</body>\n</html>\n",
        )
    )


def _section(section: PageSection, timeline: Timeline) -> str:
    content = section.content(timeline)
    return f'<section id="{section.anchor}"><h2>{section.title}</h2>{content}</section>' if content else ""


def _figure(plot: Plot) -> str:
    return (
        f'<section id="{plot.anchor}"><h2>{text(plot.title)}</h2>'
        f'<figure><div class="drawing" tabindex="0">{plot.svg}</div>'
        f"<figcaption>{text(plot.caption)}</figcaption></figure></section>"
    )


def _facts(timeline: Timeline) -> str:
    reports = timeline.reports
    drifted = sum(1 for report in reports if report.verdict is Verdict.DRIFT)
    used, rejected, elsewhere = _records(timeline)
    estimated = [r.projected_accuracy for r in reports if r.projected_accuracy.status is Status.ESTIMATED]
    facts = [
        ("windows with drift", f"{drifted} of {len(reports)}", _places(timeline)),
        ("rows analysed", f"{sum(r.n_rows for r in reports):,}", f"of {count(used, 'record')}"),
        ("records rejected", f"{rejected:,}", f"and {elsewhere:,} of other windows" if elsewhere else "reasons below"),
    ]
    if estimated:
        last = estimated[-1]
        facts.append(("projected accuracy", percent(last.estimate), f"95 % interval {interval(last)}"))
    facts += _realised(timeline)
    known = [slot.true_accuracy for slot in timeline.slots if slot.true_accuracy is not None]
    if known:
        facts.append(("true accuracy", percent(known[-1]), "in the last window whose truth is known"))
    cells = "".join(f"<div><dt>{name}</dt><dd>{value}<small>{note}</small></dd></div>" for name, value, note in facts)
    return f'<dl class="facts">{cells}</dl>'


def _realised(timeline: Timeline) -> list[tuple[str, str, str]]:
    found = timeline.last_labelled
    realised = realised_accuracy(found[1]) if found else None
    if found is None or realised is None:
        quality = timeline.last_quality
        unusable = quality is not None and has_code(quality.reason, *UNUSABLE_LABELS)
        note = "no usable label" if unusable else "no labels yet"
        return [("realised accuracy", "–", note)] if quality is not None else []
    note = f"window of {text(timeline.moment(found[0]))}, 95 % interval {interval(realised)}"
    return [("realised accuracy", percent(realised.value), note)]


def _records(timeline: Timeline) -> tuple[int, int, int]:
    """Return how many records were used, rejected as broken, and left to the window that they belong to."""
    counts = [report.records for report in timeline.reports]
    elsewhere = sum(count.rejected.get(RejectionReason.OUTSIDE_WINDOW, 0) for count in counts)
    rejected = sum(sum(count.rejected.values()) for count in counts)
    return sum(count.used for count in counts), rejected - elsewhere, elsewhere


def _places(timeline: Timeline) -> str:
    endpoint = next((report.endpoint for report in timeline.reports if report.endpoint), None)
    return f"endpoint {text(endpoint)}" if endpoint else "of captured files"


def _limits() -> str:
    return "<ul>" + "".join(f"<li>{text(limit)}</li>" for limit in summary.CANNOT_SEE) + "</ul>"


def _terms() -> str:
    return '<dl class="terms">' + "".join(f"<dt>{text(a)}</dt><dd>{text(b)}</dd>" for a, b in _TERMS) + "</dl>"
