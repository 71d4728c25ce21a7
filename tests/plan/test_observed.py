"""What plans say against what runs show: no key is read or written that the plan doesn't name."""

import copy
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given, settings

from alto_langgraph.adapters.langgraph.describing import describe
from alto_langgraph.plan.access import analyse
from tests.plan import calling_styles, object_styles, odd_styles, reading_styles, writing_styles
from tests.plan.observing import STATES, Recorded, name, outcome, variants

MODULES = (reading_styles, writing_styles, calling_styles, object_styles, odd_styles)
STYLES = [(module, function) for module in MODULES for function in module.STYLES]
PLANS = {id(function): analyse(function, describe=describe) for _, function in STYLES}
PRECISE = 0.6
"""Part of the styles of which reads, or writes, must be known; the rest is written so that nobody could."""


@pytest.mark.parametrize(("module", "function"), STYLES, ids=name)
@settings(max_examples=12, deadline=None, derandomize=True, database=None)
@given(state=STATES, other=STATES)
def test_nothing_is_read_or_written_that_the_plan_does_not_name(
    module: ModuleType, function: Callable[[Any], Any], state: dict[str, Any], other: dict[str, Any]
) -> None:
    plan = PLANS[id(function)]
    make = getattr(module, "make", lambda values: values)
    shown = outcome(function, state, make)
    if plan.writes is not None:
        assert shown.updates | shown.changed <= plan.writes, shown
    assert plan.mutates or not shown.changed
    assert shown.changed <= (plan.changes if plan.changes is not None else shown.changed)
    if plan.reads is None:
        return
    for variant in variants(state, other, set(state) - plan.reads):
        assert outcome(function, variant, make).result == shown.result, variant
    if make(state) is state:
        recorded = Recorded(copy.deepcopy(state))
        outcome(function, state, lambda _: recorded)
        assert recorded.asked & set(state) <= plan.reads


def test_most_styles_are_told_apart() -> None:
    assert sum(plan.reads is not None for plan in PLANS.values()) >= PRECISE * len(PLANS)
    assert sum(plan.writes is not None for plan in PLANS.values()) >= PRECISE * len(PLANS)
