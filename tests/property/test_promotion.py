"""Any order of approvals, deployments, requests and deaths of the function keeps what promotion promises."""

import contextlib

from hypothesis import given, settings
from hypothesis import strategies as st

from plumbline.contract.retraining import RetrainingMetric
from tests.unit.functions.promotion.fakes import FILE_MODEL, DiedError, FakeAccount, model_of

OCCASIONS = (
    "look", "look", "approve", "pending", "reject", "withdraw", "settle", "settle", "fail", "promote", "rollback",
    "switch", "cloudformation",
)  # fmt: skip
occasion = st.tuples(st.sampled_from(OCCASIONS), st.integers(1, 4), st.none() | st.integers(0, 40))


def apply(account: FakeAccount, what: str, number: int, count: int) -> object:
    """Let something happen in the account; return the event by which the function hears of it."""
    event: object = {"reevaluate": True}
    if what in ("approve", "pending", "reject"):
        status = {"approve": "Approved", "pending": "PendingManualApproval", "reject": "Rejected"}[what]
        account.register(len(account.group) + 1, status)
    elif what == "withdraw" and number in account.group:
        account.group[number]["ModelApprovalStatus"] = "Rejected"
    elif what == "settle":
        account.settle()
    elif what == "fail":
        account.fail()
    elif what == "switch":
        account.off = None if account.off else "off"
    elif what == "promote":
        event = {"promote": number, "reason": "by hand"}
    elif what == "rollback":
        event = {"rollback": "by hand"}
    elif what == "cloudformation" and account.status == "InService":
        account.deploy_by_cloudformation(*account.parameters)
    return event


def failing(account: FakeAccount) -> set[int]:
    """Return the version that is being promoted for the first time; its failure must be its last."""
    attempt = account.state.attempt
    return {attempt.target.version} if account.pending and attempt and not attempt.target.rollback else set()


def check_updates(account: FakeAccount, known: int, failed: set[int]) -> None:
    """No update begins towards a version that is rejected at that time, or that failed before."""
    for update in account.updates[known:]:
        name = update["EndpointConfigName"]
        version = int(name.split("-")[3])
        assert version not in failed
        if version:
            assert account.group[version]["ModelApprovalStatus"] == "Approved"


def quiet(account: FakeAccount) -> None:
    """Let everything come to its end: every update succeeds and nobody dies."""
    account.calls_left = None
    for _ in range(6):
        account.send({"reevaluate": True})
        account.settle()


@settings(max_examples=300, derandomize=True)
@given(st.lists(occasion, max_size=14))
def test_what_serves_is_written_down_whatever_happens(
    story: list[tuple[str, int, int | None]],
) -> None:
    account = FakeAccount()
    failed: set[int] = set()
    for count, (what, number, dies_after) in enumerate(story):
        failed |= failing(account) if what == "fail" else set()
        attempt = account.state.attempt
        if what == "cloudformation" and attempt:
            # Whether the update failed before somebody else deployed cannot be seen: it may be tried once more.
            failed.discard(attempt.target.version)
        event = apply(account, what, number, count)
        known, promoted = len(account.updates), account.counted.count(RetrainingMetric.PROMOTED)
        account.calls_left = dies_after
        with contextlib.suppress(DiedError):
            account.send(event, f"request-{count}")
        account.calls_left = None
        check_updates(account, known, failed)
        assert len(account.updates) - known <= 1
        if account.counted.count(RetrainingMetric.PROMOTED) > promoted:
            assert account.champions is not None
            live = account.champions.live
            assert account.parameters == (live.artifact, live.baseline)
    quiet(account)
    assert account.champions is not None
    live = account.champions.live
    assert account.serves == (live.artifact, live.baseline) == account.parameters
    assert account.champions.changing_from is None
    assert (account.state.attempt, account.state.requested) == (None, None)
    assert account.serves in {FILE_MODEL, *(model_of(number) for number in account.group)}
    times = [each.live_from for each in account.champions.champions[1:]]
    assert times == sorted(times, key=str)
    owned = [name for name in account.configs if name.startswith("plumbline-dev-champion")]
    assert owned in ([], [account.config])
