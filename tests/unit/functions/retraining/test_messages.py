import re

import pytest

from plumbline.contract.retraining import MessageKind, Obstacle
from plumbline.functions.retraining.decision import FoundObstacle
from plumbline.functions.retraining.messages import RetrainingMessages
from plumbline.functions.retraining.runs import new_run
from plumbline.functions.retraining.triggers import alarm_trigger
from tests.unit.functions.retraining.builders import change
from tests.unit.functions.retraining.fakes import NOW, SETTINGS, FakeAws

MESSAGES = RetrainingMessages("dev", "plumbline-dev")
TRIGGER = alarm_trigger(change(), NOW)
RUN = new_run(TRIGGER, FakeAws().facts(NOW), SETTINGS)


@pytest.mark.parametrize("obstacle", Obstacle)
def test_every_obstacle_has_a_remedy_with_the_environment_in_it(obstacle: Obstacle) -> None:
    message = MESSAGES.skipped(TRIGGER, FoundObstacle(obstacle, "because"))
    assert (message.kind, message.obstacle) == (MessageKind.RETRAINING_SKIPPED, obstacle)
    title = message.subject.removeprefix("Retraining not started, ").removesuffix(": plumbline-dev")
    happened, decided, _, remedy = message.text.rstrip().split("\n\n")
    assert "went to ALARM" in happened
    assert decided.endswith(f"({title}): because.")
    assert remedy
    assert "{" not in message.text
    assert all("--environment dev" in command for command in re.findall(r"plumbline \w+ --.*", message.text))


def test_start_message_names_the_execution_and_how_to_stop_it() -> None:
    text = MESSAGES.started(RUN, "arn:execution/1", ()).text
    assert "Execution: arn:execution/1\n" in text
    assert "stop-pipeline-execution --pipeline-execution-arn arn:execution/1" in text
    assert "plumbline retrain --environment dev --off" in text
    assert "Overridden" not in text


def test_failure_message_has_the_reason_and_what_to_do() -> None:
    text = MESSAGES.failed(RUN, "Failed", "the step Train failed").text
    assert "ended as Failed: the step Train failed." in text
    assert "The champion goes on serving." in text
    assert "--force" in text


def test_refusal_of_sagemaker_is_quoted() -> None:
    assert "SageMaker refuses to start it: no quota." in MESSAGES.not_started(RUN, "no quota").text
