"""What all stacks of one environment share."""

from dataclasses import dataclass
from pathlib import Path

from aws_cdk import RemovalPolicy

from stacks.config import EnvironmentConfig, Removal
from stacks.naming import Naming
from stacks.xgboost_image import XGBoostImage

REMOVAL_POLICIES = {Removal.DESTROY: RemovalPolicy.DESTROY, Removal.RETAIN: RemovalPolicy.RETAIN}


@dataclass(frozen=True)
class Context:
    """One environment: its file, and what follows from it."""

    config: EnvironmentConfig
    naming: Naming
    image: XGBoostImage
    root: Path
    """The repository."""
    commit: str
    """What is deployed, for the lineage of models."""

    @property
    def removal(self) -> RemovalPolicy:
        """What happens to data with its stack."""
        return REMOVAL_POLICIES[self.config.removal]
