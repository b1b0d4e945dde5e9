"""The CDK app: the three stacks of one environment."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aws_cdk import App, Environment, PermissionsBoundary, Tags

from plumbline.stacks.acknowledgements import acknowledge
from plumbline.stacks.config.environment import EnvironmentConfig
from plumbline.stacks.config.errors import EnvironmentFileError
from plumbline.stacks.config.retraining import silent_triggers
from plumbline.stacks.config.xgboost_image import xgboost_image
from plumbline.stacks.context import Context
from plumbline.stacks.foundation import FoundationStack
from plumbline.stacks.monitoring import MonitoringStack
from plumbline.stacks.naming import Naming
from plumbline.stacks.serving import ServingStack

COMMIT = re.compile(r"[\w.-]{1,64}", re.ASCII)
UNKNOWN_COMMIT = "unknown"
INFO, WARNING = "aws:cdk:info", "aws:cdk:warning"
"""What the CDK CLI prints of a stack. `Annotations` would write a stack trace too, with temporary folders in it."""


@dataclass(frozen=True)
class EnvironmentStacks:
    """Stacks of one environment, in the order of deployment."""

    foundation: FoundationStack
    serving: ServingStack
    monitoring: MonitoringStack


def new_app(**options: Any) -> App:
    """Return an app that synthesizes from the repository's files alone.

    CDK's own template validation costs seconds at each synthesis; cfn-lint does that work in the tests.
    """
    return App(builtin_cloud_formation_validation=False, analytics_reporting=False, **options)


def build(app: App, config: EnvironmentConfig, root: Path) -> EnvironmentStacks:
    """Add the environment's stacks to `app`; `root` is the repository.

    Raises
    ------
    ConfigError
        If the region has no image, an input does not exist, or `commit` is malformed.
    """
    context = Context(config, Naming(config.name), xgboost_image(config.region), root, _commit(app))
    naming = context.naming
    common: dict[str, Any] = {
        "context": context,
        "env": Environment(account=config.account, region=config.region),
        "termination_protection": config.termination_protection,
        "permissions_boundary": config.permissions_boundary
        and PermissionsBoundary.from_arn(config.permissions_boundary),
    }
    foundation = FoundationStack(
        app, naming.stack("foundation"), description="Plumbline: keys, buckets, training and what serves", **common
    )
    serving = ServingStack(
        app, naming.stack("serving"), description="Plumbline: the endpoint", foundation=foundation, **common
    )
    monitoring = MonitoringStack(
        app,
        naming.stack("monitoring"),
        description="Plumbline: drift monitoring and retraining",
        foundation=foundation,
        serving=serving,
        **common,
    )
    monitoring.node.add_metadata(INFO, config.monitor.engine.sentence)
    if untold := silent_triggers(config.retraining, has_labels=config.labels is not None):
        monitoring.node.add_metadata(WARNING, untold)
    for key, value in config.tags.items():
        Tags.of(app).add(key, value)
    acknowledge(context, foundation, serving, monitoring)
    return EnvironmentStacks(foundation, serving, monitoring)


def _commit(app: App) -> str:
    commit = app.node.try_get_context("commit")
    if commit is None:
        return UNKNOWN_COMMIT
    if not isinstance(commit, str) or not COMMIT.fullmatch(commit):
        raise EnvironmentFileError(
            f"commit must be 1 to 64 letters, digits, dots, dashes and underscores, got {commit!r}; pass it as "
            "-c commit=$(git rev-parse HEAD)"
        )
    return commit
