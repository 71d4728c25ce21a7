"""LangGraph graphs with the same answers, sooner: swap `langgraph` for `alto_langgraph` in one import."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from alto_langgraph import mirror

if TYPE_CHECKING:
    from alto_langgraph.adapters.langgraph.current import current_tag as current_tag
    from alto_langgraph.adapters.langgraph.graph import optimize as optimize
    from alto_langgraph.comparison import compare as compare
    from alto_langgraph.options import AltoOptions as AltoOptions
    from alto_langgraph.protocols import Fragment as Fragment
    from alto_langgraph.protocols import observed_by as observed_by

__version__ = "0.1.0"

_HOMES = {
    "AltoOptions": "alto_langgraph.options",
    "Fragment": "alto_langgraph.protocols",
    "compare": "alto_langgraph.comparison",
    "current_tag": "alto_langgraph.adapters.langgraph.current",
    "observed_by": "alto_langgraph.protocols",
    "optimize": "alto_langgraph.adapters.langgraph.graph",
}

__all__ = ["__version__", *sorted(_HOMES)]

mirror.install()


def __getattr__(name: str) -> Any:
    """Loads a public name when it is first asked for, so that `import alto_langgraph` costs nothing."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(_HOMES[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
