"""Has a run traced: describes it to the room that traces, which is loaded here and nowhere else."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from alto_langgraph.adapters.langgraph.seam import CONF, CONFIG_KEY_RESUMING
from alto_langgraph.adapters.langgraph.staging import Staging
from alto_langgraph.exceptions import AltoWarning
from alto_langgraph.plan.explain import explain
from alto_langgraph.protocols import TRACING, NodeTold, Observer, Run

if TYPE_CHECKING:
    from alto_langgraph.adapters.langgraph.facts import Telling
    from alto_langgraph.adapters.langgraph.loop import Committing
    from alto_langgraph.options import AltoOptions

_NODES: WeakKeyDictionary[Staging, dict[AltoOptions, Mapping[str, NodeTold]]] = WeakKeyDictionary()
_NOTHING = NodeTold("unknown", "")


def tracer_of(loop: Committing, staging: Staging, options: AltoOptions, telling: Telling) -> Observer | None:
    """Who traces a run that begins; None, with a warning, if nobody can: that never stops a run."""
    conf = loop.config[CONF]
    run = Run(
        graph=loop.graph.get_name(),
        namespace=tuple(part.split(":")[0] for part in loop.checkpoint_ns),
        thread=str(conf["thread_id"]) if conf.get("thread_id") is not None else None,
        resumed=bool(conf.get(CONFIG_KEY_RESUMING)),
        began=loop.began,
        window=options.window,
        most=loop.config.get("max_concurrency"),
        node=lambda name: _nodes(staging, options).get(name, _NOTHING),
        real=lambda tag: telling.real(tag),
        named=telling.named,
    )
    try:
        observer: Observer | None = import_module(TRACING).begin(run, options.trace)
        return observer
    except Exception as error:
        warnings.warn(f"alto doesn't trace this run: {error}", AltoWarning, stacklevel=2)
        return None


def _nodes(staging: Staging, options: AltoOptions) -> Mapping[str, NodeTold]:
    known = _NODES.setdefault(staging, {})
    if options not in known:
        nodes = explain(staging.plan, options).nodes
        known[options] = {
            node.name: NodeTold(node.effects, " ".join(reason.sentence for reason in (*node.reasons, *node.waits))) for node in nodes
        }
    return known[options]
