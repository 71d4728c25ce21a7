"""Questions answered from documents, with evidence: two levels of splitting, two of putting together."""

from __future__ import annotations

import json
from collections.abc import Sequence
from operator import itemgetter
from typing import Any

from alto_langgraph.examples.document_qa import as_written, expert, paced
from alto_langgraph.examples.document_qa.as_written import (
    ANSWER,
    EXTRACT,
    SELECT,
    SUMMARISE,
    Extract,
    Scores,
    numbered,
    passages_of,
)
from alto_langgraph.plan.schedule import Work
from alto_langgraph.tags import Tag
from alto_langgraph.testing import PacedChatModel
from benchmarks.apps.declare import Application
from benchmarks.foretold import Calls, written


def foretold(model: PacedChatModel, state: Any) -> Sequence[Work]:
    """The calls: a quote waits for its sentence to be named, a summary for the quotes of its document, the answer for all summaries."""
    calls, question = Calls(model), state["question"]
    extracts, summaries = dict[str, list[Tag]](), list[Tag]()
    for document in state["documents"]:
        title = document["title"]
        extracts[title] = []
        for sentences in passages_of(document["text"]):
            prompt = SELECT.format(question=question, sentences=numbered(sentences))
            helpful = model.answers(prompt)["helpful"]
            select = calls.add("select", prompt, form=Scores)
            for one, there in zip(helpful, written(model, prompt, map(json.dumps, helpful)), strict=True):
                nth = one["number"] - 1
                prompt = EXTRACT.format(question=question, title=title, before=" ".join(sentences[:nth]), sentence=sentences[nth])
                extracts[title].append(calls.add("extract", prompt, heads=[(select, there)], form=Extract))
    told = sorted(state["summaries"], key=itemgetter("title"))
    for one in told:
        prompt = SUMMARISE.format(question=question, title=one["title"], quotes=numbered(one["quotes"]))
        summaries.append(calls.add("summarise", prompt, [*extracts[one["title"]]]))
    calls.add("answer", ANSWER.format(question=question, summaries=numbered([one["summary"] for one in told])), summaries)
    return calls.all


APPLICATION = Application(
    name="document_qa",
    what=f"a question to {len(paced.CHAPTERS)} chapters: their passages, quotes from what helps, a summary of each, an answer",
    as_written=as_written.build,
    expert=expert.build,
    double=paced.double,
    turns=(paced.text(),),
    tiny=(paced.text("break", "return"),),
    answer=itemgetter("answer", "citations"),
    foretold=foretold,
    first=frozenset({"extract"}),
)
