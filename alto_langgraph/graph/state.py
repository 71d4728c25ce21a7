"""`langgraph.graph.state`, name for name, with alto's `StateGraph` and `CompiledStateGraph`."""

from alto_langgraph.adapters.langgraph.graph import CompiledStateGraph as CompiledStateGraph
from alto_langgraph.adapters.langgraph.graph import StateGraph as StateGraph
from alto_langgraph.mirror import mirror

mirror(__name__)
