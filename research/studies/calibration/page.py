"""docs/calibration.md: the tables and plots of a run, between its markers."""

from pathlib import Path

from plumbline.drift.settings.policy import Policy
from plumbline.report.plots import style
from research.studies.calibration import plots, tables
from research.studies.calibration.results import CalibrationStudy
from research.studies.calibration.shifts import ChangeMeasure
from research.studies.pages import rate, replace_results

FALSE_ALARMS_PLOT = "calibration_false_alarms.png"
POWER_PLOT = "calibration_power.png"
DOTS_PER_INCH = 100
"""Enough to read the plots, and small enough to keep."""


def write(study: CalibrationStudy, page: Path, images: Path) -> None:
    """Draw the plots, and put the results between the markers of the page.

    Raises
    ------
    ValueError
        If the page lacks its markers.
    """
    _draw(study, images)
    replace_results(page, _body(study, images.relative_to(page.parent).as_posix()))


def _draw(study: CalibrationStudy, images: Path) -> None:
    images.mkdir(parents=True, exist_ok=True)
    policy = Policy()
    thresholds = {
        ChangeMeasure.DISTANCE: policy.effect_threshold,
        ChangeMeasure.MISSING: policy.missing_values_threshold,
    }
    with style.plotting("calibration"):
        plots.false_alarms(study.tallies).savefig(images / FALSE_ALARMS_PLOT, dpi=DOTS_PER_INCH)
        plots.power(study.found, thresholds).savefig(images / POWER_PLOT, dpi=DOTS_PER_INCH)


def _body(study: CalibrationStudy, images: str) -> str:
    by_reference = {
        n_reference: [tally for tally in study.tallies if tally.n_reference == n_reference]
        for n_reference in dict.fromkeys(tally.n_reference for tally in study.tallies)
    }
    parts = [
        _origin(study),
        "## False alarms",
        f"![Share of windows with a false alarm, against their size]({images}/{FALSE_ALARMS_PLOT})",
    ]
    for n_reference, tallies in by_reference.items():
        parts += [
            f"Reference of {n_reference:,} rows, {tallies[0].repetitions:,} repetitions, 95 % intervals:",
            tables.window_alarms(tallies),
        ]
    parts += ["## Feature by feature", "Percent of windows without drift: called drifted / not judged."]
    for n_reference, tallies in by_reference.items():
        parts += [f"Reference of {n_reference:,} rows:", tables.feature_alarms(tallies)]
    parts += [
        "## Size of the tests",
        "Percent of p-values below 0.05 without drift, before any adjustment. Bold: above 5 by more than chance "
        f"explains (95 % over the whole table). –: made in fewer than {tables.MIN_WINDOWS} windows.",
    ]
    for n_reference, tallies in by_reference.items():
        parts += [f"Reference of {n_reference:,} rows:", tables.sizes(tallies)]
    return "\n\n".join([*parts, *_power(study, images, next(iter(by_reference)))])


def _power(study: CalibrationStudy, images: str, n_reference: int) -> list[str]:
    n_windows = sum(result.repetitions for result in study.found)
    n_wrong = sum(result.wrong for result in study.found)
    return [
        "## Power",
        f"![How often a change is found, against its size]({images}/{POWER_PLOT})",
        f"Reference of {n_reference:,} rows; {study.found[0].repetitions:,} windows in each cell. Percent of the "
        "windows in which the changed feature is named by **Plumbline** [not judged by it] / the reference "
        "implementation / Evidently.",
        tables.found(study.found),
        f"Another feature than the changed one was named by Plumbline in {n_wrong:,} of all {n_windows:,} windows: "
        f"{rate(n_wrong, n_windows)}.",
    ]


def _origin(study: CalibrationStudy) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in study.versions.items())
    checked = "Evidently's rule was not held to the package in this run."
    if study.agreement:
        found = study.agreement
        checked = (
            f"Evidently's rule was held to the package, version {found.version}: method, score and number of drifted "
            f"columns agree in {found.n_agreeing} of {found.n_columns} columns of {found.n_windows} windows."
        )
    return (
        f"Made by `{study.command}` with seed {study.seed} in {study.seconds / 60:.1f} minutes on one core; "
        f"{versions}. Population: {study.population}, {study.n_population:,} rows. {checked}"
    )
