"""`alto_langgraph.x` shows what `langgraph.x` shows: the same names, the same objects, ours only where we say so."""

import os
import pkgutil
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import langgraph
import langgraph.graph.state
import pytest

import alto_langgraph
from alto_langgraph.adapters.langgraph.graph import AltoStateGraph

FACES = [
    "cache",
    "channels",
    "checkpoint",
    "config",
    "constants",
    "errors",
    "func",
    "graph",
    "managed",
    "prebuilt",
    "runtime",
    "store",
    "types",
]
REPLACED = {
    ("graph", "StateGraph"),
    ("graph", "MessageGraph"),
    ("graph.state", "StateGraph"),
    ("graph.message", "MessageGraph"),
}


def submodules(path: list[str], prefix: str) -> Iterator[str]:
    for found in pkgutil.iter_modules(path, prefix):
        leaf = found.name.rpartition(".")[2]
        if not leaf.startswith("_"):
            yield found.name
            if found.ispkg:
                yield from submodules([os.path.join(folder, leaf) for folder in path], f"{found.name}.")


def face_modules() -> list[str]:
    """Paths below `langgraph` of every public module of the faces, those of installed plugins included."""
    below = [name for face in FACES for name in submodules([os.path.join(root, face) for root in langgraph.__path__], f"{face}.")]
    return sorted({*FACES, *below})


def public(module: ModuleType) -> list[str]:
    return list(getattr(module, "__all__", [name for name in vars(module) if not name.startswith("_")]))


def test_the_walk_finds_the_modules_that_matter() -> None:
    assert {"graph.message", "graph.ui", "channels.binop", "checkpoint.serde.jsonplus", "store.memory", "cache.base"} <= set(face_modules())


@pytest.mark.parametrize("path", face_modules())
def test_every_public_name_is_there_and_the_same_object(path: str) -> None:
    try:
        theirs = import_module(f"langgraph.{path}")
    except ImportError as missing:  # a plugin whose own dependency isn't installed
        with pytest.raises(ImportError, match=f"No module named '{missing.name}'"):
            import_module(f"alto_langgraph.{path}")
        return
    ours = import_module(f"alto_langgraph.{path}")
    different = {name for name in public(theirs) if getattr(ours, name) is not getattr(theirs, name)}
    assert different == {name for module, name in REPLACED if module == path}
    assert set(public(theirs)) <= set(dir(ours))
    assert set(public(theirs)) == set(public(ours))


@pytest.mark.parametrize(("path", "name"), sorted(REPLACED))
def test_what_we_replace_is_a_subclass(path: str, name: str) -> None:
    ours, theirs = (getattr(import_module(f"{root}.{path}"), name) for root in ("alto_langgraph", "langgraph"))
    assert issubclass(ours, theirs)
    assert ours.__module__.startswith("alto_langgraph.")


def test_a_star_import_takes_the_same_names() -> None:
    ours: dict[str, object] = {}
    theirs: dict[str, object] = {}
    exec("from alto_langgraph.channels import *", ours)
    exec("from langgraph.channels import *", theirs)
    assert ours == {**theirs, "__builtins__": ours["__builtins__"]}


def test_names_that_langgraph_makes_on_demand_come_with_its_warning() -> None:
    constants = import_module("alto_langgraph.constants")
    with pytest.warns(DeprecationWarning, match="Importing Send from langgraph.constants is deprecated"):
        send = constants.Send
    assert send is import_module("langgraph.types").Send


@pytest.mark.parametrize("path", ["pregel.remote", "version", "callbacks"])
def test_modules_beyond_the_faces_are_found_as_well(path: str) -> None:
    ours, theirs = import_module(f"alto_langgraph.{path}"), import_module(f"langgraph.{path}")
    assert {name for name in public(theirs) if getattr(ours, name) is not getattr(theirs, name)} == set()


def test_a_module_that_langgraph_lacks_is_missing_under_its_own_name() -> None:
    with pytest.raises(ModuleNotFoundError, match=r"No module named 'alto_langgraph\.checkpoint\.nowhere'"):
        import_module("alto_langgraph.checkpoint.nowhere")


def test_a_name_that_langgraph_lacks_is_missing_under_our_name() -> None:
    with pytest.raises(AttributeError, match=r"module 'alto_langgraph\.types' has no attribute 'Sent'"):
        import_module("alto_langgraph.types").Sent  # noqa: B018


def test_a_module_tells_of_itself_and_not_of_its_original() -> None:
    types = import_module("alto_langgraph.types")
    assert types.__name__ == "alto_langgraph.types"
    assert Path(types.__file__ or "").parent == Path(alto_langgraph.__file__).parent
    assert not hasattr(import_module("alto_langgraph.checkpoint.memory"), "__file__")


def test_every_stub_has_its_module() -> None:
    root = Path(alto_langgraph.__file__).parent
    stubs = {".".join(stub.relative_to(root).with_suffix("").parts).removesuffix(".__init__") for stub in root.rglob("*.pyi")}
    plugins = ("cache.redis", "cache.sqlite", "checkpoint.postgres", "checkpoint.sqlite", "store.postgres", "store.sqlite")
    assert {stub for stub in stubs if not stub.startswith(plugins)} <= set(face_modules())


def test_the_package_shows_its_own_names() -> None:
    assert {"optimize", "compare", "current_tag", "AltoOptions", "Fragment", "observed_by", "__version__"} == set(alto_langgraph.__all__)
    assert all(getattr(alto_langgraph, name) for name in alto_langgraph.__all__)
    assert set(alto_langgraph.__all__) <= set(dir(alto_langgraph))
    with pytest.raises(AttributeError, match="no attribute 'optimise'"):
        alto_langgraph.optimise  # noqa: B018


def test_importing_the_graph_loads_neither_the_engine_nor_a_heavy_library() -> None:
    own = "alto_langgraph.adapters.langgraph.running alto_langgraph.engine alto_langgraph.plan"
    others = "chromadb vllm opentelemetry.sdk pydantic_settings typer rich jinja2 networkx plotly matplotlib langgraph.prebuilt langchain"
    added = (
        f"import sys, langgraph.graph; before = set(sys.modules); import alto_langgraph.graph; "
        f"print([name for name in {[*own.split(), *others.split()]} if name in set(sys.modules) - before])"
    )
    done = subprocess.run([sys.executable, "-c", added], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


async def test_a_message_graph_builds_ours() -> None:
    with pytest.warns(DeprecationWarning, match="MessageGraph is deprecated"):
        builder = import_module("alto_langgraph.graph").MessageGraph()
    builder.add_node("echo", lambda messages: [("ai", messages[-1].content)])
    builder.set_entry_point("echo")
    builder.set_finish_point("echo")
    compiled = builder.compile()
    assert isinstance(compiled, AltoStateGraph)
    answer: Any = await compiled.ainvoke([("human", "hi")])
    assert [message.content for message in answer] == ["hi", "hi"]
