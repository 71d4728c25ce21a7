"""Tells by the code of an embeddings class whether a query is embedded as a document is."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Awaitable, Callable
from functools import partial
from types import FunctionType
from typing import Any
from weakref import WeakKeyDictionary

from langchain_core.embeddings import Embeddings

from alto_langgraph.code_reading import reading_code

_QUERY, _DOCUMENTS = "embed_query", "embed_documents"
_KNOWN: WeakKeyDictionary[type, dict[tuple[str, ...], tuple[tuple[Any, ...], bool]]] = WeakKeyDictionary()
"""What the code of classes has shown, by the names of the methods: those that were read, and whether they are alike."""


def asynchronous(embeddings: Any, name: str) -> Callable[[Any], Awaitable[Any]]:
    """The async method `name`; where an object has none, as it is no subclass of LangChain's, what it would have inherited."""
    own: Callable[[Any], Awaitable[Any]] | None = getattr(embeddings, name, None)
    return partial(getattr(Embeddings, name), embeddings) if own is None else own


def is_own(embeddings: Any, name: str) -> bool:
    """Whether a class has an async method of its own in place of LangChain's, which calls the sync one on a thread."""
    return getattr(type(embeddings), name, inherited := getattr(Embeddings, name)) is not inherited


def queries_are_documents(embeddings: Any) -> tuple[bool, bool]:
    """Whether the code shows that `embed_query(text)` is `embed_documents([text])[0]`: of the sync methods, and of the async ones.

    Shown is what takes one of these two shapes, in methods without decorators: a query is a list of one document, or documents are
    a loop over queries. Other code, and code that isn't there to be read, shows nothing. Async methods that are LangChain's own
    call the sync ones.
    """
    sync = _known(embeddings, _QUERY, _DOCUMENTS)
    own = [is_own(embeddings, name) for name in ("aembed_query", "aembed_documents")]
    if not any(own):
        return sync, sync
    return sync, all(own) and _known(embeddings, "aembed_query", "aembed_documents")


def _known(embeddings: Any, *names: str) -> bool:
    methods = tuple(inspect.getattr_static(embeddings, name, None) for name in names)
    known = _KNOWN.setdefault(type(embeddings), {})
    if names not in known or known[names][0] != methods:
        known[names] = methods, _shown(embeddings, *names)
    return known[names][1]


@reading_code
def _shown(embeddings: Any, query: str, documents: str) -> bool:
    return _is_one_document(_code(embeddings, query), documents) or _is_each_query(_code(embeddings, documents), query)


def _code(embeddings: Any, name: str) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
    """The method, without its docstring; None where it can't be read."""
    method = inspect.getattr_static(embeddings, name)
    if not isinstance(method, FunctionType) or hasattr(method, "__wrapped__"):
        return None
    try:
        (code,) = ast.parse(textwrap.dedent(inspect.getsource(method))).body
    except (OSError, TypeError, SyntaxError, ValueError):
        return None
    if not isinstance(code, ast.FunctionDef | ast.AsyncFunctionDef) or code.decorator_list or code.name != name:
        return None
    if ast.get_docstring(code, clean=False) is not None:
        del code.body[0]
    return code


def _is_one_document(code: Any, documents: str) -> bool:
    """`return self.embed_documents([text])[0]`."""
    if code is None or len(code.args.args) < 2 or len(code.body) != 1:
        return False
    own, text = (argument.arg for argument in code.args.args[:2])
    rest = f", **{code.args.kwarg.arg}" if code.args.kwarg else ""
    call = f"{own}.{documents}([{text}]{{}})"
    shapes = [call.format(end) for end in {"", rest}]
    if isinstance(code, ast.AsyncFunctionDef):
        shapes = [f"(await {shape})" for shape in shapes]
    return _returns(code, [f"{shape}[0]" for shape in shapes])


def _is_each_query(code: Any, query: str) -> bool:
    """`return [self.embed_query(text) for text in texts]`."""
    if code is None or len(code.args.args) < 2 or len(code.body) != 1:
        return False
    own, texts = (argument.arg for argument in code.args.args[:2])
    value = getattr(code.body[0], "value", None)
    each = value.generators[0].target if isinstance(value, ast.ListComp) else None
    if not isinstance(each, ast.Name) or each.id == own:
        return False
    wait = "await " if isinstance(code, ast.AsyncFunctionDef) else ""
    return _returns(code, [f"[{wait}{own}.{query}({each.id}) for {each.id} in {texts}]"])


def _returns(code: Any, shapes: list[str]) -> bool:
    expected = {ast.dump(ast.parse(f"return {shape}").body[0]) for shape in shapes}
    return ast.dump(code.body[0]) in expected
