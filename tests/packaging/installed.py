"""Builds wheel and sdist, and tries them as users have them: in clean environments, outside of the checkout, on each Python that is here.

python tests/packaging/installed.py [PYTHON ...]    (such as python3.12; without, all of VERSIONS)
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
VERSIONS = ("python3.11", "python3.12", "python3.13", "python3.14")
PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check")
OLDEST = "langgraph==1.2.0"
EXTRAS = tuple(extra for extra in PROJECT["optional-dependencies"] if extra not in ("dev", "docs"))
SMOKE = """
import importlib.metadata, sys
import alto_langgraph, langgraph
from alto_langgraph.graph import START, StateGraph

assert "site-packages" in alto_langgraph.__file__, alto_langgraph.__file__
assert alto_langgraph.__version__ == importlib.metadata.version("alto-langgraph")
builder = StateGraph(dict).add_node("one", lambda state: {"n": state["n"] + 1}).add_edge(START, "one")
assert builder.compile().invoke({"n": 1}) == {"n": 2}
print(f"Python {sys.version.split()[0]}, langgraph {importlib.metadata.version('langgraph')}")
"""


def run(*command: str | Path, cwd: Path = ROOT) -> str:
    """Runs it, and returns what it prints; on failure shows that and ends."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "ALTO_", "VIRTUAL_ENV"))}
    done = subprocess.run(command, cwd=cwd, env=plain, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{done.stdout}\nfailed: {' '.join(map(str, command))}")
    return done.stdout


def build() -> tuple[Path, Path]:
    """The wheel, made from the sdist, and the sdist."""
    dist = ROOT / "dist"
    shutil.rmtree(dist, ignore_errors=True)
    run(sys.executable, "-m", "build", "--outdir", dist)
    (wheel,), (sdist,) = dist.glob("*.whl"), dist.glob("*.tar.gz")
    return wheel, sdist


def environment(python: str, folder: Path, *packages: str | Path) -> Path:
    """A clean virtual environment with these packages: its `bin`."""
    run(python, "-m", "venv", "--without-pip", folder)
    run(*PIP, "--python", folder / "bin" / "python", "install", "--quiet", *packages)
    return folder / "bin"


def tried(python: str, folder: Path, *packages: str | Path) -> str:
    """What the installed package says of itself, once a graph has run and the demo has found both sides equal."""
    binaries = environment(python, folder, *packages)
    told = run(binaries / "python", "-W", "error", "-c", SMOKE, cwd=folder)
    demo = run(binaries / "alto", "demo", "--runs", "1", "--sentences", "5", cwd=folder)
    if "Both sides show the same" not in demo or not (folder / ".alto" / "demo.html").exists():
        raise SystemExit(f"{demo}\nthe demo of the installed wheel found no equal sides")
    return told.strip()


def main(pythons: Iterable[str]) -> None:
    """Tries all of it, and says of each Python what came of it."""
    wheel, sdist = build()
    here = {python: where for python in pythons if (where := found(python))}
    with tempfile.TemporaryDirectory() as place:
        for python in pythons:
            told = tried(here[python], Path(place, python), wheel) if python in here else "not here, so not tried"
            print(f"{python}, wheel: {told}", flush=True)
        print(f"sdist: {tried(sys.executable, Path(place, 'sdist'), sdist)}", flush=True)
        print(f"oldest: {tried(sys.executable, Path(place, 'oldest'), wheel, OLDEST)}", flush=True)
        for extra in EXTRAS:
            run(*PIP, "install", "--dry-run", "--quiet", "--ignore-installed", f"{wheel}[{extra}]")
            print(f"[{extra}]: can be resolved", flush=True)


def found(python: str) -> str | None:
    """Where a Python is that starts and makes environments: on the path, or one of pyenv's, whose shims only start those it is set to."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    for where in (shutil.which(python), *map(str, sorted(pyenv.glob(f"versions/*/bin/{python}"), reverse=True))):
        if where and subprocess.run([where, "-c", "import venv"], capture_output=True, check=False).returncode == 0:
            return where
    return None


if __name__ == "__main__":
    main(sys.argv[1:] or VERSIONS)
