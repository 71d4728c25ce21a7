"""What the model double says: text or tool calls, in pieces of about a token."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from random import Random
from typing import Any

from langchain_core.messages import AIMessageChunk, BaseMessage, ToolCall
from langchain_core.messages.tool import tool_call_chunk
from pydantic import BaseModel

Answer = str | Mapping[str, Any] | BaseModel
"""A text, or an object: the arguments of the tool the model is told to call, else its JSON."""
Answers = Callable[[str], Answer] | Mapping[str, Answer]
Calls = Callable[[str, Sequence[str]], Sequence[tuple[str, Mapping[str, Any]]]]
"""Prompt and names of the bound tools -> (tool, arguments) of each call; none of them means an answer in text."""

WORDS = re.findall(
    r"\w+", "a the of for with model graph task step result input answer then next every other early late waits runs ends reads"
)


@dataclass(frozen=True)
class Reply:
    """An answer before it is paced."""

    text: str
    tool_calls: tuple[ToolCall, ...] = ()

    @cached_property
    def size(self) -> int:
        """Tokens of the answer."""
        return len(tokens(self.text)) + sum(len(tokens(json.dumps(call["args"]))) for call in self.tool_calls)

    def chunks(self) -> Iterator[AIMessageChunk]:
        """One chunk for each token; together they are the whole answer."""
        for piece in tokens(self.text):
            yield AIMessageChunk(content=piece)
        for index, call in enumerate(self.tool_calls):
            for at, piece in enumerate(tokens(json.dumps(call["args"]))):
                name, id = (None, None) if at else (call["name"], call["id"])
                yield AIMessageChunk(content="", tool_call_chunks=[tool_call_chunk(name=name, args=piece, id=id, index=index)])


def tokens(text: str) -> list[str]:
    """Pieces of at most six letters: near to what tokenizers make of English. Joined they are the text."""
    return re.findall(r"\s*\w{1,6}|\s*[^\w\s]|\s+", text)


def prompt_of(messages: Sequence[BaseMessage]) -> str:
    """The texts of all messages, a blank line between them; for a single message, its text."""
    return "\n\n".join(str(message.text) for message in messages)


def cut(text: str, stop: Sequence[str] | None) -> str:
    """The text up to the first of the stop words."""
    return text[: min((at for word in stop or () if word and (at := text.find(word)) >= 0), default=len(text))]


def answer_of(answers: Answers | None, prompt: str) -> Answer:
    """What the user's mapping or function says to a prompt; without either, a text made from the prompt's hash.

    Raises:
        LookupError: the mapping doesn't have the prompt.
    """
    if answers is None:
        return text_by_hash(prompt)
    if not isinstance(answers, Mapping):
        return answers(prompt)
    if prompt not in answers:
        raise LookupError(f"The mapping of answers has none for the prompt {prompt[:80]!r}; give a function to answer any prompt.")
    return answers[prompt]


def as_text(answer: Answer) -> str:
    """A text as it is, an object as JSON."""
    return answer if isinstance(answer, str) else json.dumps(as_arguments(answer))


def as_arguments(answer: Answer) -> dict[str, Any] | None:
    """A tool call's arguments from an answer, None if the answer is a text and no JSON object."""
    if isinstance(answer, BaseModel):
        return answer.model_dump(mode="json")
    if isinstance(answer, Mapping):
        return dict(answer)
    try:
        read = json.loads(answer)
    except ValueError:
        return None
    return read if isinstance(read, dict) else None


def text_by_hash(prompt: str) -> str:
    """Two to four sentences of plain words, the same for the same prompt."""
    chance = Random(digest(prompt))
    sentences = [" ".join(chance.choices(WORDS, k=chance.randint(5, 14))).capitalize() for _ in range(chance.randint(2, 4))]
    return ". ".join(sentences) + "."


def call_id(prompt: str, index: int) -> str:
    """A tool call's id, the same for the same prompt and place."""
    return f"call_{digest(prompt)}_{index}"


def digest(text: str) -> str:
    """Twelve hexadecimal digits for a text."""
    return blake2b(text.encode(), digest_size=6).hexdigest()


def forced_tool(tools: Sequence[Mapping[str, Any]], choice: Any) -> Mapping[str, Any] | None:
    """The tool that `tool_choice` makes the model call, in OpenAI's form; None where it is free to answer in text.

    Raises:
        ValueError: the choice names a tool that isn't bound.
    """
    if not tools or choice in (None, False, "auto", "none"):
        return None
    if choice in (True, "any", "required"):
        return tools[0]["function"]  # type: ignore[no-any-return]
    name = choice["function"]["name"] if isinstance(choice, Mapping) else choice
    for tool in tools:
        if tool["function"]["name"] == name:
            return tool["function"]  # type: ignore[no-any-return]
    raise ValueError(f"tool_choice is {name!r}, but the bound tools are {', '.join(t['function']['name'] for t in tools)}.")


def filled(schema: Mapping[str, Any], key: str) -> Any:
    """A value that fits a JSON schema, the same for the same key."""
    if "enum" in schema:
        return Random(digest(key)).choice(schema["enum"])
    if "const" in schema:
        return schema["const"]
    for branches in ("anyOf", "oneOf", "allOf"):
        if branches in schema:
            return filled(schema[branches][0], key)
    kind = schema.get("type", "object" if "properties" in schema else "string")
    if kind == "object":
        return {name: filled(part, f"{key}.{name}") for name, part in schema.get("properties", {}).items()}
    if kind == "array":
        return [filled(schema.get("items", {}), f"{key}[0]")]
    low = int(schema.get("minimum", 0))
    number = Random(digest(key)).randint(low, int(schema.get("maximum", low + 9)))
    return {"integer": number, "number": float(number), "boolean": number % 2 == 0, "null": None}.get(kind, f"{key} {number}")
