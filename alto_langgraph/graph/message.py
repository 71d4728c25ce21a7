"""`langgraph.graph.message`, name for name, with a `MessageGraph` that builds alto's graphs."""

import warnings
from typing import TYPE_CHECKING, Any

from langgraph.graph import message as theirs

from alto_langgraph.adapters.langgraph.graph import StateGraph
from alto_langgraph.mirror import mirror

if TYPE_CHECKING:
    from langgraph.graph.message import MessagesState as MessagesState
    from langgraph.graph.message import add_messages as add_messages

with warnings.catch_warnings():  # langgraph deprecates it, and says so again to whoever makes one
    warnings.simplefilter("ignore", DeprecationWarning)

    class MessageGraph(theirs.MessageGraph, StateGraph[Any, Any, Any, Any]):
        """Langgraph's `MessageGraph` whose `compile()` is alto's."""


mirror(__name__)
