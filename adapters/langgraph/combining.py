"""Puts together what several callables touch."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from functools import reduce
from typing import Any

from alto_langgraph.plan.model import CallablePlan, Effects, Source, Sources
from alto_langgraph.plan.values import names_of

NOTHING = CallablePlan(
    reads=frozenset(),
    writes=frozenset(),
    effects=Effects.PURE,
    may_interrupt=False,
    sees_identity=False,
    uses_store=False,
    mutates=False,
    goes=frozenset(),
    sends=frozenset(),
    subgraph=False,
    returns=frozenset(),
    goes_up=frozenset(),
    updates=frozenset(),
    changes=frozenset(),
    pushes=frozenset(),
    writes_up=frozenset(),
    sources=Sources("known", "known", "known", "known"),
)
"""What something touches that only computes and returns no update."""

ALL = dataclasses.replace(
    NOTHING, reads=None, writes=None, updates=None, returns=None, sources=Sources("unknown", "unknown", "known", "known")
)
"""What something touches that only computes, from anything it gets."""

ASKING = dataclasses.replace(ALL, effects=Effects.IDEMPOTENT, evidence=("known",))
"""What a model, a prompt, a parser touches."""

UNKNOWN_LIBRARY = CallablePlan(
    may_interrupt=False,
    sees_identity=False,
    uses_store=False,
    evidence=("library",),
    subgraph=False,
    pushes=frozenset(),
)
"""What a library's object touches that nothing is known of; libraries don't pause runs."""

_STRENGTH: Sequence[Source] = ("unknown", "schema", "annotation", "known", "code", "declared")


def _weaker(one: Source, other: Source) -> Source:
    return min(one, other, key=_STRENGTH.index)


def _both(one: CallablePlan, other: CallablePlan) -> CallablePlan:
    union = names_of
    mine, theirs = one.sources, other.sources
    weaker, stronger = sorted((one, other), key=lambda plan: plan.effects)
    return CallablePlan(
        reads=union(one.reads, other.reads),
        writes=union(one.writes, other.writes),
        effects=max(one.effects, other.effects),
        may_interrupt=one.may_interrupt or other.may_interrupt,
        sees_identity=one.sees_identity or other.sees_identity,
        uses_store=one.uses_store or other.uses_store,
        mutates=one.mutates or other.mutates,
        shares=tuple(dict.fromkeys(one.shares + other.shares)),
        evidence=tuple(dict.fromkeys(weaker.evidence + stronger.evidence)),  # what is last tells why the effects are what they are
        goes=union(one.goes, other.goes),
        sends=union(one.sends, other.sends),
        subgraph=one.subgraph or other.subgraph,
        returns=union(one.returns, other.returns),
        goes_up=union(one.goes_up, other.goes_up),
        updates=union(one.updates, other.updates),
        changes=union(one.changes, other.changes),
        pushes=union(one.pushes, other.pushes),
        writes_up=union(one.writes_up, other.writes_up),
        named=one.named and other.named,
        sources=Sources(
            _weaker(mine.reads, theirs.reads),
            _weaker(mine.writes, theirs.writes),
            _weaker(mine.goes, theirs.goes),
            _weaker(mine.effects, theirs.effects),
        ),
    )


def together(plans: Iterable[CallablePlan]) -> CallablePlan:
    """What several callables touch that all get the same input, or of which any may run."""
    plans = list(plans)
    return reduce(_both, plans) if plans else NOTHING


def returning(plan: CallablePlan, updates: frozenset[str] | None, **more: Any) -> CallablePlan:
    """The plan with other `updates`, and more fields if they are given; its sources agree."""
    plan = dataclasses.replace(plan, updates=updates, **more)
    writes = names_of(updates, names_of(plan.changes, plan.pushes))
    sources = dataclasses.replace(
        plan.sources, reads=_agreeing(plan.sources.reads, plan.reads), writes=_agreeing(plan.sources.writes, writes)
    )
    return dataclasses.replace(plan, writes=writes, sources=sources)


def _agreeing(source: Source, names: frozenset[str] | None) -> Source:
    if names is None:
        return "unknown"
    return "known" if source == "unknown" else source
