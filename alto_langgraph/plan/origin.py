"""Tells an app's own code, which the analysis reads, from libraries' code, which it knows by tables."""

from __future__ import annotations

import sysconfig
from functools import cache
from types import CodeType, FunctionType, MethodType, ModuleType

TRANSPARENT = frozenset(
    {
        "functools", "contextlib", "asyncio", "tenacity", "backoff", "stamina", "langsmith", "opentelemetry", "wrapt", "decorator",
        "deprecated", "typing_extensions", "pydantic", "langchain_core", "langchain", "langgraph", "beartype", "typeguard",
    }
)  # fmt: skip
"""Libraries whose decorators only run what they decorate, with the arguments they are given."""

FRAMEWORKS = frozenset({"alto_langgraph", "langgraph", "langchain", "langchain_core", "langchain_classic", "langsmith", "pydantic"})

_EXAMPLES = "alto_langgraph.examples."

_LIBRARY_FOLDERS = tuple({path for name, path in sysconfig.get_paths().items() if name in {"stdlib", "platstdlib", "purelib", "platlib"}})


@cache
def _in_library(filename: str) -> bool:
    return (
        filename.startswith("<frozen")
        or "site-packages" in filename
        or "dist-packages" in filename
        or filename.startswith(_LIBRARY_FOLDERS)
    )


def module(thing: object) -> str:
    """Module that a function or class was written in. A decorator may make a function say that it is from another."""
    found = thing.__globals__.get("__name__") if isinstance(thing, FunctionType) else None
    return str(found or getattr(thing, "__module__", None) or "")


def package(thing: object) -> str:
    """Top-level package that a function or class was written in. Each example that is shipped is an app, and not a part of alto."""
    name = module(thing)
    if name.startswith(_EXAMPLES):
        return ".".join(name.split(".")[:3])
    return name.partition(".")[0]


def is_library(function: FunctionType) -> bool:
    """Whether a function's file lies where libraries are installed."""
    return _in_library(function.__code__.co_filename)


def is_user_code(function: FunctionType | type, home: FunctionType | None, code: CodeType | None = None) -> bool:
    """Whether the analysis follows calls into `function`.

    Args:
        function: The function or class that is called.
        home: The node's own function: its package is the app even where it is installed as a library;
            inside a framework only its own module is.
        code: Its code, if it has any.
    """
    top = package(function)
    if home is not None and module(function) == module(home):
        return True
    if top in FRAMEWORKS:
        return False
    if code is None:
        code = next((v.__code__ for v in vars(function).values() if isinstance(v, FunctionType)), None)
    if code is None or not _in_library(code.co_filename):
        return code is not None
    return home is not None and top == package(home)


def decorates(function: FunctionType, home: FunctionType | None) -> bool:
    """Whether it is what a library's decorator has made of a function, or of a bound method, that the analysis follows calls into."""
    wrapped = vars(function).get("__wrapped__")
    plain = wrapped.__func__ if isinstance(wrapped, MethodType) else wrapped
    return isinstance(plain, FunctionType) and is_user_code(plain, home, plain.__code__)


def is_users_module(module: ModuleType) -> bool:
    """Whether a module is a file of the app's."""
    filename = vars(module).get("__file__")
    return isinstance(filename, str) and not _in_library(filename)
