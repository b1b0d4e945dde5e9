"""The model that served a window, by the history of the endpoint's models: its baseline is the window's reference."""

from dataclasses import dataclass
from pathlib import Path

from plumbline.contract.champion import Champion, ChampionHistory
from plumbline.contract.names import Variable
from plumbline.contract.records import ModelReport, WindowBounds
from plumbline.drift.aws import Connect
from plumbline.drift.data.times import parse_time
from plumbline.drift.errors import ConfigError
from plumbline.drift.read.s3 import fetch_if_present


@dataclass(frozen=True)
class ServingModel:
    """The model that answered the requests of the window `bounds`, by the history of the endpoint's models."""

    history: ChampionHistory
    bounds: WindowBounds

    @property
    def champion(self) -> Champion | None:
        """The model that alone answered the window; None: the model changed during it."""
        return self._alone(self.bounds)

    @property
    def first(self) -> Champion:
        """The model that served when the window began: its baseline has the columns of a mixed window too.

        It depends on the window and not on when it is judged.
        """
        if self.bounds.start is None:
            return self.history.live
        start = parse_time(self.bounds.start)
        begun = [one for one in self.history.champions if one.live_from is None or parse_time(one.live_from) <= start]
        return begun[-1] if begun else self.history.champions[0]

    @property
    def report(self) -> ModelReport | None:
        """The model that alone answered the window, as the report names it."""
        found = self.champion
        if found is None:
            return None
        return ModelReport(
            artifact=found.artifact,
            baseline=found.baseline,
            model_package=found.model_package,
            serving_since=found.live_from,
        )

    def also_answered(self, bounds: WindowBounds) -> bool:
        """Return whether the window's model alone answered another window too."""
        return self.champion is not None and self._alone(bounds) == self.champion

    def _alone(self, bounds: WindowBounds) -> Champion | None:
        if bounds.start is None or bounds.end is None:
            # A window without times has a known model only where the endpoint never changed it.
            return None if len(self.history.champions) > 1 or self.history.changing_from else self.history.live
        return self.history.serving(bounds.start, bounds.end)


def read_serving_model(uri: str | None, bounds: WindowBounds, workspace: Path, connect: Connect) -> ServingModel | None:
    """Return the model that answered the window; None: no history is kept, or none yet.

    Raises
    ------
    ConfigError
        If the history is there and cannot be read: the window would be compared with an arbitrary baseline.
    """
    file = None if uri is None else fetch_if_present(uri, workspace / "champion", connect)
    if file is None:
        return None
    try:
        history = ChampionHistory.from_json(file.read_text())
        _require_times(history)
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"{uri} must be the history of the endpoint's models, got {error}; restore an earlier version of the "
            f"object, or unset {Variable.CHAMPION_S3_URI} to judge against the baseline of the job's arguments"
        ) from error
    return ServingModel(history, bounds)


def _require_times(history: ChampionHistory) -> None:
    of_champions = (time for one in history.champions for time in (one.changing_from, one.live_from))
    for time in (*of_champions, history.changing_from):
        if time is not None:
            parse_time(time)
