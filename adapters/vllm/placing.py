"""Decides which replica a request goes to: the one that holds most of its prompt, unless that has too much to do. Pure."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import blake2b

BLOCK = 256
"""Letters that are compared at a time; an engine's own blocks are of 16 to 128 tokens."""


def blocks(prompt: str, size: int = BLOCK) -> tuple[bytes, ...]:
    """Names of the whole blocks that a prompt begins with; each stands for all of the prompt up to its end."""
    found: list[bytes] = []
    before = b""
    for end in range(size, len(prompt) + 1, size):
        before = blake2b(prompt[end - size : end].encode(errors="surrogatepass"), key=before, digest_size=16).digest()
        found.append(before)
    return tuple(found)


@dataclass(slots=True)
class _Replica:
    """What a replica was sent, the least recent first, and how many requests it works on."""

    held: OrderedDict[bytes, None] = field(default_factory=OrderedDict)
    open: int = 0


class Placing:
    """Where prompts go that begin alike.

    A prompt goes where most of its blocks were sent before, if that replica isn't busier than the others by `slack`. A prompt that
    nobody knows goes where its first block puts it (rendezvous hashing), so that the next of its kind goes there too, wherever it
    comes from, and few prompts move when replicas come and go.

    Args:
        most: Blocks that are remembered of each replica.
        slack: Requests by which a replica may be busier than the least busy one; a quarter of what that has is allowed besides.
    """

    def __init__(self, *, most: int = 65_536, slack: int = 8) -> None:
        self._most, self._slack = most, slack
        self._replicas: dict[str, _Replica] = {}

    def came(self, name: str) -> None:
        """A replica is there, with nothing in its cache."""
        self._replicas[name] = _Replica()

    def left(self, name: str) -> None:
        """A replica is gone, or has lost its cache."""
        self._replicas.pop(name, None)

    def choose(self, prompt: tuple[bytes, ...], among: Mapping[str, int]) -> str:
        """The replica for a prompt.

        Args:
            prompt: Its blocks.
            among: Replicas that may be chosen, and how busy each is known to be by others' requests.

        Raises:
            ValueError: there is none.
        """
        busy = {name: others + self._of(name).open for name, others in among.items()}
        least = min(busy.values())
        free = [name for name, requests in busy.items() if requests <= least * 1.25 + self._slack]
        key = prompt[0] if prompt else b""
        if not prompt:
            return min(free, key=lambda name: (busy[name], name))
        return max(free, key=lambda name: (self.known(name, prompt), _drawn(name, key)))

    def known(self, name: str, prompt: tuple[bytes, ...]) -> int:
        """How many blocks of a prompt a replica was sent before, from its beginning on."""
        held = self._of(name).held
        return next((place for place, block in enumerate(prompt) if block not in held), len(prompt))

    def sent(self, name: str, prompt: tuple[bytes, ...]) -> None:
        """A replica works on a prompt, and so holds its blocks soon."""
        replica = self._of(name)
        replica.open += 1
        for block in reversed(prompt):  # what others begin with, too, is forgotten last
            replica.held[block] = None
            replica.held.move_to_end(block)
        while len(replica.held) > self._most:
            replica.held.popitem(last=False)

    def over(self, name: str) -> None:
        """A replica has one request less to work on."""
        replica = self._of(name)
        replica.open = max(replica.open - 1, 0)

    def _of(self, name: str) -> _Replica:
        return self._replicas.setdefault(name, _Replica())


def _drawn(name: str, key: bytes) -> bytes:
    return blake2b(name.encode(), key=key[:64], digest_size=8).digest()
