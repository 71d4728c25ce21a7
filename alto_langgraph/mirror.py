"""Lets `alto_langgraph.x` show what `langgraph.x` shows, so that an app swaps one import and nothing else."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import find_spec
from types import ModuleType
from typing import Any

OURS, THEIRS = "alto_langgraph", "langgraph"


class Mirror(ModuleType):
    """A module that answers with the attributes of langgraph's module of the same path where it has none of its own."""

    def __getattr__(self, name: str) -> Any:
        """The attribute as langgraph has it now: nothing is copied, so both sides always show the same object."""
        if name == "__all__":
            return self._star()
        if not name.startswith("__") or name in self._star():  # the others, such as `__file__`, tell of the module itself
            try:
                return getattr(theirs(self.__name__), name)
            except AttributeError:
                pass
        raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}", name=name, obj=self)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *dir(theirs(self.__name__))})

    def _star(self) -> list[str]:
        """What `from ... import *` takes: their `__all__`, or without one every name that doesn't start with an underscore."""
        shown = theirs(self.__name__)
        return list(getattr(shown, "__all__", [name for name in vars(shown) if not name.startswith("_")]))


class Finder(MetaPathFinder, Loader):
    """Finds `alto_langgraph.x` as a mirror wherever langgraph, or a package that adds to it, has an `x` and we don't.

    That covers what we can't know: checkpointers and stores that others install under langgraph's names.
    """

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None, /) -> ModuleSpec | None:
        """Import protocol: the spec of a mirror, or None to let the other finders look."""
        if not name.startswith(OURS + "."):
            return None
        own = PathFinder.find_spec(name, path)
        if own is not None and own.origin is not None:
            return None
        try:
            shown = find_spec(_their_name(name))
        except ModuleNotFoundError:
            return None
        if shown is None:
            return None
        return ModuleSpec(name, self, origin=shown.origin, is_package=shown.submodule_search_locations is not None)

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """Import protocol: an empty mirror."""
        return Mirror(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Import protocol: imports langgraph's module, so that its errors show at the import and not later."""
        theirs(module.__name__)
        module.__doc__ = f"`{_their_name(module.__name__)}`, name for name."


def mirror(name: str) -> None:
    """Turns the module called `name` into a mirror; what it defines itself stays."""
    sys.modules[name].__class__ = Mirror


def theirs(name: str) -> ModuleType:
    """Langgraph's module of the same path as our module `name`."""
    return import_module(_their_name(name))


def install() -> None:
    """Puts the finder before the others, once: a folder that holds only type stubs would pass for a namespace package."""
    if not any(isinstance(finder, Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, Finder())


def _their_name(name: str) -> str:
    return THEIRS + name.removeprefix(OURS)
