"""The chatbot that checks its answer, claim by claim, against a Chroma collection."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

from alto_langgraph.examples.chatbot_verification import as_written, expert, paced
from alto_langgraph.examples.chatbot_verification.as_written import (
    CHECK,
    CLAIMS,
    CORRECT,
    JUDGE,
    QUERIES,
    RESPOND,
    Claims,
    Judgement,
    Queries,
    Verdict,
    sentences_of,
)
from alto_langgraph.plan.schedule import Work
from alto_langgraph.tags import Tag
from alto_langgraph.testing import PacedChatModel
from benchmarks.apps.declare import Application
from benchmarks.foretold import Calls, written


def foretold(model: PacedChatModel, state: Any) -> Sequence[Work]:
    """The calls: a sentence waits for itself, a claim for itself, a judgement for its own claims, and the last call for all judgements."""
    calls = Calls(model)
    start, items = RESPOND.format(**state), sentences_of(state["answer"])
    respond = calls.add("respond", start)
    checks, judges = defaultdict(list), list[Tag]()
    found = {(check["at"], check["nth"]): check for check in state["checks"]}
    for item, there in zip(items, written(model, start, [item["sentence"] for item in items]), strict=True):
        prompt, at = CLAIMS.format(**item), item["at"]
        claims = model.answers(prompt)["claims"]
        extract = calls.add("find_claims", prompt, heads=[(respond, there)], form=Claims)
        for nth, there in enumerate(written(model, prompt, map(json.dumps, claims))):
            check = found[at, nth]
            query = calls.add("write_queries", QUERIES.format(**check), heads=[(extract, there)], form=Queries)
            prompt = CHECK.format(claim=check["claim"], passages=" ".join(check["passages"]))
            checks[at].append(calls.add("check", prompt, [query], form=Verdict))
    for at, group in groupby(sorted(found.values(), key=itemgetter("at", "nth")), key=itemgetter("at")):
        told = list(group)
        prompt = JUDGE.format(sentence=told[0]["sentence"], found=as_written.told(told))
        judges.append(calls.add("judge", prompt, checks[at], form=Judgement))
    if wrong := as_written.corrections(state["judged"]):
        calls.add("correct", CORRECT.format(answer=state["answer"], found=wrong), judges)
    return calls.all


APPLICATION = Application(
    name="chatbot_verification",
    what="a chatbot's answer of 25 sentences, the claims of each, two queries to Chroma and a check for each claim, verdicts, a correction",
    as_written=lambda model: as_written.build(model, paced.encyclopedia()),
    expert=lambda model: expert.build(model, paced.encyclopedia()),
    double=paced.double,
    turns=(paced.text(),),
    tiny=(paced.text("What is known of gold and iron?"),),
    answer=itemgetter("corrected"),
    foretold=foretold,
    first=frozenset({"check"}),
    extras=("chromadb", "langchain_chroma"),
)
