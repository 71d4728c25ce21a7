"""Reads the hints that an app gives in LangGraph's own `add_node(..., metadata=...)`."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from alto_langgraph.adapters.langgraph.combining import returning
from alto_langgraph.adapters.langgraph.inputs import Input
from alto_langgraph.plan.model import NOBODY, CallablePlan, Effects


def declared(plan: CallablePlan, metadata: Mapping[str, Any] | None, given: Input) -> CallablePlan:
    """The plan of a node's function with the app's own hints in place of what was found out. Odd hints are none.

    Args:
        plan: As found out.
        metadata: The node's.
        given: What the node is given. What making it looks at is read whatever the hint says.
    """
    hints = metadata or {}
    found = plan
    plan = _affecting(plan, hints.get("effects"))
    reads, writes = _names(hints.get("reads")), _names(hints.get("writes"))
    if reads is not None and not given.whole:
        sources = dataclasses.replace(plan.sources, reads="declared")
        managed = reads & given.managed
        plan = dataclasses.replace(
            plan, reads=(reads - managed) | (given.required - given.managed), managed=managed, named=False, sources=sources
        )
    if writes is not None:
        plan = dataclasses.replace(plan, writes=writes, sources=dataclasses.replace(plan.sources, writes="declared"))
    if isinstance(streams := hints.get("streams"), bool):
        plan = dataclasses.replace(plan, streams=streams)
    return plan if plan is found else dataclasses.replace(plan, evidence=("declared", *plan.evidence))


def declared_tool(plan: CallablePlan, metadata: Mapping[str, Any] | None) -> CallablePlan:
    """The plan of a tool with the hints of its own metadata: our `effects`, or MCP's `readOnlyHint`. Odd hints are none."""
    hints = metadata if isinstance(metadata, Mapping) else {}
    effects = hints.get("effects", "idempotent" if hints.get("readOnlyHint") is True else None)
    hinted = _affecting(plan, effects)
    return plan if hinted is plan else dataclasses.replace(hinted, evidence=("declared", *plan.evidence))


def _affecting(plan: CallablePlan, effects: Any) -> CallablePlan:
    """The plan with declared effects."""
    if not isinstance(effects, str) or effects.upper() not in Effects.__members__:
        return plan
    plan = dataclasses.replace(plan, effects=Effects[effects.upper()], sources=dataclasses.replace(plan.sources, effects="declared"))
    return returning(plan, plan.updates, mutates=False, shares=(), changes=NOBODY) if plan.effects <= Effects.IDEMPOTENT else plan


def _names(hint: Any) -> frozenset[str] | None:
    return frozenset(hint) if isinstance(hint, list | tuple | set | frozenset) and all(isinstance(key, str) for key in hint) else None
