"""`StrEnum` for every Python that the contract runs on: SageMaker's XGBoost image has 3.10, where the library has none.

All of contract/ keeps to Python 3.10, because the training job writes a baseline with it.
"""

from enum import Enum


class StrEnum(str, Enum):  # noqa: UP042 - the library's own is what 3.10 lacks
    """An enumeration whose members are their values; every member has an explicit one."""

    __str__ = str.__str__
