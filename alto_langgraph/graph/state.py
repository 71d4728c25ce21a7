"""`langgraph.graph.state`, name for name, with alto's `StateGraph`."""

from typing import TYPE_CHECKING

from alto_langgraph.adapters.langgraph.graph import StateGraph as StateGraph
from alto_langgraph.mirror import mirror

if TYPE_CHECKING:
    from langgraph.graph.state import CompiledStateGraph as CompiledStateGraph

mirror(__name__)
