"""What the container's settings name -> what a run needs: the baseline, the model, the rules, the earlier windows."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from contract.names import Argument
from drift.baseline import Baseline, load
from drift.capture import Count
from drift.champion import Answering, read_answering
from drift.errors import ConfigError
from drift.handover import Clients
from drift.policy import Policy
from drift.policy_file import read_policy
from drift.reading import reader
from drift.recent_files import EarlierFiles
from drift.reference_files import ReferenceFiles
from drift.settings import RunSettings
from drift.sources import fetch, fetch_window_counts
from drift.times import parse_time


@dataclass(frozen=True)
class Obtaining:
    """Fetches what one run's settings name, into folders of its own below `workspace`.

    Every method raises ConfigError or BaselineError where something is missing or cannot be read.
    """

    settings: RunSettings
    workspace: Path
    clients: Clients

    def answering(self) -> Answering | None:
        """Return which model answered the window; None where no history is kept."""
        settings = self.settings
        return read_answering(settings.champions, settings.window.bounds, self.workspace, self.clients.s3)

    def baseline(self, answering: Answering | None) -> Baseline:
        """Return the baseline of the model that answered the window, else the one that the arguments name."""
        reference = self.settings.reference
        if answering is None and reference.train is not None:
            return self._learned(reference.train)
        source = str(reference.baseline) if answering is None else (answering.champion or answering.first).baseline
        baseline = load(self._fetched("baseline", source))
        if reference.target_label not in {None, baseline.target_label}:
            raise ConfigError(
                f"{Argument.TARGET_LABEL} must be the baseline's target {baseline.target_label!r}, "
                f"got {reference.target_label!r}; correct it, or learn a baseline for that target"
            )
        return baseline

    def model(self, answering: Answering | None) -> Callable[[], Path] | None:
        """Return what fetches the model that answered the window; None where no attributions are wanted."""
        named = self.settings.extras.model
        if named is None:
            return None
        champion = None if answering is None else answering.champion
        return partial(self._fetched, "model", champion.artifact if champion else named)

    def reader(self) -> Count:
        """Return what reads the window's capture files."""
        settings = self.settings
        return reader(
            settings.window.source,
            settings.distribution,
            region=settings.platform.region,
            connect=self.clients.s3,
            workspace=self.workspace,
        )

    def policy(self) -> Policy:
        """Return the environment's rules with those of the policy file."""
        settings = self.settings
        if settings.policy_file is None:
            return settings.policy
        return read_policy(self._fetched("policy", settings.policy_file), settings.policy)

    def earlier(self) -> EarlierFiles | None:
        """Return where the counts of the windows before this one are; None where no second reference is wanted."""
        reports, start = self.settings.extras.earlier, self.settings.window.bounds.start
        if reports is None:
            return None
        folder = self.workspace / "earlier"
        if start is None:
            return EarlierFiles(folder, reports.n_windows, "the window has no times, so that none is earlier")
        try:
            fetch_window_counts(reports.uri, parse_time(start), reports.n_windows, folder, self.clients.s3)
        except ConfigError as error:
            # The verdict against training stands without the second reference, and the report says so.
            return EarlierFiles(folder, reports.n_windows, str(error))
        return EarlierFiles(folder, reports.n_windows)

    def _learned(self, train: str) -> Baseline:
        reference = self.settings.reference
        return ReferenceFiles(
            train=self._fetched("train", train),
            test=None if reference.test is None else self._fetched("test", reference.test),
            predictions=None if reference.predictions is None else self._fetched("predictions", reference.predictions),
            target_label=reference.target_label,
        ).learn()

    def _fetched(self, name: str, source: str) -> Path:
        return fetch(source, self.workspace / name, self.clients.s3)
