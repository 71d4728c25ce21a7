"""One compiled graph, its thread and its checkpointer, as a case's turns use them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from functools import lru_cache
from linecache import cache as lines
from types import FunctionType, ModuleType
from typing import Any

import aiosqlite
from langgraph.cache.memory import InMemoryCache
from langgraph.channels.named_barrier_value import NamedBarrierValue, NamedBarrierValueAfterFinish
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.graph.state import StateGraph as Stock
from langgraph.store.memory import InMemoryStore
from langgraph.types import Command

from alto_langgraph.testing.graph_source import source
from alto_langgraph.testing.graph_specs import Case, Graph, TurnKind


class CrashError(Exception):
    """The checkpointer can't save."""


class CrashingSaver(InMemorySaver):
    """A checkpointer that, once, can't save: the root graph's checkpoint after `puts` more, or what the node `loses` has written."""

    def __init__(self) -> None:
        super().__init__()
        self.puts = -1
        self.loses = ""

    def put(self, config: Any, *args: Any, **kwargs: Any) -> Any:
        """As `InMemorySaver` does, or not."""
        if not config["configurable"].get("checkpoint_ns"):
            self.puts -= 1
            if self.puts == 0:
                raise CrashError("the checkpoint isn't saved")
        return super().put(config, *args, **kwargs)

    def put_writes(self, config: Any, writes: Any, task_id: str, task_path: str = "") -> None:
        """As `InMemorySaver` does, or not."""
        if self.loses and self.loses in task_path.replace(",", " ").split():
            raise CrashError("the writes aren't saved")
        super().put_writes(config, writes, task_id, task_path)


def builder(graph: Graph) -> FunctionType:
    """The `build` function of the graph's source; its module can be imported, so that what its classes make can be saved."""
    module = _module(graph)
    sys.modules[module.__name__] = module
    build: FunctionType = module.build
    return build


@lru_cache(maxsize=64)
def _module(graph: Graph) -> ModuleType:
    """The graph's source as a module, which can be inspected."""
    text = source(graph)
    name = f"<random graph {hash(graph) & 0xFFFFFFFF:08x}>"
    lines[name] = (len(text), None, text.splitlines(keepends=True), name)
    module = ModuleType("random_graph")
    exec(compile(text, name, "exec", dont_inherit=True), vars(module))
    return module


class Session:
    """One compiled graph and its thread."""

    def __init__(self, case: Case, side: Any, saver: Any) -> None:
        self.case, self.side, self.saver = case, side, saver
        self.store, self.cache = InMemoryStore(), InMemoryCache[Any]()
        self.compile()
        self.inputs = 0
        self.config: dict[str, Any] = {"recursion_limit": case.limit, "configurable": {"thread_id": "t", "user": 5}}
        if case.concurrency:
            self.config["max_concurrency"] = case.concurrency
        self.running: dict[str, Any] = {"interrupt_before": list(case.before), "interrupt_after": list(case.after)}
        if saver:
            self.running["durability"] = case.durability
        if any("context" in node.looks for node in case.graph.all_nodes()):
            self.running["context"] = {"user": 7}
        self.streaming = self.running | {"stream_mode": list(case.modes), "subgraphs": case.subgraphs}
        self.update = {"total": 5, "log": ["updated"]} | {k.name: 41 for k in case.graph.keys if k.kind == "last" and not k.private}
        self.as_node = case.at if any(node.name == case.at for node in case.graph.nodes) else case.graph.nodes[0].name

    def compile(self) -> None:
        """Makes the graph anew."""
        case = self.case
        chosen = self.options()
        options: dict[str, Any] = {"alto": chosen} if chosen and self.side is not Stock else {}
        self.build = builder(case.graph)
        self.graph = self.build(self.side, Stock).compile(checkpointer=self.saver, cache=self.cache, store=self.store, **options)

    def options(self) -> dict[str, Any]:
        """Alto's own."""
        chosen: dict[str, Any] = {"issue": ["send", "edge", "chain", "route"], "evidence": 1, "speculation": 1} if self.case.guesses else {}
        if any(node.style == "computed" for node in self.case.graph.all_nodes()):
            chosen["evidence"] = 1
        return chosen | ({"window": self.case.window} if self.case.window is not None else {})

    def at(self, old: Any) -> dict[str, Any]:
        """The config of a run from an old checkpoint."""
        return self.on(old.config)

    def on(self, config: Any) -> dict[str, Any]:
        """The config of a run from the checkpoint that `config` names."""
        return self.config | {"configurable": self.config["configurable"] | config["configurable"]}

    def given(self, kind: TurnKind, state: Any, past: list[Any], config: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        """Input and config of a turn, if nothing more is known of it `config` itself."""
        old = self.at(past[len(past) // 2]) if past else config
        if self.saver and kind in ("on", "fresh"):
            waiting = {i.id: f"yes, {i.value}" for task in state.tasks for i in task.interrupts}
            first = dict([*waiting.items()][:1])
            return (Command(resume=waiting if kind == "on" else first) if waiting else None), config
        if self.saver and kind in ("update", "edit", "fork"):
            return None, old if kind == "fork" else config
        return self.input(), old if kind == "rewind" else config

    def input(self) -> dict[str, Any]:
        """A new input, unlike those before it."""
        seed = self.case.seed + self.inputs
        self.inputs += 1
        values: dict[str, Any] = {"last": seed % 7, "messages": [("user", "hello")]}
        box: Any = eval(f"{self.case.graph.box}()", self.build.__globals__)
        return {"seed": seed, "box": box} | {k.name: values[k.kind] for k in self.case.graph.keys if k.given and k.kind in values}

    def batch(self) -> tuple[list[Any], list[Any]]:
        """Inputs and configs of two runs at a time."""
        configs = [self.config | {"configurable": {"thread_id": f"{name}{self.inputs}", "user": 5}} for name in "uv"]
        return [self.input(), self.input()], configs

    def arm(self, kind: TurnKind) -> None:
        """Lets the checkpointer fail in this turn, if it should."""
        if isinstance(self.saver, CrashingSaver):
            self.saver.puts = self.case.nth if kind == "crash" else -1
            self.saver.loses = self.case.at if kind == "loses" else ""

    def notes(self) -> list[str]:
        """The store's keys."""
        return sorted(item.key for item in self.store.search(("notes",), limit=10_000))


@contextmanager
def saver_for(case: Case) -> Iterator[Any]:
    """The case's checkpointer."""
    if case.saver == "sqlite":
        with SqliteSaver.from_conn_string(":memory:") as saver:
            yield saver
    else:
        yield CrashingSaver() if case.saver == "memory" else None


@contextmanager
def joins_saved_as_they_were() -> Iterator[None]:
    """Hands a saver what joins have seen as it is, on both sides.

    LangGraph hands it the set itself, which the next superstep changes while a saver with further to go than to memory, or on a thread,
    is still at it: which of the two is saved is chance, and with it what comes next after such a checkpoint.
    """
    own = {cls: cls.checkpoint for cls in (NamedBarrierValue, NamedBarrierValueAfterFinish)}
    try:
        for cls, checkpoint in own.items():
            cls.checkpoint = _copied(checkpoint)  # type: ignore[method-assign]
        yield
    finally:
        for cls, checkpoint in own.items():
            cls.checkpoint = checkpoint  # type: ignore[method-assign]


def _copied(checkpoint: Any) -> Any:
    return lambda channel: deepcopy(checkpoint(channel))


class AsyncSaver:
    """`saver_for`, for async runs."""

    def __init__(self, case: Case) -> None:
        self.kind = case.saver
        self.connection: aiosqlite.Connection | None = None

    async def __aenter__(self) -> Any:
        """Opens it."""
        if self.kind != "sqlite":
            return CrashingSaver() if self.kind == "memory" else None
        self.connection = await aiosqlite.connect(":memory:")
        saver = AsyncSqliteSaver(self.connection)
        await saver.setup()
        return saver

    async def __aexit__(self, *_: object) -> None:
        """Closes it."""
        if self.connection:
            await self.connection.close()
