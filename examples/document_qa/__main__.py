"""Asks the documents and shows the answer with its evidence: `python -m alto_langgraph.examples.document_qa`."""

import asyncio
from typing import Annotated

import typer

from alto_langgraph.examples.document_qa import as_written, expert, paced


def main(
    question: Annotated[str, typer.Argument()] = paced.QUESTION,
    model: Annotated[str | None, typer.Option(help="A chat model of yours, openai:gpt-4.1-mini say; else the double.")] = None,
    by_hand: Annotated[bool, typer.Option("--expert", help="The version that is tuned by hand.")] = False,
) -> None:
    """A question to chapters of Python's reference."""
    if model:
        from langchain.chat_models import init_chat_model

        chat = init_chat_model(model, temperature=0)
    else:
        chat = paced.double()
    graph = (expert if by_hand else as_written).build(chat)
    answer = asyncio.run(graph.ainvoke({**paced.text(), "question": question}))
    print(answer.get("answer", "The documents don't say."), "\n")
    for mark, quote in answer.get("citations", {}).items():
        print(f"[{mark}] {quote}")


if __name__ == "__main__":
    typer.run(main)
