"""The stacks' table of XGBoost images says what the SageMaker Python SDK says, for every region."""

import json
import warnings
from importlib import resources

import pytest

from plumbline.stacks.config.xgboost_image import TABLE, xgboost_image

VERSION = "3.0-5"

with warnings.catch_warnings():
    # The SDK's imports warn about other packages' deprecations.
    warnings.simplefilter("ignore")
    from sagemaker.core import image_uris

SDK = json.loads(resources.files("sagemaker.core").joinpath("image_uri_config", "xgboost.json").read_text())
REGIONS = sorted(SDK["inference"]["versions"][VERSION]["registries"])


def test_table_knows_the_regions_of_the_sdk() -> None:
    assert sorted(json.loads(TABLE.read_text())["accounts"]) == REGIONS


@pytest.mark.parametrize("region", REGIONS)
def test_image_is_the_sdks(region: str) -> None:
    uris = {
        image_uris.retrieve("xgboost", region, version=VERSION, image_scope=scope, instance_type="ml.m5.large")
        for scope in ("inference", "training")
    }
    assert uris == {xgboost_image(region).uri}
