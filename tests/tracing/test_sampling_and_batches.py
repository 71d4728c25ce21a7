"""Whole runs are sampled; the caller's trace goes on; what answers several is linked to all of them."""

from __future__ import annotations

import asyncio
import operator
import os
from typing import Annotated, Any, TypedDict
from unittest.mock import patch

import pytest
from langgraph.types import Send
from opentelemetry import context as otel
from opentelemetry import trace
from opentelemetry.propagate import inject
from opentelemetry.sdk.trace import TracerProvider, sampling
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, set_span_in_context

from alto_langgraph import protocols
from alto_langgraph.adapters.batching import Batched
from alto_langgraph.graph import START, StateGraph
from alto_langgraph.testing import HashEmbeddings
from alto_langgraph.testing.traces import faults, recorded
from alto_langgraph.tracing import attributes as names
from alto_langgraph.tracing import configuring
from alto_langgraph.tracing.light import LightTracer


class State(TypedDict, total=False):
    items: list[int]
    done: Annotated[list[Any], operator.add]


def app(node: Any, inner: Any = None) -> Any:
    builder: Any = StateGraph(State).add_node("work", node)
    builder = builder.add_conditional_edges(START, lambda state: [Send("work", item) for item in state["items"]], ["work"])
    if inner is not None:
        builder = builder.add_node("inner", inner).add_edge("work", "inner")
    return builder.compile()


def sampled_by(sampler: Any, spans: list[Any]) -> Any:
    tracer = LightTracer(TracerProvider(sampler=sampler, shutdown_on_exit=False), InstrumentationScope("alto"), spans.append)
    return patch.object(configuring, "_configured", configuring.Tracing(tracer, None))


async def test_a_run_is_there_or_not_with_all_its_graphs():
    carried: list[dict[str, str]] = []

    async def work(item: Any):
        inject(headers := {})
        carried.append(headers)
        return {"done": [item]}

    spans: list[Any] = []
    sampler = sampling.ParentBased(sampling.TraceIdRatioBased(0.5))
    with patch.dict(os.environ, {"ALTO_TRACE": "1"}), sampled_by(sampler, spans):
        inner = StateGraph(State).add_node("part", lambda state: {}).add_edge(START, "part").compile()
        graph = app(work, inner)
        for _ in range(40):
            await graph.ainvoke({"items": [1, 2]})
    assert faults(spans) == []
    runs = sum(span.parent is None for span in spans)
    assert 5 < runs < 35
    assert len(spans) == runs * 8, "the run, its four fragments, and the run of the graph inside with two"
    assert len(carried) == 80
    assert sum(it["traceparent"].endswith("-01") for it in carried) == 2 * runs, "servers hear who isn't sampled, too"
    assert not trace.get_current_span().get_span_context().is_valid


async def test_a_fragment_s_context_stays_inside():
    seen = []

    async def work(item: int):
        before = trace.get_current_span().get_span_context().span_id
        await asyncio.sleep(0.001 * item)
        seen.append((before, trace.get_current_span().get_span_context().span_id))
        return {"done": [item]}

    with recorded() as spans:
        await app(work).ainvoke({"items": [3, 2, 1]})
        assert not trace.get_current_span().get_span_context().is_valid
        app(lambda item: {"done": [item]}).invoke({"items": [1]})
        assert not trace.get_current_span().get_span_context().is_valid
    assert len({before for before, _ in seen}) == 3
    assert all(before == after for before, after in seen)
    assert {before for before, _ in seen} <= {span.context.span_id for span in spans if span.name == "fragment work"}


async def test_the_callers_trace_goes_on():
    caller = SpanContext(5, 6, True, TraceFlags(TraceFlags.SAMPLED))
    token = otel.attach(set_span_in_context(NonRecordingSpan(caller)))
    try:
        with recorded() as spans:
            await app(lambda item: {"done": [item]}).ainvoke({"items": [1]})
    finally:
        otel.detach(token)
    assert {span.context.trace_id for span in spans} == {5}
    assert spans[-1].parent == caller
    assert otel.get_current() == {}


async def test_with_the_sdks_own_spans():
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracing = configuring.Tracing(provider.get_tracer("alto"), None)

    async def work(item: int):
        with provider.get_tracer("app").start_as_current_span("the app's own"):
            return {"done": [item]}

    with patch.dict(os.environ, {"ALTO_TRACE": "1"}), patch.object(configuring, "_configured", tracing):
        await app(work).ainvoke({"items": [1, 2]})
    spans: Any = exporter.get_finished_spans()
    assert faults(spans) == []
    named = {span.context.span_id: span.name for span in spans}
    assert [named[span.parent.span_id] for span in spans if span.name == "the app's own"] == ["fragment work"] * 2
    fragment = next(span for span in spans if span.name == "fragment work")
    assert fragment.attributes[names.TAG] in ("__start__[0]/work[0]", "__start__[0]/work[1]")
    assert fragment.attributes[names.OUTCOME] == "committed"


@pytest.mark.parametrize("together", [1, 3])
async def test_a_batch_is_linked_to_all_that_it_serves(together):
    askers: list[Any] = []
    all_there = asyncio.Event()

    async def work(item: int):
        askers.append(protocols.asker())
        if len(askers) == together:
            with protocols.served("embeddings", "minilm", askers):
                await asyncio.sleep(0)
            all_there.set()
        await all_there.wait()
        return {"done": [item]}

    with recorded() as spans:
        await app(work).ainvoke({"items": list(range(together))})
    assert faults(spans) == []
    (batch,) = [span for span in spans if span.name == "embeddings minilm"]
    assert batch.attributes[names.BATCH] == together
    fragments = {span.context.span_id for span in spans if span.name == "fragment work"}
    assert batch.parent.span_id in fragments
    assert {link.context.span_id for link in batch.links} == (fragments if together > 1 else set())


async def test_embeddings_put_together_are_linked_to_all_that_asked():
    embeddings = Batched(HashEmbeddings())

    async def work(item: int):
        await embeddings.aembed_documents([f"text {item}"])
        return {"done": [item]}

    with recorded() as spans:
        await app(work).ainvoke({"items": [1, 2, 3]})
    assert faults(spans) == []
    batches = [span for span in spans if span.name == "embeddings HashEmbeddings"]
    assert sum(span.attributes[names.BATCH] for span in batches) == 3
    fragments = {span.context.span_id for span in spans if span.name == "fragment work"}
    asked = {link.context.span_id for span in batches for link in span.links} | {span.parent.span_id for span in batches}
    assert asked == fragments


async def test_a_batch_that_nobody_traces():
    assert protocols.asker() is None
    with protocols.served("retrieval", "shelf", [None, None]):
        pass


async def test_a_bad_tracer_never_touches_the_run(monkeypatch):
    from alto_langgraph.exceptions import AltoWarning
    from alto_langgraph.tracing import saying
    from alto_langgraph.tracing.recording import Recorder

    def broken(*_: Any) -> None:
        raise RuntimeError("broken")

    with recorded():
        graph = app(lambda item: {"done": [item]})
        for method, what in {
            **dict.fromkeys(("_started", "_finished", "_committed", "_over"), "has failed"),
            "__init__": "doesn't trace",
        }.items():
            monkeypatch.setattr(saying, "_SAID", set())
            with monkeypatch.context() as patched:
                patched.setattr(Recorder, method, broken)
                with pytest.warns(AltoWarning, match=what) as said:
                    state = await graph.ainvoke({"items": [1, 2]})
            assert state["done"] == [1, 2]
            assert len(said) == 1
