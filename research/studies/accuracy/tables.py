"""The study's results as Markdown tables."""

from collections.abc import Iterable

from plumbline.contract.accuracy import Measure, Shift
from plumbline.contract.verdicts import Verdict
from research.studies import pages
from research.studies.accuracy import summary
from research.studies.accuracy.cases import Family
from research.studies.accuracy.outcomes import Method, WindowOutcome
from research.studies.accuracy.summary import VALID, Outcomes, of
from research.studies.pages import table

NOTHING = "–"
RIVALS = (Method.CONFIDENCE, Method.UNCHANGED, Method.FOREST)


def points(fraction: float | None) -> str:
    """Return a fraction in percentage points."""
    return NOTHING if fraction is None else f"{100 * fraction:.2f}"


def percent(found: tuple[int, int]) -> str:
    """Return a share in percent."""
    return pages.percent(*found) if found[1] else NOTHING


def with_interval(found: tuple[int, int]) -> str:
    """Return a share in percent with its exact interval."""
    return pages.rate(*found) if found[1] else NOTHING


def gates(outcomes: Outcomes) -> str:
    """Return for each subject how much its features add to the probability, split by split."""
    rows = []
    for subject in dict.fromkeys(outcome.subject for outcome in outcomes):
        found = {outcome.seed: outcome for outcome in of(outcomes, subjects=[subject]) if outcome.gate is not None}
        rows.append(
            [
                subject,
                ", ".join(f"{outcome.gate:.1f}" for outcome in found.values()),
                f"{sum(outcome.weighted for outcome in found.values())} of {len(found)}",
            ]
        )
    return table(["subject", "paired t, split by split", "features used"], rows)


def sizes(outcomes: Outcomes) -> list[int]:
    """Return the sizes of the drawn windows."""
    return sorted({outcome.n_rows for outcome in outcomes if outcome.family is not Family.TIME})


def families(outcomes: Iterable[WindowOutcome]) -> list[Family]:
    """Return the families that there are windows of, in their order."""
    present = {outcome.family for outcome in outcomes}
    return [family for family in Family if family in present]


def errors(outcomes: Outcomes) -> str:
    """Return every method's mean absolute error by family and window size."""
    rows = []
    for family in families(outcomes):
        for n_rows in sizes(outcomes):
            found = of(outcomes, families=[family], n_rows=n_rows)
            if found:
                rows.append(
                    [
                        family,
                        f"{n_rows:,}",
                        f"{len(found):,}",
                        points(summary.error(summary.kept(found), Method.PLUMBLINE)),
                        points(summary.error(found, Method.PLUMBLINE)),
                        *(points(summary.error(found, method)) for method in RIVALS),
                    ]
                )
    return table(["shift", "rows", "windows", "**Plumbline**", "refused ones too", *RIVALS], rows)


def correlations(outcomes: Outcomes) -> str:
    """Return each method's rank correlation with the truth under covariate shift, by subject and size."""
    rows = []
    for subject in dict.fromkeys(outcome.subject for outcome in of(outcomes, families=VALID)):
        for n_rows in sizes(outcomes):
            found = of(outcomes, families=[Family.COVARIATE], subjects=[subject], n_rows=n_rows)
            values = (summary.rank_correlation(found, method) for method in Method if method is not Method.UNCHANGED)
            rows.append([subject, f"{n_rows:,}", *(NOTHING if one is None else f"{one:.2f}" for one in values)])
    return table(["subject", "rows", *(method for method in Method if method is not Method.UNCHANGED)], rows)


def intervals(outcomes: Outcomes) -> str:
    """Return how often the interval holds the truth, and its half-width, over the windows that are not refused."""
    rows = []
    valid = summary.kept(of(outcomes, families=VALID))
    subjects = list(dict.fromkeys(outcome.subject for outcome in valid))
    for name, chosen in [*((subject, [subject]) for subject in subjects), ("**all**", subjects)]:
        for n_rows in sizes(outcomes):
            found = of(valid, subjects=chosen, n_rows=n_rows)
            rows.append(
                [
                    name,
                    f"{n_rows:,}",
                    *(_coverage(of(found, families=[family])) for family in VALID),
                    with_interval(summary.covered(outcome.accuracy for outcome in found)),
                    points(summary.half_width(found)),
                ]
            )
    return table(["subject", "rows", *VALID, "both", "half-width"], rows)


def _coverage(outcomes: Outcomes) -> str:
    return percent(summary.covered(outcome.accuracy for outcome in outcomes))


def verdicts(outcomes: Outcomes) -> str:
    """Return how often the verdict is drift without a drop, and with a clear one; windows that are not refused."""
    rows = []
    answered = summary.kept(outcomes)
    for n_rows in sizes(outcomes):
        found = of(answered, families=VALID, n_rows=n_rows)
        better = [outcome for outcome in found if outcome.drop <= 0]
        clear = [outcome for outcome in found if outcome.drop >= summary.CLEAR_DROP]
        rows.append(
            [
                f"{n_rows:,}",
                with_interval(summary.alarms(of(found, families=[Family.NONE]))),
                with_interval(summary.alarms(better)),
                with_interval(summary.alarms(clear)),
            ]
        )
    return table(["rows", "without shift", "accuracy no lower", "accuracy 3 points lower or more"], rows)


def refusals(outcomes: Outcomes) -> str:
    """Return for each family what is refused, and what the estimates kept and refused were worth."""
    rows = []
    for family in families(outcomes):
        for n_rows in sizes(outcomes) if family is not Family.TIME else [None]:
            found = of(outcomes, families=[family], n_rows=n_rows)
            if found:
                rows.append([family, NOTHING if n_rows is None else f"{n_rows:,}", *_worth(found)])
    return table(["shift", "rows", *_WORTH], rows)


_WORTH = ("windows", "refused %", "error kept", "error refused", "covered kept %", "off by 3 points, kept", "refused")


def _worth(found: Outcomes) -> list[str]:
    left, gone = summary.kept(found), summary.refused(found)
    return [
        f"{len(found):,}",
        percent((len(gone), len(found))),
        points(summary.error(left, Method.PLUMBLINE)),
        points(summary.error(gone, Method.PLUMBLINE)),
        _coverage(left),
        f"{sum(map(summary.is_far_off, left)):,}",
        f"{sum(map(summary.is_far_off, gone)):,}",
    ]


def streams(outcomes: Outcomes) -> str:
    """Return the same for each stream of real data, and the error of the other methods on all its windows."""
    found = of(outcomes, families=[Family.TIME])
    rows = []
    for subject in dict.fromkeys(outcome.subject for outcome in found):
        of_stream = of(found, subjects=[subject])
        others = (points(summary.error(of_stream, method)) for method in RIVALS)
        rows.append([subject, *_worth(of_stream), *others])
    return table(["stream", *_WORTH, *RIVALS], rows)


def selections(outcomes: Outcomes) -> str:
    """Return how often the window is taken for one of pure label shift, and what that is worth."""
    rows = []
    for family in families(outcomes):
        for n_rows in sizes(outcomes) if family is not Family.TIME else [None]:
            found = of(outcomes, families=[family], n_rows=n_rows)
            picked = [outcome for outcome in found if outcome.selected]
            if found:
                rows.append(
                    [
                        family,
                        NOTHING if n_rows is None else f"{n_rows:,}",
                        with_interval((len(picked), len(found))),
                        points(summary.mean(outcome.scenario.error for outcome in picked)),
                        points(summary.error(picked, Method.PLUMBLINE)),
                        percent(summary.covered(outcome.scenario for outcome in picked)),
                    ]
                )
    return table(["shift", "rows", "selected", "its error", "error without it", "covered %"], rows)


def naming(outcomes: Outcomes) -> str:
    """Return how often each kind of shift is named, by the shift that there is; percent, and those not judged."""
    rows = []
    for family in (Family.NONE, Family.COVARIATE, Family.LABEL, Family.CONCEPT):
        for n_rows in sizes(outcomes):
            found = of(outcomes, families=[family], n_rows=n_rows)
            if found:
                before = [_named(found, shift, labelled=False) for shift in (Shift.COVARIATE, Shift.LABEL)]
                after = [_named(found, shift, labelled=True) for shift in (Shift.LABEL, Shift.CONCEPT)]
                rows.append([family, f"{n_rows:,}", f"{len(found):,}", *before, *after])
    return table(["there is", "rows", "windows", "covariate", "label", "label, labelled", "concept, labelled"], rows)


def naming_by_case(outcomes: Outcomes) -> str:
    """Return the same for each way to shift labels or concept, over all sizes; the mean drop in points."""
    rows = []
    for family in (Family.LABEL, Family.CONCEPT):
        for case in dict.fromkeys(outcome.case for outcome in of(outcomes, families=[family])):
            found = [outcome for outcome in of(outcomes, families=[family]) if outcome.case == case]
            before = _named(found, Shift.LABEL, labelled=False)
            after = [_named(found, shift, labelled=True) for shift in (Shift.LABEL, Shift.CONCEPT)]
            drop = points(summary.mean(outcome.drop for outcome in found))
            rows.append([family, case, f"{len(found):,}", drop, before, *after])
    return table(["there is", "how", "windows", "drop", "label", "label, labelled", "concept, labelled"], rows)


def _named(outcomes: Outcomes, shift: Shift, *, labelled: bool) -> str:
    verdicts = [(outcome.after if labelled else outcome.before).get(shift, Verdict.NOT_JUDGED) for outcome in outcomes]
    silent = verdicts.count(Verdict.NOT_JUDGED)
    text = percent((verdicts.count(Verdict.DRIFT), len(verdicts)))
    return f"{text} [{percent((silent, len(verdicts)))}]" if silent else text


def measures(outcomes: Outcomes) -> str:
    """Return the error and the coverage of the other measures, where the projection's assumption holds."""
    rows = []
    valid = summary.kept(of(outcomes, families=VALID))
    for measure in dict.fromkeys(measure for outcome in valid for measure in outcome.measures):
        for n_rows in sizes(outcomes):
            figures = [outcome.measures[measure] for outcome in of(valid, n_rows=n_rows)]
            estimated = [figure for figure in figures if figure.estimate is not None]
            rows.append(
                [
                    Measure(measure).words,
                    f"{n_rows:,}",
                    percent((len(figures) - len(estimated), len(figures))),
                    points(summary.mean(figure.error for figure in estimated)),
                    with_interval(summary.covered(estimated)),
                ]
            )
    return table(["measure", "rows", "not judged %", "error", "covered"], rows)
