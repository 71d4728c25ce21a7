"""Processes that end, or fork, while runs are on: `python -m tests.faults.ending FOLDER` leaves what each said."""

from __future__ import annotations

import asyncio
import atexit
import contextvars
import multiprocessing
import os
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from langgraph.types import Command, Send

from alto_langgraph.graph import START
from tests.adapters.signals import signals
from tests.faults.app import ALTO, BOTH, INPUT, Fault, State, built, struck_by
from tests.faults.dying import CONFIG, alone, prepare

QUIET = Fault("nowhere", "raise")


def answer(side: str, *, sync: bool) -> Any:
    """What a run comes to."""
    graph = built(side, QUIET, sync=sync)
    return graph.invoke(INPUT, CONFIG)["out"] if sync else asyncio.run(graph.ainvoke(INPUT, CONFIG))["out"]


def never_done(side: str, *, sync: bool, begun: Callable[[], None]) -> Any:
    """`slow` beside quick -> early, and both `slow` and `early` take longer than anybody waits."""

    def slow(state: State) -> State:
        time.sleep(0.3)
        begun()
        time.sleep(3)
        return {}

    async def aslow(state: State) -> State:
        await asyncio.sleep(0.3)
        begun()
        await asyncio.sleep(60)
        return {}

    def quick(state: State) -> Command[Any]:
        return Command(goto=Send("early", "it"))

    def early(item: str) -> State:
        time.sleep(1)
        return {}

    async def aearly(item: str) -> State:
        await asyncio.sleep(60)
        return {}

    graph = BOTH[side](State).add_node("slow", slow if sync else aslow).add_node("quick", quick, destinations=("early",))
    graph.add_node("early", early if sync else aearly)
    return graph.add_edge(START, "slow").add_edge(START, "quick").compile()


def in_thread(run: Callable[[], object], *, daemon: bool) -> None:
    threading.Thread(target=contextvars.copy_context().run, args=(run,), daemon=daemon).start()


# ---- ways to end


def with_a_daemon_thread(side: str) -> None:
    """The main thread ends while another one's run is on."""
    begun = threading.Event()
    graph = never_done(side, sync=True, begun=begun.set)
    in_thread(lambda: graph.invoke({}), daemon=True)
    begun.wait(20)


def with_a_daemon_event_loop(side: str) -> None:
    begun = threading.Event()
    graph = never_done(side, sync=False, begun=begun.set)
    in_thread(lambda: asyncio.run(graph.ainvoke({})), daemon=True)
    begun.wait(20)


def before_a_thread_is_done(side: str) -> None:
    """The main thread ends; a run on a thread that the interpreter waits for goes on, or fails as stock's."""

    def run() -> None:
        try:
            print(answer(side, sync=False))
        except Exception as error:
            print(type(error).__name__)

    in_thread(run, daemon=False)


def with_a_task_left(side: str) -> None:
    """`asyncio.run` ends while a task's run is on."""

    async def main() -> None:
        begun = asyncio.Event()
        graph = never_done(side, sync=False, begun=begun.set)
        task = asyncio.create_task(graph.ainvoke({}))
        await asyncio.wait({asyncio.ensure_future(begun.wait()), task}, return_when=asyncio.FIRST_COMPLETED)

    asyncio.run(main())
    print("ended")


def at_exit(side: str) -> None:
    """A run that an exit handler starts."""

    def run() -> None:
        try:
            print(answer(side, sync=True))
        except RuntimeError as error:
            print(error)

    atexit.register(contextvars.copy_context().run, run)


def interrupted(side: str) -> None:
    """Somebody presses Ctrl-C."""
    graph = never_done(side, sync=False, begun=lambda: os.kill(os.getpid(), signal.SIGINT))
    try:
        asyncio.run(graph.ainvoke({}))
    except KeyboardInterrupt:
        print("interrupted")


def interrupted_on_threads(side: str) -> None:
    graph = never_done(side, sync=True, begun=lambda: os.kill(os.getpid(), signal.SIGINT))
    try:
        graph.invoke({})
    except KeyboardInterrupt:
        print("interrupted")


def told_to_end(side: str) -> None:
    """A server that cancels its run on SIGTERM."""

    async def main() -> None:
        graph = never_done(side, sync=False, begun=lambda: os.kill(os.getpid(), signal.SIGTERM))
        run = asyncio.create_task(graph.ainvoke({}))
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, run.cancel)
        try:
            await run
        except asyncio.CancelledError:
            print("cancelled", [task.get_name() for task in asyncio.all_tasks() if task is not asyncio.current_task()])

    asyncio.run(main())


def told_to_end_on_threads(side: str) -> None:
    """A worker that exits on SIGTERM."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
    never_done(side, sync=True, begun=lambda: os.kill(os.getpid(), signal.SIGTERM)).invoke({})


# ---- ways to fork


def forked_by_a_node(side: str) -> None:
    """A node forks: the other process runs a graph itself, and exits."""

    def forks(state: State) -> State:
        pid = os.fork()
        if not pid:
            same = answer(side, sync=True)[-1] == answer(side, sync=False)[-1]
            os._exit(5 if same else 6)
        _, status = os.waitpid(pid, 0)
        return {"out": [str(os.waitstatus_to_exitcode(status))]}

    graph = BOTH[side](State).add_node("forks", forks).add_node("after", lambda state: {"c": "c"})
    print(answer(side, sync=True) == answer(side, sync=False))
    print(graph.add_edge(START, "forks").add_edge("forks", "after").compile().invoke({"items": []}))


def _in_another_process(side: str, answers: Any) -> None:
    with struck_by(QUIET, side), signals():
        answers.put((answer(side, sync=True), answer(side, sync=False)))


def by_multiprocessing(side: str) -> None:
    """Runs in this process, then in one forked off while threads of the first may still be about."""
    here = answer(side, sync=True), answer(side, sync=False)
    context = multiprocessing.get_context("fork")
    answers = context.SimpleQueue()
    process = context.Process(target=_in_another_process, args=(side, answers))
    process.start()
    print(answers.get() == here)
    process.join()
    print(process.exitcode)


SCENES: dict[str, Callable[[str], None]] = {
    scene.__name__: scene
    for scene in (
        with_a_daemon_thread, with_a_daemon_event_loop, before_a_thread_is_done, with_a_task_left, at_exit, interrupted,
        interrupted_on_threads, told_to_end, told_to_end_on_threads, forked_by_a_node, by_multiprocessing,
    )
}  # fmt: skip


def main(folder: Path) -> None:
    prepare()
    warnings.simplefilter("ignore", DeprecationWarning)  # Python's own, of forking beside threads
    for name, scene in SCENES.items():
        for side in BOTH:
            began = time.monotonic()
            with alone(folder / f"{name} {side}") as parent:
                if parent is None:
                    QUIET.healed = True
                    context = struck_by(QUIET, side), signals()
                    context[0].__enter__()
                    context[1].__enter__()
                    ALTO.set(side == "alto")
                    scene(side)
                    return  # to the end of the module, and so to the interpreter's own
            (folder / f"{name} {side}" / "seconds").write_text(str(time.monotonic() - began))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
