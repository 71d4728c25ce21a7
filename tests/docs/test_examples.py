"""The diagrams in the examples' READMEs are what LangGraph draws of the graphs."""

import importlib.util
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).parents[2] / "docs" / "pictures" / "examples.py"


def script() -> Any:
    spec = importlib.util.spec_from_file_location("pictures_of_examples", SCRIPT)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


DRAWN = script()


@pytest.mark.parametrize("name", DRAWN.GRAPHS)
def test_the_diagram_is_drawn_from_the_graph(name: str) -> None:
    assert DRAWN.BLOCK.findall(DRAWN.page(name).read_text(encoding="utf-8")) == [DRAWN.diagram(DRAWN.GRAPHS[name]())]


def test_no_example_of_an_application_lacks_its_diagram() -> None:
    folders = {page.parent.name for page in DRAWN.page("any").parents[1].glob("*/as_written.py")}
    assert folders == {*DRAWN.GRAPHS}
