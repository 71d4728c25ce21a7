"""What a user may set: one frozen object, from code, `compile(alto=...)`, run config or `ALTO_*` variables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from alto_langgraph.exceptions import OptionsError


class AltoOptions(BaseSettings):
    """Options of alto's issue stage. Every field also reads `ALTO_<FIELD>` from the environment.

    Raises:
        pydantic.ValidationError: a value is out of range or a name is unknown
            (`AltoOptions.of` turns it into an `OptionsError`).
    """

    model_config = SettingsConfigDict(env_prefix="ALTO_", frozen=True, extra="forbid")

    enabled: bool = Field(default=True, description="False runs stock LangGraph exactly.")
    window: int = Field(
        default=256, ge=0, le=1_000_000, description="Most tasks started ahead, their superstep not reached yet, at a time."
    )
    issue: frozenset[Literal["send", "edge", "chain", "route", "stream"]] = Field(
        default=frozenset({"send", "edge", "chain", "stream"}),
        description="Issue classes allowed: `send` is a task whose whole input is a Send payload; `edge` one that an edge triggers, "
        "past unrelated siblings of the task before it; `chain`, with `edge`, one that needn't even wait for the task before it; "
        "`route`, with `edge`, one that a router will probably lead to, and which is thrown away if it doesn't; `stream`, with `send`, one "
        "that is sent on the finished part of a model's answer while the model still writes.",
    )
    evidence: int = Field(
        default=8,
        ge=1,
        le=64,
        description="With `route`: decisions of a router that have to be seen before any is guessed. With `observe`: runs of a node "
        "that have to be seen before what it reads is taken for known.",
    )
    observe: bool = Field(
        default=True,
        description="Watches which keys nodes read whose code names them only as it runs, so that they start ahead once that is known.",
    )
    speculation: float = Field(
        default=0.25, ge=0, le=1, description="With `route`: largest share of the window that may be at work on guesses."
    )
    effects: Literal["pure", "idempotent", "unknown"] = Field(
        default="unknown", description="Strongest effect class that may be started ahead when it is certain to be needed."
    )
    events: Literal["held", "live"] = Field(
        default="held", description="`messages` and `custom` events of early tasks: held until their superstep, or live."
    )

    stream_models: Literal["agreeing", "any"] = Field(
        default="agreeing",
        description="With `stream`: which models are asked to stream what they would have answered in one go. `agreeing` are those whose "
        "streamed answers are the same in everything, as far as their class tells; `any` can stream, but may put other metadata into "
        "what they stream.",
    )

    trace: bool | None = Field(
        default=None,
        description="Whether runs are traced: without an OpenTelemetry provider, to files in `.alto/traces`. None traces where there is "
        "a provider.",
    )

    @classmethod
    def of(cls, value: AltoOptions | Mapping[str, Any] | bool | None) -> AltoOptions:
        """Options from whatever a user may pass: options, a mapping of fields, on/off, or None for the defaults.

        Raises:
            OptionsError: naming the field, what is wrong with it and the fields there are.
        """
        if isinstance(value, cls):
            return value
        fields = {"enabled": value} if isinstance(value, bool) else value
        if fields is not None and not isinstance(fields, Mapping):
            raise OptionsError(
                f"Options must be AltoOptions, a mapping or a bool, not {type(value).__name__}.", hint="Pass AltoOptions(...)."
            )
        try:
            return cls(**(fields or {}))
        except SettingsError as error:
            raise OptionsError(f"Bad alto options: {error}.", hint="ALTO_* variables of sets and lists are JSON.") from None
        except ValidationError as error:
            problems = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'options'}: {e['msg']}" for e in error.errors())
            raise OptionsError(f"Bad alto options: {problems}.", hint=f"Options are {', '.join(cls.model_fields)}.") from None
