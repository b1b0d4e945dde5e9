"""The HTML page: one file, no script, nothing loaded from anywhere."""

from collections.abc import Iterable
from dataclasses import dataclass

from contract.records import PROJECTED_ACCURACY_NOTE, Status, Verdict
from contract.rejection import RejectionReason
from plumbline.report import accuracy_words, tables, words
from plumbline.report.accuracy_table import accuracies
from plumbline.report.attribution_table import attribution
from plumbline.report.bias_table import bias
from plumbline.report.comparison_table import comparisons
from plumbline.report.evidence_table import evidence
from plumbline.report.feature_table import last_features, last_moves
from plumbline.report.label_account import ground_truth
from plumbline.report.labelled import last_labelled, last_quality, realised_accuracy
from plumbline.report.measure_table import other_measures
from plumbline.report.models_table import models, sentences
from plumbline.report.shift_table import shifts
from plumbline.report.style_sheet import STYLE_SHEET
from plumbline.report.tables import text
from plumbline.report.timeline import Timeline


@dataclass(frozen=True)
class Plot:
    """One figure of the page: `svg` is an element, the rest plain text."""

    anchor: str
    title: str
    caption: str
    svg: str


_TERMS = (
    ("Drift score", "100 × the sum of |share now − share in the reference| over the feature's values or bins: 0 % is "
     "equal, 200 % has nothing in common. It says how large a change is, not whether it could be chance."),
    ("Adjusted p-value", "How often chance alone would differ this much if nothing had changed, corrected for the "
     "number of features tested at once. −log10 p of 3 is one in a thousand."),
    ("Drift verdict", "Given only where the change is both improbable as chance (adjusted p-value) and large enough "
     "to matter (Jensen–Shannon distance, unless the policy names another size), or where the missing share moved."),
    ("Violation", "The feature is absent from every row (missing_column_check), or its values are of another type than "
     "in training (data_type_check). That is a broken payload, not drift."),
    ("Projected accuracy", PROJECTED_ACCURACY_NOTE),
    ("Realised accuracy", "The share of right predictions among the rows whose label has come. It is held against what "
     "was projected for the same rows; where it lies further off than the interval allows, the concept moved."),
    ("Covariate, label and concept shift", "The mix of rows moved; the mix of labels moved; or the label that a given "
     "row deserves moved. The first shows in the rows, the others surely only in labels."),
    ("Not judged", "Too little or unsuitable data for an honest answer. It is never counted as no drift."),
)  # fmt: skip


def render(timeline: Timeline, plots: Iterable[Plot], title: str) -> str:
    """Return the whole page; equal input gives equal text."""
    mood = "alert" if words.drifted_slots(timeline) or accuracy_words.concerns(timeline) else "calm"
    lead = (*words.summary(timeline), *accuracy_words.summary(timeline), *sentences(timeline))
    return "\n".join(
        (
            '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{text(title)}</title>\n<style>{STYLE_SHEET}</style>\n</head>\n<body>\n<main>\n<header>",
            f'<p class="kicker">{text(title)}</p>',
            f'<h1 class="{mood}">{text(accuracy_words.headline(timeline))}</h1>',
            f'<div class="lead">{"".join(f"<p>{text(line)}</p>" for line in lead)}</div>',
            _facts(timeline),
            "</header>",
            *(_figure(plot) for plot in plots),
            f'<section id="hours"><h2>Window by window</h2>{tables.hours(timeline)}</section>',
            _optional("models", "Which model served", models(timeline)),
            *_accuracy_sections(timeline),
            f'<section id="features"><h2>Last window, by feature</h2>{last_features(timeline)}</section>',
            _optional("moves", "Last window, what moved", last_moves(timeline)),
            f'<section id="comparisons"><h2>Last window, each comparison</h2>{comparisons(timeline)}</section>',
            f'<section id="not-judged"><h2>What was not judged, and why</h2>{tables.unjudged(timeline)}</section>',
            tables.problems(timeline),
            f'<section id="limits"><h2>What this report cannot see</h2>{_limits()}</section>',
            f'<section id="terms"><h2>How to read it</h2>{_terms()}</section>',
            f"<footer>Made by plumbline from {words.count(len(timeline.reports), 'drift report')}.</footer>",
            "</main>\n</body>\n</html>\n",
        )
    )


def _accuracy_sections(timeline: Timeline) -> Iterable[str]:
    yield _optional("accuracies", "Projected and realised accuracy", accuracies(timeline))
    yield _optional("evidence", "Behind the last projection", evidence(timeline))
    yield _optional("shifts", "Which shift", shifts(timeline))
    yield _optional("ground-truth", "Ground truth: the labels that came", ground_truth(timeline))
    yield _optional("measures", "Beyond accuracy", other_measures(timeline))
    yield _optional("bias", "Bias by group", bias(timeline))
    yield _optional("attribution", "What the predictions rest on", attribution(timeline))


def _optional(anchor: str, title: str, content: str) -> str:
    return f'<section id="{anchor}"><h2>{title}</h2>{content}</section>' if content else ""


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
        ("rows analysed", f"{sum(r.n_rows for r in reports):,}", f"of {words.count(used, 'record')}"),
        ("records rejected", f"{rejected:,}", f"and {elsewhere:,} of other windows" if elsewhere else "reasons below"),
    ]
    if estimated:
        last = estimated[-1]
        facts.append(("projected accuracy", words.percent(last.estimate), f"95 % interval {words.interval(last)}"))
    facts += _realised(timeline)
    known = [slot.true_accuracy for slot in timeline.slots if slot.true_accuracy is not None]
    if known:
        facts.append(("true accuracy", words.percent(known[-1]), "in the last window whose truth is known"))
    cells = "".join(f"<div><dt>{name}</dt><dd>{value}<small>{note}</small></dd></div>" for name, value, note in facts)
    return f'<dl class="facts">{cells}</dl>'


def _realised(timeline: Timeline) -> list[tuple[str, str, str]]:
    found = last_labelled(timeline)
    realised = realised_accuracy(found[0]) if found else None
    if found is None or realised is None:
        awaited = last_quality(timeline) is not None
        return [("realised accuracy", "–", "no labels yet")] if awaited else []
    note = f"window of {text(words.moment(found[0], timeline))}, 95 % interval {words.interval(realised)}"
    return [("realised accuracy", words.percent(realised.value), note)]


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
    return "<ul>" + "".join(f"<li>{text(limit)}</li>" for limit in words.CANNOT_SEE) + "</ul>"


def _terms() -> str:
    return '<dl class="terms">' + "".join(f"<dt>{text(a)}</dt><dd>{text(b)}</dd>" for a, b in _TERMS) + "</dl>"
