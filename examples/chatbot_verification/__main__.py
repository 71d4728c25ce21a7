"""Asks the chatbot and shows what was checked and corrected: `python -m alto_langgraph.examples.chatbot_verification`."""

import asyncio
from typing import Annotated

import typer

from alto_langgraph.examples.chatbot_verification import as_written, expert, paced


def main(
    question: Annotated[str, typer.Argument()] = paced.QUESTION,
    model: Annotated[str | None, typer.Option(help="A chat model of yours, openai:gpt-4.1-mini say; else the double.")] = None,
    by_hand: Annotated[bool, typer.Option("--expert", help="The version that is tuned by hand.")] = False,
) -> None:
    """A chatbot that verifies what it says."""
    if model:
        from langchain.chat_models import init_chat_model

        chat = init_chat_model(model, temperature=0)
    else:
        chat = paced.double()
    graph = (expert if by_hand else as_written).build(chat, paced.encyclopedia())
    answer = asyncio.run(graph.ainvoke(paced.text(question)))
    print(answer["answer"], "\n")
    for check in answer.get("checks", []):
        print(f"[{check['label']}] {check['claim']}")
    print("\n" + answer.get("corrected", answer["answer"]))


if __name__ == "__main__":
    typer.run(main)
