import re

import pytest
from retraining.decision import Obstacle, Refusal
from retraining.reservation import new_run
from retraining.triggers import alarm_trigger
from retraining.words import Words

from tests.unit.retraining.builders import change
from tests.unit.retraining.fakes import NOW, RULE, FakeAws

WORDS = Words("dev", "plumbline-dev")
TRIGGER = alarm_trigger(change(), NOW)
RUN = new_run(TRIGGER, FakeAws().facts(NOW), RULE)


@pytest.mark.parametrize("obstacle", Obstacle)
def test_every_obstacle_has_a_remedy_with_the_environment_in_it(obstacle: Obstacle) -> None:
    subject, text = WORDS.skipped(TRIGGER, Refusal(obstacle, "because"))
    assert str(obstacle) in subject
    happened, decided, _, remedy = text.rstrip().split("\n\n")
    assert "went to ALARM" in happened
    assert decided.endswith(f"({obstacle}): because.")
    assert remedy
    assert "{" not in text
    assert all("--environment dev" in command for command in re.findall(r"plumbline \w+ --.*", text))


def test_start_names_what_to_look_at_and_how_to_stop() -> None:
    _, text = WORDS.started(RUN, "arn:execution/1", ())
    assert "Execution: arn:execution/1\n" in text
    assert "stop-pipeline-execution --pipeline-execution-arn arn:execution/1" in text
    assert "plumbline retrain --environment dev --off" in text
    assert "Overridden" not in text


def test_failure_says_that_the_live_model_serves_on_and_what_to_do() -> None:
    _, text = WORDS.failed(RUN, "Failed", "the step Train failed")
    assert "ended as Failed: the step Train failed." in text
    assert "The live model goes on serving." in text
    assert "--force" in text


def test_refusal_of_sagemaker_is_quoted() -> None:
    assert "SageMaker refuses to start it: no quota." in WORDS.not_started(RUN, "no quota")[1]
