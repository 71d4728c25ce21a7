"""Every exception that alto raises itself: what happened, to which node, what to do."""

from __future__ import annotations


class AltoError(Exception):
    """Base of alto's own exceptions. Exceptions of nodes and of LangGraph pass through unchanged.

    Args:
        what: What happened, in one sentence.
        node: Name of the node concerned, if one is.
        hint: What to do about it.
    """

    def __init__(self, what: str, *, node: str | None = None, hint: str | None = None) -> None:
        self.what, self.node, self.hint = what, node, hint
        super().__init__(" ".join(filter(None, [f"[{node}]" if node else None, what, hint])))


class OptionsError(AltoError, ValueError):
    """An option has a value that alto can't use."""


class TargetError(AltoError):
    """`module:attribute`, a script or an input file can't be loaded or doesn't fit."""


class TraceError(AltoError):
    """A recorded trace can't be read, or isn't there."""


class NotOptimizableError(AltoError, TypeError):
    """The object given to `optimize` isn't a compiled LangGraph graph."""


class MissingExtraError(AltoError, ImportError):
    """An optional integration is used without the extra that installs it."""


class ServerError(AltoError):
    """A model server didn't answer as it should.

    Args:
        what: What happened, in one sentence.
        hint: What to do about it.
        elsewhere: Another server may well answer the same request: this one is gone, silent, full or broken.
    """

    def __init__(self, what: str, *, hint: str | None = None, elsewhere: bool = True) -> None:
        self.elsewhere = elsewhere
        super().__init__(what, hint=hint)


class TracingError(AltoError, ValueError):
    """Tracing can't be set up as it was asked for."""


class IllegalTransitionError(AltoError, RuntimeError):
    """The engine was told something that can't follow from what it was told before: a bug in alto."""


class AltoWarning(UserWarning):
    """Alto stepped back to stock execution, or ignored something, and says so once."""
