"""Draws the phases of a task from the engine's table of moves, and keeps the diagram in docs/architecture.md up to date.

python docs/pictures/phases.py
"""

from __future__ import annotations

import re
from pathlib import Path

from alto_langgraph.engine.task import MOVES, Phase

PAGE = Path(__file__).parents[1] / "architecture.md"
BLOCK = re.compile(r"```mermaid\nstateDiagram-v2\n.*?```\n", re.DOTALL)


def diagram() -> str:
    """The table of moves as a Mermaid block."""
    lines = ["```mermaid", "stateDiagram-v2"]
    for phase in Phase:
        lines += [f"    {phase.value} --> {after.value}" for after in Phase if after in MOVES[phase]]
        if not MOVES[phase]:
            lines.append(f"    {phase.value} --> [*]")
    return "\n".join([*lines, "```", ""])


if __name__ == "__main__":
    PAGE.write_text(BLOCK.sub(diagram(), PAGE.read_text(encoding="utf-8")), encoding="utf-8")
