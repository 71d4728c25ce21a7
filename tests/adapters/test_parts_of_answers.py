"""However a node takes an answer apart, each part that is finished is worked on while the next is written, and none before it is."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from typing import Annotated, Any, TypedDict

import pytest
from langgraph.graph import START
from langgraph.graph import StateGraph as Stock
from langgraph.types import Send

from alto_langgraph.graph import StateGraph as Alto
from tests.adapters.writer import Writer


class State(TypedDict, total=False):
    parts: list[str]
    texts: Annotated[list[str], operator.add]


Split = Callable[[str], list[str]]


def built(graph: type[Stock[Any]], split: Split, model: Writer, worked_on: list[str]) -> Any:
    async def plan(state: State) -> State:
        text = ""
        async for chunk in model.astream("plan"):
            text += chunk.content
        return {"parts": split(text)}

    async def write(payload: Any) -> State:
        worked_on.append(payload["part"])
        model.go_on()
        return {"texts": [f"text on {payload['part']}"]}

    builder = graph(State)
    builder.add_node("plan", plan)
    builder.add_node("write", write, metadata={"effects": "idempotent"})
    builder.add_edge(START, "plan")
    builder.add_conditional_edges("plan", lambda state: [Send("write", {"part": part}) for part in state["parts"]], ["write"])
    return builder.compile()


SECTIONS = """Here is the report:

## Apples
Red ones, e.g. in May. Green ones, too.
- with a list
- of two

## Pears
### Small
Soft. Sweet.

## Plums
Blue, and many more to come."""

STEPS = """The plan is this:
1. Read about apples
   and note what is new.
2. Read about pears: [1], {2}
3. Write about plums, and much more of it"""

BULLETS = """- [ ] apples
  - red
  - green
- [x] pears. Soft ones.
- plums, and many more to come"""

PARAGRAPHS = """Apples are red. Or green.

Pears are soft. See
the figure.

Plums are blue, and many more"""

CODE = """First:
```python
print("apples")
```
Then:
```python
print("pears")
```
And that is all there is to say:
```python
print("plums") # and more
```"""

WAYS: dict[str, tuple[str, Split, int]] = {
    "sections": (SECTIONS, lambda text: re.split(r"(?m)^## ", text)[1:], 3),
    "headings": (SECTIONS, lambda text: re.findall(r"(?m)^#{2,3} (.+)$", text), 4),
    "section by section": (SECTIONS, lambda text: [part.strip() for part in text.split("\n## ")], 4),
    "steps": (STEPS, lambda text: re.findall(r"(?ms)^\d+\. (.+?)(?=^\d+\. |\Z)", text), 3),
    "items": (BULLETS, lambda text: re.split(r"(?m)^- ", text)[1:], 3),
    "paragraphs": (PARAGRAPHS, lambda text: [part for part in text.split("\n\n") if part], 3),
    "code": (CODE, lambda text: re.findall(r"(?s)```python\n(.*?)```", text), 3),
}


@pytest.mark.parametrize("way", WAYS)
async def test_only_what_is_finished_is_worked_on(way: str) -> None:
    text, split, parts = WAYS[way]
    results, worked_on = [], []
    for graph in (Stock, Alto):
        worked_on.append([])
        app = built(graph, split, Writer(says=text, waits=graph is Alto), worked_on[-1])
        results.append(await app.ainvoke({}))
    assert results[0] == results[1]
    assert sorted(worked_on[1]) == sorted(worked_on[0])  # none in vain, none twice
    assert len(worked_on[0]) == parts
