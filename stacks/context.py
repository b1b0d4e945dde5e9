"""Inputs that all stacks of one environment share."""

from dataclasses import dataclass
from pathlib import Path

from aws_cdk import RemovalPolicy

from plumbline.stacks.config.environment import EnvironmentConfig, Removal
from plumbline.stacks.config.xgboost_image import XGBoostImage
from plumbline.stacks.naming import Naming

REMOVAL_POLICIES = {Removal.DESTROY: RemovalPolicy.DESTROY, Removal.RETAIN: RemovalPolicy.RETAIN}


@dataclass(frozen=True)
class Context:
    """Configuration of one environment, and the names, image and files that follow from it."""

    config: EnvironmentConfig
    naming: Naming
    image: XGBoostImage
    root: Path
    """The repository."""
    commit: str
    """Commit that is deployed, for the lineage of models."""

    @property
    def removal(self) -> RemovalPolicy:
        """Removal policy of resources that hold data."""
        return REMOVAL_POLICIES[self.config.removal]
