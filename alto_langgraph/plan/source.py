"""Finds the syntax tree of a function in the file it came from. A file is parsed once."""

from __future__ import annotations

import ast
import linecache
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import CodeType, FunctionType

Tree = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda

_MOST_FILES = 256
_BLOCKS = ("body", "orelse", "finalbody", "handlers", "cases")
"""Fields of statements that hold statements."""

_ELSEWHERE = frozenset({"annotation", "returns", "decorator_list", "ctx"})
"""Fields whose expressions aren't in the code of the function that they stand in."""

_LATER = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.GeneratorExp)


@dataclass
class Source:
    """A parsed file: its functions by first line, the names that some function of it rebinds outside itself, and what was found."""

    lines: list[str]
    tree: ast.Module
    functions: defaultdict[int, list[Tree]] = field(default_factory=lambda: defaultdict(list))
    rebound: set[str] = field(default_factory=set)
    trees: dict[CodeType, Tree | None] = field(default_factory=dict)

    @cached_property
    def lambdas(self) -> Mapping[int, list[Tree]]:
        """Its lambdas by line. They may be in any expression, so they are looked for only when one is asked for."""
        found: defaultdict[int, list[Tree]] = defaultdict(list)
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Lambda):
                found[node.lineno].append(node)
        return found


_files: dict[str, Source | None] = {}


def source_of(function: FunctionType) -> Source | None:
    """The parsed file of a function; None if there is none to be had."""
    filename = function.__code__.co_filename
    lines = linecache.getlines(filename, function.__globals__)
    known = _files.get(filename)
    if known is not None and known.lines is lines:
        return known
    if len(_files) >= _MOST_FILES:
        _files.clear()
    _files[filename] = parsed = _parse(lines) if lines else None
    return parsed


def _parse(lines: list[str]) -> Source | None:
    try:
        tree = ast.parse("".join(lines))
    except (SyntaxError, ValueError, RecursionError):
        return None
    source = Source(lines, tree)
    waiting: list[ast.AST] = [tree]
    for node in waiting:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            source.functions[min([node.lineno, *(d.lineno for d in node.decorator_list)])].append(node)
        elif isinstance(node, ast.Global | ast.Nonlocal):
            source.rebound.update(node.names)
        for block in _BLOCKS:
            waiting.extend(getattr(node, block, ()))
    return source


def tree_of(function: FunctionType) -> Tree | None:
    """The syntax tree of a function; None if it has none, or if the file no longer says what was loaded."""
    source = source_of(function)
    if source is None:
        return None
    code = function.__code__
    if code not in source.trees:
        source.trees[code] = _find(source, code)
    return source.trees[code]


def _find(source: Source, code: CodeType) -> Tree | None:
    trees = source.lambdas if code.co_name == "<lambda>" else source.functions
    candidates = [node for node in trees.get(code.co_firstlineno, ()) if _fits(node, code)]
    if len(candidates) > 1:
        candidates = _at_place(candidates, code)
    if len(candidates) != 1 or not _says(source, candidates[0], code):
        return None
    return candidates[0]


def parameters(arguments: ast.arguments) -> list[str]:
    """Parameter names in the order that code objects keep them."""
    names = [a.arg for a in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
    return names + [a.arg for a in (arguments.vararg, arguments.kwarg) if a is not None]


def captured(tree: Tree) -> frozenset[str]:
    """Names that functions, lambdas and generators inside a function look up, which they may do later than where they stand."""
    known: frozenset[str] | None = getattr(tree, "alto_captured", None)
    if known is None:
        inner = [node for node in ast.walk(tree) if isinstance(node, _LATER) and node is not tree]
        known = frozenset(name.id for node in inner for name in ast.walk(node) if isinstance(name, ast.Name))
        tree.alto_captured = known  # type: ignore[union-attr]
    return known


def _fits(node: Tree, code: CodeType) -> bool:
    name = node.name if not isinstance(node, ast.Lambda) else "<lambda>"
    names = parameters(node.args)
    return name == code.co_name and list(code.co_varnames[: len(names)]) == names


def _at_place(candidates: list[Tree], code: CodeType) -> list[Tree]:
    """Of several lambdas in a line, the innermost one that holds every instruction of the code."""
    if not hasattr(code, "co_positions"):  # Python 3.10 keeps lines only
        return []
    places = [(line, column) for line, _, column, _ in code.co_positions() if line is not None and column]
    if not places:
        return []
    first, last = min(places), max(places)
    holding = [n for n in candidates if (n.lineno, n.col_offset) <= first and last <= (n.end_lineno or 0, n.end_col_offset or 0)]
    return [max(holding, key=lambda n: (n.lineno, n.col_offset))] if holding else []


def _says(source: Source, node: Tree, code: CodeType) -> bool:
    if any(name.startswith("@py") for name in code.co_names):
        return True  # pytest rewrites assertions, and nothing else
    text = "".join(source.lines[node.lineno - 1 : node.end_lineno])
    return all(name.rpartition(".")[2].rpartition("__")[2] in text for name in code.co_names) and _keys(node) <= _texts(code)


def _keys(node: ast.AST) -> set[str]:
    """Texts that the code of a function, or of one inside it, subscripts something with."""
    found = set[str]()
    waiting = [node]
    for part in waiting:
        if isinstance(part, ast.Subscript) and isinstance(part.slice, ast.Constant) and isinstance(part.slice.value, str):
            found.add(part.slice.value)
        for name in part._fields:  # others set attributes, too: links upwards, even on nodes that all trees share
            if name in _ELSEWHERE:
                continue
            value = getattr(part, name, None)
            if isinstance(value, ast.AST):
                waiting.append(value)
            elif type(value) is list:
                waiting += [item for item in value if isinstance(item, ast.AST)]
    return found


def _texts(code: CodeType) -> set[str]:
    """Texts among the constants of a function's code, and of the code inside it."""
    found = set[str]()
    for constant in code.co_consts:
        if isinstance(constant, str):
            found.add(constant)
        elif isinstance(constant, CodeType):
            found |= _texts(constant)
        elif isinstance(constant, tuple | frozenset):
            found |= {item for item in constant if isinstance(item, str)}
    return found
