"""Puts alto's `StateGraph` in place of langgraph's in a running process, for apps that nobody wants to edit."""

from __future__ import annotations

import sys
from types import ModuleType

from langgraph.graph import message, state

from alto_langgraph.adapters.langgraph.graph import StateGraph

_STOCK = state.StateGraph


def swap() -> int:
    """Rebinds langgraph's class wherever a loaded module holds it; modules loaded later find alto's from the start.

    `CompiledStateGraph` stays: alto's is a subclass, so every `isinstance` still answers as before.

    Returns:
        The number of names rebound; 0 if all were before.
    """
    if message.MessageGraph.__base__ is _STOCK:
        message.MessageGraph.__bases__ = (StateGraph,)
    holders = [
        (module, name)
        for home, module in list(sys.modules.items())
        if isinstance(module, ModuleType) and home.partition(".")[0] != "alto_langgraph"  # ours build on the stock class
        for name, value in list(vars(module).items())
        if value is _STOCK
    ]
    for module, name in holders:
        setattr(module, name, StateGraph)
    return len(holders)
