"""The function as a whole, in an account that lives in memory."""

from collections.abc import Callable
from typing import Any

import pytest

from contract.retraining import RetrainingMetric
from tests.unit.promotion.world import FILE_MODEL, World, arn, model_of

RECONCILE = {"reevaluate": True}


@pytest.fixture
def world() -> World:
    made = World()
    made.send(RECONCILE)
    return made


def promoted(world: World, number: int) -> None:
    world.register(number, "Approved")
    world.send(RECONCILE)
    world.settle()
    world.send(RECONCILE)


def subjects(world: World) -> list[str]:
    return [message.subject.removeprefix("Plumbline dev: ") for message in world.messages]


def test_first_reconciliation_writes_down_what_serves() -> None:
    world = World()
    assert world.send(RECONCILE)["waiting_for"] == "the model that should serve serves"
    assert world.champions is not None
    (first,) = world.champions.champions
    assert (first.artifact, first.baseline, first.live_from) == (*FILE_MODEL, None)
    assert (world.messages, world.updates) == ([], [])


def test_approved_version_is_promoted_and_then_told(world: World) -> None:
    world.register(1, "Approved")
    world.send(RECONCILE)
    assert (world.status, len(world.updates)) == ("Updating", 1)
    assert subjects(world) == ["challenger 1 accepted"]
    assert world.parameters == FILE_MODEL

    world.settle()
    world.send(RECONCILE)
    assert world.serves == world.parameters == model_of(1)
    assert subjects(world) == ["challenger 1 accepted", "version 1 serves"]
    assert world.counted == [RetrainingMetric.CHALLENGERS_ACCEPTED, RetrainingMetric.PROMOTED]
    assert world.champions is not None
    live = world.champions.live
    assert (live.artifact, live.baseline, live.model_package) == (*model_of(1), arn(1))
    assert live.cause == "plumbline-dev-drift: it drifts"
    assert world.champions.changing_from is None


def test_windows_of_the_change_belong_to_neither_model(world: World) -> None:
    promoted(world, 1)
    assert world.champions is not None
    live = world.champions.live
    assert live.changing_from is not None
    assert live.live_from is not None
    assert live.changing_from < live.live_from
    assert live.live_from >= f"{world.modified:%Y-%m-%dT%H:%M:%SZ}"


def test_model_carries_its_baseline_and_keeps_the_endpoints_settings(world: World) -> None:
    promoted(world, 1)
    live = world.live(world.config)
    assert live.container == {
        "Image": "xgboost:3.0-5",
        "ModelDataUrl": model_of(1)[0],
        "Environment": {"SAGEMAKER_PROGRAM": "inference.py", "PLUMBLINE_BASELINE_S3_URI": model_of(1)[1]},
    }
    assert live.config["ProductionVariants"][0]["InitialInstanceCount"] == 2
    assert world.config.startswith("plumbline-dev-champion-1-")


def test_promotion_that_is_rolled_back_leaves_the_champion_and_is_not_tried_again(world: World) -> None:
    world.register(1, "Approved")
    world.send(RECONCILE)
    world.fail("alarm plumbline-dev-endpoint-5xx went to ALARM")
    for _ in range(3):
        world.send(RECONCILE)
    assert len(world.updates) == 1
    assert world.serves == world.parameters == FILE_MODEL
    assert world.group[1]["ModelApprovalStatus"] == "Rejected"
    assert "endpoint-5xx went to ALARM" in world.group[1]["ApprovalDescription"]
    assert subjects(world)[-1] == "version 1 was rolled back"
    assert world.counted[-1] is RetrainingMetric.ROLLED_BACK
    assert world.champions is not None
    assert (len(world.champions.champions), world.champions.changing_from) == (1, None)
    assert not [name for name in (*world.configs, *world.models) if name.startswith("plumbline-dev-champion")]


def test_rolled_back_version_that_is_approved_again_is_tried_again(world: World) -> None:
    world.register(1, "Approved")
    world.send(RECONCILE)
    world.fail()
    world.send(RECONCILE)
    world.group[1]["ModelApprovalStatus"] = "Approved"
    world.send(RECONCILE)
    world.settle()
    world.send(RECONCILE)
    assert world.serves == model_of(1)


@pytest.mark.parametrize("where", ["create", "update"])
def test_refused_request_is_a_failed_promotion(world: World, where: str) -> None:
    world.refuses = where
    world.register(1, "Approved")
    world.send(RECONCILE)
    world.send(RECONCILE)
    assert world.updates == []
    assert world.group[1]["ModelApprovalStatus"] == "Rejected"
    assert subjects(world)[-1] == "version 1 was rolled back"
    assert world.champions is not None
    assert world.champions.changing_from is None


def test_rejected_challenger_is_told_with_its_table(world: World) -> None:
    world.files["s3://artifacts/retraining/run-1/evaluation/evaluation.txt"] = "holdout 0.80 0.70"
    world.register(1, "Rejected")
    world.send(RECONCILE)
    world.send(RECONCILE)
    assert subjects(world) == ["challenger 1 rejected"]
    assert "holdout 0.80 0.70" in world.messages[0].text
    assert "it drifts" in world.messages[0].text
    assert world.counted == [RetrainingMetric.CHALLENGERS_REJECTED]


def test_evaluation_that_cannot_be_read_is_said(world: World) -> None:
    world.register(1, "Rejected")
    world.send(RECONCILE)
    assert "could not be read: NoSuchKey" in world.messages[0].text


def test_pending_version_waits_until_a_person_approves(world: World) -> None:
    world.register(1, "PendingManualApproval")
    world.send(RECONCILE)
    assert subjects(world) == ["challenger 1 waits for approval"]
    assert 'plumbline promote 1 --environment dev --reason "..."' in world.messages[0].text
    assert world.updates == []
    world.group[1]["ModelApprovalStatus"] = "Approved"
    world.send(RECONCILE)
    assert len(world.updates) == 1


def test_promotion_by_hand_approves_and_says_how_it_ended(world: World) -> None:
    world.register(1, "PendingManualApproval")
    answer = world.send({"promote": 1, "reason": "checked"}, "hand-1")
    assert answer["accepted"]
    assert world.group[1]["ModelApprovalStatus"] == "Approved"
    assert world.group[1]["ApprovalDescription"] == "promoted by hand: checked"
    world.settle()
    last = world.send(RECONCILE)["last"]
    assert (last["outcome"], last["request"]) == ("promoted", "hand-1")
    assert world.serves == model_of(1)


@pytest.mark.parametrize(
    ("approval", "number", "why"),
    [
        ("Rejected", 1, "version 1 must not be rejected"),
        ("Approved", 7, "there must be a version 7 in the registry, got 1"),
    ],
)
def test_promotion_by_hand_of_what_must_not_serve_is_refused(
    world: World, approval: str, number: int, why: str
) -> None:
    world.off = "the switch is 'off'"
    world.register(1, approval)
    answer = world.send({"promote": number, "reason": "please"})
    assert not answer["accepted"]
    assert answer["text"].startswith(why)
    assert world.updates == []


def test_switch_holds_approved_versions_back_but_no_person(world: World) -> None:
    world.off = "the switch /plumbline/dev/retraining is 'off'"
    world.register(1, "Approved")
    for _ in range(3):
        world.send(RECONCILE)
    assert world.updates == []
    assert subjects(world) == ["challenger 1 accepted", "version 1 is held back"]
    world.send({"promote": 1, "reason": "now"}, "hand-1")
    assert len(world.updates) == 1


def test_version_that_was_held_back_is_promoted_when_the_switch_is_on(world: World) -> None:
    world.off = "off"
    world.register(1, "Approved")
    world.send(RECONCILE)
    world.off = None
    world.send(RECONCILE)
    assert len(world.updates) == 1


def test_approval_withdrawn_before_the_update_is_respected(world: World) -> None:
    world.touch("Updating")
    world.register(1, "Approved")
    world.send(RECONCILE)
    world.group[1]["ModelApprovalStatus"] = "Rejected"
    world.touch("InService")
    world.send(RECONCILE)
    assert world.updates == []


def test_endpoint_that_cloudformation_changes_is_waited_for_and_written_down(world: World) -> None:
    world.touch("Updating")
    world.register(1, "Approved")
    assert world.send(RECONCILE)["waiting_for"] == "the endpoint is Updating"
    assert world.champions is not None
    assert world.champions.changing_from == f"{world.modified:%Y-%m-%dT%H:%M:%SZ}"
    world.deploy_by_cloudformation("s3://assets/other.tar.gz", "s3://assets/other")
    world.send(RECONCILE)
    assert [each.artifact for each in world.champions.champions] == [FILE_MODEL[0], "s3://assets/other.tar.gz"]
    assert len(world.updates) == 1


def test_deployment_that_brings_the_promoted_model_back_is_no_change(world: World) -> None:
    promoted(world, 1)
    before = world.champions
    world.deploy_by_cloudformation(*world.parameters)
    world.send(RECONCILE)
    assert world.champions == before
    assert not [name for name in world.configs if name.startswith("plumbline-dev-champion")]


def test_rollback_brings_the_model_before_and_its_baseline(world: World) -> None:
    promoted(world, 1)
    promoted(world, 2)
    answer = world.send({"rollback": "it disappoints"}, "hand-1")
    assert answer["accepted"]
    world.settle()
    last = world.send(RECONCILE)["last"]
    assert (last["outcome"], last["request"]) == ("rolled_back", "hand-1")
    assert world.serves == world.parameters == model_of(1)
    assert world.group[2]["ModelApprovalStatus"] == "Rejected"
    assert world.counted[-1] is RetrainingMetric.ROLLED_BACK
    assert world.champions is not None
    assert [each.artifact for each in world.champions.champions] == [
        FILE_MODEL[0],
        *(model_of(number)[0] for number in (1, 2, 1)),
    ]
    for _ in range(2):
        world.send(RECONCILE)
    assert world.status == "InService"


def test_second_rollback_goes_further_back_to_the_model_of_the_file(world: World) -> None:
    promoted(world, 1)
    promoted(world, 2)
    for number in (1, 2):
        world.send({"rollback": "it disappoints"}, f"hand-{number}")
        world.settle()
        world.send(RECONCILE)
    assert world.serves == FILE_MODEL
    assert world.config.startswith("plumbline-dev-champion-0-")
    answer = world.send({"rollback": "and again"}, "hand-3")
    assert not answer["accepted"]
    assert answer["text"].startswith("no model served before")


def test_rollback_that_lambda_repeats_is_done_once(world: World) -> None:
    promoted(world, 1)
    promoted(world, 2)
    world.send({"rollback": "it disappoints"}, "hand-1")
    world.settle()
    world.send({"rollback": "it disappoints"}, "hand-1")
    world.send(RECONCILE)
    assert world.serves == model_of(1)
    assert world.status == "InService"


@pytest.mark.parametrize("end", [World.settle, World.fail])
def test_rollback_during_a_promotion_means_the_newcomer(world: World, end: Callable[[World], Any]) -> None:
    promoted(world, 1)
    world.register(2, "Approved")
    world.send(RECONCILE)
    assert world.send({"rollback": "stop it"}, "hand-1")["accepted"]
    end(world)
    world.send(RECONCILE)
    world.settle()
    world.send(RECONCILE)
    assert world.serves == model_of(1)
    assert world.group[2]["ModelApprovalStatus"] == "Rejected"
    assert world.state.requested is None


def test_older_approval_does_not_come_back_by_itself(world: World) -> None:
    world.off = "off"
    world.register(1, "Approved")
    world.register(2, "Approved")
    world.send(RECONCILE)
    world.off = None
    promoted(world, 3)
    world.send({"rollback": "no"}, "hand-1")
    world.settle()
    world.send(RECONCILE)
    assert world.serves == FILE_MODEL
    assert world.status == "InService"


def test_version_without_baseline_is_rejected(world: World) -> None:
    world.register(1, "Approved")
    del world.group[1]["DriftCheckBaselines"]
    world.send(RECONCILE)
    assert world.group[1]["ModelApprovalStatus"] == "Rejected"
    assert subjects(world)[-1] == "version 1 cannot serve"


def test_endpoint_that_cannot_go_back_is_told(world: World) -> None:
    world.register(1, "Approved")
    world.send(RECONCILE)
    world.pending, world.failure = None, "no capacity"
    world.touch("UpdateRollbackFailed")
    world.send(RECONCILE)
    assert "UpdateRollbackFailed: no capacity" in world.messages[-1].text


def test_other_deployment_in_between_is_no_rollback(world: World) -> None:
    world.register(1, "Approved")
    world.send(RECONCILE)
    world.pending = None
    world.deploy_by_cloudformation("s3://assets/other.tar.gz", "s3://assets/other")
    world.send(RECONCILE)
    assert "version 1 was superseded" in subjects(world)
    assert world.group[1]["ModelApprovalStatus"] == "Approved"
    world.settle()
    world.send(RECONCILE)
    assert world.serves == model_of(1)
