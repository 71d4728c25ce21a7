"""One attempt at a task that has neither a retry policy nor a timeout: LangGraph's set-up for it, done in one go.

What goes wrong in it is handed to LangGraph's own code, which knows what each exception means.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import Any

from langgraph.runtime import ExecutionInfo, Runtime
from langgraph.types import PregelExecutableTask

from alto_langgraph.adapters.langgraph.configuring import replaced
from alto_langgraph.adapters.langgraph.seam import CONF, CONFIG_KEY_RUNTIME, arun_with_retry, run_with_retry
from alto_langgraph.adapters.langgraph.sequence import quick

_SET_TIME = getattr(vars(ExecutionInfo).get("node_first_attempt_time"), "__set__", None)
"""Sets the time of a task's first attempt, for which LangGraph copies what holds it and what holds that; None without a slot."""


def plain(task: PregelExecutableTask, retry_policy: Any, kwargs: dict[str, Any]) -> bool:
    """Whether one attempt is all there is to it."""
    return not (task.retry_policy or retry_policy or task.timeout is not None or kwargs)


def attempt(task: PregelExecutableTask, configurable: dict[str, Any]) -> Any:
    """What `run_with_retry` does for a plain task."""
    config = _config(task, configurable)
    task.writes.clear()
    try:
        return quick(task.proc).invoke(task.input, config)
    except (Exception, asyncio.CancelledError) as error:
        return run_with_retry(_raising(task, error), None, configurable)


async def aattempt(task: PregelExecutableTask, configurable: dict[str, Any]) -> Any:
    """What `arun_with_retry` does for a plain task."""
    config = _config(task, configurable)
    task.writes.clear()
    try:
        return await quick(task.proc).ainvoke(task.input, config)
    except (Exception, asyncio.CancelledError) as error:
        return await arun_with_retry(_raising(task, error), None, configurable=configurable)


def _config(task: PregelExecutableTask, configurable: dict[str, Any]) -> Any:
    conf = {**task.config[CONF], **configurable}
    runtime = conf.get(CONFIG_KEY_RUNTIME)
    if isinstance(runtime, Runtime) and (info := runtime.execution_info) is not None:
        if type(info) is ExecutionInfo and info.node_attempt == 1 and _SET_TIME is not None:
            _SET_TIME(info, time.time())  # made for this task, which begins now, so nobody has seen it yet
        else:
            info = replaced(info, node_first_attempt_time=time.time(), node_attempt=1)
            conf[CONFIG_KEY_RUNTIME] = replaced(runtime, execution_info=info)
    return {**task.config, CONF: conf}


class _Raising:
    """A node that writes and raises what it did before."""

    def __init__(self, task: PregelExecutableTask, error: BaseException) -> None:
        self._task, self._written, self._error = task, list(task.writes), error

    def invoke(self, input: Any, config: Any) -> None:
        self._task.writes.extend(self._written)
        raise self._error

    async def ainvoke(self, input: Any, config: Any) -> None:
        self.invoke(input, config)


def _raising(task: PregelExecutableTask, error: BaseException) -> PregelExecutableTask:
    return replace(task, proc=_Raising(task, error))  # type: ignore[arg-type]
