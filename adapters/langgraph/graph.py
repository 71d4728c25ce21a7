"""Graphs whose runs go through alto: LangGraph's own classes with LangGraph's own methods, looking at alto's loop and runner."""

from __future__ import annotations

import copy
import warnings
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import suppress
from functools import cached_property, wraps
from importlib import import_module
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

from langchain_core.runnables.config import var_child_runnable_config
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph.state import CompiledStateGraph
from langgraph.graph.state import StateGraph as StockStateGraph
from langgraph.pregel import Pregel
from langgraph.typing import ContextT, InputT, OutputT, StateT

from alto_langgraph.adapters.langgraph.code_reading import reading_code
from alto_langgraph.driver.early import CURRENT
from alto_langgraph.exceptions import AltoWarning, NotOptimizableError

if TYPE_CHECKING:
    from alto_langgraph.options import AltoOptions
    from alto_langgraph.plan.model import Plan
    from alto_langgraph.protocols import Fragment

    OptionsLike = AltoOptions | Mapping[str, Any] | bool | None

G = TypeVar("G", bound=Pregel[Any, Any, Any, Any])


class Optimized(Pregel[StateT, ContextT, InputT, OutputT], Generic[StateT, ContextT, InputT, OutputT]):
    """What alto adds to a compiled graph. Everything else is the graph's own."""

    alto_options: AltoOptions

    def alto_options_of(self, config: Any) -> AltoOptions:
        """The options of a run: the graph's, overridden by `configurable["alto"]` of the config it inherits or is given.

        Raises:
            OptionsError: the run's config has a bad option.
        """
        from alto_langgraph.protocols import OPTIONS_KEY

        options = self.alto_options
        for source in (var_child_runnable_config.get(), self.config, config):
            if source and (conf := source.get("configurable")) and (given := conf.get(OPTIONS_KEY)) is not None:
                options = _options({**options.model_dump(), **given} if isinstance(given, Mapping) else given)
        return options

    @cached_property
    def alto_staging(self) -> Any:
        """The graph as the issue stage sees it."""
        from alto_langgraph.adapters.langgraph.staging import Staging

        return Staging(self)

    @property
    def alto_plan(self) -> Plan:
        """What is known of the graph before it runs."""
        plan: Plan = self.alto_staging.plan
        return plan

    def explain(self) -> Any:
        """What may run ahead in this graph, what may not and why, and what its runs have shown (`plan.explain.Explanation`)."""
        from alto_langgraph.plan.explain import explain

        return explain(self.alto_plan, self.alto_options, self.alto_staging.so_far())

    def stream_fragments(self, input: Any, config: Any = None, *, subgraphs: bool = False, **how: Any) -> Iterator[Fragment]:
        """As `astream_fragments`, with `stream` (threads).

        With a `max_concurrency` they all are for tasks, so what is told ahead is told when the next task of the superstep has ended.
        """
        told: Iterator[Fragment] = _told().fragments(self, input, config, subgraphs, _without_modes(how))
        return told

    def astream_fragments(self, input: Any, config: Any = None, *, subgraphs: bool = False, **how: Any) -> AsyncIterator[Fragment]:
        """Runs the graph as `astream` does, and tells what each task comes to as soon as it has, also if its superstep is far off.

        Nothing of a run changes by it. What is told with `committed=True` is what `stream_mode="updates"` shows, in that order; each
        was told before with `committed=False`, unless it is an interrupt. What was told and is thrown away is told again with
        `committed=None`, before the iterator ends at the latest. On stock LangGraph (`enabled=False`) tasks have no tags.

        Args:
            input: As for `astream`.
            config: As for `astream`.
            subgraphs: Whether to tell of tasks of subgraphs, too. Their tags are below that of the task that runs the subgraph.
            **how: Whatever else `astream` takes, except `stream_mode` and `version`.

        Yields:
            `Fragment(tag, node, update, committed)`.

        Raises:
            TypeError: `stream_mode` or `version` is given.
            Exception: whatever the run raises.
        """
        told: AsyncIterator[Fragment] = _told().afragments(self, input, config, subgraphs, _without_modes(how))
        return told

    if not TYPE_CHECKING:  # type checkers see LangGraph's own signatures

        @property
        def checkpointer(self):
            """The graph's own; early runs leave it alone, since what is saved there may not be all of it yet."""
            own = self.__dict__.get("checkpointer")
            if isinstance(own, BaseCheckpointSaver) and (early := CURRENT.get()) is not None:
                early.retreat("it uses what a graph has saved")
            return own

        @checkpointer.setter
        def checkpointer(self, own):
            self.__dict__["checkpointer"] = own

        @wraps(Pregel.stream)
        def stream(self, input, config=None, **kwargs):
            if self._alto_enabled(config):
                return _running().stream(self, input, config, **kwargs)
            return super().stream(input, config, **kwargs)

        @wraps(Pregel.astream)
        def astream(self, input, config=None, **kwargs):
            if self._alto_enabled(config):
                return _running().astream(self, input, config, **kwargs)
            return super().astream(input, config, **kwargs)

    def copy(self, update: dict[str, Any] | None = None) -> Self:
        """LangGraph's `copy` (which `with_config` uses), keeping alto's options."""
        twin = super().copy(update)
        twin.alto_options = self.alto_options
        return twin

    def _alto_enabled(self, config: Any) -> bool:
        if not self.alto_options_of(config).enabled:
            return False
        if (unavailable := _running().seam.UNAVAILABLE) is not None:
            _warn_once(unavailable)
            return False
        return True


class AltoStateGraph(Optimized[StateT, ContextT, InputT, OutputT], CompiledStateGraph[StateT, ContextT, InputT, OutputT]):
    """What `StateGraph.compile()` returns. It goes by its base class's name, which shows in drawings and traces of graphs."""


AltoStateGraph.__module__ = CompiledStateGraph.__module__
AltoStateGraph.__name__ = AltoStateGraph.__qualname__ = CompiledStateGraph.__name__


class StateGraph(StockStateGraph[StateT, ContextT, InputT, OutputT]):
    """LangGraph's `StateGraph`, whose compiled graphs run work ahead of the superstep barrier and answer as stock does."""

    def compile(self, *args: Any, alto: OptionsLike = None, **kwargs: Any) -> AltoStateGraph[StateT, ContextT, InputT, OutputT]:
        """LangGraph's `compile`, and alto's options for the graph.

        Args:
            *args: As LangGraph's.
            alto: Options, a mapping of them, or on/off; None takes `ALTO_*` variables and the defaults.
            **kwargs: As LangGraph's.

        Raises:
            OptionsError: a bad option.
        """
        options = _options(alto)
        if options.enabled:
            _running()
        compiled: Any = super().compile(*args, **kwargs)
        compiled.__class__ = AltoStateGraph
        compiled.alto_options = options
        return compiled  # type: ignore[no-any-return]


def optimize(compiled: G, options: OptionsLike = None) -> G:
    """A twin of a compiled graph, made by whomever, whose runs go through alto; the graphs it has as nodes are optimized too.

    Args:
        compiled: Any LangGraph graph that was compiled here (not a `RemoteGraph`); it stays unchanged.
        options: As for `StateGraph.compile(alto=...)`.

    Raises:
        NotOptimizableError: it isn't such a graph.
        OptionsError: a bad option.
    """
    if not isinstance(compiled, Pregel):
        hint = "Call .compile() first." if hasattr(compiled, "compile") else "Give it what StateGraph.compile() or create_agent returned."
        raise NotOptimizableError(f"Only a compiled LangGraph graph can be optimized, not {type(compiled).__name__}.", hint=hint)
    twin: Any = copy.copy(compiled)
    twin.__dict__.pop("alto_staging", None)
    twin.__class__ = _optimized_class(type(compiled))
    twin.alto_options = _options(options)
    twin.nodes = {name: _with_optimized_graph(node, twin.alto_options) for name, node in compiled.nodes.items()}
    return twin  # type: ignore[no-any-return]


def _with_optimized_graph(node: Any, options: AltoOptions) -> Any:
    if isinstance(node.bound, Pregel) and not isinstance(node.bound, Optimized):
        inner = optimize(node.bound, options)
        return node.copy({"bound": inner, "subgraphs": [inner if s is node.bound else s for s in node.subgraphs]})
    return node


_classes: dict[type, type] = {CompiledStateGraph: AltoStateGraph}


def _optimized_class(cls: type) -> type:
    if issubclass(cls, Optimized):
        return cls
    if cls not in _classes:
        _classes[cls] = type(cls.__name__, (Optimized, cls), {"__module__": cls.__module__, "__doc__": cls.__doc__})
    return _classes[cls]


@reading_code
def _options(given: OptionsLike) -> AltoOptions:
    # Reading settings takes a library that would make up most of the time of importing this module.
    from alto_langgraph.options import AltoOptions

    options = AltoOptions.of(given)
    if options.enabled and options.trace:
        _set_up_tracing()
    return options


def _set_up_tracing() -> None:
    """Sets up what blocks, before runs begin on event loops; what goes wrong is said by the first run that isn't traced."""
    from alto_langgraph.protocols import TRACING

    with suppress(Exception):
        import_module(TRACING).set_up()


@reading_code
def _told() -> Any:
    from alto_langgraph.adapters.langgraph import told

    return told


def _without_modes(how: dict[str, Any]) -> dict[str, Any]:
    for name in ("stream_mode", "version"):
        if name in how:
            raise TypeError(f"fragments have a form of their own: `{name}` can't be chosen")
    return how


@reading_code
def _running() -> Any:
    from alto_langgraph.adapters.langgraph import running

    return running


_warned: set[str] = set()


def _warn_once(what: str) -> None:
    if what not in _warned:
        _warned.add(what)
        warnings.warn(f"alto runs this graph as stock LangGraph does: {what}.", AltoWarning, stacklevel=4)
