"""A pytest plugin, given with `-p plugin`: puts alto's class in place of `StateGraph` and records what every test did.

It is loaded before the tests' conftest, so every `from langgraph.graph import StateGraph` in the tests gets the swapped class;
modules of LangGraph and LangChain that bound the name before are rebound here.

Environment:
    CONFORMANCE_SWAP: `module:attribute` of the class to put in; empty runs stock.
    CONFORMANCE_RECORD: file that receives the outcomes as JSON, written by the controlling process.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

BINDERS = (
    "langgraph.graph",
    "langgraph.graph.state",
    "langgraph.graph.message",
    "langgraph.prebuilt",
    "langgraph.prebuilt.chat_agent_executor",
    "langgraph.prebuilt.tool_node",
    "langgraph.prebuilt.tool_validator",
    "langchain.agents.factory",
)
"""Modules imported first, so that whatever they bind is rebound and not bound late to the stock class."""

BUILT = "graphs_built"
WORST = {"passed": 0, "skipped": 1, "failed": 2}


class Count:
    """How many graphs of the swapped class this process has built."""

    graphs = 0


def swap(target: str) -> None:
    """Puts the class named by `target` wherever stock's `StateGraph` is bound, and counts what is built with it."""
    for name in BINDERS:
        importlib.import_module(name)
    stock = importlib.import_module("langgraph.graph.state").StateGraph
    module, _, attribute = target.partition(":")
    ours = getattr(importlib.import_module(module), attribute)
    if not issubclass(ours, stock) or len(getattr(ours, "__parameters__", ())) != len(stock.__parameters__):
        raise pytest.UsageError(f"{target} must be a subclass of StateGraph, generic in its {len(stock.__parameters__)} parameters.")
    ours.__init__ = counted(ours.__init__)
    for name, loaded in list(sys.modules.items()):
        if name.partition(".")[0] in {"langgraph", "langchain"} and loaded is not None:
            for bound, value in list(vars(loaded).items()):
                if value is stock:
                    setattr(loaded, bound, ours)


def counted(init: Any) -> Any:
    """`init`, counting its calls."""

    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        Count.graphs += 1
        init(self, *args, **kwargs)

    return __init__


class Recorder:
    """Collects each test's worst outcome and the number of graphs it built."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.outcomes: dict[str, str] = {}
        self.built: dict[str, int] = {}
        self.messages: dict[str, str] = {}

    def note(self, nodeid: str, outcome: str, message: str) -> None:
        if WORST[outcome] >= WORST[self.outcomes.get(nodeid, "passed")]:
            self.outcomes[nodeid] = outcome
        if outcome == "failed":
            self.messages[nodeid] = message[-6000:]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        outcome = "skipped" if hasattr(report, "wasxfail") else report.outcome
        self.note(report.nodeid, outcome, report.longreprtext)
        if report.when == "teardown":
            self.built[report.nodeid] = sum(value for name, value in report.user_properties if name == BUILT and isinstance(value, int))

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.note(report.nodeid, "failed", report.longreprtext)

    def pytest_sessionfinish(self) -> None:
        record = {"outcomes": self.outcomes, "built": self.built, "messages": self.messages}
        self.path.write_text(json.dumps(record, indent=0, sort_keys=True))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> Iterator[None]:
    item.stash[STARTED] = Count.graphs
    return (yield)


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_teardown(item: pytest.Item) -> Iterator[None]:
    try:
        return (yield)
    finally:
        item.user_properties.append((BUILT, Count.graphs - item.stash.get(STARTED, Count.graphs)))


STARTED = pytest.StashKey[int]()


def pytest_configure(config: pytest.Config) -> None:
    record = os.environ.get("CONFORMANCE_RECORD")
    if record and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Recorder(Path(record)), "conformance-recorder")


if os.environ.get("CONFORMANCE_SWAP"):
    swap(os.environ["CONFORMANCE_SWAP"])
