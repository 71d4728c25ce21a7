"""Reads the constant beginning of a node's prompts into a server's cache before the node asks, while the server is idle."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Mapping
from contextlib import aclosing
from itertools import takewhile
from typing import Any

from alto_langgraph.adapters.vllm.ports import Request, Server
from alto_langgraph.exceptions import AltoError

LAST = (1 << 63) - 1
"""The priority of what nobody waits for."""


class Warming:
    """Knows with which messages the prompts of each node begin, and has a server read them.

    Only whole messages count, those that were the same in all of a node's requests so far, at least `seen`.

    Args:
        server: The server.
        least: Letters below which it isn't worth it.
        seen: Requests of a node that have to be seen.
        nodes: Most nodes that it remembers.
    """

    def __init__(self, server: Server, *, least: int = 2_000, seen: int = 2, nodes: int = 256) -> None:
        self._server, self._least, self._seen, self._most = server, least, seen, nodes
        self._heads: OrderedDict[str, tuple[int, Mapping[str, Any]]] = OrderedDict()

    def note(self, node: str, body: Mapping[str, Any]) -> None:
        """A node has asked this."""
        times, before = self._heads.pop(node, (0, body))
        pairs = zip(_spelled(before), _spelled(body), strict=False)
        messages = [mine for mine, _ in takewhile(lambda pair: pair[0] == pair[1], pairs)]
        head = {key: value for key, value in body.items() if key in ("model", "tools", "cache_salt")}
        if any(before.get(key) != body.get(key) for key in ("model", "tools", "cache_salt")):
            times, messages = 0, []
        self._heads[node] = (times + 1, {**head, "messages": [json.loads(message) for message in messages]})
        if len(self._heads) > self._most:
            self._heads.popitem(last=False)

    def head(self, node: str) -> Mapping[str, Any] | None:
        """What all of a node's prompts begin with, if that is worth it."""
        times, body = self._heads.get(node, (0, {}))
        long = sum(len(message) for message in _spelled(body)) >= self._least if body else False
        return body if times >= self._seen and long else None

    async def warm(self, node: str) -> bool:
        """Has the server read what a node's prompts begin with, if it has nothing else to do; answers whether it did."""
        body = self.head(node)
        if body is None:
            return False
        try:
            load = await self._server.load()
            if load.running or load.waiting:
                return False
            request = Request({**body, "max_tokens": 1, "temperature": 0}, priority=LAST)
            async with aclosing(self._server.chat(request)) as chunks:
                async for _ in chunks:
                    pass
        except (AltoError, OSError):
            return False  # whoever needs the server will hear of it
        return True


def _spelled(body: Mapping[str, Any]) -> list[str]:
    return [json.dumps(message, sort_keys=True, default=str) for message in body.get("messages") or ()]
