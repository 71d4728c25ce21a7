"""Answers of a given shape: what the engine is held to, and what is made of the text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Literal

from langchain_core.messages import AIMessage
from langchain_core.output_parsers import JsonOutputParser, PydanticOutputParser, StrOutputParser
from langchain_core.output_parsers.openai_tools import JsonOutputKeyToolsParser, PydanticToolsParser
from langchain_core.runnables import Runnable, RunnableLambda, RunnablePassthrough
from langchain_core.utils.function_calling import convert_to_json_schema, convert_to_openai_tool
from langchain_core.utils.pydantic import TypeBaseModel, is_basemodel_subclass

if TYPE_CHECKING:
    from alto_langgraph.adapters.vllm.chat_model import ChatVLLM

Method = Literal["json_schema", "json_mode", "function_calling", "choice", "regex", "grammar"]


def structured(model: ChatVLLM, schema: Any, method: Method | None, include_raw: bool, kwargs: Mapping[str, Any]) -> Runnable[Any, Any]:
    """See `ChatVLLM.with_structured_output`."""
    method = method or ("choice" if _is_choice(schema) else "json_schema")
    bound = {**_asked(schema, method), **kwargs}
    told = {"kwargs": {"method": method}, "schema": convert_to_openai_tool(schema) if _is_object(schema) else None}
    asking: Runnable[Any, AIMessage]
    if method == "function_calling":
        bound = {"strict": True, **bound}
        asking = model.bind_tools([schema], tool_choice=_tool_name(schema), ls_structured_output_format=told, **bound)
    else:
        asking = model.bind(**bound, ls_structured_output_format=told)
    parser = _parser(schema, method)
    if not include_raw:
        return asking | parser
    parse = RunnablePassthrough.assign(parsed=itemgetter("raw") | parser, parsing_error=lambda _: None)
    failed = RunnablePassthrough.assign(parsed=lambda _: None)
    return {"raw": asking} | parse.with_fallbacks([failed], exception_key="parsing_error")


def _asked(schema: Any, method: Method) -> dict[str, Any]:
    """Fields of the request.

    Raises:
        ValueError: the method doesn't go with the schema.
    """
    if method == "function_calling":
        return {}
    if method == "json_mode":
        return {"response_format": {"type": "json_object"}}
    if method == "json_schema":
        if not _is_object(schema):
            raise ValueError(f"A pydantic class, TypedDict or JSON schema says what JSON shall be like, not {schema!r}.")
        shape = convert_to_json_schema(schema)
        return {"response_format": {"type": "json_schema", "json_schema": {"name": shape.get("title", "answer"), "schema": shape}}}
    if method == "choice":
        if not _is_choice(schema):
            raise ValueError(f"An Enum or a list of texts says what there is to choose from, not {schema!r}.")
        return {"structured_outputs": {"choice": [str(_value(choice)) for choice in schema]}}
    if not isinstance(schema, str):
        raise ValueError(f"A {method} is a text, not {schema!r}.")
    return {"structured_outputs": {method: schema}}


def _parser(schema: Any, method: Method) -> Runnable[AIMessage, Any]:
    pydantic: TypeBaseModel | None = schema if isinstance(schema, type) and is_basemodel_subclass(schema) else None
    if method == "function_calling":
        if pydantic is not None:
            return PydanticToolsParser(tools=[pydantic], first_tool_only=True)
        return JsonOutputKeyToolsParser(key_name=_tool_name(schema), first_tool_only=True)
    if method in ("json_schema", "json_mode"):
        return PydanticOutputParser(pydantic_object=pydantic) if pydantic is not None else JsonOutputParser()
    if isinstance(schema, type) and issubclass(schema, Enum):
        members: dict[str, Enum] = {str(member.value): member for member in schema}
        return StrOutputParser() | RunnableLambda(_looked_up(members))
    return StrOutputParser()


def _looked_up(members: Mapping[str, Enum]) -> Callable[[str], Enum]:
    def member(text: str) -> Enum:
        return members[text]

    return member


def _value(choice: Any) -> Any:
    return choice.value if isinstance(choice, Enum) else choice


def _is_choice(schema: Any) -> bool:
    return isinstance(schema, list | tuple) or (isinstance(schema, type) and issubclass(schema, Enum))


def _is_object(schema: Any) -> bool:
    return isinstance(schema, Mapping) or (isinstance(schema, type) and not issubclass(schema, Enum))


def _tool_name(schema: Any) -> str:
    return str(convert_to_openai_tool(schema)["function"]["name"])
