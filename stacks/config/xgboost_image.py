"""SageMaker's XGBoost image of a region, from a table in the repository: synthesis makes no request.

The table is the SageMaker Python SDK's own; tests/contract/test_stacks_xgboost_image.py holds them equal.
"""

import functools
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from plumbline.stacks.config.errors import EnvironmentFileError

TABLE = Path(__file__).with_name("xgboost_registries.json")


@dataclass(frozen=True)
class XGBoostImage:
    """The image, and what an IAM statement must name to let a role pull it."""

    uri: str
    account: str
    repository: str


def xgboost_image(region: str) -> XGBoostImage:
    """Return the image of `region`.

    Raises
    ------
    EnvironmentFileError
        If AWS has none there, as far as the table knows.
    """
    table = _table()
    account = table["accounts"].get(region)
    if account is None:
        known = ", ".join(table["accounts"])
        raise EnvironmentFileError(
            f"region must be one with SageMaker's XGBoost image {table['tag']}, got {region!r}; choose one of {known}, "
            f"or add its registry account to stacks/{TABLE.name}"
        )
    host = f"{account}.dkr.ecr.{region}.{table['dns_suffixes'].get(region, table['dns_suffix'])}"
    return XGBoostImage(f"{host}/{table['repository']}:{table['tag']}", account, table["repository"])


@functools.cache
def _table() -> dict[str, Any]:
    table: dict[str, Any] = json.loads(TABLE.read_text(encoding="utf-8"))
    return table
