"""Text to SQL: five queries for one question, each mended until it runs, and a vote."""

from __future__ import annotations

import json
from collections.abc import Sequence
from operator import itemgetter
from typing import Any

from alto_langgraph.examples.text_to_sql import as_written, expert, paced
from alto_langgraph.examples.text_to_sql.prompts import ANSWER, APPROACH, GENERATE, LINK, REPAIR, Approaches, Link
from alto_langgraph.plan.schedule import Work
from alto_langgraph.testing import PacedChatModel
from benchmarks.apps.declare import Application
from benchmarks.foretold import Calls, written


def foretold(model: PacedChatModel, state: Any) -> Sequence[Work]:
    """The calls: a candidate waits for its own approach alone, the answer for all candidates; queries take no time to speak of."""
    calls, database, question = Calls(model), paced.built(), state["question"]
    overview = database.overview()
    links = [calls.add("link", LINK.format(question=question, overview=overview, table=table), form=Link) for table in database.tables()]
    prompt = APPROACH.format(**state)
    approach = calls.add("approach", prompt, links, form=Approaches)
    candidates, ends = sorted(state["candidates"], key=itemgetter("at")), []
    for candidate, there in zip(candidates, written(model, prompt, map(json.dumps, state["approaches"])), strict=True):
        end = calls.add("generate", GENERATE.format(**candidate), heads=[(approach, there)])
        repaired = candidate["tries"] if "rows" in candidate else candidate["tries"][:-1]
        for sql, error in repaired:
            end = calls.add("repair", REPAIR.format(**{**candidate, "sql": sql, "error": error}), [end])
        ends.append(end)
    calls.add("answer", ANSWER.format(**state), ends)
    return calls.all


APPLICATION = Application(
    name="text_to_sql",
    what="a question about a shop's database of nine tables: schema linking, five candidate queries, up to three tries of each, a vote",
    as_written=lambda model: as_written.build(model, paced.built()),
    expert=lambda model: expert.build(model, paced.built()),
    double=paced.double,
    turns=({"question": paced.questions()[0]},),
    tiny=({"question": paced.questions()[2]},),
    answer=itemgetter("answer", "rows", "votes", "sql"),
    foretold=foretold,
)
