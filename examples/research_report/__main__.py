"""Writes a report, and asks for approval of its plan: `python -m alto_langgraph.examples.research_report`."""

import asyncio
from typing import Annotated, Any

import typer
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command

from alto_langgraph.examples.research_report import as_written, expert, paced
from alto_langgraph.examples.research_report.library import reference


def main(
    request: Annotated[str, typer.Argument()] = paced.request()["request"],
    model: Annotated[str | None, typer.Option(help="A chat model of yours, openai:gpt-4.1-mini say; else the double.")] = None,
    by_hand: Annotated[bool, typer.Option("--expert", help="The version that is tuned by hand.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Approve the plan unseen.")] = False,
) -> None:
    """A report on a subject of Python's reference: "Subject: how ..., how ..., and why ..."."""
    if model:
        from langchain.chat_models import init_chat_model

        chat = init_chat_model(model, temperature=0)
    else:
        chat = paced.double()
    graph = (expert if by_hand else as_written).build(chat, reference(), InMemorySaver())
    print(asyncio.run(written(graph, request, yes)))


async def written(graph: Any, request: str, yes: bool) -> str:
    """The report, once its plan is approved."""
    config = {"configurable": {"thread_id": "report"}}
    state = await graph.ainvoke({"request": request}, config)
    while "report" not in state:
        print("The plan:", *state["__interrupt__"][0].value["plan"], sep="\n- ")
        said = as_written.APPROVED if yes else typer.prompt("approved, or what else you wish", default=as_written.APPROVED)
        state = await graph.ainvoke(Command(resume=said), config)
    return str(state["report"])


if __name__ == "__main__":
    typer.run(main)
