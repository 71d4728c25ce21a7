"""The tour's diagram is the engine's table, its tables are the seam's, and the picture can be made anew."""

from __future__ import annotations

import ast
import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")


def script(name: str) -> ModuleType:
    """A script of docs/pictures, loaded."""
    spec = importlib.util.spec_from_file_location(f"docs_pictures_{name}", ROOT / "docs" / "pictures" / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)  # LangGraph looks there for a state's annotations
    spec.loader.exec_module(module)
    return module


def test_the_diagram_of_phases_is_the_engines_table() -> None:
    assert script("phases").diagram() in PAGE, "run `python docs/pictures/phases.py`"


def rebinds() -> set[tuple[str, str]]:
    """(function, name) of every rebinding in the adapter."""
    found = set()
    for file in (ROOT / "adapters" / "langgraph").glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("rebind", "seam.rebind"):
                found |= {(ast.unparse(node.args[0]), str(keyword.arg)) for keyword in node.keywords}
    return found


def test_the_table_of_the_seam_names_every_rebinding() -> None:
    named, function = set(), ""
    for first, name in re.findall(r"^\| (?:`([\w.]+)` )?\| `(\w+)` \| ", PAGE, re.MULTILINE):
        function = first or function
        named.add((function, name))
    assert rebinds() == named


def test_the_files_that_the_tour_names_are_there() -> None:
    names = set(re.findall(r"`(?:[\w/]+/)?(\w+\.py)`", PAGE))
    assert len(names) > 10
    assert names <= {file.name for room in ("adapters", "alto_langgraph") for file in (ROOT / room).rglob("*.py")}


def test_the_picture_of_a_trace_can_be_drawn_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trace, pages = script("trace"), []
    monkeypatch.setattr(trace, "SCALE", 0.05)
    monkeypatch.setattr(trace, "draw", lambda html, picture: pages.append(html.read_text(encoding="utf-8")))
    trace.main(tmp_path / "trace.png")
    assert [("mend" in page, "critical path" in page) for page in pages] == [(True, True)]
    assert (ROOT / "docs" / "pictures" / "trace.png").read_bytes().startswith(b"\x89PNG")


def test_the_pictures_of_what_starts_early_can_be_drawn_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    early = script("early")
    monkeypatch.setattr(early, "SCALE", 0.2)
    early.main(tmp_path)
    for name in early.PICTURES:
        drawn, kept = ((folder / f"{name}.svg").read_text(encoding="utf-8") for folder in (tmp_path, ROOT / "docs" / "pictures"))
        stock, alto = kept[: kept.index(">alto<")], kept[kept.index(">alto<") :]
        assert "(ahead)" in alto and "(ahead)" not in stock
        assert sorted(re.findall(r"<title>(\S+):", drawn)) == sorted(re.findall(r"<title>(\S+):", kept))


def test_the_timeline_can_be_drawn_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    timeline = script("timeline")
    monkeypatch.setattr(timeline, "SECONDS", {stage: [t / 100 for t in times] for stage, times in timeline.SECONDS.items()})
    timeline.main(tmp_path / "timeline.svg")
    drawn, kept = ((folder / "timeline.svg").read_text(encoding="utf-8") for folder in (tmp_path, ROOT / "docs" / "pictures"))
    for picture in (drawn, kept):
        assert picture.index(">stock<") < picture.index(">alto<")
        assert picture.count("<title>") == 36, "six items, three stages, two sides"
