"""Names by which code gives itself away: pausing, looking at its own task's ids, using the store, drawing random numbers."""

from __future__ import annotations

import random
from types import BuiltinFunctionType, MethodType, ModuleType

IDENTITY_WORDS = frozenset(
    {"langgraph_path", "langgraph_checkpoint_ns", "langgraph_triggers", "checkpoint_ns", "checkpoint_id", "execution_info"}
)
"""Nobody writes these for anything else, so mentioning one anywhere counts."""

AMBIGUOUS_IDENTITY_WORDS = frozenset({"task_id", "run_id", "checkpoint_map", "server_info"})
"""These count only on something that comes from the run's config or runtime."""

_PAUSING = frozenset({"interrupt", "GraphInterrupt", "NodeInterrupt"})
_STORE = frozenset({"get_store"})


def names_identity(word: str) -> bool:
    """Whether a string or attribute name can only mean one of the task's own ids."""
    return word in IDENTITY_WORDS or word.startswith("__pregel_")


def _is_langgraphs(thing: object, names: frozenset[str]) -> bool:
    module = getattr(thing, "__module__", None)
    return isinstance(module, str) and module.partition(".")[0] == "langgraph" and getattr(thing, "__qualname__", "") in names


def pauses(thing: object) -> bool:
    """Whether `thing` is LangGraph's `interrupt`, or an exception that pauses a run."""
    return _is_langgraphs(thing, _PAUSING)


def gives_store(thing: object) -> bool:
    """Whether `thing` is LangGraph's `get_store`."""
    return _is_langgraphs(thing, _STORE)


DRAWS = "draws random numbers"
"""Evidence that something uses a generator of random numbers, which is another one afterwards."""


ASKS = "asks for itself:"
"""How evidence begins that something is asked past LangChain's models and retrievers: nobody has its answer when code runs again."""


def draws(value: object) -> bool:
    """Whether whoever refers to `value` may draw from a generator of random numbers that others draw from, too."""
    owner = value.__self__ if isinstance(value, MethodType | BuiltinFunctionType) else value
    home = owner.__name__ if isinstance(owner, ModuleType) else type(owner).__module__
    return owner is random or isinstance(owner, random.Random) or str(home).startswith("numpy.random")
