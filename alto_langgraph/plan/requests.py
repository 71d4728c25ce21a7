"""Reads what an agent's middleware does with a model's call: LangChain's `ModelRequest` and `ExtendedModelResponse`."""

from __future__ import annotations

from alto_langgraph.plan.arguments import Call
from alto_langgraph.plan.harmless import is_answering
from alto_langgraph.plan.methods import Methods
from alto_langgraph.plan.values import STATE, UNKNOWN, Kind, Value, either, holding

_AGENTS = ("tools", "system_message", "system_prompt", "tool_choice", "response_format", "model_settings")
"""What a request holds of the agent's own: all its calls share it."""


class Requests(Methods):
    """Reading of a request for a model's answer."""

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
            return Value(kind=Kind.RUNTIME)
        if name == "model":
            return Value(kind=Kind.ANSWERING)
        return self.outside_value(f"request.{name}") if name in _AGENTS else UNKNOWN

    def override(self, base: Value, call: Call) -> Value:
        """Another request that is the same but for the arguments."""
        if "model" in call.keywords or call.spread is not None:
            self.ask_another(call.keywords.get("model", UNKNOWN))
        self.made.put(base.own, holding(call.values))
        return base

    def ask_another(self, model: Value) -> None:
        """Another model will be asked. What is none of LangChain's nobody listens to."""
        heard = model.kind is Kind.ANSWERING or (bool(model.known) and all(is_answering(type(held.it)) for held in model.known))
        if not heard:
            self.report.ask("a model that its code doesn't tell")
