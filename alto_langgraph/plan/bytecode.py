"""Reads a function that has no source: what its names and constants give away, everything else is "all"."""

from __future__ import annotations

from collections.abc import Iterator
from types import CodeType, FunctionType

from alto_langgraph.plan import marks
from alto_langgraph.plan.access import Describe
from alto_langgraph.plan.harmless import is_harmless
from alto_langgraph.plan.model import CallablePlan, SharedUse
from alto_langgraph.plan.origin import is_user_code

_MOST_FUNCTIONS = 200


def codes(code: CodeType) -> Iterator[CodeType]:
    """A function's code and the code of everything defined inside it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from codes(constant)


def strings(code: CodeType) -> Iterator[str]:
    """Strings that a code object carries as constants."""
    for constant in code.co_consts:
        if isinstance(constant, str):
            yield constant
        elif isinstance(constant, tuple | frozenset):
            yield from (item for item in constant if isinstance(item, str))


def outside(function: FunctionType) -> Iterator[tuple[str, object]]:
    """Named values that a function's code can reach: closure cells, defaults and the globals it names."""
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=False):
        try:
            yield name, cell.cell_contents
        except ValueError:
            continue
    for value in (*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()):
        yield "default", value
    for code in codes(function.__code__):
        for name in code.co_names:
            if name in function.__globals__:
                yield name, function.__globals__[name]


def read_code(function: FunctionType, describe: Describe) -> CallablePlan:
    """What a function's byte code gives away, following the user functions that it names.

    Returns:
        A plan whose sets are all "all" and whose effects are unknown; pausing, ids, store and subgraphs are
        told by the names that occur.
    """
    pauses = identity = store = subgraph = False
    shares: dict[int, SharedUse] = {}
    waiting, seen = [function], {function.__code__}
    while waiting:
        current = waiting.pop()
        if len(seen) > _MOST_FUNCTIONS:
            return CallablePlan(evidence=("bytecode, too large",))
        known = dict(outside(current))
        for code in codes(current.__code__):
            pauses |= "interrupt" in code.co_names and "interrupt" not in known
            identity |= any(map(marks.names_identity, (*strings(code), *code.co_names)))
            store |= "store" in (*code.co_names, *code.co_varnames)
        for name, value in known.items():
            pauses |= marks.pauses(value)
            store |= marks.gives_store(value)
            value = getattr(value, "__func__", value)
            if isinstance(value, FunctionType) and is_user_code(value, function, value.__code__):
                if value.__code__ not in seen:
                    seen.add(value.__code__)
                    waiting.append(value)
            elif (plan := describe(value)) is not None:
                pauses, identity, store, subgraph = (
                    pauses or plan.may_interrupt,
                    identity or plan.sees_identity,
                    store or plan.uses_store,
                    subgraph or plan.subgraph,
                )
                shares.update({use.key: use for use in plan.shares})
            elif not is_harmless(value):
                shares[id(value)] = SharedUse(id(value), name, reads=True, writes=True)
    return CallablePlan(
        may_interrupt=pauses,
        sees_identity=identity,
        uses_store=store,
        shares=tuple(shares.values()),
        evidence=("bytecode",),
        subgraph=subgraph,
    )
