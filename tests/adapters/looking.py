"""Nodes that note all that they can see of the run around them, so that both sides can be compared."""

from __future__ import annotations

import dataclasses
import operator
import re
from typing import Annotated, Any

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage
from langchain_core.runnables import RunnableConfig, RunnableLambda
from langgraph.config import get_config, get_stream_writer
from langgraph.runtime import get_runtime
from typing_extensions import TypedDict

_ID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|[0-9a-f]{32}")
_TIMES = re.compile(r"'node_first_attempt_time': [\d.]+|'timestamp': '[^']*'|'ts': '[^']*'| at 0x[0-9a-f]+")


class State(TypedDict, total=False):
    out: Annotated[list[str], operator.add]


class Hearing(BaseCallbackHandler):
    """Notes what a handler given to a call inside a node hears."""

    def __init__(self) -> None:
        self.heard: list[Any] = []

    def on_chat_model_start(self, serialized: Any, messages: Any, *, run_id: Any, parent_run_id: Any = None, tags: Any = None,
                            metadata: Any = None, **kwargs: Any) -> None:  # fmt: skip
        self.heard.append(("model", parent_run_id, tags, metadata))

    def on_chain_start(self, serialized: Any, inputs: Any, *, run_id: Any, parent_run_id: Any = None, tags: Any = None,
                       metadata: Any = None, name: Any = None, **kwargs: Any) -> None:  # fmt: skip
        self.heard.append((name, parent_run_id, tags, metadata))


def plain(value: Any) -> str:
    """A value as text, without what differs from run to run."""
    return _TIMES.sub("", _ID.sub("<id>", repr(value)))


def manager(callbacks: Any) -> Any:
    """Class and attributes of a callback manager, and which of its containers are one object."""
    attributes = vars(callbacks)
    shared = [(a, b) for a in attributes for b in attributes if a < b and attributes[a] is attributes[b] and attributes[a] is not None]
    handlers = {name: sorted(type(h).__name__ for h in attributes[name]) for name in ("handlers", "inheritable_handlers")}
    return type(callbacks), {name: (type(v), v) for name, v in attributes.items()} | handlers, shared


def looked_at(config: Any) -> list[Any]:
    """What a config holds, in its order."""
    conf = config["configurable"]
    runtime = conf.get("__pregel_runtime")
    return [
        {k: (type(v), v) for k, v in config.items() if k not in ("callbacks", "configurable")},
        [*config],
        {k: type(v) for k, v in conf.items()},
        {k: v for k, v in conf.items() if isinstance(v, (str, int, dict))},
        manager(config["callbacks"]),
        (type(runtime), {f.name: type(getattr(runtime, f.name)) for f in dataclasses.fields(runtime)}, runtime.previous, runtime.context),
        (type(runtime.execution_info), dataclasses.asdict(runtime.execution_info), type(runtime.execution_info.node_first_attempt_time)),
        runtime is get_runtime(),
        get_config() == config,
    ]


class Notes:
    """What nodes have noted."""

    def __init__(self) -> None:
        self.taken: list[str] = []

    def note(self, name: str, *seen: Any) -> None:
        self.taken.append(f"{name}: {plain(seen)}")

    def calling(self, name: str, config: Any) -> tuple[Any, Any, Hearing]:
        """A model and a chain to be called with a config that has a handler."""
        hearing = Hearing()
        model = GenericFakeChatModel(messages=iter([AIMessage("said it")])).with_config(tags=["of the model"])
        chain = RunnableLambda(lambda x: x).with_config(run_name="inner", metadata={"inner": 1}) | model
        return chain, {"callbacks": [hearing], "tags": ["given"], "metadata": {"given": name}}, hearing

    def tell(self, name: str, config: Any, hearing: Hearing) -> None:
        parent = config["callbacks"].parent_run_id
        self.note(name, looked_at(config), [(what, up is not None, up == parent, *more) for what, up, *more in hearing.heard])

    def node(self, name: str) -> Any:
        """A sync node."""

        def look(state: State, config: RunnableConfig) -> State:
            chain, given, hearing = self.calling(name, config)
            chain.invoke("hi", given)
            get_stream_writer()({"from": name})
            self.tell(name, config, hearing)
            return {"out": [name]}

        return look

    def anode(self, name: str) -> Any:
        """An async node."""

        async def look(state: State, config: RunnableConfig) -> State:
            chain, given, hearing = self.calling(name, config)
            await chain.ainvoke("hi", given)
            get_runtime().stream_writer({"from": name})
            self.tell(name, config, hearing)
            return {"out": [name]}

        return look

    def spoiler(self, name: str) -> Any:
        """A node that changes what it is given, in place."""

        def look(state: State, config: RunnableConfig) -> State:
            callbacks: Any = config["callbacks"]
            callbacks.add_tags(["spoilt"])
            callbacks.inheritable_metadata["spoilt"] = 1
            callbacks.metadata["spoilt"] = 1
            callbacks.handlers.append(Hearing())
            callbacks.inheritable_handlers.append(Hearing())
            config["metadata"]["spoilt"] = 1
            config["configurable"]["spoilt"] = 1
            for metadata in (config["metadata"], callbacks.metadata, callbacks.inheritable_metadata):
                for value in [*metadata.values()]:
                    if isinstance(value, dict):
                        value["spoilt"] = 1
            self.note(name, looked_at(config))
            return {"out": [name]}

        return look
