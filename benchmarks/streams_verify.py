"""An answer is taken apart into sentences and claims, every claim is checked, and the verdicts are put together level by level."""

from __future__ import annotations

import operator
import random
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import groupby, pairwise
from operator import itemgetter
from typing import Annotated, Any, TypedDict

from langgraph.graph import END, START
from langgraph.types import Command, Send

from alto_langgraph.plan.schedule import Work
from alto_langgraph.tags import Tag
from alto_langgraph.testing import LogNormal, Pace, PacedChatModel, Slots
from benchmarks.foretold import bounds, written
from benchmarks.sides import Side
from benchmarks.watch import Watch

PACE = Pace(first_token=LogNormal(0.02, 0.8), token=LogNormal(0.002, 0.8))
"""Of every call, drawn for its prompt."""
SEED = 1
WORDS = re.findall(r"\w+", "the old river rises in spring and turns the great mill below a town where traders met to weigh grain")
RESPOND, EXTRACT, CHECK = "Answer: {question}", "Claims: {sentence}", "Check: {claim}"
JUDGE, CONCLUDE = "Judge: {sentence} {found}", "Conclude: {found}"
LABELS = ("true", "false", "open")
REASON = "so say the books of the time, and so do the rolls of the town, where the grain of each year and who sold it to whom are set down"


@dataclass(frozen=True, slots=True)
class Load:
    """An answer of so many sentences, on a server of so many slots; `pace` scales the times."""

    sentences: int = 14
    slots: int = 8
    pace: float = 1.0


class Item(TypedDict, total=False):
    """A sentence of the answer, by its place in it; later one of its claims, and what was found of it."""

    at: int
    sentence: str
    claim: str
    label: str


class Group(TypedDict):
    """A sentence with all its checks."""

    at: int
    sentence: str
    checks: list[Item]


class State(TypedDict):
    """The run's state."""

    question: str
    answer: str
    checks: Annotated[list[Item], operator.add]
    groups: list[Group]
    verdicts: Annotated[list[str], operator.add]
    conclusion: str


class Found(TypedDict):
    """What the subgraph of a sentence gives back in the hand-wrapped version."""

    checks: Annotated[list[Item], operator.add]
    verdicts: Annotated[list[str], operator.add]


class Sentence(Found):
    """State of that subgraph."""

    at: int
    sentence: str


@cache
def text(sentences: int) -> dict[str, list[str]]:
    """The answer's sentences, each with its claims: of twelve to eighteen words, one to four claims."""
    drawn = random.Random(SEED)
    made = {}
    for at in range(sentences):
        words = drawn.choices(WORDS, k=drawn.randint(12, 18))
        cuts = [0, *sorted(drawn.sample(range(3, len(words) - 2, 3), k=drawn.randint(0, 3))), len(words)]
        claims = [" ".join(words[low:high]) for low, high in pairwise(cuts)]
        made[f"Point {at}: {' '.join(words)}."] = [f"point {at}.{place}: {claim}" for place, claim in enumerate(claims)]
    return made


def model(load: Load) -> PacedChatModel:
    """Answers the app's five prompts."""
    claims = text(load.sentences)

    def answer(prompt: str) -> str:
        kind, _, about = prompt.partition(": ")
        if kind == "Answer":
            return " ".join(claims)
        if kind == "Claims":
            return "\n".join(claims[about])
        if kind == "Check":
            return f"{LABELS[len(about) % 3]}, {REASON}"
        return f"{kind}d by {about.count('true')} that hold and {about.count('false')} that don't"

    return PacedChatModel(answers=answer, seed=SEED, pace=PACE, slots=Slots(load.slots), scale=load.pace)


def nodes(watch: Watch, load: Load) -> dict[str, Callable[..., Any]]:
    """The app's functions; the watch sits on the model that checks."""
    llm = model(load)
    checker = llm.model_copy(update={"callbacks": [watch]})

    async def respond(state: State) -> dict[str, str]:
        answer = await llm.ainvoke(RESPOND.format(question=state["question"]))
        return {"answer": answer.text}

    async def extract(item: Item) -> Command[Any]:
        answer = await llm.ainvoke(EXTRACT.format(sentence=item["sentence"]))
        return Command(goto=[Send("check", {**item, "claim": claim}) for claim in answer.text.splitlines()])

    async def check(item: Item) -> dict[str, list[Item]]:
        answer = await checker.ainvoke(CHECK.format(claim=item["claim"]))
        return {"checks": [{**item, "label": label(answer.text)}]}

    async def judge(group: Group) -> dict[str, list[str]]:
        labels = [check["label"] for check in group["checks"]]
        answer = await llm.ainvoke(JUDGE.format(sentence=group["sentence"], found=", ".join(labels)))
        return {"verdicts": [verdict(labels, answer.text)]}

    async def conclude(state: State) -> dict[str, str]:
        answer = await llm.ainvoke(CONCLUDE.format(found="; ".join(state["verdicts"])))
        return {"conclusion": answer.text}

    return {f.__name__: f for f in (respond, extract, check, judge, conclude)}


def label(answer: str) -> str:
    """The first word of what is said of a claim."""
    return answer.split(",")[0]


def verdict(labels: list[str], answer: str) -> str:
    """What is kept of a sentence's verdict."""
    return f"{', '.join(labels)}: {answer}"


def split(first: str) -> Callable[[State], list[Send]]:
    """Sends every sentence of the answer on."""

    def by_sentence(state: State) -> list[Send]:
        sentences = re.split(r"(?<=[.!?])\s+", state["answer"])
        return [Send(first, {"at": at, "sentence": sentence}) for at, sentence in enumerate(sentences)]

    return by_sentence


def gather(state: State) -> dict[str, list[Group]]:
    """Puts the checks of each sentence together."""
    checks = groupby(state["checks"], key=itemgetter("at", "sentence"))
    return {"groups": [{"at": at, "sentence": sentence, "checks": list(found)} for (at, sentence), found in checks]}


def by_group(state: State) -> list[Send]:
    """Sends every sentence's checks to be judged."""
    return [Send("judge", group) for group in state["groups"]]


def as_written(watch: Watch, side: Side, load: Load) -> Any:
    """`Send`s from the answer to its sentences, from a sentence to its claims, and from the gathered checks to the verdicts."""
    functions, builder = nodes(watch, load), side.StateGraph(State)
    for name, function in functions.items():
        builder.add_node(name, function, destinations=("check",) if name == "extract" else None)
    builder.add_node("gather", gather)
    builder.add_edge(START, "respond")
    builder.add_conditional_edges("respond", split("extract"), ["extract"])
    builder.add_edge("check", "gather")
    builder.add_conditional_edges("gather", by_group, ["judge"])
    builder.add_edge("judge", "conclude")
    builder.add_edge("conclude", END)
    return builder.compile


def by_hand(watch: Watch, side: Side, load: Load) -> Any:
    """What an expert writes so that no sentence waits for another: a subgraph for each, from its claims to its verdict."""
    functions = nodes(watch, load)
    inner = side.StateGraph(Sentence, input_schema=Item, output_schema=Found)
    inner.add_node("extract", functions["extract"], destinations=("check",))
    inner.add_node("check", functions["check"])
    inner.add_node("judge", functions["judge"])
    inner.add_edge(START, "extract")
    inner.add_edge("check", "judge")
    builder = side.StateGraph(State)
    builder.add_node("respond", functions["respond"])
    builder.add_node("sentence", inner.compile())
    builder.add_node("conclude", functions["conclude"])
    builder.add_edge(START, "respond")
    builder.add_conditional_edges("respond", split("sentence"), ["sentence"])
    builder.add_edge("sentence", "conclude")
    builder.add_edge("conclude", END)
    return builder.compile


def given(load: Load) -> dict[str, Any]:
    """The graph's input."""
    return {"question": "What do the books say?", "answer": "", "checks": [], "groups": [], "verdicts": [], "conclusion": ""}


def foretold(load: Load) -> list[Work]:
    """The calls: a sentence waits for itself, a claim for itself, a verdict for its own claims, and the last for all verdicts."""
    llm, start, claims = model(load), RESPOND.format(**given(load)), text(load.sentences)
    respond = Work(Tag((("respond", 0),)), "respond", 0, llm.seconds(start))
    calls, judges, verdicts = [respond], [], []
    for at, (sentence, there) in enumerate(zip(claims, written(llm, start, claims), strict=True)):
        prompt, labels = EXTRACT.format(sentence=sentence), []
        extract = Work(respond.tag.child("extract", at), "extract", 1, llm.seconds(prompt), heads=((respond.tag, there),))
        calls.append(extract)
        for place, (claim, there) in enumerate(zip(claims[sentence], written(llm, prompt, claims[sentence]), strict=True)):
            prompt = CHECK.format(claim=claim)
            calls.append(Work(extract.tag.child("check", place), "check", 2, llm.seconds(prompt), heads=((extract.tag, there),)))
            labels.append(label(llm.answers(prompt)))
        prompt = JUDGE.format(sentence=sentence, found=", ".join(labels))
        checks = [call.tag for call in calls if call.tag in extract.tag]
        judges.append(Work(respond.tag.child("judge", at), "judge", 3, llm.seconds(prompt), tuple(checks)))
        verdicts.append(verdict(labels, llm.answers(prompt)))
    seconds = llm.seconds(CONCLUDE.format(found="; ".join(verdicts)))
    end = Work(Tag((("conclude", 4),)), "conclude", 4, seconds, tuple(call.tag for call in judges))
    return [*calls, *judges, end]


def least(load: Load) -> Mapping[str, float]:
    """The bounds, in seconds."""
    return bounds(foretold(load), load.slots)
