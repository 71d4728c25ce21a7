"""A superstep that takes a while is told of: at once where that is known, and never where it isn't so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import pytest

from alto_langgraph.driver import watch
from alto_langgraph.driver.tempo import AGAIN, ENOUGH, SURE, WHILE, Tempo
from alto_langgraph.driver.watch import PATIENCE, Watch

GRACE = WHILE / 2


class Played:
    """A watch whose clock and alarms the test moves."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, tempo: Tempo | None = None) -> None:
        self.now, self.worked, self.told = 0.0, 0.0, 0
        self.set: list[Callable[[], None]] = []
        self.soon: list[Callable[[], None]] = []
        self.tempo = tempo or Tempo()
        monkeypatch.setattr(watch, "monotonic", lambda: self.now)
        monkeypatch.setattr(watch, "process_time", lambda: self.worked)
        self.watch = Watch(
            self.tempo, alarm=self._alarm, soon=self.soon.append, lock=nullcontext(), call=self._tell, seconds=WHILE, grace=GRACE
        )

    def _alarm(self, call: Callable[[], None]) -> Callable[[], object]:
        self.set.append(call)
        return lambda: self.set.remove(call) if call in self.set else None

    def _tell(self) -> None:
        self.told += 1

    def superstep(self, *nodes: str, seconds: float) -> Counter[str]:
        """Opens one, and closes it after so many seconds."""
        unfinished = Counter(nodes)
        self.watch.open(unfinished)
        for call in self.soon:
            call()
        if seconds >= WHILE:
            self.now += WHILE
            self.ring()
        self.now += max(0, seconds - WHILE)
        self.watch.close()
        return unfinished

    def ring(self) -> None:
        """The alarms that are set go off."""
        ringing, self.set[:] = list(self.set), []
        for call in ringing:
            call()


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> Played:
    return Played(monkeypatch)


def test_it_tells_of_a_slow_superstep(played: Played) -> None:
    played.superstep("a", seconds=1)
    assert played.told == 1 and not played.set


def test_it_tells_nothing_of_a_quick_one(played: Played) -> None:
    played.superstep("a", seconds=0)
    assert played.told == 0 and not played.set


def slow(played: Played, *nodes: str) -> None:
    """Lets nodes be slow often enough."""
    for _ in range(SURE):
        played.superstep(*nodes, seconds=1)
    played.told = 0


def test_what_was_slow_is_told_of_at_once(played: Played) -> None:
    played.superstep("a", seconds=1)
    played.watch.open(Counter("ab"))
    assert not played.soon and len(played.set) == 1, "once may be chance"
    played.now += WHILE
    played.ring()
    played.watch.close()
    played.watch.open(Counter("ab"))
    assert len(played.soon) == 1 and not played.set
    played.soon.pop()()
    assert played.told == 3 and played.watch.passed


def test_not_after_its_superstep(played: Played) -> None:
    slow(played, "a")
    played.watch.open(Counter("a"))
    played.watch.close()
    played.soon.pop()()
    assert played.told == 0 and not played.watch.passed


def test_what_is_taken_to_be_slow_shows_it_now_and_then(played: Played) -> None:
    """What starts beside it may make every superstep of a quick node take a while."""
    slow(played, "a")
    at_once = 0
    for _ in range(AGAIN):
        played.watch.open(Counter("a"))
        if played.set:
            break
        at_once += 1
        played.soon.pop()()
        played.now += 1
        played.watch.close()
    assert 0 < at_once < AGAIN
    played.watch.close()
    assert not played.tempo.slow("a"), "it was quick where nothing started beside it"


def test_what_has_been_quick_often_enough_sets_no_alarm(played: Played) -> None:
    for _ in range(ENOUGH):
        played.superstep("a", seconds=0)
    played.watch.open(Counter("a"))
    assert not played.set
    played.watch.close()
    played.watch.open(Counter("ab"))
    assert len(played.set) == 1, "b isn't known"


def test_what_becomes_slow_is_watched_again(played: Played) -> None:
    for _ in range(ENOUGH):
        played.superstep("a", seconds=0)
    played.superstep("a", seconds=1)
    assert played.told == 0, "nobody watched"
    played.superstep("a", seconds=1)
    assert played.told == 1 and not played.tempo.slow("a"), "may be chance"
    for _ in range(SURE):
        played.superstep("a", seconds=1)
    assert played.told == 1 + SURE and played.tempo.slow("a")
    played.superstep("a", seconds=0)
    assert played.told == 2 + SURE, "taken to be slow"
    played.superstep("a", seconds=0)
    assert played.told == 2 + SURE and not played.set


def test_one_surprise_is_forgotten_after_one_quick_superstep(played: Played) -> None:
    for _ in range(ENOUGH):
        played.superstep("a", seconds=0)
    played.superstep("a", seconds=1)
    assert not played.tempo.quick("a")
    played.superstep("a", seconds=0)
    assert played.tempo.quick("a")


def test_an_alarm_that_comes_late_is_set_again(played: Played) -> None:
    played.watch.open(Counter("a"))
    for _ in range(PATIENCE):
        played.now += WHILE + GRACE * 1.1
        played.ring()
        assert played.told == 0 and len(played.set) == 1, "the event loop was busy"
    played.now += WHILE + GRACE * 0.9
    played.ring()
    assert played.told == 1


def test_an_alarm_after_work_of_the_process_itself_is_set_again(played: Played) -> None:
    played.watch.open(Counter("a"))
    for work in (0.6, 0.4):
        assert played.told == 0
        played.now += WHILE
        played.worked += WHILE * work
        played.ring()
    assert played.told == 1 and played.tempo.slow("a") is False


def test_what_is_taken_to_be_slow_waits_until_the_process_is_less_busy(played: Played) -> None:
    slow(played, "a")
    played.watch.open(Counter("a"))
    played.now += WHILE * 1.1
    played.soon.pop()()
    assert played.told == 0 and len(played.set) == 1, "the event loop came back late"
    played.now += WHILE
    played.ring()
    assert played.told == 1


def test_an_alarm_that_always_comes_late_is_believed_in_the_end(played: Played) -> None:
    played.watch.open(Counter("a"))
    for _ in range(PATIENCE + 1):
        assert played.told == 0
        played.now += 1
        played.ring()
    assert played.told == 1 and not played.set


def test_a_late_alarm_of_a_superstep_that_is_over_is_not_set_again(played: Played) -> None:
    played.watch.open(Counter("a"))
    ringing = played.set[0]
    played.now += 1
    played.watch.close()
    ringing()
    assert played.told == 0 and not played.set


def test_only_what_was_unfinished_is_slow(played: Played) -> None:
    for _ in range(SURE):
        unfinished: Counter[str] = Counter("ab")
        played.watch.open(unfinished)
        del unfinished["a"]
        played.now += WHILE
        played.ring()
        played.watch.close()
    assert played.tempo.slow("b") and not played.tempo.slow("a")


def test_a_run_that_ends_calls_the_alarm_off(played: Played) -> None:
    played.watch.open(Counter("a"))
    ringing: Any = played.set[0]
    played.watch.stop()
    assert not played.set
    ringing()
    assert played.told == 0
