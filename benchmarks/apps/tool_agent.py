"""The tool-using agent: six turns of one conversation, two or three lookups at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, SystemMessage, ToolMessage
from langchain_core.utils.function_calling import convert_to_openai_tool
from langgraph.checkpoint.memory import InMemorySaver

from alto_langgraph.examples.tool_agent import paced
from alto_langgraph.plan.schedule import Work
from alto_langgraph.tags import Tag
from alto_langgraph.testing import PacedChatModel
from benchmarks.apps.declare import Application


def as_written(model: Any) -> Any:
    """LangChain's prebuilt agent; what that loads would weigh on the garbage collector in other benchmarks."""
    from alto_langgraph.examples.tool_agent import as_written

    return as_written.build(model, paced.tools(model.scale), InMemorySaver())


def expert(model: Any) -> Any:
    """Two nodes, written by hand."""
    from alto_langgraph.examples.tool_agent import expert

    return expert.build(model, paced.tools(model.scale), InMemorySaver())


def foretold(model: PacedChatModel, state: Any) -> Sequence[Work]:
    """The calls: a tool waits for its own call alone, the model for all that it has called."""
    from alto_langgraph.examples.tool_agent.as_written import PROMPT

    bound, messages, works = [convert_to_openai_tool(tool) for tool in paced.tools()], state["messages"], list[Work]()
    after: tuple[Tag, ...] = ()
    for place, message in enumerate(messages):
        if not isinstance(message, AIMessage):
            continue
        asked = [SystemMessage(PROMPT), *messages[:place]]
        ask = Work(Tag((("model", place),)), "model", place, model.seconds(asked, tools=bound), after)
        works.append(ask)
        runs = [
            Work(
                ask.tag.child("tools", at),
                "tools",
                place + 1,
                model.scale * paced.LATENCY.at(found_by(messages, call["id"])),
                slotted=False,
                heads=((ask.tag, _called(model, asked, bound, at + 1)),),
            )
            for at, call in enumerate(message.tool_calls)
        ]
        works += runs
        after = (ask.tag, *(run.tag for run in runs))
    return works


def found_by(messages: Sequence[BaseMessage], call: str | None) -> str:
    """What a tool call came to."""
    return next(message.text for message in messages if isinstance(message, ToolMessage) and message.tool_call_id == call)


def _called(model: PacedChatModel, asked: list[BaseMessage], bound: list[dict[str, Any]], calls: int) -> float:
    """Seconds until so many of an answer's tool calls are complete."""
    cut: dict[str, Any] = {"calls": lambda prompt, names: model.calls(prompt, names)[:calls]}
    return model.model_copy(update=cut).seconds(asked, tools=bound)


APPLICATION = Application(
    name="tool_agent",
    what="LangChain's prebuilt agent with a memory: six turns of a conversation, with two or three lookups at a time",
    as_written=as_written,
    expert=expert,
    double=paced.double,
    turns=paced.turns(),
    tiny=paced.turns()[2:3],
    answer=lambda state: [(message.type, message.text) for message in state["messages"]],
    foretold=foretold,
    extras=("langchain",),
)
