"""Where plans say that functions lead, against where they do."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from langgraph.types import Command, Send

from alto_langgraph.adapters.langgraph.describing import describe
from alto_langgraph.plan.access import analyse
from tests.plan import leading_styles
from tests.plan.observing import STATES, name

PLANS = {id(function): analyse(function, describe=describe) for function in leading_styles.STYLES}


def parts(result: Any) -> Iterator[Any]:
    if isinstance(result, list | tuple):
        for item in result:
            yield from parts(item)
    else:
        yield result


def told(names: frozenset[str] | None, found: set[str]) -> bool:
    return names is None or found <= names


@pytest.mark.parametrize("function", leading_styles.STYLES, ids=name)
@settings(max_examples=12, deadline=None, derandomize=True, database=None)
@given(state=STATES)
def test_nothing_leads_where_the_plan_does_not_say(function: Callable[[Any], Any], state: dict[str, Any]) -> None:
    plan = PLANS[id(function)]
    found = list(parts(function(state)))
    commands = [item for item in found if isinstance(item, Command)]
    here = [go for command in commands if command.graph is None for go in parts(command.goto)]
    above = [go for command in commands if command.graph is not None for go in parts(command.goto)]
    assert told(plan.returns, {str.__str__(item) for item in found if isinstance(item, str)})
    assert told(plan.sends, {item.node for item in (*found, *here, *above) if isinstance(item, Send)})
    assert told(plan.goes, {item for item in here if isinstance(item, str)})
    assert told(plan.goes_up, {item for item in above if isinstance(item, str)})
    keys = {key for command in commands if command.graph is not None for key, _ in command._update_as_tuples()}
    assert told(plan.writes_up, keys)


def test_most_styles_are_told_apart() -> None:
    known = [plan for plan in PLANS.values() if None not in (plan.returns, plan.sends, plan.goes)]
    assert len(known) >= 0.5 * len(PLANS)
