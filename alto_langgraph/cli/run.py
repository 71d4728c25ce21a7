"""`alto run`: runs a script or a module as Python would, with langgraph's `StateGraph` swapped for alto's."""

from __future__ import annotations

import builtins
import io
import os
import runpy
import sys
import traceback
import zipfile
from importlib.machinery import SourceFileLoader
from importlib.util import find_spec
from types import ModuleType
from typing import Annotated

import typer

from alto_langgraph.cli.target import close_to, neighbours, no_module
from alto_langgraph.exceptions import TargetError

CONTEXT_SETTINGS = {"allow_interspersed_args": False, "ignore_unknown_options": False}


def command(
    target: Annotated[str, typer.Argument(metavar="SCRIPT", help="The script, or with -m the module.", show_default=False)],
    args: Annotated[list[str] | None, typer.Argument(help="What the script finds in sys.argv.", show_default=False)] = None,
    module: Annotated[bool, typer.Option("-m", help="SCRIPT is a module's name.")] = False,
) -> None:
    """Run a script or a module whose graphs nobody wants to edit."""
    if module:
        _check_module(target)
    elif not os.path.exists(target):
        raise TargetError(f"There is no script `{target}`.", hint=close_to(os.path.basename(target), neighbours(target)))
    from alto_langgraph.adapters.langgraph.swap import swap  # here, since langgraph takes long to load and a misspelt name needn't wait

    swap()
    sys.argv = [target, *(args or [])]
    try:
        run_module(target) if module else run_script(target)
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    except Exception as error:
        raise _failure(target, error) from error


def run_script(path: str) -> None:
    """Runs a file as `python path` does: it is `__main__`, and stays it until the process ends."""
    _first_on_path(os.path.dirname(os.path.realpath(path)))
    if os.path.isdir(path) or zipfile.is_zipfile(path):
        runpy.run_path(path, run_name="__main__")
        return
    file = os.path.abspath(path)
    with io.open_code(file) as opened:
        code = compile(opened.read(), file, "exec", dont_inherit=True)
    main = ModuleType("__main__")
    vars(main).update(__file__=file, __loader__=SourceFileLoader("__main__", file), __builtins__=builtins)
    sys.modules["__main__"] = main
    exec(code, vars(main))


def run_module(name: str) -> None:
    """Runs a module as `python -m name` does."""
    runpy.run_module(name, run_name="__main__", alter_sys=True)


def _first_on_path(folder: str) -> None:
    """Puts the folder where Python put alto's own, unless Python was told to put none."""
    if not sys.flags.safe_path:
        sys.path[0] = folder


def _check_module(name: str) -> None:
    _first_on_path(os.getcwd())
    try:
        missing = name if find_spec(name) is None else None
    except ModuleNotFoundError as error:
        if error.name is None or not name.startswith(f"{error.name}."):
            raise _failure(name, error) from error
        missing = error.name
    except Exception as error:  # a parent package that fails while it is imported
        raise _failure(name, error) from error
    if missing is not None:
        raise no_module(missing)


def _failure(target: str, error: Exception) -> TargetError:
    """One sentence on what the script raised, and where; its traceback keeps only the script's own frames."""
    frames = error.__traceback__
    while frames is not None and _is_scaffold(frames.tb_frame.f_code.co_filename):
        frames = frames.tb_next
    told = traceback.format_exception_only(error)[-1].strip().rstrip(".")
    place = traceback.extract_tb(error.with_traceback(frames).__traceback__)[-1:]
    where = "".join(f" at {os.path.relpath(frame.filename)}:{frame.lineno}" for frame in place)
    return TargetError(f"`{target}` failed{where}: {told}.", hint="Run it with `alto run --debug` to see the traceback.")


def _is_scaffold(filename: str) -> bool:
    return filename == __file__ or filename.startswith("<frozen ")
