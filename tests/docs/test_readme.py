"""The README and the other pages say what is there: examples print what stands below them; commands, options, links exist."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from alto_langgraph.cli import COMMANDS
from alto_langgraph.options import AltoOptions

ROOT = Path(__file__).parents[2]
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
TEXTS = {str(page.relative_to(ROOT)): page.read_text(encoding="utf-8") for page in PAGES}
README, OPTIONS = TEXTS["README.md"], TEXTS["docs/options-and-hints.md"]
EXAMPLE = re.compile(r"```python\n(.*?)```\n\n```text\n(.*?)```\n", re.DOTALL)
"""Python, and below it what it prints."""
CODE = re.compile(r"```sh\n(.*?)```|`([^`\n]+)`", re.DOTALL)
EVERY_PAGE = pytest.mark.parametrize("page", list(TEXTS))
EXAMPLES = [
    pytest.param(code, printed, id=f"{page}-{number}")
    for page, text in TEXTS.items()
    for number, (code, printed) in enumerate(EXAMPLE.findall(text))
]


@pytest.mark.parametrize(("code", "printed"), EXAMPLES)
def test_an_example_prints_what_stands_below_it(code: str, printed: str, tmp_path: Path) -> None:
    (tmp_path / "example.py").write_text(code, encoding="utf-8")
    done = subprocess.run([sys.executable, "-W", "error", "example.py"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.stderr, done.stdout) == ("", printed)


@EVERY_PAGE
def test_every_python_block_is_an_example(page: str) -> None:
    assert TEXTS[page].count("```python\n") == len(EXAMPLE.findall(TEXTS[page]))


def test_the_readme_opens_with_the_two_commands() -> None:
    assert re.findall(r"^make (\w+)", README.split("```")[1], re.MULTILINE) == ["demo", "test"]


def test_the_readme_is_read_in_three_minutes() -> None:
    prose = re.sub(r"```.*?```|\]\([^)]*\)", "", README, flags=re.DOTALL)
    assert len(prose.split()) < 3 * 280, "details have pages of their own in docs/"


@EVERY_PAGE
def test_commands_exist(page: str) -> None:
    commands = "\n".join("".join(block) for block in CODE.findall(TEXTS[page]))
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert set(re.findall(r"^make ([a-z-]+)", commands, re.MULTILINE)) <= set(targets)
    assert set(re.findall(r"^alto ([a-z]+)", commands, re.MULTILINE)) <= set(COMMANDS)


def _shown(value: object) -> str:
    text = f"{{{', '.join(map(repr, sorted(value)))}}}" if isinstance(value, frozenset) else repr(value)
    return text.replace("'", '"')


def test_the_options_table_holds_every_option_and_its_default() -> None:
    rows = re.findall(r"^\| `(\w+)` \| `(ALTO_\w+)` \| .+? \| `(.+?)` \| ", OPTIONS, re.MULTILINE)
    assert rows == [(name, f"ALTO_{name.upper()}", _shown(field.default)) for name, field in AltoOptions.model_fields.items()]


@EVERY_PAGE
def test_links_lead_somewhere(page: str) -> None:
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", TEXTS[page])
    assert [link for link in links if "://" not in link and not (ROOT / page).parent.joinpath(link).exists()] == []
