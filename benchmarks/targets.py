"""What the benchmark is held to, and whether it was met."""

from dataclasses import dataclass
from math import inf
from typing import Final

from benchmarks.programs import OURS
from benchmarks.results import Results

MILLION: Final = 1_000_000
LEAST_RATIOS: Final = {"reference": 20, "evidently": 14, "nannyml": 9}
"""Peer to how many times as long as ours it must take on a million records."""


@dataclass(frozen=True)
class Target:
    """One target: `measured` must lie within `bounds`; None when this benchmark did not measure it."""

    text: str
    measured: float | None
    bounds: tuple[float, float]
    unit: str = ""

    @property
    def met(self) -> bool | None:
        """Whether it was met; None when it was not measured."""
        return None if self.measured is None else self.bounds[0] <= self.measured <= self.bounds[1]


def targets(results: Results) -> list[Target]:
    """Return every target with what was measured, in a fixed order."""
    peaks = [peak for size in results.sizes if (peak := results.peak_bytes(OURS, size)) is not None]
    one, ten = results.peak_bytes(OURS, MILLION), results.peak_bytes(OURS, 10 * MILLION)
    ratios = [
        Target(f"{peer} takes at least {least} times as long at 1 million records", ratio, (least, inf), "times")
        for peer, least in LEAST_RATIOS.items()
        for ratio in [results.ratio(peer, OURS, MILLION)]
    ]
    return [
        *ratios,
        Target("peak memory at most 256 MB at every size", max(peaks, default=0) / 1e6 or None, (0, 256), "MB"),
        Target(
            "peak memory at 10 million records at most 1.1 times that at 1 million",
            None if one is None or ten is None else ten / one,
            (0, 1.1),
            "times",
        ),
        Target("exponent of time against records, from 1 million on, 0.9 to 1.1", results.slope(OURS), (0.9, 1.1)),
        Target(
            "first line of the container program after at most 0.6 s", results.first_line_seconds(OURS), (0, 0.6), "s"
        ),
    ]
