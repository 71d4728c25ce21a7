"""One run of a node whose calls are listened to: what it has asked, what it was answered, and what of an answer is there so far."""

from __future__ import annotations

import asyncio
import copy
import operator
from collections.abc import Callable
from contextvars import ContextVar
from threading import Lock
from typing import Any, Final, Literal

from alto_langgraph.driver.asked import Asked
from alto_langgraph.driver.equality import same

_NOTHING: Final = object()


class UnansweredError(BaseException):
    """Code that is run again asks what nobody has answered. No `except Exception` of an app's catches it."""


class Request:
    """What a node asks of a model or a retriever.

    Args:
        producer: The node's run.
        who: The model or retriever.
        what: Everything that it is given.
        call: What is noted of it, if it asks a model.
    """

    def __init__(self, producer: Producer, who: object, what: Any, call: Asked | None = None) -> None:
        self.producer, self.who, self.what, self.call = producer, who, what, call
        self._answer: Any = _NOTHING
        self._so_far: Any = _NOTHING
        self.tentative = False

    def hear(self, so_far: Any, *, tentative: bool) -> None:
        """A part of the answer is finished.

        Args:
            so_far: What stands for the answer.
            tentative: There may be an unfinished part at its end.
        """
        self._so_far, self.tentative = so_far, tentative
        self.producer.heard()

    def finish(self, answer: Any) -> None:
        """The answer is complete."""
        self._answer, self.tentative = answer, False
        self.producer.finished()

    def fail(self) -> None:
        """There will be no answer."""
        self._so_far = _NOTHING

    @property
    def growing(self) -> bool:
        """Whether there is a part of the answer, and not all of it."""
        return self._answer is _NOTHING and self._so_far is not _NOTHING

    @property
    def answer(self) -> Any:
        """The answer, or what stands for it.

        Raises:
            UnansweredError: there is nothing yet.
        """
        answer = self._so_far if self._answer is _NOTHING else self._answer
        if answer is _NOTHING:
            raise UnansweredError
        return answer


Models = Literal["agreeing", "any"]
"""Which models may be asked to stream what they would have answered in one go."""


class Producer:
    """One run of a node.

    Args:
        replay: Runs the node's code again, on the answers so far.
        models: Which of the models that it asks may be asked to stream.
    """

    def __init__(self, replay: Callable[[Producer], None], models: Models = "agreeing") -> None:
        self._replay, self.models = replay, models
        self._requests: list[Request] = []

    def begin(self, who: object, what: Any, call: Asked | None = None) -> Request:
        """The node asks something."""
        request = Request(self, who, what, call)
        self._requests.append(request)
        return request

    def heard(self) -> None:
        """A part of an answer is finished."""
        self._replay(self)

    def finished(self) -> None:
        """An answer is complete; others may be growing beside it, and of use only now."""
        if any(request.growing for request in self._requests):
            self._replay(self)

    def answers(self) -> Answers:
        """What the node's code is answered if it is run again now."""
        return Answers(self._requests)


class Answers:
    """What code that is run again is answered: each call gets the answer of the node's own call that asked the same."""

    def __init__(self, requests: list[Request]) -> None:
        self._left = [*requests]
        self._lock = Lock()  # a batch asks on several threads
        self.tentative = False
        self._give_up: Callable[[], object] | None = None
        self._parked: list[asyncio.Future[None]] = []

    def begin(self, give_up: Callable[[], object]) -> None:
        """From now on a coroutine that asks what nobody has answered waits, and `give_up` is called once.

        It cancels the code as a whole, so that what runs beside the call ends with it: what `asyncio.gather` has begun, say, would go on
        if one of its coroutines raised.
        """
        self._give_up = give_up

    def end(self) -> bool:
        """The code is over; answers whether it was given up."""
        for future in self._parked:
            future.cancel()
        return bool(self._parked)

    async def ato(self, who: object, what: Any, alike: Callable[[object, object], bool] = operator.is_) -> Any:
        """`to`, for coroutines."""
        try:
            return self.to(who, what, alike)
        except UnansweredError:
            if self._give_up is None:
                raise
        self._parked.append(asyncio.get_running_loop().create_future())
        if len(self._parked) == 1:
            self._give_up()
        await self._parked[-1]
        raise UnansweredError

    def to(self, who: object, what: Any, alike: Callable[[object, object], bool] = operator.is_) -> Any:
        """The answer to a call: a copy, as the node's own code holds the answer too.

        Args:
            who: Who is asked.
            what: Everything that it is given.
            alike: Whether one stands for another: a node may make anew whom it asks, each time that it runs.

        Raises:
            UnansweredError: nobody has answered that.
        """
        with self._lock:
            request = next((r for r in self._left if same(r.what, what) and alike(r.who, who)), None)
            if request is None:
                raise UnansweredError
            self._left.remove(request)
            answer = request.answer
            self.tentative |= request.tentative
        return copy.deepcopy(answer)


ANSWERS: ContextVar[Answers | None] = ContextVar("alto_answers", default=None)
"""What is answered to the code that is running; None if it runs for real."""
