"""Plans meetings in a conversation: `python -m alto_langgraph.examples.tool_agent`."""

import asyncio
from typing import Annotated, Any

import typer
from langgraph.checkpoint.memory import InMemorySaver

from alto_langgraph.examples.tool_agent import as_written, expert, paced


def main(
    model: Annotated[str | None, typer.Option(help="A chat model of yours, openai:gpt-4.1-mini say; else the double.")] = None,
    by_hand: Annotated[bool, typer.Option("--expert", help="The version that is tuned by hand.")] = False,
) -> None:
    """The shipped conversation, turn by turn."""
    if model:
        from langchain.chat_models import init_chat_model

        chat = init_chat_model(model, temperature=0)
    else:
        chat = paced.double()
    asyncio.run(talk((expert if by_hand else as_written).build(chat, paced.tools(), InMemorySaver())))


async def talk(graph: Any) -> None:
    """Asks one question after another on one thread."""
    for turn in paced.turns():
        state = await graph.ainvoke(turn, {"configurable": {"thread_id": "talk"}})
        print(f"> {turn['messages'][0].text}\n{state['messages'][-1].text}")


if __name__ == "__main__":
    typer.run(main)
