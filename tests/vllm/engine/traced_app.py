"""An app that is traced, asking a model on a real engine: `python -m tests.vllm.engine.traced_app RECEIVER MODEL [URL]`."""

from __future__ import annotations

import asyncio
import os
import sys

from alto_langgraph.adapters.vllm import ChatVLLM
from alto_langgraph.adapters.vllm.serving_loop import serving
from alto_langgraph.graph import StateGraph
from alto_langgraph.tracing import configure
from benchmarks.serving_servers import ARGUMENTS, ENVIRONMENT
from tests.vllm.engine.test_graphs import built


def main(receiver: str, model: str, url: str | None = None) -> None:
    """Runs it once; without `url` the engine is in this process."""
    os.environ.update(ENVIRONMENT)
    tracing = configure(receiver)
    engine = {} if url else {**ARGUMENTS, "served_model_name": "tiny", "otlp_traces_endpoint": receiver}
    llm = ChatVLLM(model=model, base_url=url, engine=engine, temperature=0, max_tokens=16, seed=1)
    given = {"question": "Why?", "claims": [], "checked": [], "verdicts": [], "conclusion": ""}
    print("conclusion:", asyncio.run(built(StateGraph, llm, threads=False).ainvoke(given))["conclusion"])
    tracing.flush()
    serving().close()


if __name__ == "__main__":
    main(*sys.argv[1:])
