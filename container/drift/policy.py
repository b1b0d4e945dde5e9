"""What counts as drift: thresholds, apart from the statistics they are applied to."""

from dataclasses import dataclass

from drift.errors import ConfigError


@dataclass(frozen=True)
class Policy:
    """Thresholds of one run.

    A feature drifts when its Benjamini-Hochberg-adjusted p-value is below `alpha` and its Jensen-Shannon
    distance reaches `effect_threshold` (raised to the null's own 99 % quantile where the sample is small);
    or when its missing fraction moved by `missing_threshold` or more, significantly.
    A window of fewer than `minimum_rows` rows is not judged.
    """

    alpha: float = 0.05
    effect_threshold: float = 0.1
    missing_threshold: float = 0.05
    minimum_rows: int = 200

    def __post_init__(self) -> None:
        """Refuse thresholds outside their range."""
        for name in ("alpha", "effect_threshold", "missing_threshold"):
            value = getattr(self, name)
            if not 0 < value < 1:
                raise ConfigError(f"{name} must lie between 0 and 1, got {value!r}; correct that threshold")
        if self.minimum_rows < 2:
            raise ConfigError(f"minimum_rows must be 2 or more, got {self.minimum_rows!r}; correct that threshold")
