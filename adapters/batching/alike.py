"""Tells by the code of an embeddings class whether a query is embedded as a document is."""

from __future__ import annotations

import ast
import inspect
import textwrap
from types import FunctionType
from typing import Any

from langchain_core.embeddings import Embeddings


def queries_are_documents(embeddings: Embeddings, *, asynchronous: bool = False) -> bool:
    """Whether the code shows that `embed_query(text)` is `embed_documents([text])[0]`.

    Shown is what takes one of these two shapes, in methods without decorators: a query is a list of one document, or documents are
    a loop over queries. Other code, and code that isn't there to be read, shows nothing.

    Args:
        embeddings: Embeddings as they are given; methods set on the object itself aren't read.
        asynchronous: Looks at `aembed_query` and `aembed_documents`, which by default are the sync methods on a thread.
    """
    cls = type(embeddings)
    if not asynchronous:
        return _shown(embeddings, "embed_query", "embed_documents")
    own = [name for name in ("aembed_query", "aembed_documents") if getattr(cls, name) is not getattr(Embeddings, name)]
    if len(own) == 1:
        return False
    return _shown(embeddings, "aembed_query", "aembed_documents") if own else _shown(embeddings, "embed_query", "embed_documents")


def _shown(embeddings: Embeddings, query: str, documents: str) -> bool:
    return _is_one_document(_code(embeddings, query), documents) or _is_each_query(_code(embeddings, documents), query)


def _code(embeddings: Embeddings, name: str) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
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
