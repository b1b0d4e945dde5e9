"""Windows in which nothing changed, however rows come: how often features, or the prediction, are called drifted.

Many windows in little time: captured requests, their counts and the verdicts on them; nothing else of a run.
"""

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from plumbline.contract.records import Verdict
from plumbline.drift.data.window import WindowCounts
from plumbline.drift.judge.analysis import reference_sample, window_sample
from plumbline.drift.judge.comparison import FamilyVerdict, RunContext, judge
from plumbline.drift.judge.past import Past
from plumbline.drift.reference.baseline import Baseline
from plumbline.drift.settings.policy import Policy
from research.studies.accuracy.subject import Subject
from research.studies.streams.replay import Replay
from research.studies.verdicts.features import BY, named_by
from research.studies.verdicts.kinds import VerdictExtent, World
from research.studies.verdicts.worlds import Arrival, arriving

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class ArrivalTally:
    """Windows of one size; counts of windows.

    `past_windows` is the number of past windows that these were held against; 0: the baseline has no past.
    `drifts` are those in which any feature drifted, `named` by how one did, `predictions` those whose prediction did.
    """

    arrival: str
    history: bool
    n_window: int
    n_windows: int
    past_windows: int
    drifts: int = 0
    not_judged: int = 0
    named: Mapping[str, int] = field(default_factory=dict)
    predictions: int = 0


@dataclass(frozen=True)
class ArrivalTask:
    """The windows of one world, judged with the task's past and without it."""

    arrival: Arrival
    windows: Mapping[int, int]
    extent: VerdictExtent
    seed: int

    def tallies(self) -> list[ArrivalTally]:
        """Judge the windows of every size."""
        started = time.monotonic()
        world = World.of(self.arrival, self.extent, self.seed)
        n_rows = max(size * number for size, number in self.windows.items())
        random = np.random.default_rng([self.seed, 5])
        rows = arriving(self.arrival, world.pool, n_rows, random, first_row=len(world.known))
        subject = world.subject(rows, history=True)
        reader = Subject(str(self.arrival), self.seed, world.model, subject.baseline)
        found = []
        for size, number in self.windows.items():
            starts = [len(world.known) + size * place for place in range(number)]
            replay = Replay(subject, size, starts)
            windows = []
            for place, first in enumerate(starts):
                part = subject.stream.part(first, first + size)
                counts = reader.counts(part, subject.probabilities[first : first + size])
                windows.append(replace(counts, bounds=replay.bounds(place)))
            baselines = replace(subject.baseline, history=None), subject.baseline
            found += [self._tally(baseline, windows, size) for baseline in baselines]
        _log.info("%s, features: %.0f s", self.arrival, time.monotonic() - started)
        return found

    def _tally(self, baseline: Baseline, windows: list[WindowCounts], size: int) -> ArrivalTally:
        pasts = [Past.like(baseline.history, one.n_rows, one.bounds) for one in windows]
        outcomes = [judged(baseline, one, past) for one, past in zip(windows, pasts, strict=True)]
        named = [{way for feature in one.features for way in named_by(feature)} for one in outcomes]
        return ArrivalTally(
            arrival=str(self.arrival),
            history=baseline.history is not None,
            n_window=size,
            n_windows=len(windows),
            past_windows=min(len(past.windows) if past else 0 for past in pasts),
            drifts=sum(one.verdict is Verdict.DRIFT for one in outcomes),
            not_judged=sum(one.verdict is Verdict.NOT_JUDGED for one in outcomes),
            named={way: sum(way in ways for ways in named) for way in BY},
            predictions=sum(one.prediction.verdict is Verdict.DRIFT for one in outcomes),
        )


def judged(baseline: Baseline, window: WindowCounts, past: Past | None) -> FamilyVerdict:
    """Return the verdicts on a window's features and prediction, as a run makes them."""
    context = RunContext(policy=Policy(), seed=0)
    thresholds = past.thresholds(baseline.specs, context.policy) if past else {}
    reference = replace(reference_sample(baseline, window), past=thresholds)
    return judge(baseline.specs, reference, window_sample(baseline, window), context)
