"""A function's tree is found whatever others have done to trees of theirs."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from alto_langgraph.plan.source import tree_of


@pytest.fixture
def linked() -> Iterator[None]:
    """Links upwards in a tree of somebody else's, as debuggers set them; Python has one node for each operator, in all trees."""
    plus, other = (ast.parse("1 + 1").body[0].value.op for _ in range(2))  # type: ignore[attr-defined]
    assert plus is other
    plus.parent = ast.parse("there['nowhere']")
    yield
    del plus.parent


def added(state: dict[str, int]) -> int:
    return state["here"] + 1


def test_links_on_nodes_that_all_trees_share_are_not_followed(linked: None) -> None:
    found = tree_of(added)
    assert isinstance(found, ast.FunctionDef) and found.name == "added"
