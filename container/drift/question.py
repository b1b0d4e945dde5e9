"""What is asked of a window beside its rows."""

from dataclasses import dataclass

from contract.records import ModelReport
from drift.policy import Policy
from drift.recent import EarlierWindows

_NO_EARLIER_WINDOWS = EarlierWindows()


@dataclass(frozen=True, kw_only=True)
class Question:
    """What is asked of a window beside its rows.

    `endpoint`, `schedule` and `model` are copied into the report. `isolation_forest` and `multivariate` say whether to
    compute the reference task's proxy and the joint distribution's drift; `facet` names the column by whose values bias
    is measured. `earlier` has the windows before this one, as a second reference. `seed` is that of every random draw,
    0 or more. `refused` says why the window is not to be judged at all; empty: it is.
    """

    policy: Policy
    seed: int = 0
    endpoint: str | None = None
    schedule: str | None = None
    model: ModelReport | None = None
    isolation_forest: bool = False
    multivariate: bool = False
    facet: str | None = None
    earlier: EarlierWindows = _NO_EARLIER_WINDOWS
    refused: str = ""
