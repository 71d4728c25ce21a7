"""Tells whether a reducer keeps only what was written last, whatever was there before."""

from __future__ import annotations

import ast
from types import FunctionType
from typing import Any

from alto_langgraph.plan.source import Tree, tree_of


def has_last_word(reducer: Any) -> bool:
    """True if `reducer(old, new)` is known to be `new` for any `old`, from its code; False if that can't be told."""
    if not isinstance(reducer, FunctionType) or hasattr(reducer, "__wrapped__"):
        return False
    tree = tree_of(reducer)
    if tree is None or isinstance(tree, ast.AsyncFunctionDef):
        return False
    names = [argument.arg for argument in (*tree.args.posonlyargs, *tree.args.args)]
    return len(names) > 1 and _is_name(_result(tree), names[1])


def _result(tree: Tree) -> ast.expr | None:
    """The expression that is all the function does; None if it does more."""
    if isinstance(tree, ast.Lambda):
        return tree.body
    *before, last = tree.body
    if tree.decorator_list or not all(isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant) for s in before):
        return None
    return last.value if isinstance(last, ast.Return) else None


def _is_name(expression: ast.expr | None, name: str) -> bool:
    return isinstance(expression, ast.Name) and expression.id == name
