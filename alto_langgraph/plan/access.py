"""Finds out what a callable touches: the state, things outside it, its own ids, the store."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from alto_langgraph.plan.model import CallablePlan

BUDGET = 10_000
"""Most syntax nodes read for one callable; what reaches further is taken to touch everything."""

Describe = Callable[[object], CallablePlan | None]
"""Tells what an object that isn't a function would do when called or invoked; None if it can't tell."""


class Injected(NamedTuple):
    """Parameters of a tool that LangGraph fills in.

    Args:
        state: Those that get the state, or what it has under a key, by name; None for all of it.
        runtime: The one that gets the run's `ToolRuntime`.
    """

    state: tuple[tuple[str, str | None], ...] = ()
    runtime: str | None = None


def _nothing(_: object) -> CallablePlan | None:
    return None


def analyse(
    function: Callable[..., Any],
    *,
    state: Any = None,
    everything: bool = False,
    around: bool = False,
    chooses: bool = False,
    injected: Injected | None = None,
    describe: Describe = _nothing,
    budget: int = BUDGET,
) -> CallablePlan:
    """What `function` touches, read from its code. Never raises.

    Code of libraries isn't read: a table tells what is known of it, and it is taken not to call `interrupt()`.

    Args:
        function: A node's function, a path function, or anything callable.
        state: Type of its first parameter, where its own annotation doesn't tell.
        everything: All its parameters are operands, not only the first.
        around: It stands around calls of a model or a tool, as an agent's middleware does: it gets the request, and what makes the call.
        chooses: It returns a model for somebody to ask.
        injected: It is a tool's, and these of its parameters aren't the model's.
        describe: Tells what an object that isn't a plain function would do when called or invoked.
        budget: Most syntax nodes to read.
    """
    from alto_langgraph.plan.inspection import Given, inspected  # here, since importing the package needn't wait for it

    given = Given(
        "call" if around else "model" if chooses else "tool" if injected is not None else "all" if everything else "first", injected
    )
    try:
        return inspected(function, state, given, describe, budget)
    except Exception as error:
        return CallablePlan(evidence=(f"analysis failed: {type(error).__name__}",))
