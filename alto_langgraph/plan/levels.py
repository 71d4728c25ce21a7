"""Tells of a graph where it splits and where what was split comes together again: the levels that tags have in its runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from alto_langgraph.plan.iterating import ANY
from alto_langgraph.plan.model import NodePlan, Plan

START = "__start__"

Way = Literal["reducer", "edge", "join", "deferred", "end"]

_INDICES = "ijklmn"
_MOST = 200
"""Most places that are followed: a graph in which everything sends to everything has more than anybody reads."""

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SplitExplained:
    """One level at which a run splits.

    Args:
        level: Its place below the run's input, in the app's own words: `sections[i]/sentences[j]`.
        source: The node, or START, that sends.
        target: The node that it sends to.
    """

    level: str
    source: str
    target: str


@dataclass(frozen=True, slots=True)
class ReductionExplained:
    """Where what a level was split into comes together.

    Args:
        level: As of the split.
        way: By a key with a reducer; in a node that an edge, a join, or the end of all else triggers; or at the end of the run.
        name: The key or the node; empty at the end of the run.
    """

    level: str
    way: Way
    name: str = ""

    @property
    def sentence(self) -> str:
        """The same in words."""
        match self.way:
            case "reducer":
                return f"key `{self.name}`"
            case "edge":
                return f"node `{self.name}`"
            case "join":
                return f"node `{self.name}`, behind a join"
            case "deferred":
                return f"node `{self.name}`, deferred"
        return "the end of the run"


class Levels:
    """The levels of one graph.

    Args:
        plan: What is known of the graph; where that is nothing, there are none.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._places: dict[tuple[str, Path], None] = {}
        splits = dict[SplitExplained, None]()
        reductions: dict[str, dict[ReductionExplained, None]] = {}
        for source, path in self._walk():
            for target, name in self._sends(source):
                splits[SplitExplained(_shown((*path, name)), source, target)] = None
            if path:
                level = _shown(path)
                found = (ReductionExplained(level, way, name) for way, name in self._reduced(source))
                reductions.setdefault(level, {}).update(dict.fromkeys(found))
        self.splits = tuple(splits)
        self.reductions = tuple(reduction for found in reductions.values() for reduction in found)

    def _walk(self) -> Iterator[tuple[str, Path]]:
        """Every node with each level at which it may run, the run's own first; what nothing is known to lead to comes last."""
        seen = set[str]()
        for start in (START, *self._plan.nodes):
            waiting: list[tuple[str, Path]] = [] if start in seen else [(start, ())]
            for source, path in waiting:
                seen.add(source)
                yield source, path
                below = [(target, (*path, name)) for target, name in self._sends(source) if self._goes_on(path, name)]
                here = [(follower, ()) for follower in self._followers(source)]
                for place in (*here, *below):
                    if place not in self._places and len(self._places) < _MOST:
                        self._places[place] = None
                        waiting.append(place)

    def _goes_on(self, path: Path, name: str) -> bool:
        """Whether there may be more below; a loop of Sends is shown with its second turn and no further."""
        return path.count(name) < 2 and len(path) < len(_INDICES)

    def _sends(self, source: str) -> Iterator[tuple[str, str]]:
        """Nodes that one may send to, with the name of what it is done for each of; else their own names."""
        node = self._plan.nodes.get(source)
        sends, names = (self._plan.entry_sends, self._plan.entry_iterates) if node is None else (node.sends, node.iterates)
        if sends is None:
            sends = frozenset(goal for goal, _ in names) - {ANY} or _declared(node)
        for target in sorted(sends & self._plan.nodes.keys()):
            mine = [name for goal, name in names if goal == target] or [name for goal, name in names if goal == ANY]
            for name in dict.fromkeys(mine or [target]):
                yield target, name or target

    def _followers(self, name: str) -> list[str]:
        """Nodes that may be triggered behind one, otherwise than by a Send to them; empty if that can't be told."""
        node = self._plan.nodes.get(name)
        if node is None:
            return sorted(((self._plan.entry or frozenset()) - (self._plan.entry_sends or frozenset())) | self._plan.entry_certain)
        only_sent = (node.sends or frozenset()) - (node.pulls or frozenset())
        return sorted((node.targets or frozenset()) - only_sent - {node.handler})

    def _reduced(self, name: str) -> Iterator[tuple[Way, str]]:
        """What comes behind a node inside a level."""
        node, joins = self._plan.nodes[name], self._plan.joins
        yield from (("reducer", key) for key in sorted((node.writes or frozenset()) & self._plan.reduced))
        for follower in self._followers(name):
            if self._plan.nodes[follower].deferred:
                yield "deferred", follower
            elif any(name in join.starts and join.end == follower for join in joins):
                yield "join", follower
            else:
                yield "edge", follower
        if node.targets == frozenset():
            yield "end", ""


def _declared(node: NodePlan | None) -> frozenset[str]:
    """Where one may lead whose code doesn't tell where it sends, by its path maps and `destinations`."""
    return frozenset() if node is None else (node.pulls or frozenset()) - node.certain


def _shown(path: Path) -> str:
    return "/".join(f"{name}[{_INDICES[depth % len(_INDICES)]}]" for depth, name in enumerate(path))


def told(splits: tuple[SplitExplained, ...], reductions: tuple[ReductionExplained, ...]) -> Iterator[str]:
    """Lines that say what is split, and where it comes together."""
    for level in dict.fromkeys(split.level for split in splits):
        ways = ", ".join(f"{split.source} -> {split.target}" for split in splits if split.level == level)
        yield f"splits into {level}  ({ways})"
    for level in dict.fromkeys(reduction.level for reduction in reductions):
        yield f"reduces {level}  ({', '.join(reduction.sentence for reduction in reductions if reduction.level == level)})"
