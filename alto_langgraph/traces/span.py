"""A recorded span, as OpenTelemetry has it, in plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Attributes = Mapping[str, Any]
"""Values are None, str, bool, int, float, bytes, lists and mappings of these."""

UNSET, OK, ERROR = 0, 1, 2
"""Codes of a span's status."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened at one moment of a span; `at` in nanoseconds since 1970."""

    name: str
    at: int
    attributes: Attributes = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Link:
    """Another span that a span comes of, without being below it."""

    trace: str
    span: str
    attributes: Attributes = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Span:
    """One operation.

    Args:
        trace: Id of its trace, 32 hexadecimal digits.
        id: Its own, 16 hexadecimal digits.
        parent: Id of the span that it is part of, or "".
        name: What was done.
        start: Nanoseconds since 1970.
        end: Nanoseconds since 1970, not before `start`.
        kind: OpenTelemetry's number for the kind: 1 internal, 2 server, 3 client, 4 producer, 5 consumer.
        attributes: What is known of it.
        events: In the order they were recorded.
        links: Other spans that it comes of.
        status: `UNSET`, `OK` or `ERROR`.
        message: Of the status.
        resource: What is known of the process.
        scope: The instrumentation that recorded it.
        state: W3C trace state.
    """

    trace: str
    id: str
    parent: str
    name: str
    start: int
    end: int
    kind: int = 1
    attributes: Attributes = field(default_factory=dict)
    events: tuple[Event, ...] = ()
    links: tuple[Link, ...] = ()
    status: int = UNSET
    message: str = ""
    resource: Attributes = field(default_factory=dict)
    scope: str = ""
    state: str = ""
