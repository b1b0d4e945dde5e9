"""Any order of approvals, deployments, requests and deaths of the function keeps what promotion promises."""

import contextlib

from hypothesis import given, settings
from hypothesis import strategies as st

from contract.retraining import RetrainingMetric
from tests.unit.promotion.world import FILE_MODEL, DiedError, World, model_of

OCCASIONS = (
    "look", "look", "approve", "pending", "reject", "withdraw", "settle", "settle", "fail", "promote", "rollback",
    "switch", "cloudformation",
)  # fmt: skip
occasion = st.tuples(st.sampled_from(OCCASIONS), st.integers(1, 4), st.none() | st.integers(0, 40))


def apply(world: World, what: str, number: int, count: int) -> object:
    """Let something happen in the account; return the event by which the function hears of it."""
    event: object = {"reevaluate": True}
    if what in ("approve", "pending", "reject"):
        status = {"approve": "Approved", "pending": "PendingManualApproval", "reject": "Rejected"}[what]
        world.register(len(world.group) + 1, status)
    elif what == "withdraw" and number in world.group:
        world.group[number]["ModelApprovalStatus"] = "Rejected"
    elif what == "settle":
        world.settle()
    elif what == "fail":
        world.fail()
    elif what == "switch":
        world.off = None if world.off else "off"
    elif what == "promote":
        event = {"promote": number, "reason": "by hand"}
    elif what == "rollback":
        event = {"rollback": "by hand"}
    elif what == "cloudformation" and world.status == "InService":
        world.deploy_by_cloudformation(*world.parameters)
    return event


def failing(world: World) -> set[int]:
    """Return the version that is being promoted for the first time; its failure must be its last."""
    attempt = world.state.attempt
    return {attempt.target.version} if world.pending and attempt and not attempt.target.rollback else set()


def check_updates(world: World, known: int, failed: set[int]) -> None:
    """No update begins towards a version that is rejected at that time, or that failed before."""
    for update in world.updates[known:]:
        name = update["EndpointConfigName"]
        version = int(name.split("-")[3])
        assert version not in failed
        if version:
            assert world.group[version]["ModelApprovalStatus"] == "Approved"


def quiet(world: World) -> None:
    """Let everything come to its end: every update succeeds and nobody dies."""
    world.calls_left = None
    for _ in range(6):
        world.send({"reevaluate": True})
        world.settle()


@settings(max_examples=300, derandomize=True)
@given(st.lists(occasion, max_size=14))
def test_what_serves_is_written_down_whatever_happens(
    story: list[tuple[str, int, int | None]],
) -> None:
    world = World()
    failed: set[int] = set()
    for count, (what, number, dies_after) in enumerate(story):
        failed |= failing(world) if what == "fail" else set()
        attempt = world.state.attempt
        if what == "cloudformation" and attempt:
            # Whether the update failed before somebody else deployed cannot be seen: it may be tried once more.
            failed.discard(attempt.target.version)
        event = apply(world, what, number, count)
        known, promoted = len(world.updates), world.counted.count(RetrainingMetric.PROMOTED)
        world.calls_left = dies_after
        with contextlib.suppress(DiedError):
            world.send(event, f"request-{count}")
        world.calls_left = None
        check_updates(world, known, failed)
        assert len(world.updates) - known <= 1
        if world.counted.count(RetrainingMetric.PROMOTED) > promoted:
            assert world.champions is not None
            live = world.champions.live
            assert world.parameters == (live.artifact, live.baseline)
    quiet(world)
    assert world.champions is not None
    live = world.champions.live
    assert world.serves == (live.artifact, live.baseline) == world.parameters
    assert world.champions.changing_from is None
    assert (world.state.attempt, world.state.requested) == (None, None)
    assert world.serves in {FILE_MODEL, *(model_of(number) for number in world.group)}
    times = [each.live_from for each in world.champions.champions[1:]]
    assert times == sorted(times, key=str)
    owned = [name for name in world.configs if name.startswith("plumbline-dev-champion")]
    assert owned in ([], [world.config])
