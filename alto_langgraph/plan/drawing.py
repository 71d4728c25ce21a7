"""Draws an explanation: as a Mermaid flowchart, and as a tree for the terminal."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from alto_langgraph.plan.levels import told
from alto_langgraph.plan.model import Reason

if TYPE_CHECKING:
    from alto_langgraph.plan.explain import EdgeExplained, Explanation, NodeExplained

_STYLES = (
    "classDef ahead fill:#c8f0d0,stroke:#1b7f3b,stroke-width:2px",
    "classDef waiting fill:#eef6d6,stroke:#7f8f1b",
    "classDef inorder fill:#eeeeee,stroke:#888888",
    "classDef ends fill:#ffffff,stroke:#bbbbbb",
)


def as_mermaid(explanation: Explanation) -> str:
    """A flowchart: green runs ahead, pale green runs ahead but for what it waits for, grey keeps to its superstep."""
    lines = ["graph TD;"]
    ids = _ids(["__start__", "__end__", *(node.name for node in explanation.nodes)])
    lines += [f"    {ids['__start__']}([start]):::ends", f"    {ids['__end__']}([end]):::ends"]
    lines += [f'    {ids[node.name]}["{_escaped(node.name)}"]:::{_style(node)}' for node in explanation.nodes]
    green = []
    for number, edge in enumerate(explanation.edges):
        arrow = "==>" if edge.ahead else "-.->" if edge.kind == "send" else "-->"
        lines.append(f"    {ids[edge.source]} {arrow}{_label(explanation, edge)} {ids[edge.target]}")
        if edge.ahead:
            green.append(str(number))
    leading = {edge.source for edge in explanation.edges}
    lines += [f"    {ids[node.name]} --> {ids['__end__']}" for node in explanation.nodes if node.name not in leading]
    lines += [f"    {style}" for style in _STYLES]
    if green:
        lines.append(f"    linkStyle {','.join(green)} stroke:#1b7f3b,stroke-width:2px")
    return "\n".join(lines) + "\n"


def _label(explanation: Explanation, edge: EdgeExplained) -> str:
    """The level that a Send leads to, if there is one name for it."""
    names = {split.level.rpartition("/")[2] for split in explanation.splits if (split.source, split.target) == (edge.source, edge.target)}
    name = names.pop().partition("[")[0] if len({name.partition("[")[0] for name in names}) == 1 else edge.target
    return f'|"{_escaped(name)}"|' if name != edge.target else ""


def _style(node: NodeExplained) -> str:
    if not node.ahead:
        return "inorder"
    return "waiting" if node.waits else "ahead"


def _ids(names: list[str]) -> dict[str, str]:
    """Names as Mermaid takes them, kept apart from each other and from its keywords."""
    return {name: f"n{number}_{re.sub(r'[^A-Za-z0-9]+', '_', name).strip('_')}" for number, name in enumerate(names)}


def _escaped(name: str) -> str:
    name = "".join(character if character.isprintable() else "�" for character in name)
    return name.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;").replace(">", "&gt;")


def as_tree(explanation: Explanation, title: str = "graph") -> Any:
    """A rich tree: nodes, and under each the reasons."""
    from rich.text import Text
    from rich.tree import Tree

    from alto_langgraph.plan.explain import accounts, streaming

    tree = Tree(Text(title, style="bold"))
    for fence in explanation.fences:
        tree.add(Text(f"nothing runs ahead: {fence.sentence}", style="red"))
    for node in explanation.nodes:
        branch = tree.add(Text.assemble((node.name, "bold green" if node.ahead else "bold"), f"  {_summary(node)}"))
        for reason, style in _styled(node):
            branch.add(Text(reason.sentence, style=style))
        ways = [edge for edge in explanation.edges if edge.source == node.name]
        leads = [f"{edge.target} ({edge.issue or edge.kind}{', ahead' if edge.ahead else ''})" for edge in ways]
        if leads:
            branch.add(Text("leads to " + ", ".join(leads), style="dim"))
        for line in streaming(node):
            branch.add(Text(line, style="magenta"))
        inner = explanation.subgraphs.get(node.name)
        if inner is not None:
            branch.children.append(as_tree(inner, "inside"))
    for line in (*told(explanation.splits, explanation.reductions), *accounts(explanation.ahead)):
        tree.add(Text(line, style="magenta"))
    return tree


def _summary(node: NodeExplained) -> str:
    keys = ["all" if k is None else ", ".join(k) or "nothing" for k in (node.reads, node.writes)]
    where = "may run ahead" if node.ahead else "in its superstep"
    sources = node.sources
    return f"{where} · {node.effects} ({sources.effects}) · reads {keys[0]} ({sources.reads}) · writes {keys[1]} ({sources.writes})"


def _styled(node: NodeExplained) -> Iterator[tuple[Reason, str]]:
    yield from ((reason, "yellow") for reason in node.reasons)
    yield from ((reason, "cyan") for reason in node.waits)
