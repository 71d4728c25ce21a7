"""Draws the graphs of the example applications, and keeps the diagrams in their READMEs up to date.

python docs/pictures/examples.py
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from alto_langgraph.examples.chatbot_verification import as_written as chatbot_verification
from alto_langgraph.examples.document_qa import as_written as document_qa
from alto_langgraph.examples.research_report.paced import graph as research_report
from alto_langgraph.examples.text_to_sql.paced import graph as text_to_sql
from alto_langgraph.examples.tool_agent.paced import graph as tool_agent
from alto_langgraph.testing import PacedChatModel

BLOCK = re.compile(r"```mermaid\n.*?```\n", re.DOTALL)
GRAPHS: Mapping[str, Callable[[], Any]] = {
    "chatbot_verification": lambda: chatbot_verification.build(PacedChatModel(), None),  # type: ignore[arg-type]
    "document_qa": lambda: document_qa.build(PacedChatModel()),
    "research_report": research_report,
    "text_to_sql": text_to_sql,
    "tool_agent": tool_agent,
}
"""Folders of `examples`, and what makes the graph as written; nothing is asked."""


def diagram(graph: Any) -> str:
    """The graph as a Mermaid block, drawn by LangGraph."""
    return f"```mermaid\n{graph.get_graph().draw_mermaid(with_styles=False).strip()}\n```\n"


def page(name: str) -> Path:
    """An example's README."""
    return Path(__file__).parents[2] / "examples" / name / "README.md"


if __name__ == "__main__":
    for name, make in GRAPHS.items():
        page(name).write_text(BLOCK.sub(lambda _, make=make: diagram(make()), page(name).read_text(encoding="utf-8")), encoding="utf-8")
