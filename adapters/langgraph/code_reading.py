"""Reads an app's code although an event loop is running, as a graph's first run does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


def reading_code(function: Callable[P, T]) -> Callable[P, T]:
    """`function`, which opens source files, in a way that nobody takes for a mistake of the app's.

    `langgraph dev`, and others by the package blockbuster, raise where code opens a file while an event loop runs. What is read here is
    read once, takes milliseconds, and can't wait for another thread: what it tells is needed before the node goes on.
    """

    @wraps(function)
    def read(*args: P.args, **kwargs: P.kwargs) -> T:
        running = asyncio._get_running_loop()
        asyncio._set_running_loop(None)
        try:
            return function(*args, **kwargs)
        finally:
            asyncio._set_running_loop(running)

    return read
