"""`alto demo`: a plain LangGraph app, stock and alto side by side, on text that the package ships."""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from collections.abc import Mapping
from importlib.util import find_spec
from operator import itemgetter
from pathlib import Path
from typing import Annotated, Any

import typer
from langchain_core.language_models import BaseChatModel
from langgraph.graph.state import CompiledStateGraph
from rich.console import Group
from rich.progress import Progress
from rich.table import Table

from alto_langgraph import optimize
from alto_langgraph.cli.console import Console
from alto_langgraph.comparison import Comparison, compare
from alto_langgraph.examples.fact_check import rules
from alto_langgraph.examples.fact_check.app import State, build
from alto_langgraph.examples.fact_check.bound import foretold
from alto_langgraph.examples.fact_check.collection import bm25, documents
from alto_langgraph.examples.fact_check.paced import text
from alto_langgraph.exceptions import MissingExtraError, OptionsError, TargetError
from alto_langgraph.options import AltoOptions
from alto_langgraph.plan.schedule import ideal_schedule
from alto_langgraph.testing import PacedChatModel, Slots
from alto_langgraph.testing.pace import SEQUENCES_AT_A_TIME

MODEL_STAGES = ("extract", "judge", "correct")
"""Nodes of the app that call the model."""

DIFFERENT = 1
"""Exit code for answers that differ."""


def command(
    model: Annotated[str | None, typer.Option(help="A chat model as init_chat_model names it, `openai:...` (without: a double).")] = None,
    runs: Annotated[int | None, typer.Option(min=1, help="Runs of each side (without: 5; with a model of yours 1).")] = None,
    sentences: Annotated[int | None, typer.Option(min=1, help="How much of the text is checked (without: all of it).")] = None,
    slots: Annotated[int, typer.Option(min=1, help="Calls that the double serves at a time.")] = SEQUENCES_AT_A_TIME,
    scale: Annotated[float, typer.Option(min=0, help="Factor on the double's times.")] = 1.0,
    seed: Annotated[int, typer.Option(help="Draws the double's times.")] = 0,
    out: Annotated[Path, typer.Option(help="Where the report goes.")] = Path(".alto/demo.html"),
) -> None:
    """Check the facts of a text with an unmodified LangGraph app, stock and alto in turn."""
    console = Console()
    place_for(out)
    chat = chat_model(model) if model else double(slots, scale, seed)
    collection = documents()
    graph, given = build(chat, bm25(collection)), text(sentences)
    comparison = compared(graph, given, runs or (1 if model else 5), None if model else slots, console)
    console.print(exact_figures(comparison, chat) if isinstance(chat, PacedChatModel) and comparison.equal else comparison)
    if answer := comparison.observation.output:
        console.print()
        console.print(verdicts_table(answer, len(collection)))
    comparison.to_html(out)
    console.print()
    console.print(f"The report with both timelines is in {out}", soft_wrap=True)
    if not model:
        console.print(traced(graph, given), soft_wrap=True)
    if not comparison.equal:
        raise typer.Exit(DIFFERENT)


def compared(graph: CompiledStateGraph[State], given: State, runs: int, slots: int | None, console: Console) -> Comparison:
    """Both sides in turn, with a progress bar on the console."""
    with Progress(console=console, transient=True) as bar:
        task = bar.add_task("Starting")
        return compare(
            graph,
            given,
            runs=runs,
            slots=slots,
            slotted=MODEL_STAGES,
            progress=lambda what, done, total: bar.update(task, description=what, completed=done, total=total),
        )


def traced(graph: CompiledStateGraph[State], given: State) -> str:
    """Runs the app once more, with a trace, and says where that is; the runs that were measured have none."""
    if AltoOptions.of(None).trace:
        return "Its runs were traced: `alto trace show` draws the last of them."
    if not find_spec("opentelemetry.sdk"):
        return "A trace of a run wants `pip install 'alto-langgraph[otel]'`."
    asyncio.run(optimize(graph, {"trace": True}).ainvoke(given))
    return "A trace of one more run is in .alto/traces: `alto trace show` draws it."


def double(slots: int, scale: float, seed: int) -> PacedChatModel:
    """The model double: its answers are computed by rules, its times are a real engine's."""
    if not math.isfinite(scale):
        raise OptionsError(f"--scale is {scale}, but times need a finite factor.", hint="1 is the pace that was measured.")
    return PacedChatModel(answers=rules.answer, slots=Slots(slots), scale=scale, seed=seed)


def chat_model(name: str) -> BaseChatModel:
    """The user's own chat model.

    Raises:
        MissingExtraError: langchain, or the model's own package, isn't installed.
        OptionsError: the name isn't one that `init_chat_model` knows, or the model refuses to be made.
    """
    try:
        from langchain.chat_models import init_chat_model
    except ImportError:
        raise MissingExtraError("--model needs langchain, which isn't installed.", hint="pip install langchain") from None
    try:
        made: BaseChatModel = init_chat_model(name, temperature=0)
    except ImportError as error:
        raise MissingExtraError(f"--model {name}: {error}") from error
    except Exception as error:
        raise OptionsError(f"--model {name}: {error}", hint="Name it as `provider:model`.") from error
    return made


def place_for(out: Path) -> None:
    """Makes the folder of the report, before the time is spent.

    Raises:
        TargetError: the report can't be written there.
    """
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.open("a").close()
    except OSError as error:
        raise TargetError(f"The report can't be written to {out}: {error.strerror}.", hint="Name another file with --out.") from None


def exact_figures(comparison: Comparison, model: PacedChatModel) -> Group:
    """The times against the exact bound, which the double makes known.

    A bound from recorded times would be too high: they hold what tasks waited for a slot or for the processor.
    """
    best = ideal_schedule(foretold(model, comparison.observation.output), model.slots.size).makespan
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for name, times in (("stock", comparison.stock), ("alto", comparison.alto)):
        if times:
            low, high = times.quartiles
            near = f"{times.median / best:.2f} × bound, " if best else ""
            table.add_row(name, f"{times.median:.3f} s", f"{near}median of {len(times.seconds)}, quartiles {low:.3f} to {high:.3f} s")
    if comparison.ratio:
        table.add_row("alto / stock", f"{comparison.ratio:.3f}", "below 1 is faster")
    table.add_row("bound", f"{best:.3f} s", f"the double's own times in the best order on {model.slots.size} slots")
    return Group(f"[green]{comparison.verdict}[/]", table)


def verdicts_table(answer: Mapping[str, Any], collection: int) -> Table:
    """What the app found: how many sentences of each verdict, and those that it put right."""
    verdicts = sorted(answer["verdicts"], key=itemgetter("at"))
    counts = ", ".join(f"{count} {label}" for label, count in Counter(verdict["label"] for verdict in verdicts).most_common())
    title = f"{len(verdicts)} sentences checked against {collection} documents: {counts}"
    table = Table(title=title, title_justify="left", title_style="bold", show_edge=False)
    table.add_column("the text says")
    table.add_column("the documents say")
    for verdict in verdicts:
        if verdict["label"] == "contradicted":
            table.add_row(verdict["sentence"], verdict["correction"])
    return table
