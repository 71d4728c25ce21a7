"""The command `alto`: one module per command, one clear message per mistake."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Sequence
from importlib import import_module
from typing import Annotated

import typer
from rich.text import Text

from alto_langgraph import __version__
from alto_langgraph.cli.console import Console
from alto_langgraph.exceptions import AltoError

COMMANDS = ("run", "explain", "compare", "trace", "demo")
"""Each is `alto_langgraph.cli.<name>.command`, or its `group` of commands; a module's `CONTEXT_SETTINGS` go to its parser."""

BAD_INPUT = 2
"""Exit code for whatever can't be done as asked; 1 is left to `compare` for a difference."""


def main(args: Sequence[str] | None = None) -> None:
    """Runs `alto` with `args` (default: the process's) and always ends in `SystemExit`."""
    words = list(sys.argv[1:] if args is None else args)
    debug = _take_debug(words)
    try:
        build(words)(args=words, prog_name="alto")
    except Exception as error:
        if debug:
            traceback.print_exception(error)
        Console(stderr=True).print(_message(error, debug), soft_wrap=True)
        sys.exit(BAD_INPUT)


def build(words: Sequence[str]) -> typer.Typer:
    """The typer app for these words: it imports the command they name and no other, or all of them to list them."""
    named = next((word for word in words if not word.startswith("-")), None)
    app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, add_completion=False)
    app.callback()(_about)
    for name in [named] if named in COMMANDS else COMMANDS:
        module = import_module(f"alto_langgraph.cli.{name}")
        if hasattr(module, "group"):
            app.add_typer(module.group, name=name)
        else:
            app.command(name, context_settings=getattr(module, "CONTEXT_SETTINGS", None))(module.command)
    return app


def _show_version(asked: bool) -> None:
    if asked:
        typer.echo(__version__)
        raise typer.Exit


def _about(
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error (goes with every command).")] = False,
    version: Annotated[bool, typer.Option("--version", is_eager=True, callback=_show_version, help="Print the version and stop.")] = False,
) -> None:
    """LangGraph graphs with the same answers, sooner."""


def _take_debug(words: list[str]) -> bool:
    """Takes `--debug` out of alto's own words; what follows the script of `alto run` is the script's."""
    plain = [place for place, word in enumerate(words) if not word.startswith("-")]
    ends = plain[1] if len(plain) > 1 and words[plain[0]] == "run" else len(words)
    own = [word for word in words[:ends] if word != "--debug"]
    debug = len(own) < ends
    words[:ends] = own
    return debug


def _message(error: Exception, debug: bool) -> Text:
    if isinstance(error, AltoError):
        return Text.assemble(("alto: ", "bold red"), str(error))
    told = f"{type(error).__name__}: {error}.".replace("..", ".")
    return Text.assemble(("alto: ", "bold red"), told, "" if debug else " Run again with --debug to see where.")
