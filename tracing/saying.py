"""Says what goes wrong with traces: once, as a warning, and nowhere where a run would notice."""

from __future__ import annotations

import warnings

from alto_langgraph.exceptions import AltoWarning

_SAID: set[str] = set()


def say_once(about: str, what: str) -> None:
    """Warns, unless something was said about the same before."""
    if about not in _SAID:
        _SAID.add(about)
        warnings.warn(what, AltoWarning, stacklevel=3)
