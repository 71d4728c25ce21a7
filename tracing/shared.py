"""What many spans have in common, so that it needs to be encoded once. To the SDK it is as good as any other."""

from __future__ import annotations

from typing import Any

from opentelemetry.trace import Link


class Shared(dict[str, Any]):
    """Attributes that many spans have: made once, never changed, and written once by each encoder, which keeps that here.

    A span may have several, of different names.
    """

    json = protobuf = b""


class SharedLink(Link):
    """A link that many spans have, as above."""

    json = protobuf = b""
