"""What a node's writers write in alto's sequence is what LangGraph's own make of the same result, errors included."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.runnables import RunnableLambda
from langgraph.channels import LastValue
from langgraph.pregel import NodeBuilder, Pregel
from langgraph.types import Command, Send

from alto_langgraph import optimize
from alto_langgraph.adapters.langgraph.seam import (
    PASSTHROUGH,
    SKIP_WRITE,
    TASKS,
    ChannelWrite,
    ChannelWriteEntry,
    ChannelWriteTupleEntry,
    RunnableSeq,
)
from alto_langgraph.adapters.langgraph.sequence import QuickSeq, quick
from alto_langgraph.adapters.langgraph.writing import parts

pytestmark = pytest.mark.skipif(not hasattr(RunnableSeq, "_astart"), reason="this LangGraph's sequence is run as it is")


def pairs(result: Any) -> Any:
    if result == {"raise": 1}:
        raise KeyError("mapper")
    return list(result.items()) if isinstance(result, dict) else result and [("whole", result)]


class Own(ChannelWrite):
    pass


WRITERS: dict[str, Any] = {
    "mapped and an edge": [ChannelWriteTupleEntry(pairs), ChannelWriteEntry("edge", None), ChannelWriteTupleEntry(lambda _: ())],
    "a constant between": [ChannelWriteEntry("first", 1), ChannelWriteTupleEntry(pairs), ChannelWriteEntry("last", 2)],
    "the result itself": [ChannelWriteEntry("a", PASSTHROUGH), ChannelWriteEntry("b", PASSTHROUGH, True, len)],
    "a constant None skipped": [ChannelWriteEntry("a", None, True)],
    "skipped": [ChannelWriteEntry("a", SKIP_WRITE), ChannelWriteEntry("b", 1, False, lambda _: SKIP_WRITE)],
    "mapped constants": [ChannelWriteTupleEntry(pairs, {"of": "it"}), ChannelWriteEntry("a", 1, False, str)],
    "a Send": [Send("node", 1), ChannelWriteTupleEntry(pairs)],
    "a reserved channel": [ChannelWriteEntry(TASKS, Send("node", 1))],
    "nothing": [],
}
PLAIN = {"mapped and an edge", "a constant between", "nothing"}
RESULTS: list[Any] = [
    None,
    {},
    {"k": 1},
    {"raise": 1},
    [1],
    (),
    "text",
    0,
    Command(goto="x"),
    RunnableLambda(lambda value: {"made": value}),
]


def came(writer: Any, result: Any, way: Any) -> Any:
    sent: list[Any] = []
    sequence = way(RunnableSeq(RunnableLambda(lambda _: result), writer, name="s"))
    try:
        return sent, sequence.invoke("in", {"configurable": {"__pregel_send": sent.append}})
    except Exception as error:
        return sent, type(error), str(error)


async def acame(writer: Any, result: Any, way: Any) -> Any:
    sent: list[Any] = []
    sequence = way(RunnableSeq(RunnableLambda(lambda _: result), writer, name="s"))
    try:
        return sent, await sequence.ainvoke("in", {"configurable": {"__pregel_send": sent.append}})
    except Exception as error:
        return sent, type(error), str(error)


@pytest.mark.parametrize("kind", [ChannelWrite, Own])
@pytest.mark.parametrize("result", RESULTS, ids=lambda result: type(result).__name__)
@pytest.mark.parametrize("name", WRITERS)
async def test_the_same_is_written(name: str, result: Any, kind: Any) -> None:
    writer = kind(WRITERS[name])
    assert type(quick(RunnableSeq(RunnableLambda(str), writer))) is QuickSeq
    assert came(writer, result, quick) == came(writer, result, lambda sequence: sequence)
    assert await acame(writer, result, quick) == await acame(writer, result, lambda sequence: sequence)


def test_only_known_writers_are_plain() -> None:
    assert {name for name, entries in WRITERS.items() if parts(ChannelWrite(entries)) is not None} == PLAIN
    assert parts(Own(WRITERS["nothing"])) is None


def test_a_graph_of_channels_writes_the_same() -> None:
    double = NodeBuilder().subscribe_only("a").do(lambda value: value * 2).write_to("b", c=lambda value: value + "!", d="constant")
    channels: Any = {name: LastValue(str) for name in "abcd"}
    app = Pregel(nodes={"double": double}, channels=channels, input_channels=["a"], output_channels=["b", "c", "d"])
    assert optimize(app).invoke({"a": "x"}) == app.invoke({"a": "x"}) == {"b": "xx", "c": "xx!", "d": "constant"}
