"""LangGraph's sequence of a node and its writers, without setting up callbacks that nothing listens to."""

from __future__ import annotations

import asyncio
import copy
from contextvars import copy_context
from typing import Any
from weakref import WeakKeyDictionary

from langchain_core.callbacks.manager import AsyncCallbackManager, CallbackManager
from langchain_core.runnables import Runnable, RunnableConfig
from langchain_core.tracers.langchain import LangChainTracer

from alto_langgraph.adapters.langgraph.callbacks import child, started
from alto_langgraph.adapters.langgraph.seam import ChannelWrite, RunnableSeq, enter_config, patch_config
from alto_langgraph.adapters.langgraph.writing import Part, parts, write


class QuickSeq(RunnableSeq):
    """Runs as `RunnableSeq` does.

    Plain writers call nothing that takes callbacks, so they get none of their own; and where no handler listens, nothing waits
    for handlers to have heard that the node has ended.
    """

    shows_input_otherwise: bool
    """Whether what handlers are told of the input is worked out by a function, which has to be called even if there are none."""
    parts: list[list[Part] | None]
    """For each step what it writes, if it is a plain writer."""

    def invoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        if config is None:
            return super().invoke(input, config, **kwargs)
        run_manager = None if self.shows_input_otherwise else started(config, CallbackManager)
        if run_manager is None:
            run_manager = self._start(input, config)
        try:
            for i, step in enumerate(self.steps):
                if i and type(step) is ChannelWrite:
                    plain = self.parts[i]
                    if plain is None or not write(plain, input, config):
                        input = step.invoke(input, config)
                    continue
                config = patch_config(config, callbacks=child(run_manager, f"seq:step:{i + 1}"))
                if i == 0:
                    context = copy_context()
                    context.run(enter_config, config, _traced(run_manager))
                    input = context.run(step.invoke, input, config, **kwargs)
                else:
                    input = step.invoke(input, config)
        except BaseException as error:
            run_manager.on_chain_error(error)
            raise
        if run_manager.handlers:
            self._end(run_manager, input)
        return input

    async def ainvoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        if config is None:
            return await super().ainvoke(input, config, **kwargs)
        run_manager = None if self.shows_input_otherwise else started(config, AsyncCallbackManager)
        if run_manager is None:
            run_manager = await self._astart(input, config)
        try:
            for i, step in enumerate(self.steps):
                if i and type(step) is ChannelWrite:
                    plain = self.parts[i]
                    if plain is None or not write(plain, input, config):
                        input = await step.ainvoke(input, config)
                    continue
                config = patch_config(config, callbacks=child(run_manager, f"seq:step:{i + 1}"))
                if i == 0:
                    context = copy_context()
                    context.run(enter_config, config, _traced(run_manager))
                    input = await asyncio.create_task(step.ainvoke(input, config, **kwargs), context=context)
                else:
                    input = await step.ainvoke(input, config)
        except BaseException as error:
            await run_manager.on_chain_error(error)
            raise
        if run_manager.handlers:
            await self._aend(run_manager, input)
        return input


_quick: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()


def quick(proc: Runnable[Any, Any]) -> Runnable[Any, Any]:
    """`proc`, or its quick twin if it is a sequence of LangGraph's whose layout is known."""
    if type(proc) is not RunnableSeq:
        return proc
    twin: Any = _quick.get(proc)
    if twin is None:
        twin = copy.copy(proc)
        if hasattr(RunnableSeq, "_astart") and hasattr(RunnableSeq, "_aend"):
            twin.__class__ = QuickSeq
            processed = getattr(getattr(twin, "trace_policy", None), "process_inputs", None)
            twin.parts = [parts(step) for step in twin.steps]
            twin.shows_input_otherwise = twin.trace_inputs is not None or processed is not None
        _quick[proc] = twin
    return twin  # type: ignore[no-any-return]


def _traced(run_manager: Any) -> Any:
    for handler in run_manager.handlers:
        if isinstance(handler, LangChainTracer):
            return handler.run_map.get(str(run_manager.run_id))
    return None
