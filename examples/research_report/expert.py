"""The same app as an expert tunes it for stock LangGraph: a subgraph for each section, whose searches and notes one node gathers."""

import asyncio
from operator import add
from typing import Annotated, Any, Literal, TypedDict

from langchain_core.language_models import BaseChatModel
from langchain_core.retrievers import BaseRetriever
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import Command, Send, interrupt

from alto_langgraph.examples.research_report.as_written import APPROVED, NOTHING, ROUNDS, State, chapters, with_notes
from alto_langgraph.examples.research_report.prompts import CLARIFY, EDIT, PLAN, QUERIES, READ, REFLECT, WRITE, Item, Plan, Queries


class Research(TypedDict, total=False):
    at: int
    title: str
    question: str
    round: int
    queries: list[str]
    found: Annotated[list[Item], add]
    draft: str
    sections: Annotated[list[Item], add]


def section(model: BaseChatModel, library: BaseRetriever) -> CompiledStateGraph[Any]:
    """From a section's question to its text: no section waits for another, and no passage for another query's."""
    searcher = model.with_structured_output(Queries)

    async def queries(state: Research) -> dict[str, Any]:
        asked = Queries.model_validate(await searcher.ainvoke(QUERIES.format(**state))).queries
        return {"queries": asked or [state["question"]], "round": 0}

    async def research(state: Research) -> dict[str, Any]:
        found = await asyncio.gather(*(look_up(state, nth, query) for nth, query in enumerate(state["queries"])))
        return {"found": [note for notes in found for note in notes]}

    async def look_up(state: Research, nth: int, query: str) -> list[Item]:
        found = await library.ainvoke(query) or [NOTHING]
        notes = await asyncio.gather(*(model.ainvoke(READ.format(question=state["question"], passage=doc.page_content)) for doc in found))
        place: Item = {"at": state["at"], "round": state["round"], "nth": nth}
        return [
            {**place, "rank": rank, "source": doc.metadata["source"], "note": str(note.text)}
            for rank, (doc, note) in enumerate(zip(found, notes, strict=True))
        ]

    async def write(state: Research) -> dict[str, Any]:
        answer = await model.ainvoke(WRITE.format(question=state["question"], notes="\n".join(noted(state)["notes"])))
        return {"draft": str(answer.text)}

    async def reflect(state: Research) -> Command[Literal["research", "__end__"]]:
        missing: list[str] = []
        if state["round"] + 1 < ROUNDS:
            missing = Queries.model_validate(await searcher.ainvoke(REFLECT.format(**state))).queries
        if missing:
            return Command(update={"queries": missing, "round": state["round"] + 1}, goto="research")
        return Command(update={"sections": [{**noted(state), "draft": state["draft"]}]}, goto="__end__")

    graph = StateGraph(Research)
    graph.add_node("queries", queries)
    graph.add_node("research", research)
    graph.add_node("write", write)
    graph.add_node("reflect", reflect)
    graph.add_edge(START, "queries")
    graph.add_edge("queries", "research")
    graph.add_edge("research", "write")
    graph.add_edge("write", "reflect")
    return graph.compile()


def noted(state: Research) -> Item:
    """The section with all notes so far."""
    return with_notes({"at": state["at"], "title": state["title"], "question": state["question"]}, state["round"], state["found"])


def build(model: BaseChatModel, library: BaseRetriever, checkpointer: BaseCheckpointSaver[Any]) -> CompiledStateGraph[State]:
    """The app on this model and this library; approval as in the app as written."""
    planner = model.with_structured_output(Plan)

    async def clarify(state: State) -> dict[str, Any]:
        answer = await model.ainvoke(CLARIFY.format(**state))
        return {"brief": str(answer.text), "wishes": "none"}

    async def plan(state: State) -> dict[str, Any]:
        found = Plan.model_validate(await planner.ainvoke(PLAN.format(**state)))
        return {"plan": [{"at": at, **section.model_dump()} for at, section in enumerate(found.sections)]}

    def approve(state: State) -> Command[Literal["plan", "section"]]:
        said = interrupt({"plan": [section["title"] for section in state["plan"]]})
        if said != APPROVED:
            return Command(update={"wishes": said}, goto="plan")
        return Command(goto=[Send("section", section) for section in state["plan"]])

    async def edit(state: State) -> dict[str, Any]:
        texts = chapters(state["sections"])
        answer = await model.ainvoke(EDIT.format(brief=state["brief"], sections="\n".join(texts)))
        return {"report": "\n\n".join([str(answer.text), *texts])}

    graph = StateGraph(State)
    graph.add_node("clarify", clarify)
    graph.add_node("plan", plan)
    graph.add_node("approve", approve)
    graph.add_node("section", section(model, library))
    graph.add_node("edit", edit)
    graph.add_edge(START, "clarify")
    graph.add_edge("clarify", "plan")
    graph.add_edge("plan", "approve")
    graph.add_edge("section", "edit")
    graph.add_edge("edit", END)
    return graph.compile(checkpointer=checkpointer)
