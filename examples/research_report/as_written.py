"""Writes a research report that a person has approved the plan of: plain LangGraph and LangChain."""

from operator import add, itemgetter
from typing import Annotated, Any, Literal, TypedDict

from langchain_core.documents import Document
from langchain_core.language_models import BaseChatModel
from langchain_core.retrievers import BaseRetriever
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import Command, Send, interrupt

from alto_langgraph.examples.research_report.prompts import CLARIFY, EDIT, PLAN, QUERIES, READ, REFLECT, WRITE, Item, Plan, Queries

ROUNDS = 2
"""Times that a section is written at most."""
APPROVED = "approved"
NOTHING = Document("The library has nothing on that.", metadata={"source": "library"})


class State(TypedDict, total=False):
    request: str
    wishes: str
    brief: str
    plan: list[Item]
    notes: Annotated[list[Item], add]
    sections: Annotated[list[Item], add]
    report: str


def build(model: BaseChatModel, library: BaseRetriever, checkpointer: BaseCheckpointSaver[Any]) -> CompiledStateGraph[State]:
    """The app on this model and this library; a thread stops for approval, and goes on with `Command(resume="approved")` or wishes."""
    planner, searcher = model.with_structured_output(Plan), model.with_structured_output(Queries)

    async def clarify(state: State) -> dict[str, Any]:
        answer = await model.ainvoke(CLARIFY.format(**state))
        return {"brief": str(answer.text), "wishes": "none"}

    async def plan(state: State) -> dict[str, Any]:
        found = Plan.model_validate(await planner.ainvoke(PLAN.format(**state)))
        return {"plan": [{"at": at, **section.model_dump()} for at, section in enumerate(found.sections)]}

    def approve(state: State) -> Command[Literal["plan", "queries"]]:
        said = interrupt({"plan": [section["title"] for section in state["plan"]]})
        if said != APPROVED:
            return Command(update={"wishes": said}, goto="plan")
        return Command(goto=[Send("queries", section) for section in state["plan"]])

    async def queries(state: Item) -> Command[Literal["search"]]:
        asked = Queries.model_validate(await searcher.ainvoke(QUERIES.format(**state))).queries or [state["question"]]
        return Command(goto=[Send("search", {**state, "round": 0, "nth": nth, "query": query}) for nth, query in enumerate(asked)])

    async def search(state: Item) -> Command[Literal["read"]]:
        found = await library.ainvoke(state["query"]) or [NOTHING]
        passages = [{"rank": rank, "source": doc.metadata["source"], "passage": doc.page_content} for rank, doc in enumerate(found)]
        return Command(goto=[Send("read", {**state, **passage}) for passage in passages])

    async def read(state: Item) -> dict[str, Any]:
        answer = await model.ainvoke(READ.format(**state))
        return {"notes": [{**state, "note": str(answer.text)}]}

    def gather(state: State) -> dict[str, Any]:
        return {}

    def each_section(state: State) -> list[Send]:
        latest = max(note["round"] for note in state["notes"])
        waiting = {note["at"] for note in state["notes"] if note["round"] == latest}
        return [Send("write", with_notes(state["plan"][at], latest, state["notes"])) for at in sorted(waiting)]

    async def write(state: Item) -> Command[Literal["reflect"]]:
        answer = await model.ainvoke(WRITE.format(question=state["question"], notes="\n".join(state["notes"])))
        return Command(goto=Send("reflect", {**state, "draft": str(answer.text)}))

    async def reflect(state: Item) -> dict[str, Any] | Command[Literal["search"]]:
        missing: list[str] = []
        if state["round"] + 1 < ROUNDS:
            missing = Queries.model_validate(await searcher.ainvoke(REFLECT.format(**state))).queries
        again = {"at": state["at"], "title": state["title"], "question": state["question"], "round": state["round"] + 1}
        if missing:
            return Command(goto=[Send("search", {**again, "nth": nth, "query": query}) for nth, query in enumerate(missing)])
        return {"sections": [state]}

    async def edit(state: State) -> dict[str, Any]:
        if len(state["sections"]) < len(state["plan"]):
            return {}  # the last section calls again
        texts = chapters(state["sections"])
        answer = await model.ainvoke(EDIT.format(brief=state["brief"], sections="\n".join(texts)))
        return {"report": "\n\n".join([str(answer.text), *texts])}

    graph = StateGraph(State)
    graph.add_node("clarify", clarify)
    graph.add_node("plan", plan)
    graph.add_node("approve", approve)
    graph.add_node("queries", queries)
    graph.add_node("search", search)
    graph.add_node("read", read)
    graph.add_node("gather", gather)
    graph.add_node("write", write)
    graph.add_node("reflect", reflect)
    graph.add_node("edit", edit)
    graph.add_edge(START, "clarify")
    graph.add_edge("clarify", "plan")
    graph.add_edge("plan", "approve")
    graph.add_edge("read", "gather")
    graph.add_conditional_edges("gather", each_section, ["write"])
    graph.add_edge("reflect", "edit")
    graph.add_edge("edit", END)
    return graph.compile(checkpointer=checkpointer)


def with_notes(section: Item, latest: int, notes: list[Item]) -> Item:
    """A section with its notes in the order of the queries, each passage once; passages that didn't help are left out."""
    its = sorted((note for note in notes if note["at"] == section["at"]), key=itemgetter("round", "nth", "rank"))
    told = dict.fromkeys(f"[{note['source']}] {note['note']}" for note in its if note["note"] != "nothing")
    return {**section, "round": latest, "notes": list(told)}


def chapters(sections: list[Item]) -> list[str]:
    """The finished sections in the plan's order, each below its title."""
    return [f"## {section['title']}\n{section['draft']}" for section in sorted(sections, key=itemgetter("at"))]
