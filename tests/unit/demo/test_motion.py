"""What the topic tells is one line on the screen."""

from local.demo.inbox import Message
from local.demo.motion import decision


def test_a_decision_not_to_start_is_told_with_its_reason() -> None:
    text = "What happened: x.\n\nDecided: no retraining of e was started (labels needed): 3 rows, 5 are wanted.\n"
    assert decision(Message("Retraining not started, labels needed: e", text)) == ": 3 rows, 5 are wanted."


def test_other_messages_say_all_in_their_subject() -> None:
    assert decision(Message("Retraining started: e", "Decided: a retraining of e was started.\n")) == ""
    assert decision(Message("Plumbline dev: version 1 serves", "Version 1 serves.\n")) == ""


def test_alarms_are_told_apart_from_what_the_loop_says() -> None:
    assert Message('ALARM: "a" in US East', '{"AlarmName": "a"}').is_alarm
    assert not Message("Retraining started: e", "What happened: x").is_alarm
