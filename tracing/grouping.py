"""What both forms of OTLP have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from operator import attrgetter
from typing import Any


def by(spans: Sequence[Any], what: str) -> Iterator[tuple[Any, list[Any]]]:
    """Spans that follow each other and have the same `resource` or `instrumentation_scope`, and that."""
    get = attrgetter(what)
    for _, group in groupby(spans, lambda span: id(get(span))):
        here = list(group)
        yield get(here[0]), here


def flags(context: Any) -> int:
    """OTLP's: that it is known whether a context was remote, and whether it was."""
    return 0x300 if context is not None and context.is_remote else 0x100


Common = dict[int, tuple[Mapping[str, Any], bytes]]
"""Attributes by the identity of their mapping, and what they are encoded as; whoever made the mapping leaves it as it is."""
_MOST = 4096


def in_common(known: Common, attributes: Mapping[str, Any], encode: Callable[[Mapping[str, Any]], bytes]) -> bytes:
    """Encodes what many spans have in common once."""
    if not attributes:
        return b""
    found = known.get(id(attributes))
    if found is None:
        if len(known) >= _MOST:
            known.clear()
        found = known[id(attributes)] = attributes, encode(attributes)  # kept, so that nothing else has its identity
    return found[1]
