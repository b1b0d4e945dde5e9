"""The function as a whole, in an account that lives in memory."""

from collections.abc import Callable
from typing import Any

import pytest

from plumbline.contract.retraining import MessageKind, RetrainingMetric
from tests.unit.functions.promotion.fakes import FILE_MODEL, FakeAccount, arn, model_of

RECONCILE = {"reevaluate": True}


@pytest.fixture
def account() -> FakeAccount:
    made = FakeAccount()
    made.send(RECONCILE)
    return made


def promoted(account: FakeAccount, number: int) -> None:
    account.register(number, "Approved")
    account.send(RECONCILE)
    account.settle()
    account.send(RECONCILE)


def subjects(account: FakeAccount) -> list[str]:
    return [message.subject.removeprefix("Plumbline dev: ") for message in account.messages]


def test_first_reconciliation_writes_down_what_serves() -> None:
    account = FakeAccount()
    assert account.send(RECONCILE)["waiting_for"] == "the model that should serve serves"
    assert account.champions is not None
    (first,) = account.champions.champions
    assert (first.artifact, first.baseline, first.live_from) == (*FILE_MODEL, None)
    assert (account.messages, account.updates) == ([], [])


def test_approved_version_is_promoted_and_then_notified(account: FakeAccount) -> None:
    account.register(1, "Approved")
    account.send(RECONCILE)
    assert (account.status, len(account.updates)) == ("Updating", 1)
    assert subjects(account) == ["challenger 1 accepted"]
    assert account.parameters == FILE_MODEL

    account.settle()
    account.send(RECONCILE)
    assert account.serves == account.parameters == model_of(1)
    assert subjects(account) == ["challenger 1 accepted", "version 1 serves"]
    assert [(message.kind, message.version) for message in account.messages] == [
        (MessageKind.CHALLENGER_ACCEPTED, 1),
        (MessageKind.PROMOTED, 1),
    ]
    assert account.counted == [RetrainingMetric.CHALLENGERS_ACCEPTED, RetrainingMetric.PROMOTED]
    assert account.champions is not None
    live = account.champions.live
    assert (live.artifact, live.baseline, live.model_package) == (*model_of(1), arn(1))
    assert live.cause == "plumbline-dev-drift: it drifts"
    assert account.champions.changing_from is None


def test_windows_of_the_change_belong_to_neither_model(account: FakeAccount) -> None:
    promoted(account, 1)
    assert account.champions is not None
    live = account.champions.live
    assert live.changing_from is not None
    assert live.live_from is not None
    assert live.changing_from < live.live_from
    assert live.live_from >= f"{account.modified:%Y-%m-%dT%H:%M:%SZ}"


def test_model_carries_its_baseline_and_keeps_the_endpoints_settings(account: FakeAccount) -> None:
    promoted(account, 1)
    live = account.live(account.config)
    assert live.container == {
        "Image": "xgboost:3.0-5",
        "ModelDataUrl": model_of(1)[0],
        "Environment": {"SAGEMAKER_PROGRAM": "inference.py", "PLUMBLINE_BASELINE_S3_URI": model_of(1)[1]},
    }
    assert live.config["ProductionVariants"][0]["InitialInstanceCount"] == 2
    assert account.config.startswith("plumbline-dev-champion-1-")


def test_promotion_that_is_rolled_back_leaves_the_champion_and_is_not_tried_again(account: FakeAccount) -> None:
    account.register(1, "Approved")
    account.send(RECONCILE)
    account.fail("alarm plumbline-dev-endpoint-5xx went to ALARM")
    for _ in range(3):
        account.send(RECONCILE)
    assert len(account.updates) == 1
    assert account.serves == account.parameters == FILE_MODEL
    assert account.group[1]["ModelApprovalStatus"] == "Rejected"
    assert "endpoint-5xx went to ALARM" in account.group[1]["ApprovalDescription"]
    assert subjects(account)[-1] == "version 1 was rolled back"
    assert account.counted[-1] is RetrainingMetric.ROLLED_BACK
    assert account.champions is not None
    assert (len(account.champions.champions), account.champions.changing_from) == (1, None)
    assert not [name for name in (*account.configs, *account.models) if name.startswith("plumbline-dev-champion")]


def test_rolled_back_version_that_is_approved_again_is_tried_again(account: FakeAccount) -> None:
    account.register(1, "Approved")
    account.send(RECONCILE)
    account.fail()
    account.send(RECONCILE)
    account.group[1]["ModelApprovalStatus"] = "Approved"
    account.send(RECONCILE)
    account.settle()
    account.send(RECONCILE)
    assert account.serves == model_of(1)


@pytest.mark.parametrize("where", ["create", "update"])
def test_refused_request_is_a_failed_promotion(account: FakeAccount, where: str) -> None:
    account.refuses = where
    account.register(1, "Approved")
    account.send(RECONCILE)
    account.send(RECONCILE)
    assert account.updates == []
    assert account.group[1]["ModelApprovalStatus"] == "Rejected"
    assert subjects(account)[-1] == "version 1 was rolled back"
    assert account.champions is not None
    assert account.champions.changing_from is None


def test_rejected_challenger_is_notified_with_its_table(account: FakeAccount) -> None:
    account.files["s3://artifacts/retraining/run-1/evaluation/evaluation.txt"] = "holdout 0.80 0.70"
    account.register(1, "Rejected")
    account.send(RECONCILE)
    account.send(RECONCILE)
    assert subjects(account) == ["challenger 1 rejected"]
    assert "holdout 0.80 0.70" in account.messages[0].text
    assert "it drifts" in account.messages[0].text
    assert account.counted == [RetrainingMetric.CHALLENGERS_REJECTED]


def test_message_names_an_evaluation_that_cannot_be_read(account: FakeAccount) -> None:
    account.register(1, "Rejected")
    account.send(RECONCILE)
    assert "could not be read: NoSuchKey" in account.messages[0].text


def test_pending_version_waits_until_a_person_approves(account: FakeAccount) -> None:
    account.register(1, "PendingManualApproval")
    account.send(RECONCILE)
    assert subjects(account) == ["challenger 1 waits for approval"]
    assert 'plumbline promote 1 --environment dev --reason "..."' in account.messages[0].text
    assert account.updates == []
    account.group[1]["ModelApprovalStatus"] = "Approved"
    account.send(RECONCILE)
    assert len(account.updates) == 1


def test_promotion_by_hand_approves_and_keeps_its_result(account: FakeAccount) -> None:
    account.register(1, "PendingManualApproval")
    answer = account.send({"promote": 1, "reason": "checked"}, "hand-1")
    assert answer["accepted"]
    assert account.group[1]["ModelApprovalStatus"] == "Approved"
    assert account.group[1]["ApprovalDescription"] == "promoted by hand: checked"
    account.settle()
    last = account.send(RECONCILE)["last"]
    assert (last["status"], last["request"]) == ("promoted", "hand-1")
    assert account.serves == model_of(1)


@pytest.mark.parametrize(
    ("approval", "number", "why"),
    [
        ("Rejected", 1, "version 1 must not be rejected"),
        ("Approved", 7, "there must be a version 7 in the registry, got 1"),
    ],
)
def test_promotion_by_hand_of_what_must_not_serve_is_refused(
    account: FakeAccount, approval: str, number: int, why: str
) -> None:
    account.off = "the switch is 'off'"
    account.register(1, approval)
    answer = account.send({"promote": number, "reason": "please"})
    assert not answer["accepted"]
    assert answer["text"].startswith(why)
    assert account.updates == []


def test_switch_holds_approved_versions_back_but_no_person(account: FakeAccount) -> None:
    account.off = "the switch /plumbline/dev/retraining is 'off'"
    account.register(1, "Approved")
    for _ in range(3):
        account.send(RECONCILE)
    assert account.updates == []
    assert subjects(account) == ["challenger 1 accepted", "version 1 is held back"]
    account.send({"promote": 1, "reason": "now"}, "hand-1")
    assert len(account.updates) == 1


def test_version_that_was_held_back_is_promoted_when_the_switch_is_on(account: FakeAccount) -> None:
    account.off = "off"
    account.register(1, "Approved")
    account.send(RECONCILE)
    account.off = None
    account.send(RECONCILE)
    assert len(account.updates) == 1


def test_approval_withdrawn_before_the_update_is_respected(account: FakeAccount) -> None:
    account.touch("Updating")
    account.register(1, "Approved")
    account.send(RECONCILE)
    account.group[1]["ModelApprovalStatus"] = "Rejected"
    account.touch("InService")
    account.send(RECONCILE)
    assert account.updates == []


def test_endpoint_that_cloudformation_changes_is_waited_for_and_written_down(account: FakeAccount) -> None:
    account.touch("Updating")
    account.register(1, "Approved")
    assert account.send(RECONCILE)["waiting_for"] == "the endpoint is Updating"
    assert account.champions is not None
    assert account.champions.changing_from == f"{account.modified:%Y-%m-%dT%H:%M:%SZ}"
    account.deploy_by_cloudformation("s3://assets/other.tar.gz", "s3://assets/other")
    account.send(RECONCILE)
    assert [each.artifact for each in account.champions.champions] == [FILE_MODEL[0], "s3://assets/other.tar.gz"]
    assert len(account.updates) == 1


def test_deployment_that_brings_the_promoted_model_back_is_no_change(account: FakeAccount) -> None:
    promoted(account, 1)
    before = account.champions
    account.deploy_by_cloudformation(*account.parameters)
    account.send(RECONCILE)
    assert account.champions == before
    assert not [name for name in account.configs if name.startswith("plumbline-dev-champion")]


def test_rollback_brings_the_model_before_and_its_baseline(account: FakeAccount) -> None:
    promoted(account, 1)
    promoted(account, 2)
    answer = account.send({"rollback": "it disappoints"}, "hand-1")
    assert answer["accepted"]
    account.settle()
    last = account.send(RECONCILE)["last"]
    assert (last["status"], last["request"]) == ("rolled_back", "hand-1")
    assert account.serves == account.parameters == model_of(1)
    assert account.group[2]["ModelApprovalStatus"] == "Rejected"
    assert account.counted[-1] is RetrainingMetric.ROLLED_BACK
    assert account.champions is not None
    assert [each.artifact for each in account.champions.champions] == [
        FILE_MODEL[0],
        *(model_of(number)[0] for number in (1, 2, 1)),
    ]
    for _ in range(2):
        account.send(RECONCILE)
    assert account.status == "InService"


def test_second_rollback_goes_further_back_to_the_model_of_the_file(account: FakeAccount) -> None:
    promoted(account, 1)
    promoted(account, 2)
    for number in (1, 2):
        account.send({"rollback": "it disappoints"}, f"hand-{number}")
        account.settle()
        account.send(RECONCILE)
    assert account.serves == FILE_MODEL
    assert account.config.startswith("plumbline-dev-champion-0-")
    answer = account.send({"rollback": "and again"}, "hand-3")
    assert not answer["accepted"]
    assert answer["text"].startswith("no model served before")


def test_rollback_that_lambda_repeats_is_done_once(account: FakeAccount) -> None:
    promoted(account, 1)
    promoted(account, 2)
    account.send({"rollback": "it disappoints"}, "hand-1")
    account.settle()
    account.send({"rollback": "it disappoints"}, "hand-1")
    account.send(RECONCILE)
    assert account.serves == model_of(1)
    assert account.status == "InService"


@pytest.mark.parametrize("end", [FakeAccount.settle, FakeAccount.fail])
def test_rollback_during_a_promotion_rejects_its_target(
    account: FakeAccount, end: Callable[[FakeAccount], Any]
) -> None:
    promoted(account, 1)
    account.register(2, "Approved")
    account.send(RECONCILE)
    assert account.send({"rollback": "stop it"}, "hand-1")["accepted"]
    end(account)
    account.send(RECONCILE)
    account.settle()
    account.send(RECONCILE)
    assert account.serves == model_of(1)
    assert account.group[2]["ModelApprovalStatus"] == "Rejected"
    assert account.state.requested is None


def test_older_approval_does_not_come_back_by_itself(account: FakeAccount) -> None:
    account.off = "off"
    account.register(1, "Approved")
    account.register(2, "Approved")
    account.send(RECONCILE)
    account.off = None
    promoted(account, 3)
    account.send({"rollback": "no"}, "hand-1")
    account.settle()
    account.send(RECONCILE)
    assert account.serves == FILE_MODEL
    assert account.status == "InService"


def test_version_without_baseline_is_rejected(account: FakeAccount) -> None:
    account.register(1, "Approved")
    del account.group[1]["DriftCheckBaselines"]
    account.send(RECONCILE)
    assert account.group[1]["ModelApprovalStatus"] == "Rejected"
    assert subjects(account)[-1] == "version 1 cannot serve"


def test_endpoint_that_cannot_go_back_is_notified(account: FakeAccount) -> None:
    account.register(1, "Approved")
    account.send(RECONCILE)
    account.pending, account.failure = None, "no capacity"
    account.touch("UpdateRollbackFailed")
    account.send(RECONCILE)
    assert "UpdateRollbackFailed: no capacity" in account.messages[-1].text


def test_other_deployment_in_between_is_no_rollback(account: FakeAccount) -> None:
    account.register(1, "Approved")
    account.send(RECONCILE)
    account.pending = None
    account.deploy_by_cloudformation("s3://assets/other.tar.gz", "s3://assets/other")
    account.send(RECONCILE)
    assert "version 1 was superseded" in subjects(account)
    assert account.group[1]["ModelApprovalStatus"] == "Approved"
    account.settle()
    account.send(RECONCILE)
    assert account.serves == model_of(1)
