"""Talks to a Chroma server that may be slow, gone or broken: reads have a time limit and are tried again, errors are clear."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import local
from typing import Any, TypeVar

import httpx

from alto_langgraph.exceptions import OptionsError, ServerError

T = TypeVar("T")
_LIMIT = local()
_PAUSE, _LONGEST = 0.1, 2.0
"""Seconds before the second try, and most before any; doubled from one to the next."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a server is waited for.

    Args:
        read: Seconds without a byte from it after which a read is given up; None for ever.
        write: The same of a write.
        retries: How often a read is tried again after its connection was refused or broke.

    Raises:
        OptionsError: a time isn't above 0, or there are fewer than 0 retries.
    """

    read: float | None = 60.0
    write: float | None = 600.0
    retries: int = 3

    def __post_init__(self) -> None:
        if not all(limit is None or limit > 0 for limit in (self.read, self.write)) or self.retries < 0:
            raise OptionsError(f"Time limits are above 0 seconds, or None, and retries at least 0, not {self}.")


class Server:
    """What a collection's client talks to: a server over HTTP, or Chroma in this process, with which nothing of this is needed.

    Args:
        client: A collection's own client.
        limits: How long it is waited for.
    """

    def __init__(self, client: Any, limits: Limits) -> None:
        session = getattr(client, "_session", None)
        self._session = session if isinstance(session, httpx.Client) else None
        self._url = str(getattr(client, "_api_url", "")) or "its server"
        self._limits = limits
        if self._session is not None:
            _watch(self._session)

    def read(self, call: Callable[[], T]) -> T:
        """What a call that changes nothing returns.

        Raises:
            ServerError: the server can't be reached, doesn't answer in time, or its answer can't be read.
        """
        if self._session is None:
            return call()
        for tried in range(self._limits.retries):
            try:
                return self._once(call, self._limits.read)
            except ServerError as error:
                if not is_broken(error):
                    raise
            time.sleep(min(_PAUSE * 2**tried, _LONGEST))
        return self._once(call, self._limits.read)

    def write(self, call: Callable[[], T]) -> T:
        """What a call that changes something returns. It is made once, as after an error nobody can tell how far it came.

        Raises:
            ServerError: as above.
        """
        if self._session is None:
            return call()
        try:
            return self._once(call, self._limits.write)
        except ServerError as error:
            error.add_note("It may have been written or not; writing the same ids again does no harm.")
            raise

    def _once(self, call: Callable[[], T], limit: float | None) -> T:
        try:
            with _limited(limit):
                return call()
        except httpx.TimeoutException as error:
            raise self._error(f"hasn't answered for {limit} seconds.") from error
        except httpx.TransportError as error:
            raise self._error(f"can't be reached: {error or type(error).__name__}.") from error
        except (json.JSONDecodeError, KeyError) as error:
            raise self._error(f"has answered what isn't Chroma's: {type(error).__name__}, {error}.") from error
        except Exception as error:
            if type(error) is not Exception:  # that is how chromadb raises an error page
                raise
            raise self._error(f"has answered with an error that isn't Chroma's: {str(error)[:200] or 'an empty page'}") from error

    def _error(self, what: str) -> ServerError:
        return ServerError(f"Chroma at {self._url} {what}", hint="Look whether it runs, and what its log says.")


def is_broken(error: BaseException) -> bool:
    """The connection was refused or broke: it may be worth another try."""
    return isinstance(error.__cause__, httpx.TransportError) and not isinstance(error.__cause__, httpx.TimeoutException)


def is_everyones(error: BaseException) -> bool:
    """The server is gone or silent, whatever it was asked."""
    return isinstance(error, ServerError) and isinstance(error.__cause__, httpx.TransportError)


@contextmanager
def _limited(limit: float | None) -> Iterator[None]:
    before = getattr(_LIMIT, "seconds", None)
    _LIMIT.seconds = limit
    try:
        yield
    finally:
        _LIMIT.seconds = before


def _watch(session: httpx.Client) -> None:
    """Requests that are made inside `_limited` get its limit; chromadb's own have none."""
    hooks = session.event_hooks
    if _limit not in hooks["request"]:
        session.event_hooks = {**hooks, "request": [*hooks["request"], _limit]}


def _limit(request: httpx.Request) -> None:
    if (seconds := getattr(_LIMIT, "seconds", None)) is not None:
        request.extensions["timeout"] = dict.fromkeys(("connect", "read", "write", "pool"), seconds)
