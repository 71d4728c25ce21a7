"""Several servers of one model as one: requests go where they fit best, and elsewhere when that server is gone."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from time import perf_counter
from typing import Any

from alto_langgraph.adapters.vllm.asking_once import is_deterministic
from alto_langgraph.adapters.vllm.placing import Placing, blocks
from alto_langgraph.adapters.vllm.ports import Load, Request, Server
from alto_langgraph.adapters.vllm.resuming import Told
from alto_langgraph.adapters.vllm.silence import Silence
from alto_langgraph.adapters.vllm.tries import Tries
from alto_langgraph.exceptions import AltoError, ServerError

MOVED = (ServerError, OSError, EOFError)
"""What says that a server is gone, rather than that the request is wrong."""


class _Replica:
    """A server of the pool, and how it does."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.up = True
        self.leaving = False
        self.checked = self.heard = perf_counter()
        self.idle = asyncio.Event()
        self.idle.set()
        self.open = 0


class Pool:
    """Several servers as one.

    An answer of which nothing was heard yet is asked of another server, where one is gone or silent. One that was begun is begun anew
    only if it is the same every time, and if what was heard comes again; else it fails with one error.

    Args:
        servers: The servers, all of the same model.
        placing: Tells which of them takes a request.
        silence: Seconds without a word from a server that works on something, after which its requests are asked elsewhere.
        recheck: Seconds until a server that was gone is looked at again.
        retries: How often all of them are tried again, after a pause, where none has answered.
    """

    def __init__(
        self,
        servers: Sequence[Server],
        *,
        placing: Placing | None = None,
        silence: float = 60.0,
        recheck: float = 2.0,
        retries: int = 0,
    ) -> None:
        self._placing = placing or Placing()
        self._silence, self._recheck, self._retries = silence, recheck, retries
        self._replicas: dict[str, _Replica] = {}
        self._checks: set[asyncio.Task[None]] = set()
        self.moved = 0
        """Requests that were asked again elsewhere."""
        for server in servers:
            self.add(server)

    @property
    def name(self) -> str:
        return f"pool of {', '.join(self._replicas)}"

    # ---- who is in it

    def add(self, server: Server) -> None:
        """A server more. One of the same name takes the place of the one before."""
        self._replicas[server.name] = _Replica(server)
        self._placing.came(server.name)

    async def drain(self, name: str) -> Server:
        """Sends no more to a server, waits for what it works on, and lets go of it.

        Raises:
            KeyError: there is no such server.
        """
        replica = self._replicas[name]
        replica.leaving = True
        await replica.idle.wait()
        if self._replicas.get(name) is replica:
            del self._replicas[name]
            self._placing.left(name)
        return replica.server

    def _look_after(self) -> None:
        """Asks servers that were gone how they are, now and then."""
        now = perf_counter()
        for name, replica in self._replicas.items():
            if not replica.up and now - replica.checked >= self._recheck:
                replica.checked = now
                check = asyncio.create_task(self._check(name, replica))
                self._checks.add(check)
                check.add_done_callback(self._checks.discard)

    async def _check(self, name: str, replica: _Replica) -> None:
        with suppress(AltoError, OSError, TimeoutError):
            async with asyncio.timeout(self._recheck):
                await replica.server.load()
            replica.up, replica.heard = True, perf_counter()
            self._placing.came(name)  # it may have begun anew, with an empty cache

    def _choose(self, prompt: tuple[bytes, ...], tried: set[str]) -> _Replica:
        self._look_after()
        open_to = {name: replica for name, replica in self._replicas.items() if not replica.leaving and name not in tried}
        if not open_to:
            raise ServerError(
                f"None of {len(self._replicas)} servers answers: {', '.join(self._replicas) or 'the pool is empty'}.",
                hint="See whether they run.",
                elsewhere=False,
            )
        up = {name: 0 for name, replica in open_to.items() if replica.up}
        if not up:  # nothing to lose
            return min(open_to.values(), key=lambda replica: replica.checked)
        return open_to[self._placing.choose(prompt, up)]

    async def _choose_next(self, prompt: tuple[bytes, ...], tries: Tries) -> _Replica:
        """The next to try; after the last one the first again, as long as there are tries left."""
        while True:
            try:
                replica = self._choose(prompt, tries.tried)
            except ServerError as none:
                if not await tries.again():
                    raise tries.told(none) from tries.last
            else:
                tries.tried.add(replica.server.name)
                return replica

    def _is_gone(self, replica: _Replica) -> None:
        replica.up, replica.checked = False, perf_counter()
        self._placing.left(replica.server.name)

    # ---- a server

    async def chat(self, request: Request) -> AsyncGenerator[Mapping[str, Any]]:
        prompt = blocks(prompt_of(request))
        told, tries = Told(), Tries(self._retries)
        while True:
            replica = await self._choose_next(prompt, tries)
            try:
                async with aclosing(self._ask(replica, request, prompt)) as chunks:
                    async for chunk in chunks:
                        for new in told.take(chunk):
                            yield new
                return
            except MOVED as error:
                if isinstance(error, ServerError) and not error.elsewhere:
                    raise
                self._is_gone(replica)
                self._may_move(request, told, replica, error)
                self.moved += 1
                tries.last = error
                told.again()

    def _may_move(self, request: Request, told: Told, replica: _Replica, error: Exception) -> None:
        if told.begun and not (told.plain and is_deterministic(request.body)):
            raise ServerError(
                f"{replica.server.name} broke off in the middle of an answer: {error}",
                hint="Ask again. Only an answer that is the same every time (temperature 0, or a seed) is completed elsewhere.",
                elsewhere=False,
            ) from error

    async def _ask(self, replica: _Replica, request: Request, prompt: tuple[bytes, ...]) -> AsyncGenerator[Mapping[str, Any]]:
        name = replica.server.name
        self._placing.sent(name, prompt)
        if not replica.open:
            replica.heard = perf_counter()
        replica.open += 1
        replica.idle.clear()
        try:
            async with self._unless_silent(replica, request.streamed), aclosing(replica.server.chat(request)) as chunks:
                async for chunk in chunks:
                    replica.heard = perf_counter()
                    yield chunk
        finally:
            self._placing.over(name)
            replica.open -= 1
            if not replica.open:
                replica.idle.set()

    @asynccontextmanager
    async def _unless_silent(self, replica: _Replica, streamed: bool) -> AsyncIterator[None]:
        """Waits for a server's answer.

        Raises:
            ServerError: the server has been silent for too long, towards everybody; or one that isn't to say anything before the end of
                an answer doesn't say either how it is.
        """
        silence = Silence(lambda: replica.heard, self._silence, None if streamed else lambda: self._says_how_it_is(replica))
        try:
            async with silence:
                yield
        except TimeoutError as error:
            if silence.expired:
                raise ServerError(f"{replica.server.name} has been silent for {self._silence:g} s.") from error
            raise

    async def _says_how_it_is(self, replica: _Replica) -> bool:
        with suppress(AltoError, OSError, TimeoutError):
            async with asyncio.timeout(self._recheck):
                await replica.server.load()
            replica.heard = perf_counter()
            return True
        return False

    async def embed(self, request: Request) -> list[list[float]]:
        tries = Tries(self._retries)
        while True:
            replica = await self._choose_next((), tries)
            name = replica.server.name
            self._placing.sent(name, ())
            try:
                return await replica.server.embed(request)
            except MOVED as error:
                if isinstance(error, ServerError) and not error.elsewhere:
                    raise
                self._is_gone(replica)
                self.moved += 1
                tries.last = error
            finally:
                self._placing.over(name)

    async def load(self) -> Load:
        """That of all that answer."""
        loads = await asyncio.gather(*(replica.server.load() for replica in self._replicas.values()), return_exceptions=True)
        known = [load for load in loads if isinstance(load, Load)]
        if not known:
            raise ServerError("No server of the pool says how busy it is.", hint="See whether they run.", elsewhere=False)
        return Load(sum(load.running for load in known), sum(load.waiting for load in known))

    async def close(self) -> None:
        for check in [*self._checks]:
            check.cancel()
        if self._checks:
            await asyncio.wait(self._checks)
        await asyncio.gather(*(replica.server.close() for replica in self._replicas.values()))


def prompt_of(request: Request) -> str:
    """A request's prompt, as far as it says which cached blocks may serve it: what differs in model, salt or tools shares nothing."""
    body = request.body
    head = {key: body[key] for key in ("model", "cache_salt", "tools") if body.get(key)}
    return json.dumps([head, body.get("messages") or body.get("prompt")], default=str)
