"""Tells an app's own code, which the analysis reads, from libraries' code, which it knows by tables."""

from __future__ import annotations

import sysconfig
from functools import cache
from types import CodeType, FunctionType, ModuleType

FRAMEWORKS = frozenset({"alto_langgraph", "langgraph", "langchain", "langchain_core", "langchain_classic", "langsmith", "pydantic"})

_LIBRARY_FOLDERS = tuple({path for name, path in sysconfig.get_paths().items() if name in {"stdlib", "platstdlib", "purelib", "platlib"}})


@cache
def _in_library(filename: str) -> bool:
    return (
        filename.startswith("<frozen")
        or "site-packages" in filename
        or "dist-packages" in filename
        or filename.startswith(_LIBRARY_FOLDERS)
    )


def package(function: object) -> str:
    """Top-level package that a function or class was defined in."""
    return str(getattr(function, "__module__", None) or "").partition(".")[0]


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
    if home is not None and function.__module__ == home.__module__:
        return True
    if top in FRAMEWORKS:
        return False
    if code is None:
        code = next((v.__code__ for v in vars(function).values() if isinstance(v, FunctionType)), None)
    if code is None or not _in_library(code.co_filename):
        return code is not None
    return home is not None and top == package(home)


def is_users_module(module: ModuleType) -> bool:
    """Whether a module is a file of the app's."""
    filename = vars(module).get("__file__")
    return isinstance(filename, str) and not _in_library(filename)
