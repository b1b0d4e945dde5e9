"""Types of single values of an environment file, with rules that error messages name in words."""

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictInt

MAX_TEXT = 512
MAX_VARIABLE = 256
"""SageMaker API reference: length of a value in a monitoring or processing job's environment."""

MAX_HYPERPARAMETER = 2500
"""SageMaker API reference, CreateTrainingJob: length of a hyperparameter's value."""


def text(pattern: str, rule: str) -> AfterValidator:
    """Hold a text to `pattern`; `rule` is the pattern in words, for error messages."""
    allowed = re.compile(pattern)

    def check(value: str) -> str:
        if len(value) > MAX_TEXT or not allowed.fullmatch(value):
            raise ValueError(f"must {rule}")
        return value

    return AfterValidator(check)


RESOURCE_ID = r"(?:[0-9a-f]{8}|[0-9a-f]{17})"
VARIANT_NAME = r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}"
SPARK_MASTER = r"(spark|k8s)://\S{1,248}|yarn"
"""At most 256 characters: the job gets it in an environment variable."""
S3_URI = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/[^\s/][^\s]*")


def _location(value: str) -> str:
    if not value.strip() or (value.startswith("s3:") and not S3_URI.fullmatch(value)):
        raise ValueError("must be a local path or s3://bucket/key")
    return value


def archive_name(value: str) -> str:
    """Accept the name of a .tar.gz archive."""
    if not value.endswith(".tar.gz"):
        raise ValueError("must end in .tar.gz")
    return value


def table_name(value: str) -> str:
    """Accept a local .csv file, or any S3 location."""
    if not value.startswith("s3:") and not value.endswith(".csv"):
        raise ValueError("must be a local .csv file or an s3:// prefix")
    return value


TagKey = Annotated[str, text(r"(?!(?i:aws:)).{1,128}", "be 1 to 128 characters that do not begin with aws:")]
TagValue = Annotated[str, text(r".{0,256}", "be at most 256 characters")]
Location = Annotated[str, AfterValidator(_location)]
FeatureName = Annotated[str, text(r"(?s:.{1,256})", "be 1 to 256 characters")]
MissingValue = Annotated[str, text(r"(?s:.{0,32})", "be at most 32 characters")]
Percent = Annotated[StrictInt, Field(ge=1, le=100)]
Fraction = Annotated[float, Field(gt=0, lt=1, strict=True)]
Share = Annotated[float, Field(gt=0, le=1, strict=True)]
Days = Annotated[StrictInt, Field(ge=1, le=3650)]


class ConfigSection(BaseModel):
    """Frozen, and no key beyond its own."""

    model_config = ConfigDict(frozen=True, extra="forbid")
