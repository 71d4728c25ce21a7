"""Calls that come a moment later, unless they are called off."""

import gc
import threading
import weakref

from alto_langgraph.driver.alarm import Alarm


class Called:
    def __init__(self) -> None:
        self.event = threading.Event()

    def call(self) -> None:
        self.event.set()


def test_it_calls() -> None:
    alarm, one, other = Alarm(0.001), Called(), Called()
    alarm.set(one.call)
    alarm.set(other.call)
    assert one.event.wait(5) and other.event.wait(5)


def test_what_is_called_off_is_not_called() -> None:
    alarm, off, last = Alarm(0.005), Called(), Called()
    alarm.set(off.call)
    alarm.off(off.call)
    alarm.set(last.call)
    assert last.event.wait(5)
    assert not off.event.is_set()


def test_it_keeps_nothing_of_what_it_has_called() -> None:
    alarm, later = Alarm(0.001), Called()
    called = Called()
    event, gone = called.event, weakref.ref(called)
    alarm.set(called.call)
    del called
    assert event.wait(5)
    alarm.set(later.call)  # one more look, after the one that called
    assert later.event.wait(5)
    gc.collect()
    assert gone() is None
