"""Loads what a command line names: `module:attribute`, `file.py:attribute`, or a file of JSON."""

from __future__ import annotations

import json
import os
import pkgutil
import sys
from collections.abc import Iterable
from difflib import get_close_matches
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

from alto_langgraph.exceptions import TargetError


def load_target(target: str) -> Any:
    """The object that `package.module:attribute` or `path/file.py:attribute` names; attributes may be dotted.

    Raises:
        TargetError: the module doesn't exist or fails while it is imported, or has no such attribute; names what comes close.
    """
    source, colon, attribute = target.rpartition(":")
    if not (colon and source and attribute):
        named = _graphs(_load_file(target)) if target.endswith(".py") and os.path.isfile(target) else []
        written = " or ".join(f"`{target}:{name}`" for name in named) or "`module:attribute` or `file.py:attribute`"
        raise TargetError(f"`{target}` doesn't name an object.", hint=f"Write {written}.")
    is_file = source.endswith(".py") or os.sep in source
    found: Any = _load_file(source) if is_file else _load_module(source)
    walked = source
    for name in attribute.split("."):
        try:
            found = getattr(found, name)
        except AttributeError:
            graphs = ", ".join(f"`{graph}`" for graph in _graphs(found))
            hint = close_to(name, _public(found)) or (f"Its graphs: {graphs}." if graphs else None)
            raise TargetError(f"`{walked}` has no attribute `{name}`.", hint=hint) from None
        walked = f"{walked}:{name}" if walked == source else f"{walked}.{name}"
    return found


def load_json(path: str | os.PathLike[str]) -> Any:
    """The value in a JSON file; `-` reads standard input.

    Raises:
        TargetError: the file can't be read or isn't JSON; says where.
    """
    try:
        text = sys.stdin.read() if os.fspath(path) == "-" else Path(path).read_text(encoding="utf-8")
        return json.loads(text)
    except FileNotFoundError:
        raise TargetError(f"There is no file `{path}`.", hint=close_to(os.path.basename(path), neighbours(path, "*.json"))) from None
    except OSError as error:
        raise TargetError(f"`{path}` can't be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise TargetError(f"`{path}` isn't UTF-8 text.") from error
    except json.JSONDecodeError as error:
        raise TargetError(f"`{path}` isn't JSON: {error.msg} at line {error.lineno}, column {error.colno}.") from error


def close_to(name: str, others: Iterable[str]) -> str | None:
    """A hint that names the one of `others` that looks most like `name`, or None if none does."""
    close = get_close_matches(name, list(others), n=1)
    return f"Did you mean `{close[0]}`?" if close else None


def neighbours(path: str | os.PathLike[str], pattern: str = "*.py") -> list[str]:
    """Names of the files beside `path` that match `pattern`."""
    return sorted(found.name for found in Path(path).parent.glob(pattern))


def no_module(name: str) -> TargetError:
    """The error for a module that can't be found, though the package it should be in can."""
    package = name.rpartition(".")[0]
    path = sys.modules[package].__path__ if package else None
    found = pkgutil.iter_modules(path, f"{package}." if package else "")
    return TargetError(f"There is no module `{name}`.", hint=close_to(name, [module.name for module in found]))


def _load_module(name: str) -> ModuleType:
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    try:
        return import_module(name)
    except ModuleNotFoundError as missing:
        if missing.name is None or not f"{name}.".startswith(f"{missing.name}."):
            raise _import_failure(name, missing) from missing
        raise no_module(missing.name) from None
    except Exception as error:
        raise _import_failure(name, error) from error


def _load_file(path: str) -> ModuleType:
    """Imports a file under its stem, beside its own folder on `sys.path`, so that it finds its neighbours and its classes pickle."""
    file = Path(path).resolve()
    if not file.is_file():
        raise TargetError(f"There is no file `{path}`.", hint=close_to(file.name, neighbours(path)))
    if str(file.parent) not in sys.path:
        sys.path.insert(0, str(file.parent))
    known = sys.modules.get(file.stem)
    if known is not None and getattr(known, "__file__", None) == str(file):
        return known
    name = file.stem if known is None else f"{file.stem}@{file.parent}"
    spec = spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise TargetError(f"`{path}` isn't Python source.", hint="Its name must end in `.py`.")
    module = sys.modules[name] = module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        raise _import_failure(path, error) from error
    return module


def _import_failure(source: str, error: Exception) -> TargetError:
    return TargetError(f"Importing `{source}` failed: {type(error).__name__}: {error}.", hint="Run again with --debug to see where.")


def _graphs(holder: object) -> list[str]:
    """Names of what looks like a graph in a module, not compiled or compiled, without importing LangGraph to see."""
    named = [(name, getattr(holder, name)) for name in _public(holder)] if isinstance(holder, ModuleType) else []
    return [name for name, value in named if not isinstance(value, type) and (hasattr(value, "add_edge") or hasattr(value, "get_state"))]


def _public(holder: object) -> list[str]:
    return [name for name in dir(holder) if not name.startswith("_")]
