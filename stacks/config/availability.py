"""What AWS has where: instance types by use, and what CloudFormation does not make in some regions."""

import re
from collections.abc import Mapping
from difflib import get_close_matches
from enum import StrEnum
from functools import cache
from typing import Annotated

from pydantic import AfterValidator

from plumbline.stacks.config.values import text

_ARM = re.compile(r"ml\.[a-z]+\d+g[a-z]*\..+")
"""AWS Graviton: a g follows the generation, as in c7g and r8gd; g5 and p4d are none."""
_SHOWN = 3


class InstanceUse(StrEnum):
    """What an instance is for, and the enumeration of its types in SageMaker's API."""

    HOSTING = "ProductionVariantInstanceType"
    PROCESSING = "ProcessingInstanceType"
    TRAINING = "TrainingInstanceType"


@cache
def instance_types(use: InstanceUse) -> frozenset[str]:
    """Return the types of SageMaker's API for a use that run images for x86, as botocore's model of it has them."""
    # Deferred: importing the app loads no client.
    from botocore.loaders import Loader

    shapes = Loader().load_service_model("sagemaker", "service-2")["shapes"]
    return frozenset(name for name in shapes[use]["enum"] if not _ARM.fullmatch(name))


def _of_use(use: InstanceUse) -> AfterValidator:
    def check(value: str) -> str:
        known = instance_types(use)
        if value in known:
            return value
        nearest = " or ".join(get_close_matches(value, sorted(known), n=_SHOWN, cutoff=0))
        what = "runs on ARM, and the images are for x86" if _ARM.fullmatch(value) else f"is none for {use.name.lower()}"
        raise ValueError(f"must be an instance type like {nearest}: this one {what}")

    return AfterValidator(check)


_INSTANCE = text(r"ml\.[a-z0-9-]+\.[a-z0-9]+", "be an instance type like ml.m5.large")
HostingInstance = Annotated[str, _INSTANCE, _of_use(InstanceUse.HOSTING)]
ProcessingInstance = Annotated[str, _INSTANCE, _of_use(InstanceUse.PROCESSING)]
TrainingInstance = Annotated[str, _INSTANCE, _of_use(InstanceUse.TRAINING)]

SCHEDULE = "AWS::SageMaker::MonitoringSchedule"
_GROUP = "AWS::SageMaker::ModelPackageGroup"
_SERVING = ("AWS::SageMaker::Model", "AWS::SageMaker::EndpointConfig", "AWS::SageMaker::Endpoint")
MISSING_TYPES: Mapping[str, tuple[str, ...]] = {
    "af-south-1": (SCHEDULE,),
    "ap-south-2": (_GROUP, SCHEDULE),
    "ap-southeast-3": (SCHEDULE,),
    "ap-southeast-4": (_GROUP, SCHEDULE),
    "ca-west-1": (SCHEDULE,),
    "cn-north-1": (_GROUP,),
    "cn-northwest-1": (_GROUP,),
    "eu-central-2": (SCHEDULE,),
    "eu-south-1": (SCHEDULE,),
    "eu-south-2": (SCHEDULE,),
    "il-central-1": (SCHEDULE,),
    "me-central-1": (*_SERVING, SCHEDULE),
    "us-gov-east-1": (*_SERVING, _GROUP, SCHEDULE),
    "us-gov-west-1": (SCHEDULE,),
}
"""Types that CloudFormation does not make in a region, of those that the stacks need: cfn-lint's regional schemas,
version 1.58.0, 2026-12-01; a test holds them to those of the installed version."""


def missing_types(region: str) -> tuple[str, ...]:
    """Return the types that the stacks cannot do without and that CloudFormation does not make in a region.

    The schedule of Model Monitor is none of them: the other engine does without.
    """
    return tuple(kind for kind in MISSING_TYPES.get(region, ()) if kind != SCHEDULE)


def has_model_monitor(region: str) -> bool:
    """Return whether CloudFormation makes schedules of Model Monitor in a region."""
    return SCHEDULE not in MISSING_TYPES.get(region, ())
