"""The shapes that LangGraph's own benchmarks measure: subgraph fan-out, an agent with tools, wide states, a long chain."""

from __future__ import annotations

import operator
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import Annotated, Any, TypedDict

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.tools import tool
from langgraph.graph import END, START, MessagesState
from langgraph.prebuilt import create_react_agent
from langgraph.types import Send
from langgraph.warnings import LangGraphDeprecatedSinceV10

from benchmarks import wide_graph
from benchmarks.graphs import GraphBenchmark
from benchmarks.sides import Side

LOOPS = 10


class Brief(TypedDict):
    """What a subgraph is given."""

    subject: str


class Piece(Brief):
    """What a subgraph works on."""

    drafts: list[str]


class Collection(TypedDict):
    """Subjects in, drafts out."""

    subjects: list[str]
    drafts: Annotated[list[str], operator.add]


class Written(TypedDict):
    """What a subgraph gives back."""

    drafts: list[str]


def spread_out(state: Collection) -> list[Send]:
    """One subgraph run per subject."""
    return [Send("write", {"subject": subject}) for subject in state["subjects"]]


def entitle(state: Brief) -> dict[str, str]:
    """First step of a subgraph."""
    return {"subject": state["subject"].title()}


def write(state: Brief) -> Written:
    """Second step."""
    return {"drafts": [f"On {state['subject']}"]}


def polish(state: Piece) -> Written:
    """Third step, done over and over."""
    return {"drafts": [state["drafts"][0] + "!"]}


def polished(state: Piece) -> str:
    """Ends the loop."""
    return END if state["drafts"][0].endswith("!" * LOOPS) else "polish"


def subgraphs(side: Side, size: int) -> Any:
    """A fan-out to subgraphs that loop."""
    inner = side.StateGraph(Piece, input_schema=Brief, output_schema=Written)
    inner.add_sequence([("entitle", entitle), ("write", write), ("polish", polish)])
    inner.add_edge(START, "entitle")
    inner.add_conditional_edges("polish", polished, ["polish", END])
    outer = side.StateGraph(Collection)
    outer.add_node("write", inner.compile())
    outer.add_conditional_edges(START, spread_out, ["write"])
    return outer.compile


class CallingModel(BaseChatModel):
    """A chat model that asks for a tool `calls` times, then answers; it holds no state of its own."""

    calls: int

    @property
    def _llm_type(self) -> str:
        return "calling"

    def bind_tools(self, tools: Any, **kwargs: Any) -> Any:
        """Every tool is `look_up`."""
        return self

    def _generate(
        self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: CallbackManagerForLLMRun | None = None, **kwargs: Any
    ) -> ChatResult:
        turn = sum(isinstance(message, AIMessage) for message in messages)
        if turn < self.calls:
            call = {"id": f"call{turn}", "name": "look_up", "args": {"query": f"{turn:036}" * 100}}
            answer = AIMessage("", tool_calls=[call], id=f"answer{turn}")
        else:
            answer = AIMessage("answer" * 100, id=f"answer{turn}")
        return ChatResult(generations=[ChatGeneration(message=answer)])


@tool
def look_up(query: str) -> str:
    """Finds what is asked for."""
    return f"found: {query}" * 10


def agent(side: Side, size: int) -> Callable[..., Any]:
    """A prebuilt agent: somebody else's graph, so alto is given it compiled."""

    def compiled(checkpointer: Any) -> Any:
        with warnings.catch_warnings():  # it has a successor elsewhere, but this is the one that is published and in use
            warnings.simplefilter("ignore", LangGraphDeprecatedSinceV10)
            return side.optimize(create_react_agent(CallingModel(calls=size), [look_up], checkpointer=checkpointer))

    return compiled


def sequence(side: Side, size: int) -> Any:
    """A long chain of nodes that do nothing."""
    builder = side.StateGraph(MessagesState)
    builder.add_sequence([(f"node{place}", idle) for place in range(size)])
    builder.add_edge(START, "node0")
    return builder.compile


def idle(state: MessagesState) -> None:
    """Does nothing."""


@dataclass(frozen=True, slots=True)
class Shape:
    """One published shape and the sizes it is measured at; the first size is the one in `--quick`."""

    name: str
    what: str
    build: Callable[[Side, Any], Any]
    input: Callable[[Any], Any]
    sizes: dict[str, Any]
    tiny: Any


TENS = {"10": 10, "100": 100}
WIDTHS = {"25x300": (25, 300), "15x600": (15, 600), "9x1200": (9, 1200)}
SHAPES = (
    Shape("subgraphs", "fan-out to looping subgraphs", subgraphs, lambda size: {"subjects": ["x" * 1000] * size}, TENS, 2),
    Shape("agent", "prebuilt agent with tools", agent, lambda size: {"messages": [HumanMessage("hi?", id="hi")]}, TENS, 2),
    Shape("wide_state", "fifteen fields, dataclass", wide_graph.build("dataclass"), wide_graph.message, WIDTHS, (9, 5)),
    Shape("wide_dict", "fifteen fields, TypedDict", wide_graph.build("typed_dict"), wide_graph.message, WIDTHS, (9, 5)),
    Shape("pydantic_state", "fifteen fields, pydantic", wide_graph.build("pydantic"), wide_graph.message, WIDTHS, (9, 5)),
    Shape("sequential", "nodes that do nothing in a row", sequence, lambda size: {"messages": []}, {"10": 10, "1000": 1000}, 3),
)


def benchmarks() -> Iterator[GraphBenchmark]:
    """Every shape at every size, sync and async, with and without checkpointer (saved at the run's end, as published)."""
    for shape in SHAPES:
        for (label, size), sync, checkpointer in product(shape.sizes.items(), (False, True), (False, True)):
            yield GraphBenchmark(
                name=f"{shape.name}_{label}{'_sync' if sync else ''}{'_checkpoint' if checkpointer else ''}",
                group="shapes",
                what=f"{shape.what}, {label}, {'sync' if sync else 'async'}{', with checkpointer' if checkpointer else ''}",
                build=shape.build,
                input=shape.input,
                size=size,
                tiny=shape.tiny,
                sync=sync,
                checkpointer="memory" if checkpointer else None,
                durability="exit",
                quick=size == next(iter(shape.sizes.values())),
            )
