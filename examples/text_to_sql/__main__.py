"""Asks the shop's database and shows the candidates and the vote: `python -m alto_langgraph.examples.text_to_sql`."""

import asyncio
from operator import itemgetter
from typing import Annotated

import typer

from alto_langgraph.examples.text_to_sql import as_written, expert, paced


def main(
    question: Annotated[str, typer.Argument()] = paced.questions()[0],
    model: Annotated[str | None, typer.Option(help="A chat model of yours, openai:gpt-4.1-mini say; else the double.")] = None,
    by_hand: Annotated[bool, typer.Option("--expert", help="The version that is tuned by hand.")] = False,
) -> None:
    """A question to a shop's database."""
    if model:
        from langchain.chat_models import init_chat_model

        chat = init_chat_model(model, temperature=0)
    else:
        chat = paced.double()
    graph = (expert if by_hand else as_written).build(chat, paced.built())
    found = asyncio.run(graph.ainvoke({"question": question}))
    for candidate in sorted(found["candidates"], key=itemgetter("at")):
        print(f"{candidate['approach']}\n  {candidate['sql']}")
        for _, error in candidate["tries"]:
            print(f"  mended: {error}")
    print(f"\n{found['votes']} of {len(found['candidates'])} found the same. {found['answer']}")


if __name__ == "__main__":
    typer.run(main)
