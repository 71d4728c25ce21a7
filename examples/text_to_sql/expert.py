"""The same app as an expert tunes it for stock LangGraph: tables are linked in one node, each candidate is a subgraph."""

import asyncio
from operator import add
from typing import Annotated, Any, TypedDict

from langchain_core.language_models import BaseChatModel
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import Send

from alto_langgraph.examples.text_to_sql.as_written import TRIES, State, elected
from alto_langgraph.examples.text_to_sql.database import Database, QueryError
from alto_langgraph.examples.text_to_sql.prompts import ANSWER, APPROACH, GENERATE, LINK, REPAIR, Approaches, Item, Link


class Found(TypedDict):
    candidates: Annotated[list[Item], add]


class Candidate(Item, Found):
    pass


def candidate(model: BaseChatModel, database: Database) -> CompiledStateGraph[Any]:
    """From an approach to its rows: no candidate waits for another."""

    async def generate(state: Candidate) -> dict[str, Any]:
        answer = await model.ainvoke(GENERATE.format(**state))
        return {"sql": str(answer.text), "tries": []}

    def execute(state: Candidate) -> dict[str, Any]:
        try:
            done: Item = {**plain(state), "rows": database.run(state["sql"])}
        except QueryError as error:
            done = {**plain(state), "error": str(error), "tries": [*state["tries"], (state["sql"], str(error))]}
            if len(done["tries"]) < TRIES:
                return {"error": done["error"], "tries": done["tries"]}
        return {"candidates": [done]}

    async def repair(state: Candidate) -> dict[str, Any]:
        answer = await model.ainvoke(REPAIR.format(**state))
        return {"sql": str(answer.text)}

    graph = StateGraph(Candidate, output_schema=Found)
    graph.add_node("generate", generate)
    graph.add_node("execute", execute)
    graph.add_node("repair", repair)
    graph.add_edge(START, "generate")
    graph.add_edge("generate", "execute")
    graph.add_conditional_edges("execute", lambda state: END if state.get("candidates") else "repair", ["repair", END])
    graph.add_edge("repair", "execute")
    return graph.compile()


def plain(state: Candidate) -> Item:
    """The candidate without the list that it is put into."""
    return {key: value for key, value in state.items() if key != "candidates"}  # type: ignore[return-value]


def build(model: BaseChatModel, database: Database) -> CompiledStateGraph[State]:
    """The app on this model and this database."""
    linker, planner = model.with_structured_output(Link), model.with_structured_output(Approaches)

    async def link(state: State) -> dict[str, Any]:
        seen = {"question": state["question"], "overview": database.overview()}
        tables = database.tables()
        answers = await asyncio.gather(*(linker.ainvoke(LINK.format(**seen, table=table)) for table in tables))
        links = [Link.model_validate(answer) for answer in answers]
        kept = [(at, table, found) for at, (table, found) in enumerate(zip(tables, links, strict=True)) if found.needed]
        linked = [{"at": at, "table": table, "columns": found.columns} for at, table, found in kept]
        return {"linked": linked, "schema": "\n".join(table for _, table, _ in kept)}

    async def approach(state: State) -> dict[str, Any]:
        found = Approaches.model_validate(await planner.ainvoke(APPROACH.format(**state)))
        return {"approaches": found.approaches}

    def each_approach(state: State) -> list[Send]:
        seen = {"question": state["question"], "schema": state["schema"]}
        return [Send("candidate", {**seen, "at": at, "approach": approach}) for at, approach in enumerate(state["approaches"])]

    def vote(state: State) -> dict[str, Any]:
        return elected(state["candidates"])

    async def answer(state: State) -> dict[str, Any]:
        said = await model.ainvoke(ANSWER.format(question=state["question"], rows=state["rows"]))
        return {"answer": str(said.text)}

    graph = StateGraph(State)
    graph.add_node("link", link)
    graph.add_node("approach", approach)
    graph.add_node("candidate", candidate(model, database))
    graph.add_node("vote", vote)
    graph.add_node("answer", answer)
    graph.add_edge(START, "link")
    graph.add_edge("link", "approach")
    graph.add_conditional_edges("approach", each_approach, ["candidate"])
    graph.add_edge("candidate", "vote")
    graph.add_edge("vote", "answer")
    graph.add_edge("answer", END)
    return graph.compile()
