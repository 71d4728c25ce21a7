"""The page of a trace in a real browser: what it shows, what can be done with it, and that nothing in a trace can do anything."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from markupsafe import escape

from alto_langgraph.exceptions import TraceError
from alto_langgraph.traces import find, write_page
from alto_langgraph.traces.page import as_script
from alto_langgraph.traces.page import page as text_of
from tests.traces.spans import EXAMPLE, Recorded

if TYPE_CHECKING:
    from playwright.sync_api import Page

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>{{ 7*7 }}<!--\u2028\"'&"


def opened(page: Page, file: Path) -> Page:
    page.goto(file.as_uri())
    page.wait_for_function("document.documentElement.dataset.ready")
    return page


@pytest.fixture
def example(page: Page, tmp_path: Path) -> Page:
    write_page(find(str(EXAMPLE)), tmp_path / "new" / "trace.html", advice=["more slots: −20 %"])
    return opened(page, tmp_path / "new" / "trace.html")


def number_of(page: Page, tag: str) -> int:
    data = json.loads(page.locator("#data").text_content() or "")
    return next(i for i, row in enumerate(data["fragments"]) if row[9] == tag)


def click_on(page: Page, tag: str) -> None:
    at = page.evaluate(f"alto.place({number_of(page, tag)})")
    page.locator("#lanes").click(position={"x": at["x"], "y": at["y"]})


def colours(page: Page, x: float, y: float, width: int = 12, height: int = 8) -> set[tuple[int, int, int]]:
    """The colours in a part of the canvas."""
    script = f"""() => {{ alto.drawn();
        const c = document.getElementById("lanes"), r = window.devicePixelRatio;
        return [...c.getContext("2d").getImageData({x} * r, {y} * r, {width} * r, {height} * r).data] }}"""
    values = page.evaluate(script)
    return {tuple(values[at : at + 3]) for at in range(0, len(values), 4)}


def test_it_shows_the_run_and_the_advice(example: Page) -> None:
    head = example.locator("header").inner_text()
    assert "0.166 s, completed. 9 fragments, 4 ahead of their superstep, 1 thrown away; 6 calls." in head
    assert "more slots: −20 %" in head
    assert example.locator("#legend button").all_inner_texts() == ["read", "note", "polish", "join"]


def test_a_click_tells_all_about_a_fragment_and_leads_on_along_links(example: Page) -> None:
    click_on(example, "join[3]")
    told = example.locator("#details").inner_text()
    assert "join[3]" in told and "in_order, committed" in told and "execute_tool search" in told
    assert "`join` reads `notes`, which `note` writes" in told
    example.locator("#details button", has_text="__start__[0]/read[0]/note[0]").click()
    told = example.locator("#details").inner_text()
    assert "chat gpt-4o-mini" in told and "gen_ai.usage.output_tokens" in told and "43" in told
    click_on(example, "polish[3]")
    assert "its router has decided otherwise" in example.locator("#details").inner_text()
    example.keyboard.press("Escape")
    assert example.locator("#details").is_hidden()


def test_what_was_thrown_away_is_hatched_and_the_critical_path_outlined(example: Page) -> None:
    at = {tag: example.evaluate(f"alto.place({number_of(example, tag)})") for tag in ("polish[3]", "__start__[0]/read[0]")}
    polish, read = at["polish[3]"], at["__start__[0]/read[0]"]
    assert len(colours(example, polish["x"] + 20, polish["y"] - 6)) > 3, "stripes"
    assert len(colours(example, read["x"] + 20, read["y"] - 5)) == 1, "one colour"
    edge = colours(example, read["x"], read["y"] - 11, 2, 8)
    assert (0, 0, 0) in edge
    example.locator("#critical").uncheck()
    assert (0, 0, 0) not in colours(example, read["x"], read["y"] - 11, 2, 8)


def test_search_counts_dims_and_leads_to_what_was_found(example: Page) -> None:
    search, found = example.locator("#search"), example.locator("#found")
    for word, count in (("note", 4), ("READ[1]", 3), ("gpt-4o", 5), ("squashed", 1), ("speculative", 1), ("nothing", 0)):
        search.fill(word)
        assert found.inner_text() == f"{count} found", word
    search.fill("join")
    read = example.evaluate(f"alto.place({number_of(example, '__start__[0]/read[0]')})")
    example.locator("#critical").uncheck()
    assert min(min(colour) for colour in colours(example, read["x"] + 30, read["y"] - 4)) > 200, "dimmed"
    search.press("Enter")
    assert found.inner_text() == "1 of 1"
    search.press("Escape")
    assert found.inner_text() == ""


def test_zoom_and_move(example: Page) -> None:
    def span() -> float:
        return float(example.evaluate("alto.view.to - alto.view.from"))

    whole = span()
    example.locator("#in").click()
    assert span() == pytest.approx(whole * 0.6, rel=0.01)
    before = example.evaluate("alto.view.from")
    example.mouse.move(600, 400)
    example.mouse.down()
    example.mouse.move(500, 400)
    example.mouse.up()
    assert example.evaluate("alto.view.from") > before
    assert example.evaluate("alto.selected") == -1, "a drag is no click"
    example.keyboard.down("Control")
    example.mouse.wheel(0, -300)
    example.keyboard.up("Control")
    example.wait_for_function(f"alto.view.to - alto.view.from < {whole * 0.5}")
    example.locator("#fit").click()
    assert span() == pytest.approx(whole, rel=0.03)


def test_nothing_in_a_trace_can_do_anything(page: Page, tmp_path: Path) -> None:
    made = Recorded(OUTCOME=HOSTILE, **{"alto.graph": HOSTILE, "gen_ai.conversation.id": HOSTILE})
    one = made.fragment(f"{HOSTILE}[1]", 0, 4, NODE=HOSTILE, REASON=HOSTILE, KEPT_BACK=HOSTILE, EFFECTS=HOSTILE)
    made.chat(one, 1, 2, HOSTILE, **{HOSTILE: HOSTILE, "__proto__": "x", "constructor": {"a": [HOSTILE]}})
    write_page(made.trace(), tmp_path / "trace.html", advice=[HOSTILE])
    opened(page, tmp_path / "trace.html")
    click_on(page, f"{HOSTILE}[1]")
    told = page.locator("#details").inner_text()
    assert HOSTILE.replace("\u2028", "") in told.replace("\u2028", "").replace("\n", "")
    assert page.locator("#legend button").count() == 1
    assert page.locator("img").count() == 0
    assert page.evaluate("typeof alto.view") == "object", "`constructor` and `__proto__` are keys like others"
    assert page.title().startswith(HOSTILE[:20])


def test_the_text_of_the_page_ends_its_scripts_only_where_it_means_to() -> None:
    made = Recorded(**{"alto.graph": HOSTILE})
    made.fragment(f"{HOSTILE}[1]", 0, 4, NODE=HOSTILE, REASON=HOSTILE)
    text = text_of(made.trace(), [HOSTILE])
    assert text.count("<script") == text.count("</script") == 2
    assert "<img" not in text and "<!--" not in text
    assert not re.search(r"<\w+[^>]*\s(?:src|href)\s*=|@import|url\(", text.replace(str(escape(HOSTILE)), "")), "loads nothing"
    assert json.loads(as_script({"x": HOSTILE})) == {"x": HOSTILE}


def test_a_surrogate_alone_does_not_keep_the_page_from_being_written(tmp_path: Path) -> None:
    made = Recorded(**{"alto.graph": "a\ud800"})
    made.fragment("b[1]", 0, 4, REASON="\udfff")
    write_page(made.trace(), tmp_path / "t.html")
    assert "a?" in (tmp_path / "t.html").read_text()


def test_long_values_are_cut_and_the_page_stays_small() -> None:
    made = Recorded()
    for number in range(200):
        made.fragment(f"x[0]/y[{number}]", 0, 4, EFFECTS="long " * 100_000)
    assert len(text_of(made.trace())) < 7_000_000


def test_ten_thousand_fragments_are_written_and_usable(page: Page, tmp_path: Path) -> None:
    """How long that takes is in the benchmarks."""
    made = Recorded(end=60.0)
    for item in range(2500):
        parent, tag = made.root, "__start__[0]"
        for depth, node in enumerate(("read", "note", "judge", "write")):
            tag += f"/{node}[{0 if depth else item}]"
            start = item / 100 + depth * 5
            parent = made.fragment(tag, start, start + 5, step=depth + 1, parent=parent, inputs=[parent] if depth else [])
            made.chat(parent, start, start + 4)
    write_page(made.trace(), tmp_path / "t.html")
    assert (tmp_path / "t.html").stat().st_size < 15e6
    opened(page, tmp_path / "t.html")
    page.locator("#search").fill("judge")
    assert page.locator("#found").inner_text() == "5000 found", "what comes of a judge has it in its tag"


def test_a_trace_of_others_alone_has_no_page() -> None:
    made = Recorded()
    made.spans = []
    made.chat("", 0, 1)
    with pytest.raises(TraceError, match="no run of alto"):
        text_of(made.trace())


def test_a_page_that_cannot_be_written_is_one_error(tmp_path: Path) -> None:
    with pytest.raises(TraceError, match="can't be written"):
        write_page(find(str(EXAMPLE)), tmp_path)
