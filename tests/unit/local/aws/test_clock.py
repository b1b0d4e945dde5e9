import threading
import time

import pytest

from plumbline.local.aws.clock import Clock, TimeModule


class _Real:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_clock_runs_at_its_speed_from_its_start() -> None:
    real = _Real()
    clock = Clock(start=1000.0, speed=600.0, real=real)
    real.now += 2
    assert clock() == 2200.0


def test_advance_jumps_and_returns_the_new_time() -> None:
    clock = Clock(start=1000.0, real=_Real())
    assert clock.advance(3600) == 4600.0


@pytest.mark.parametrize("seconds", [-1.0, float("nan"), float("inf")])
def test_advance_refuses_to_turn_time_back(seconds: float) -> None:
    with pytest.raises(ValueError, match="advance must be a number of seconds from 0"):
        Clock().advance(seconds)


@pytest.mark.parametrize("speed", [0.0, -1.0, float("inf")])
def test_speed_must_be_positive_and_finite(speed: float) -> None:
    with pytest.raises(ValueError, match="clock speed must be"):
        Clock(speed=speed)


def test_advance_wakes_who_waits() -> None:
    clock = Clock()
    woken = threading.Event()

    def wait() -> None:
        clock.wait(30)
        woken.set()

    thread = threading.Thread(target=wait)
    thread.start()
    while not woken.is_set():
        clock.advance(1)
        woken.wait(0.01)
    thread.join()


def test_time_module_has_our_time_and_everything_else_of_time() -> None:
    module = TimeModule(Clock(start=5.0, real=_Real()))
    assert module.time() == 5.0
    assert module.strptime is time.strptime
