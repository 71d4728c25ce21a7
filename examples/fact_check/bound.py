"""How soon the app could be done: the model double tells its times beforehand, so that the best schedule is known exactly."""

import re
from collections.abc import Mapping
from operator import itemgetter
from typing import Any

from langchain_core.utils.function_calling import convert_to_openai_tool

from alto_langgraph.examples.fact_check.app import CORRECT, EXTRACT, JUDGE, Claim, Verdict
from alto_langgraph.plan.schedule import Work
from alto_langgraph.tags import Tag
from alto_langgraph.testing import PacedChatModel


def foretold(model: PacedChatModel, answer: Mapping[str, Any]) -> list[Work]:
    """The model's calls in a run that gave this answer, each with its exact time: what no schedule can go below."""
    tools = {kind: [convert_to_openai_tool(kind)] for kind in (Claim, Verdict)}
    calls: list[Work] = []
    for item, before in zip(sorted(answer["verdicts"], key=itemgetter("at")), befores(answer["paragraphs"]), strict=True):
        asked: list[tuple[str, str, dict[str, Any]]] = [
            ("extract", EXTRACT.format(**{**item, "before": before}), {"tools": tools[Claim], "tool_choice": "any"})
        ]
        if item["claim"]:
            asked.append(("judge", JUDGE.format(**item), {"tools": tools[Verdict], "tool_choice": "any"}))
        if "correction" in item:
            asked.append(("correct", CORRECT.format(**item), {}))
        tags = [Tag((("item", item["at"]), (stage, 0))) for stage, _, _ in asked]
        parents = [(), *((tag,) for tag in tags)]
        calls += [
            Work(tag, stage, step, model.seconds(prompt, **how), after)
            for step, (tag, after, (stage, prompt, how)) in enumerate(zip(tags, parents, asked, strict=False))
        ]
    return calls


def befores(paragraphs: list[str]) -> list[str]:
    """For each sentence, the part of its paragraph before it."""
    split = [re.split(r"(?<=[.!?])\s+", paragraph) for paragraph in paragraphs]
    return [" ".join(sentences[:at]) for sentences in split for at in range(len(sentences))]
