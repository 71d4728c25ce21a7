"""Tells what a node can see of what it is sent, and what kind of payload it is: of a ToolNode, which tool is called.

Agents send each tool call along with the state as it was, or have the node read it. Of both a tool sees only what is injected into it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from alto_langgraph.adapters.langgraph.agents import runs_tools
from alto_langgraph.adapters.langgraph.containing import OTHERS
from alto_langgraph.adapters.langgraph.seam_graph import takes_state
from alto_langgraph.plan.candidates import Candidates
from alto_langgraph.plan.model import Effects

_CALL: Final = "tool_call"
_WITH_STATE: Final = "tool_call_with_context"
_STATE: Final = "state"


class Payloads:
    """Of the nodes of one graph.

    Args:
        nodes: By name, as compiled.
        candidates: What may run ahead, worked out when a node that runs tools is sent something.
    """

    def __init__(self, nodes: Mapping[str, Any], candidates: Callable[[], Candidates]) -> None:
        self._tools = {name: node.bound for name, node in nodes.items() if runs_tools(node.bound)}
        self._candidates = candidates
        self._sights: dict[tuple[str, str], frozenset[str] | None] = {}
        self._copying: dict[tuple[str, str], bool] = {}

    def kinds(self, node: str, payload: Any) -> frozenset[str] | None:
        """What a payload asks of a node, in the words of its plan's `kinds`; None if that can't be told."""
        calls = list(_calls(payload)) if node in self._tools else []
        return frozenset(self._kind(node, call) for call in calls) if calls and all(map(_is_call, calls)) else None

    def among(self, kinds: frozenset[str], node: str, payload: Any) -> bool:
        """Whether a payload is known to be of some of these kinds."""
        found = self.kinds(node, payload)
        return found is not None and found <= kinds

    def _kind(self, node: str, call: Mapping[str, Any]) -> str:
        return call["name"] if call["name"] in self._tools[node].tools_by_name else OTHERS

    def settled(self, node: str, payload: Any) -> frozenset[str] | None:
        """State keys that a node looks at that is sent this, if nobody may write them before it gets its turn.

        None if somebody may, or if it doesn't get tool calls. The other keys, and of what comes along the rest, it never sees.
        """
        kinds = self.kinds(node, payload)
        if kinds is None:
            return None
        keys: frozenset[str] = frozenset()
        for kind in kinds:
            if (key := (node, kind)) not in self._sights:
                self._sights[key] = self._sight(node, kind)
            sight = self._sights[key]
            if sight is None:
                return None
            keys |= sight
        return keys

    def _sight(self, node: str, kind: str) -> frozenset[str] | None:
        candidates = self._candidates()
        plan = dict(candidates.plan.nodes[node].kinds).get(kind)
        if plan is None:
            return None
        keys, unsettled = candidates.seen(plan), candidates.unsettled(node)
        if not keys:
            return keys
        again = plan.function.effects <= Effects.IDEMPOTENT and not candidates.is_wary(node, frozenset({kind}))
        known = unsettled is not None and keys.isdisjoint(unsettled | plan.function.managed)
        return keys if again and known else None

    def waits(self, node: str, payload: Any) -> bool:
        """Whether a node that is sent this looks at what is written until its own superstep."""
        return type(payload) is list and self.kinds(node, payload) is not None and self.settled(node, payload) is None

    def seen(self, node: str, payload: Any) -> Any:
        """What a node that is sent this can see of it."""
        if type(payload) is not dict or (keys := self.settled(node, payload)) is None:
            return payload
        state = payload[_STATE]
        return (payload[_CALL], *((key, state[key]) for key in sorted(keys) if key in state)) if keys else payload[_CALL]

    def copied(self, node: str, payload: Any) -> bool:
        """Whether a tool makes another dict of the state that it gets."""
        return any(self._copies(node, kind) for kind in self.kinds(node, payload) or ())

    def _copies(self, node: str, kind: str) -> bool:
        if (key := (node, kind)) not in self._copying:
            tool = self._tools[node].tools_by_name.get(kind)
            self._copying[key] = tool is not None and takes_state(tool)
        return self._copying[key]

    def carries(self, node: str, payload: Any) -> Mapping[str, Any] | None:
        """The state that comes along, of which a node sees some keys at most; None if it comes alone."""
        found = payload.get(_STATE) if type(payload) is dict and self.settled(node, payload) is not None else None
        return found if type(found) is dict else None


def narrowed(payload: Any, state: Mapping[str, Any]) -> Any:
    """The same payload with another state."""
    return {**payload, _STATE: state}


def _calls(payload: Any) -> Iterator[Any]:
    """The tool calls of a payload, if it is one of those that agents send."""
    if type(payload) is dict and payload.get("__type") == _WITH_STATE:
        yield payload.get(_CALL)
    elif type(payload) is list:
        yield from payload


def _is_call(call: Any) -> bool:
    return type(call) is dict and type(call.get("name")) is str and call.get("type") == _CALL
