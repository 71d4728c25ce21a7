"""Finds the run of a node that asks a model, where something may be sent on a part of the answer."""

from __future__ import annotations

import sys
import warnings
from contextlib import suppress
from typing import Any

from langchain_core.runnables.config import var_child_runnable_config
from langgraph.runtime import Runtime

from alto_langgraph.adapters.langgraph.seam import CONF, CONFIG_KEY_READ, CONFIG_KEY_RUNTIME, CONFIG_KEY_TASK_ID
from alto_langgraph.adapters.langgraph.whose import loop_of
from alto_langgraph.driver.producing import Producer
from alto_langgraph.exceptions import AltoWarning

_MODELS = "langchain_core.language_models.chat_models"
_TOOLS = "langgraph.prebuilt.tool_node"
_installed = _calling = False


def listen() -> None:
    """Listens to chat models from now on, if the app has any, and notes which of its tools are called."""
    global _installed, _calling
    if not _calling and _TOOLS in sys.modules:
        _calling = True
        with suppress(ImportError, AttributeError):  # without that a tag names the task alone
            from alto_langgraph.adapters.langgraph import calling

            calling.install(sys.modules[_TOOLS].ToolNode)
    if not _installed and _MODELS in sys.modules:
        _installed = True
        try:
            from alto_langgraph.adapters.langgraph.tapping import install

            install(producer)
        except (ImportError, AttributeError) as error:  # pragma: no cover - only on a LangChain laid out differently
            _warn(error)


def producer(config: Any) -> Producer | None:
    """The node's run that a call with this config is part of; None if nobody needs to hear what it is answered."""
    try:
        return _producer(config)
    except Exception as error:  # the app asks its model all the same
        _warn(error)
        return None


def _warn(error: Exception) -> None:
    warnings.warn(f"alto starts nothing on the finished part of answers, after an error of its own: {error!r}", AltoWarning, stacklevel=3)


def _producer(config: Any) -> Producer | None:
    """Of what a node is made of, only the first step finds its config in the context; the others are given it."""
    given: Any = (config or {}).get(CONF) or {}
    conf: Any = given if CONFIG_KEY_READ in given else (var_child_runnable_config.get() or {}).get(CONF) or {}
    found = loop_of(conf.get(CONFIG_KEY_READ))
    if found is None:
        return None
    loop: Any = found[0]
    early = found[1]
    task = loop.tasks.get(conf.get(CONFIG_KEY_TASK_ID)) if early is None else early.task
    return loop.producer(task, early, _attempt(conf)) if task is not None else None


def _attempt(conf: Any) -> Any:
    runtime = conf.get(CONFIG_KEY_RUNTIME)
    info = runtime.execution_info if isinstance(runtime, Runtime) else None
    return info.node_attempt if info is not None else None
