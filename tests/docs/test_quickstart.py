"""The quick start can be walked: its files, its commands in their order, and what it says that they print."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "quickstart.md").read_text(encoding="utf-8")
BLOCKS = re.compile(r"```(\w+)\n(.*?)```", re.DOTALL)


def written() -> dict[str, str]:
    """The page's files: its app as it stands, as its diff changes it, and the input."""
    blocks = dict(reversed(BLOCKS.findall(PAGE)))
    was, now = (re.findall(rf"^\{sign}(.+)$", blocks["diff"], re.MULTILINE)[0] for sign in "-+")
    assert was in blocks["python"]
    return {"app.py": blocks["python"], "swapped.py": blocks["python"].replace(was, now), "input.json": blocks["json"]}


def commands() -> list[str]:
    """Every `alto` command of the page."""
    lines = [line for kind, block in BLOCKS.findall(PAGE) if kind == "sh" for line in block.splitlines()]
    return [line for line in lines if re.match(r"(\w+=\S+ )?alto ", line)]


def test_each_command_does_what_the_page_says(tmp_path: Path) -> None:
    for name, text in written().items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    env = os.environ | {"PATH": path, "COLUMNS": "200", "PYTHONWARNINGS": "error"}
    printed = {}
    for line in [*commands(), "python swapped.py", "ALTO_ENABLED=0 python swapped.py"]:
        done = subprocess.run(line, shell=True, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, ""), line
        printed[line] = done.stdout
    (answer,) = (block for kind, block in BLOCKS.findall(PAGE) if kind == "text")
    assert [text for line, text in printed.items() if "swapped" in line or "alto run" in line] == [answer] * 4
    assert "condense  may run ahead" in printed["alto explain app.py:builder"]
    assert "`write` reads `facts`, which `condense` may write." in printed["alto explain app.py:builder"]
    (compared,) = (text for line, text in printed.items() if line.startswith("alto compare"))
    assert compared.startswith("Both sides show the same: state, events and checkpoints.")
    assert (tmp_path / "report.html").exists()
    assert "condense" in printed["alto trace show"] and "imited by" in printed["alto trace advise"]
