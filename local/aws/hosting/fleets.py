"""Fleets: the running containers of one endpoint configuration, and which of two fleets answers a request."""

import random
import shutil
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from plumbline.local.aws.hosting.capture import CaptureTarget
from plumbline.local.aws.hosting.serving import HostingError, Launcher, ServingContainer
from plumbline.local.aws.sagemaker.control_plane import ControlPlane

Record = Mapping[str, Any]


@dataclass(frozen=True)
class Variant:
    """One production variant that serves."""

    name: str
    weight: float
    container: ServingContainer
    capture: CaptureTarget | None
    folder: Path


@dataclass(frozen=True)
class Fleet:
    """The running variants of one configuration."""

    config: Record
    variants: tuple[Variant, ...]

    def variant(self, choice: random.Random, name: str | None) -> Variant | None:
        """Return the named variant, or one chosen by weight."""
        if name is not None:
            return next((variant for variant in self.variants if variant.name == name), None)
        weights = [variant.weight for variant in self.variants]
        if sum(weights) <= 0:
            return None
        return self.variants[0] if len(weights) == 1 else choice.choices(self.variants, weights)[0]


@dataclass(frozen=True)
class Routing:
    """The fleets that answer an endpoint's requests.

    Parameters
    ----------
    old
        The fleet in service.
    new, fraction
        The fleet that replaces it, and the fraction of the requests that it answers now.
    """

    old: Fleet
    new: Fleet | None = None
    fraction: float = 0.0

    def fleet(self, choice: random.Random) -> Fleet:
        """Return the fleet that answers the next request."""
        if self.new is None:
            return self.old
        return self.new if choice.random() < self.fraction else self.old


class Fleets:
    """Brings fleets up and down; `folder` holds a folder per container."""

    def __init__(self, plane: ControlPlane, launcher: Launcher, folder: Path) -> None:
        self._plane = plane
        self._launcher = launcher
        self._folder = folder

    def bring_up(self, endpoint: str, config: Record) -> Fleet:
        """Return the fleet of a configuration once all of its containers answer.

        Raises
        ------
        HostingError
            With the reason when one does not come up; the others are gone then.
        """
        if config.get("ShadowProductionVariants"):
            raise HostingError("the embedded AWS runs no shadow variants")
        variants: list[Variant] = []
        try:
            for entry in config["ProductionVariants"]:
                variants.append(self._variant(endpoint, config, entry))  # noqa: PERF401 - kept when a later one fails
        except Exception:
            self.retire(Fleet(config, tuple(variants)))
            raise
        return Fleet(config, tuple(variants))

    def _variant(self, endpoint: str, config: Record, entry: Record) -> Variant:
        name = entry["VariantName"]
        model = self._plane.get("Model", entry["ModelName"])
        folder = self._folder / f"{endpoint}-{name}-{uuid.uuid4().hex[:8]}"
        folder.mkdir(parents=True)
        capture = CaptureTarget.from_config(endpoint, name, model["ExecutionRoleArn"], config.get("DataCaptureConfig"))
        container = self._launcher.launch(model, entry, folder)
        return Variant(name, entry.get("InitialVariantWeight", 1.0), container, capture, folder)

    def retire(self, fleet: Fleet) -> None:
        """End a fleet's containers and remove their models; their logs stay."""
        for variant in fleet.variants:
            self._launcher.end(variant.container)
            shutil.rmtree(variant.folder / "model", ignore_errors=True)
