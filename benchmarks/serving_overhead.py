"""What a call through `ChatVLLM` takes beyond the same request to the engine's own chat front end, in this process.

Both ask for one token, in turn, nothing else running: a call from the app's event loop, and one that is made on the event loop on which
the engine lives, with the request as vLLM's server has it once it has been read.

    .venv-vllm/bin/python -m benchmarks.serving_overhead
"""

from __future__ import annotations

import asyncio
import statistics
import time
from typing import Annotated, Any

import typer
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage

from alto_langgraph.adapters.vllm.policy import ByAncestry, Untold
from alto_langgraph.adapters.vllm.serving_loop import serving
from benchmarks.serving_engine import say_where, served, table


async def measure(calls: int) -> None:
    say_where()
    bare, llm = served(Untold()), served(ByAncestry())
    loop = serving()
    await bare.ainvoke("Hello", max_tokens=1)
    pool: Any = bare._server(loop)._server._server  # type: ignore[attr-defined]
    engine = next(iter(pool._replicas.values())).server._starting.result()

    async def directly(prompt: str) -> float:
        body = {"model": "tiny", "messages": [{"role": "user", "content": prompt}], "max_tokens": 1, "temperature": 0}
        begun = time.perf_counter()
        await engine.chat(body, {})
        return time.perf_counter() - begun

    found: dict[str, list[float]] = {"engine": [], "ainvoke": [], "invoke, from a thread": []}
    for number in range(calls):
        found["engine"].append(await loop.ask(directly(f"Direct {number}")))
        begun = time.perf_counter()
        await llm.ainvoke(f"Async {number}", max_tokens=1)
        found["ainvoke"].append(time.perf_counter() - begun)

        def sync(number: int = number) -> float:
            begun = time.perf_counter()
            llm.invoke(f"Sync {number}", max_tokens=1)
            return time.perf_counter() - begun

        found["invoke, from a thread"].append(await asyncio.to_thread(sync))
    direct = statistics.median(found["engine"])
    rows = [[name, statistics.median(took) * 1e3, (statistics.median(took) - direct) * 1e3] for name, took in found.items()]
    table(f"Medians of {calls} calls", ["", "ms", "beyond the engine, ms"], rows)
    rows = [["LangChain's own part: a model that answers at once", await _of_langchain(calls)]]
    table("Of what is beyond the engine", ["", "ms"], rows)


async def _of_langchain(calls: int) -> float:
    model = GenericFakeChatModel(messages=iter(AIMessage("x") for _ in range(calls + 1)))
    took = []
    for _ in range(calls):
        begun = time.perf_counter()
        await model.ainvoke("Hello")
        took.append(time.perf_counter() - begun)
    return statistics.median(took) * 1e3


def main(calls: Annotated[int, typer.Option(help="Calls of each kind.")] = 300) -> None:
    asyncio.run(measure(calls))


if __name__ == "__main__":
    typer.run(main)
