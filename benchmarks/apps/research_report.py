"""The research report: a plan that a person approves, then research, writing and reflection for each section, and a summary."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command

from alto_langgraph.examples.research_report import as_written, expert, paced
from alto_langgraph.examples.research_report.as_written import APPROVED, ROUNDS, chapters, with_notes
from alto_langgraph.examples.research_report.library import reference
from alto_langgraph.examples.research_report.prompts import CLARIFY, EDIT, PLAN, QUERIES, READ, REFLECT, WRITE, Plan, Queries
from alto_langgraph.plan.schedule import Work
from alto_langgraph.tags import Tag
from alto_langgraph.testing import PacedChatModel
from benchmarks.apps.declare import Application
from benchmarks.foretold import Calls, written


def foretold(model: PacedChatModel, state: Any) -> Sequence[Work]:
    """The calls: a passage waits for its own query, a section for its own passages, the summary for all sections.

    Nothing of the second turn waits for less than the whole plan, since a person approves that.
    """
    calls = Calls(model)
    clarify = calls.add("clarify", CLARIFY.format(**state))
    plan = calls.add("plan", PLAN.format(**state), [clarify], form=Plan)
    ends = [_researched(calls, plan, section, state["notes"]) for section in state["plan"]]
    calls.add("edit", EDIT.format(brief=state["brief"], sections="\n".join(chapters(state["sections"]))), ends)
    return calls.all


def _researched(calls: Calls, plan: Tag, section: Any, notes: list[Any]) -> Tag:
    """A section's calls in all its rounds, and the last of them."""
    asked, how = QUERIES.format(**section), calls.add("queries", QUERIES.format(**section), [plan], form=Queries)
    its = sorted((note for note in notes if note["at"] == section["at"]), key=itemgetter("round", "nth", "rank"))
    for turn, group in groupby(its, key=itemgetter("round")):
        reads, new = [], list(group)
        queries = calls.model.answers(asked)["queries"]
        there = written(calls.model, asked, map(json.dumps, queries))
        for note in new:
            reads.append(calls.add("read", READ.format(**note), heads=[(how, there[note["nth"]])]))
        item = with_notes(section, turn, [note for note in its if note["round"] <= turn])
        prompt = WRITE.format(question=item["question"], notes="\n".join(item["notes"]))
        how = calls.add("write", prompt, reads)
        if turn + 1 < ROUNDS:
            asked = REFLECT.format(**section, draft=calls.model.answers(prompt))
            how = calls.add("reflect", asked, [how], form=Queries)
    return how


APPLICATION = Application(
    name="research_report",
    what="a report of six sections: a plan that a person approves, three queries for each section, two passages each, two rounds at most",
    as_written=lambda model: as_written.build(model, reference(), InMemorySaver()),
    expert=lambda model: expert.build(model, reference(), InMemorySaver()),
    double=paced.double,
    turns=(paced.request(), Command(resume=APPROVED)),
    tiny=({"request": "Names in Python: how names are bound, and how modules are imported and cached."}, Command(resume=APPROVED)),
    answer=itemgetter("report"),
    foretold=foretold,
    first=frozenset({"read", "research"}),
    first_turn=1,
)
