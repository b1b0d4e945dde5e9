"""The one place where an unexpected exception becomes a result: an internal fault, counted, and never a verdict."""

import traceback
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TypeVar

from plumbline.contract.description import listed
from plumbline.contract.reasons import Reason, ReasonCode, has_code
from plumbline.contract.records import DriftReport, Verdict
from plumbline.contract.verdicts import InternalFault

_T = TypeVar("_T")
MAX_NAMED = 5
"""Parts with a fault that the window's reason names."""


@dataclass(eq=False)
class FaultLog:
    """The internal faults of one run, in the order in which they came; `tracebacks` has an entry for each."""

    found: list[InternalFault] = field(default_factory=list)
    tracebacks: list[str] = field(default_factory=list)

    def guarded(self, name: str, compute: Callable[[], _T], failed: Callable[[Reason], _T]) -> _T:
        """Return what `compute` returns, or, where it raises, what `failed` makes of the reason.

        One bad column must not take the other columns' verdicts with it, nor one part of the report the others. Errors
        that the operator can fix are for `compute` to handle: what reaches this place is a fault of ours, or memory
        that does not suffice.

        Parameters
        ----------
        name
            What is computed, in the words of the report: a feature's name, ``the projected accuracy``.
        """
        try:
            return compute()
        except Exception as error:
            text = f"{type(error).__name__}: {error}".removesuffix(": ")
            self.found.append(InternalFault(name=name, text=text))
            self.tracebacks.append("".join(traceback.format_exception(error)))
            return failed(internal_fault(text))

    def add(self, others: "FaultLog") -> None:
        """Add the faults of a part of the run."""
        self.found += others.found
        self.tracebacks += others.tracebacks


def internal_fault(what: str) -> Reason:
    """Return the reason of a part, or of a window, that is not judged because of a fault."""
    return ReasonCode.INTERNAL_FAULT.reason(what=what)


def with_faults(report: DriftReport, faults: FaultLog) -> DriftReport:
    """Return the report with its faults; one that has any is never `no_drift`, whatever part they are in.

    Drift that was found all the same stays drift.
    """
    if not faults.found:
        return report
    report = replace(report, internal_faults=tuple(faults.found))
    if report.verdict is not Verdict.NO_DRIFT and not has_code(report.reason, ReasonCode.INTERNAL_FAULT):
        return report
    parts = listed(list(dict.fromkeys(fault.name for fault in faults.found)), MAX_NAMED)
    return replace(report, verdict=Verdict.NOT_JUDGED, reason=internal_fault(f"in {parts}"))
