"""Answers a question about a SQLite database by several candidate queries: plain LangGraph and LangChain."""

from collections import Counter
from operator import add, itemgetter
from typing import Annotated, Any, Literal, TypedDict

from langchain_core.language_models import BaseChatModel
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import Command, Send

from alto_langgraph.examples.text_to_sql.database import Database, QueryError
from alto_langgraph.examples.text_to_sql.prompts import ANSWER, APPROACH, GENERATE, LINK, REPAIR, Approaches, Item, Link

TRIES = 3
"""Times that a candidate is run at most."""


class State(TypedDict, total=False):
    question: str
    linked: Annotated[list[Item], add]
    schema: str
    approaches: list[str]
    candidates: Annotated[list[Item], add]
    sql: str
    rows: list[Any]
    votes: int
    answer: str


def build(model: BaseChatModel, database: Database) -> CompiledStateGraph[State]:
    """The app on this model and this database."""
    linker, planner = model.with_structured_output(Link), model.with_structured_output(Approaches)

    def tables(state: State) -> Command[Literal["link"]]:
        seen = {"question": state["question"], "overview": database.overview()}
        return Command(goto=[Send("link", {**seen, "at": at, "table": table}) for at, table in enumerate(database.tables())])

    async def link(state: Item) -> dict[str, Any]:
        found = Link.model_validate(await linker.ainvoke(LINK.format(**state)))
        return {"linked": [{"at": state["at"], "table": state["table"], "columns": found.columns}]} if found.needed else {}

    async def approach(state: State) -> dict[str, Any]:
        schema = "\n".join(found["table"] for found in sorted(state["linked"], key=itemgetter("at")))
        found = Approaches.model_validate(await planner.ainvoke(APPROACH.format(question=state["question"], schema=schema)))
        return {"schema": schema, "approaches": found.approaches}

    def each_approach(state: State) -> list[Send]:
        seen = {"question": state["question"], "schema": state["schema"]}
        return [Send("generate", {**seen, "at": at, "approach": approach}) for at, approach in enumerate(state["approaches"])]

    async def generate(state: Item) -> Command[Literal["execute"]]:
        answer = await model.ainvoke(GENERATE.format(**state))
        return Command(goto=Send("execute", {**state, "sql": str(answer.text), "tries": []}))

    def execute(state: Item) -> dict[str, Any] | Command[Literal["repair"]]:
        try:
            return {"candidates": [{**state, "rows": database.run(state["sql"])}]}
        except QueryError as error:
            failed: Item = {**state, "error": str(error), "tries": [*state["tries"], (state["sql"], str(error))]}
            if len(failed["tries"]) < TRIES:
                return Command(goto=Send("repair", failed))
            return {"candidates": [failed]}

    async def repair(state: Item) -> Command[Literal["execute"]]:
        answer = await model.ainvoke(REPAIR.format(**state))
        return Command(goto=Send("execute", {**state, "sql": str(answer.text)}))

    def vote(state: State) -> Command[Literal["answer", "__end__"]]:
        if len(state["candidates"]) < len(state["approaches"]):
            return Command(goto="__end__")  # the last candidate calls again
        return Command(update=elected(state["candidates"]), goto="answer")

    async def answer(state: State) -> dict[str, Any]:
        said = await model.ainvoke(ANSWER.format(question=state["question"], rows=state["rows"]))
        return {"answer": str(said.text)}

    graph = StateGraph(State)
    graph.add_node("tables", tables)
    graph.add_node("link", link)
    graph.add_node("approach", approach)
    graph.add_node("generate", generate)
    graph.add_node("execute", execute)
    graph.add_node("repair", repair)
    graph.add_node("vote", vote)
    graph.add_node("answer", answer)
    graph.add_edge(START, "tables")
    graph.add_edge("link", "approach")
    graph.add_conditional_edges("approach", each_approach, ["generate"])
    graph.add_edge("execute", "vote")
    graph.add_edge("answer", END)
    return graph.compile()


def elected(candidates: list[Item]) -> dict[str, Any]:
    """The rows that most candidates found, with the first query that found them; of a tie, the candidate named first."""
    found = [candidate for candidate in sorted(candidates, key=itemgetter("at")) if "rows" in candidate]
    votes = Counter(repr(candidate["rows"]) for candidate in found)
    best = max(found, key=lambda candidate: votes[repr(candidate["rows"])], default=None)
    if best is None:
        return {"sql": "", "rows": [], "votes": 0}
    return {"sql": best["sql"], "rows": best["rows"], "votes": votes[repr(best["rows"])]}
