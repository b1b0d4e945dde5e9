from local.aws.queue_metrics import n_visible


def test_messages_in_flight_and_delayed_ones_are_not_visible() -> None:
    queue = {"name": "q", "messages": [{"visible_at": moment} for moment in (0.0, 100.0, 100.5, 130.0)]}
    assert n_visible(queue, 100.0) == 2


def test_empty_queue_shows_none() -> None:
    assert n_visible({"name": "q", "messages": []}, 100.0) == 0
