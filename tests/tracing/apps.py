"""An app to be traced, run as a process of its own: `python -m tests.tracing.apps`."""

from __future__ import annotations

import asyncio
import operator
import sys
import warnings
from typing import Annotated, Any, TypedDict

from langgraph.types import Send

from alto_langgraph.graph import START, StateGraph


class State(TypedDict, total=False):
    items: list[int]
    done: Annotated[list[int], operator.add]


async def work(item: int):
    await asyncio.sleep(0.002)
    return {"done": [item]}


def fan(state: State):
    return [Send("work", item) for item in state["items"]]


def app():
    builder: Any = StateGraph(State)
    builder = builder.add_node("work", work).add_node("end", lambda state: {})
    return builder.add_conditional_edges(START, fan, ["work"]).add_edge("work", "end").compile()


SPANS = 13
"""Of one run with ten items: the run, `__start__`, ten times `work`, and `end`."""


def main(how: str, *args: str) -> None:
    if how == "configure":
        from alto_langgraph.tracing import configure

        configure(*args)
    elif how == "existing":
        from opentelemetry import trace
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor

        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(ConsoleSpanExporter(formatter=lambda span: f"span {span.name}\n")))
        trace.set_tracer_provider(provider)
        if args:
            from alto_langgraph.tracing import configure

            configure(*args)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        for _ in range(2):
            result = asyncio.run(app().ainvoke({"items": list(range(10))}))
    print("done", result["done"])
    print("warnings", len(said))


if __name__ == "__main__":
    main(*sys.argv[1:])
