"""Writes as Python source how a node asks a model, what it makes of the answer, and what it sends of each part."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from alto_langgraph.testing.ask_specs import TRAPS_THAT_COUNT, AnswerForm, Ask, Payload, Trap, Which
from alto_langgraph.testing.asked_model import MOST
from alto_langgraph.testing.graph_specs import Graph, Node, Out
from alto_langgraph.testing.state_source import State
from alto_langgraph.testing.supersteps import outs_of

HEAD = """\
import asyncio
import json
import re
from xml.etree import ElementTree

from langchain_core.output_parsers import JsonOutputParser, StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnablePassthrough

from alto_langgraph.testing.asked_model import AskedModel, tally


class Items(BaseModel):
    items: list[str]


@dataclass
class Piece:
    text: str
    marks: list = field(default_factory=list)


class Note(BaseModel):
    text: str


def look_up(text: str) -> str:
    '''Looks a text up.'''
    return text


def item(part):
    return {'seed': number(part) % 1009, 'marks_grown': []}


def opened(given):
    if isinstance(given, str):
        return {'seed': number(given) % 1009}
    if isinstance(given, dict):
        return {**given, 'seed': number(given['items'], given['piece'].text) % 1009} if 'piece' in given else given
    return {'seed': number(given.text) % 1009} if hasattr(given, 'text') else given


"""
TEMPLATE = "ChatPromptTemplate.from_messages([('system', 'Be brief.'), ('user', '{prompt}')]) | "
READ: dict[AnswerForm, tuple[str, str]] = {
    "parser": ("@ | JsonOutputParser()", "@['items']"),
    "structured": ("@.with_structured_output(Items)", "@.items"),
    "tools": ("@.bind_tools([look_up])", "[call['args']['text'] for call in @.tool_calls]"),
}
"""What is asked, of a model @, for forms that aren't text, and the parts of its answer @."""

SPLIT: dict[AnswerForm, str] = {
    "lines": "@.split('\\n')",
    "sentences": "[part for part in re.split(r'(?<=[.!?])\\s+', @) if part]",
    "numbered": "re.findall(r'(?m)^\\d+\\. (.+)$', @)",
    "sections": "re.findall(r'(?m)^## (.+)$', @)",
    "json": "json.loads(@)['items']",
    "xml": "[part.text for part in ElementTree.fromstring(@)]",
    "tags": "re.findall(r'<item>(.*?)</item>', @)",
}
"""The parts of a text @."""

SPRUNG: dict[Trap, tuple[str, ...]] = {
    "sorted": ("parts = sorted(parts)",),
    "reversed": ("parts = parts[::-1]",),
    "distinct": ("parts = list(dict.fromkeys(parts))",),
    "halved": ("parts = parts[: len(parts) // 2]",),
    "numbered": ("parts = [f'{place} of {len(parts)}: {part}' for place, part in enumerate(parts, 1)]",),
    "marker": ("if not any('agreed' in part for part in parts):", "    parts = []"),
    "raises": ("if number(parts) % 3 == 0:", "    raise Boom('@ dislikes the answer')"),
    "mutates": ("state['seen_grown'] = state.get('seen_grown', 0) + 1", "n = number(n, state['seen_grown'])"),
    "whole": ("n = number(n, parts)",),
    "counts last": ("ran.append('@')",),
}
"""What the node @ does once it has the parts, in this order."""

OPENED: tuple[Payload, ...] = ("text", "dataclass", "pydantic", "nested")
"""Payloads that a node makes a dict of before it reads them."""

CHOSEN: dict[Which, str] = {"all": "", "all but the last": "[:-1]", "last": "[-1:]"}


def asks(graph: Graph) -> bool:
    """Whether any node asks a model, or is sent what only such nodes send."""
    return any(node.ask or node.takes or any(out.of for out in outs_of(node.choices)) for node in graph.all_nodes())


def models(graph: Graph) -> Iterator[str]:
    """What nodes of the graph and its subgraphs ask, and where they count."""
    traps = {trap for node in graph.all_nodes() if node.ask for trap in ("", *node.ask.traps)}
    yield from ["model = AskedModel()"] if traps else []
    yield from ["silent = AskedModel(disable_streaming=True)"] if "silent" in traps else []
    yield from ["ran = tally()"] if TRAPS_THAT_COUNT & traps else []


def bound(node: Node) -> Iterator[str]:
    """What is made outside of the node's function."""
    if node.ask and node.ask.bound and not _streams(node.ask):
        yield f"{node.name}_asked = {_asked(node.ask)}"


def asking(node: Node, writer: str, asked: bool = False) -> Iterator[str]:
    """The statements that leave the parts of the answer in `parts`.

    Args:
        node: Whose they are.
        writer: The expression for the stream writer.
        asked: Whether the answer is there already.
    """
    ask = node.ask
    if not ask:
        return
    if "counts first" in ask.traps:
        yield f"ran.append({node.name!r})"
    if asked:
        yield f"parts = {_split(ask, 'answer')}"
    else:
        yield from _answers(node, ask, writer)
    for trap, lines in SPRUNG.items():
        if trap in ask.traps:
            yield from (line.replace("@", node.name) for line in lines)
    if ask.alias:
        yield "parts = [item(part) for part in parts]"


def _answers(node: Node, ask: Ask, writer: str) -> Iterator[str]:
    wait, asked = ("await ", "ainvoke") if node.coroutine else ("", "invoke")
    prompt = _prompt(node, ask)
    if ask.times == "chained":
        yield f"outline = {wait}{_model(ask)}.{asked}(f'{node.name} asks for lines {{n % 89}}')"
        prompt = prompt.replace("n %", "number(outline.content) %")
    prompts = [prompt, prompt.replace("n %", "n // 7 %")][: 2 if ask.times in ("in a row", "at once") else 1]
    names = ["answer", "other"][: len(prompts)]
    if _streams(ask):
        for name, text in zip(names, prompts, strict=True):
            yield from _streamed(node, ask, name, text, writer)
    elif ask.by == "pieces":
        if not ask.bound:
            yield f"{node.name}_asked = {_asked(ask)}"
        for name, text in zip(names, prompts, strict=True):
            yield from _in_pieces(node, ask, name, text)
    else:
        runnable = f"{node.name}_asked"
        if not ask.bound:
            yield f"{runnable} = {_asked(ask)}"
        given = [f"{{'prompt': {text}}}" if ask.by == "lcel" else f"[('user', {text})]" for text in prompts]
        if len(given) > 1 and ask.times == "at once":
            gathered = f"await asyncio.gather({', '.join(f'{runnable}.ainvoke({one})' for one in given)})"
            yield f"answer, other = {gathered if node.coroutine else f'{runnable}.batch([{given[0]}, {given[1]}])'}"
        else:
            yield from (f"{name} = {wait}{runnable}.{asked}({one})" for name, one in zip(names, given, strict=True))
    split = [_split(ask, name) for name in names]
    yield f"parts = {split[0]}" if len(split) == 1 else f"parts = [{', '.join(f'*{one}' for one in split)}]"


def chain(node: Node, ask: Ask, lines: Iterable[str]) -> Iterator[str]:
    """What is before the node's function in the chain that the node is; `lines` leave in `n` what the prompt depends on."""
    yield f"def {node.name}_prompt(state):"
    yield from (f"    {line}" for line in lines)
    yield f"    return [('user', {_prompt(node, ask)})]"
    yield f"{node.name}_asking = {{'given': RunnablePassthrough(), 'answer': RunnableLambda({node.name}_prompt) | {_asked(ask)}}}"


def _prompt(node: Node, ask: Ask) -> str:
    may = " or breaks" if "breaks" in ask.traps else ""
    return f"f'{node.name} asks for {ask.form} {{n % 97}}{may}'"


def _streams(ask: Ask) -> bool:
    """Whether the node takes the answer chunk by chunk: text only."""
    return ask.by == "stream" and ask.form not in READ


def _asked(ask: Ask) -> str:
    """The expression for what is invoked."""
    template = TEMPLATE if ask.by == "lcel" else ""
    text = "@ | StrOutputParser()" if ask.by in ("lcel", "pieces", "node") else "@"
    return f"({template}{READ[ask.form][0] if ask.form in READ else text})".replace("@", _model(ask))


def _model(ask: Ask) -> str:
    return "silent" if "silent" in ask.traps else "model"


def _split(ask: Ask, name: str) -> str:
    if ask.form in READ:
        return READ[ask.form][1].replace("@", name)
    return SPLIT[ask.form].replace("@", f"{name}.content" if ask.by == "invoke" else f"({name} or '')" if ask.by == "pieces" else name)


def _streamed(node: Node, ask: Ask, name: str, prompt: str, writer: str) -> Iterator[str]:
    yield f"{name} = ''"
    yield f"{'async for' if node.coroutine else 'for'} chunk in {_model(ask)}.{'astream' if node.coroutine else 'stream'}({prompt}):"
    yield f"    {name} += chunk.content"
    if node.says:
        yield f"    {writer}(chunk.content)"


def _in_pieces(node: Node, ask: Ask, name: str, prompt: str) -> Iterator[str]:
    """Messages and texts are added up; what parsers make of the answer so far stands for itself."""
    added = ask.form in ("tools", *SPLIT)
    yield f"{name} = None"
    pieces = f"{node.name}_asked.{'astream' if node.coroutine else 'stream'}([('user', {prompt})])"
    yield f"{'async for' if node.coroutine else 'for'} piece in {pieces}:"
    yield f"    {name} = {f'piece if {name} is None else {name} + piece' if added else 'piece'}"


def items(out: Out, state: State, name: str, narrow: bool) -> str | None:
    """The expression for the items of which there is a `Send` each, in the function of this name; None where there are none."""
    node = state.node(name)
    if node:
        found = "parts" if node.ask and out.of else None
    else:
        found = f"({state.read(name, out.of, narrow=narrow)} or [])" if out.of in state.keys else None
    if found is None:
        return None
    most = out.least + (out.spread or 0)
    return f"{found}{CHOSEN[out.which]}{f'[:{most}]' if most < MOST else ''}"


def payload(out: Out, state: State, name: str, reads: Iterable[str], narrow: bool) -> str:
    """The expression that is sent of `part`."""
    texts = {"text": "part", "dataclass": "Piece(part)", "pydantic": "Note(text=part)", "alias": "part"}
    more = ""
    if out.payload == "state":
        keys = [key for key in dict.fromkeys(reads) if key in state.keys and key != "seed" and state.keys[key].kind != "messages"][:2]
        more = "".join(f", {key!r}: {state.read(name, key, narrow=narrow)}" for key in keys)
    if out.payload == "nested":
        more = ", 'items': [part, {'text': part}], 'piece': Piece(part)"
    return texts.get(out.payload, f"{{'seed': number(part) % 1009{more}}}")
