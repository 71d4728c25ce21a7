"""Tells what a node can see of what it is sent, and what kind of payload it is: of a ToolNode, which tool is called.

Agents send each tool call along with the state as it was, or have the node read it. Of both a tool sees only what is injected into it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from alto_langgraph.adapters.langgraph.agents import runs_tools
from alto_langgraph.adapters.langgraph.containing import OTHERS
from alto_langgraph.adapters.langgraph.seam_graph import injected_keys, wrappers_of

_CALL: Final = "tool_call"
_WITH_STATE: Final = "tool_call_with_context"


class Payloads:
    """Of the nodes of one graph.

    Args:
        nodes: By name, as compiled.
    """

    def __init__(self, nodes: Mapping[str, Any]) -> None:
        self._tools = {name: node.bound for name, node in nodes.items() if runs_tools(node.bound)}

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

    def blind(self, node: str, payload: Any) -> bool:
        """Whether a node that is sent this sees nothing but tool calls: neither the state that comes along nor that of the run."""
        tools, kinds = self._tools.get(node), self.kinds(node, payload)
        if tools is None or kinds is None or wrappers_of(tools):
            return False
        return injected_keys(tools, kinds - {OTHERS}) == frozenset()

    def waits(self, node: str, payload: Any) -> bool:
        """Whether a node that is sent this looks at the state of its own superstep."""
        return type(payload) is list and self.kinds(node, payload) is not None and not self.blind(node, payload)

    def seen(self, node: str, payload: Any) -> Any:
        """What a node that is sent this can see of it."""
        return payload[_CALL] if type(payload) is dict and self.blind(node, payload) else payload


def _calls(payload: Any) -> Iterator[Any]:
    """The tool calls of a payload, if it is one of those that agents send."""
    if type(payload) is dict and payload.get("__type") == _WITH_STATE:
        yield payload.get(_CALL)
    elif type(payload) is list:
        yield from payload


def _is_call(call: Any) -> bool:
    return type(call) is dict and type(call.get("name")) is str and call.get("type") == _CALL
