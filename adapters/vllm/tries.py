"""Counts the tries of a request, and waits between them."""

from __future__ import annotations

import asyncio
import random

from alto_langgraph.exceptions import ServerError

PAUSE = 0.25
"""Seconds before the first round of tries again; twice as many before each next one, and drawn from half to all of that."""


class Tries:
    """Servers on which a request was tried in this round, and how many rounds are left.

    Args:
        left: Rounds after the first one.
    """

    def __init__(self, left: int) -> None:
        self.tried: set[str] = set()
        self.last: Exception | None = None
        self._left, self._pause = left, PAUSE

    async def again(self) -> bool:
        """Begins a new round, after a pause; answers whether there is one."""
        if not self._left or not self.tried:
            return False
        self._left -= 1
        await asyncio.sleep(self._pause * random.uniform(0.5, 1.0))
        self._pause *= 2
        self.tried.clear()
        return True

    def told(self, none: ServerError) -> ServerError:
        """The error that none answers, with what the last one has said."""
        if self.last is None:
            return none
        said = self.last.what if isinstance(self.last, ServerError) else str(self.last) or type(self.last).__name__
        return ServerError(f"{none.what} The last one: {said}", hint=none.hint, elsewhere=False)
