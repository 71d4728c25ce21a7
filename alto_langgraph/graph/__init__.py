"""`langgraph.graph`, name for name, with alto's `StateGraph`."""

from typing import TYPE_CHECKING

from alto_langgraph.adapters.langgraph.graph import StateGraph as StateGraph
from alto_langgraph.graph.message import MessageGraph as MessageGraph
from alto_langgraph.mirror import mirror

if TYPE_CHECKING:
    from langgraph.graph import END as END
    from langgraph.graph import START as START
    from langgraph.graph import MessagesState as MessagesState
    from langgraph.graph import add_messages as add_messages

mirror(__name__)
