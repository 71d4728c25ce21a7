"""Reads what an agent's middleware does with a call of a model or a tool: LangChain's `ModelRequest` and `ToolCallRequest`."""

from __future__ import annotations

from alto_langgraph.plan.arguments import Call
from alto_langgraph.plan.methods import Methods
from alto_langgraph.plan.model import Effects
from alto_langgraph.plan.values import STATE, TOLD, TOOL_RUNTIME, UNKNOWN, Kind, Value, either, holding

_AGENTS = ("tool", "tools", "system_message", "system_prompt", "tool_choice", "response_format", "model_settings")
"""What a request holds of the agent's own: all its calls share it."""


class Requests(Methods):
    """Reading of a request for a model's answer, or a tool's."""

    def request_attribute(self, base: Value, name: str) -> Value:
        """An attribute of the request: what it came with, or was given since."""
        found = self._given(name)
        kept, others = self.made.contents(base.own), frozenset(key for key in base.own if key >= 0)
        if kept is not None:
            found = either(found, self.element(kept))
        return either(found, self.element(Value(others, base.inner))) if others or base.known else found

    def _given(self, name: str) -> Value:
        if name == "state":
            return STATE
        if name == "messages":
            return self.state_key(STATE, name)
        if name == "runtime":
            return TOOL_RUNTIME
        if name == "tool_call":
            return TOLD
        if name == "model":
            return Value(kind=Kind.ANSWERING)
        return self.outside_value(f"request.{name}") if name in _AGENTS else UNKNOWN

    def override(self, base: Value, call: Call) -> Value:
        """Another request that is the same but for the arguments."""
        for name, value in call.keywords.items():
            self.replace_by(name, value)
        if call.spread is not None:
            self.replace_by("model", UNKNOWN)
            self.replace_by("tool", UNKNOWN)
        self.made.put(base.own, holding(call.values))
        return base

    def replace_by(self, name: str, value: Value) -> None:
        """A request gets another value. Models that aren't LangChain's nobody listens to; of tools nobody knows what they do."""
        if name == "model":
            if value.kind is not Kind.ANSWERING:
                self.report.ask("a model that its code doesn't tell")
        elif name == "tool":
            self.report.reach(Effects.UNKNOWN, "another tool")
