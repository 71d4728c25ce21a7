"""The app with a model double that takes a real engine's time, on a shop that is built anew in each process."""

import atexit
import json
import shutil
from functools import cache
from importlib.resources import files
from pathlib import Path
from tempfile import mkdtemp

from langgraph.graph.state import CompiledStateGraph

from alto_langgraph.examples.text_to_sql.as_written import State, build
from alto_langgraph.examples.text_to_sql.database import Database, shop
from alto_langgraph.examples.text_to_sql.rules import answer
from alto_langgraph.testing import PacedChatModel


def questions() -> list[str]:
    """The shipped questions."""
    read: list[str] = json.loads(files(__package__).joinpath("questions.json").read_text("utf-8"))
    return read


@cache
def built() -> Database:
    """The shop's database in a file that goes with the process."""
    folder = mkdtemp(prefix="text-to-sql-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return shop(Path(folder) / "shop.sqlite")


def double() -> PacedChatModel:
    """A model double that answers the app's prompts by rules."""
    return PacedChatModel(answers=answer)


def graph() -> CompiledStateGraph[State]:
    """The app on the shop, with a paced model of its own."""
    return build(double(), built())
