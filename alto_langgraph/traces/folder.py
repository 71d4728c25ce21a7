"""Finds recorded traces: in the folder where they go by default, or in the file that somebody names."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from pathlib import Path

from alto_langgraph.exceptions import TraceError
from alto_langgraph.traces.building import traces
from alto_langgraph.traces.model import Trace
from alto_langgraph.traces.otlp import read

FOLDER = Path(".alto/traces")
"""Where traces go when nothing else is said."""

LATEST = "latest"

SUFFIXES = (".jsonl", ".json")


def load(path: str | PathLike[str] = FOLDER) -> list[Trace]:
    """All traces of a file, or of the files of a folder, the latest first. One trace may be spread over several files.

    Raises:
        TraceError: there is nothing, or what there is can't be read.
    """
    path = Path(path)
    if not path.exists():
        raise TraceError(f"There is no `{path}`.", hint="Set ALTO_TRACE=1, run the app, and look again.")
    files = _files(path) if path.is_dir() else [path]
    return traces(span for file in files for span in read(file))


def _files(folder: Path) -> Sequence[Path]:
    return sorted(file for file in folder.iterdir() if file.suffix in SUFFIXES and file.is_file())


def find(which: str = LATEST, folder: str | PathLike[str] = FOLDER) -> Trace:
    """One trace.

    Args:
        which: `latest`, the beginning of a trace's id or of its run's thread id, or a file (then the latest of it; `file.jsonl:id`
            names another).
        folder: Where to look if it is no file.

    Raises:
        TraceError: there is none, or more than one whose id begins so.
    """
    file, id = _file(which)
    found = load(file if file is not None else folder)
    if not found:
        raise TraceError(f"`{file or folder}` holds no traces.", hint="Set ALTO_TRACE=1, run the app, and look again.")
    if id == LATEST:
        return found[0]
    fitting = [trace for trace in found if trace.id.startswith(id.lower())]
    fitting = fitting or [trace for trace in found if any(run.thread == id for run in trace.runs)][:1]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise TraceError(f"{len(fitting)} traces begin with `{id}`.", hint="Give more of the id.")
    raise TraceError(f"No trace begins with `{id}`.", hint="`alto trace list` names those that there are.")


def _file(which: str) -> tuple[Path | None, str]:
    if _is_file(which):
        return Path(which), LATEST
    name, colon, id = which.rpartition(":")
    if colon and _is_file(name):
        return Path(name), id
    if which.endswith(SUFFIXES):
        raise TraceError(f"There is no file `{which}`.")
    return None, which


def _is_file(name: str) -> bool:
    try:
        return Path(name).is_file()
    except OSError:  # longer than a file's name can be
        return False
