"""Draws docs/pictures/trace.png: the page of a real trace, in headless Chromium.

python docs/pictures/trace.py [FILE]

It needs the extra `otel`, playwright, and a Chromium: Debian's, or playwright's own.
"""

from __future__ import annotations

import asyncio
import operator
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Annotated, Any, Literal, TypedDict

from langgraph.types import Command, Send

from alto_langgraph import AltoOptions
from alto_langgraph.graph import START, StateGraph
from alto_langgraph.testing import LogNormal, Pace, PacedChatModel, Slots
from alto_langgraph.testing.traces import recorded
from alto_langgraph.traces import advise, load, write_page
from alto_langgraph.tracing.encoding import line

SCALE = 1.0
"""Factor on all times."""

RUNS = 10
"""Before the one that is drawn: by then alto knows where the router mostly leads."""


class State(TypedDict, total=False):
    """The run's state."""

    pages: int
    good: bool
    notes: Annotated[list[str], operator.add]
    title: str
    report: str


def build(scale: float) -> Any:
    """Pages are read, notes taken by a model that serves four at a time, and a router decides what becomes of them."""
    pace = Pace(LogNormal(0.04 * scale, 0.3), LogNormal(0.01 * scale, 0.2))
    model = PacedChatModel(answers=lambda prompt: "one two three four", pace=pace, slots=Slots(4), model="small")

    async def read(page: int) -> Command[Any]:
        await asyncio.sleep((0.04 + page * 7 % 5 * 0.03) * scale)
        return Command(goto=[Send("note", f"{page}.{part}") for part in range(1 + page % 2)])

    async def note(part: str) -> State:
        return {"notes": [str((await model.ainvoke(part)).content)]}

    async def title(state: State) -> State:
        await asyncio.sleep(0.3 * scale)
        return {"title": f"{state['pages']} pages"}

    async def judge(state: State) -> State:
        await model.ainvoke(f"{len(state['notes'])} notes")
        return {}

    async def goes(state: State) -> Literal["publish", "mend"]:
        await asyncio.sleep(0.1 * scale)
        return "publish" if state["good"] else "mend"

    async def publish(state: State) -> State:
        return {"report": str((await model.ainvoke(f"publish {state['title']}")).content)}

    async def mend(state: State) -> State:
        return {"report": str((await model.ainvoke(f"mend {state['title']}")).content)}

    graph: Any = StateGraph(State)
    for node in (read, note, title, judge, publish, mend):
        graph.add_node(node.__name__, node)
    graph.add_conditional_edges(START, lambda state: [Send("read", page) for page in range(state["pages"])], ["read"])
    graph.add_edge(START, "title").add_edge("note", "judge").add_conditional_edges("judge", goes)
    return graph.compile(alto=AltoOptions(issue=frozenset({"send", "edge", "chain", "route"})))


def draw(html: Path, picture: Path) -> None:
    """Opens the page and takes its picture, with one fragment chosen."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as started:
        own = started.chromium.executable_path
        found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), own)
        browser = started.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 1280, "height": 720})
        page.goto(html.as_uri())
        page.wait_for_function("document.documentElement.dataset.ready")
        page.evaluate(
            "alto.select(JSON.parse(document.getElementById('data').textContent).fragments.findIndex((f) => f[9].startsWith('judge')))"
        )
        page.wait_for_timeout(300)
        page.screenshot(path=str(picture))
        browser.close()


def main(out: Path) -> None:
    """Traces a run in which the router leads elsewhere than it mostly does, and draws its page."""
    with recorded() as spans, asyncio.Runner() as runner:
        graph = build(SCALE)
        for number in range(RUNS + 1):
            runner.run(graph.ainvoke({"pages": 8, "good": number < RUNS}))
    with tempfile.TemporaryDirectory() as folder:
        file, html = Path(folder) / "spans.jsonl", Path(folder) / "trace.html"
        file.write_bytes(line(spans))
        trace = load(file)[0]
        assert trace.main is not None
        write_page(trace, html, advise(trace.main).lines())
        draw(html, out)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).with_name("trace.png"))
