"""An assistant that plans meetings: LangChain's prebuilt agent, with tools and a memory."""

from collections.abc import Sequence
from typing import Any

from langchain.agents import create_agent
from langchain_core.language_models import BaseChatModel
from langchain_core.tools import BaseTool
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph.state import CompiledStateGraph

PROMPT = "You plan meetings. Look things up with the tools, several at a time where you can, and answer in one sentence."


def build(
    model: BaseChatModel, tools: Sequence[BaseTool], checkpointer: BaseCheckpointSaver[Any]
) -> CompiledStateGraph[Any, Any, Any, Any]:
    """The agent on this model; each thread is a conversation."""
    return create_agent(model, tools, system_prompt=PROMPT, checkpointer=checkpointer)
