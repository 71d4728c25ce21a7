"""What GitHub reads is well-formed, runs what there is, and agrees with the project; one version everywhere."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from alto_langgraph import __version__

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
FORMS = sorted(set((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml")) - {ROOT / ".github" / "ISSUE_TEMPLATE" / "config.yml"})
SCHEMAS = {
    "github-workflows": WORKFLOWS,
    "github-issue-forms": FORMS,
    "github-issue-config": [ROOT / ".github" / "ISSUE_TEMPLATE" / "config.yml"],
    "citation-file-format": [ROOT / "CITATION.cff"],
}


def made(text: str) -> set[str]:
    """The Makefile's targets that a script runs."""
    return set(re.findall(r"^(?: +- run: )?make ([a-z-]+)", text, re.MULTILINE))


@pytest.mark.parametrize("schema", SCHEMAS)
def test_it_is_well_formed(schema: str) -> None:
    assert SCHEMAS[schema]
    check = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}", *map(str, SCHEMAS[schema])]
    done = subprocess.run(check, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_workflows_make_what_there_is_and_all_that_must_hold() -> None:
    ran = made("".join(file.read_text(encoding="utf-8") for file in WORKFLOWS))
    there = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    must = made((ROOT / ".ci" / "run").read_text(encoding="utf-8"))
    assert len(must) > 6
    assert must <= ran <= set(there)


def test_workflows_run_every_python_that_the_project_names() -> None:
    named = [version for name in PROJECT["classifiers"] if (version := name.rpartition(" :: ")[2]).startswith("3.")]
    matrices = re.findall(r"python: \[(.+)\]", "".join(file.read_text(encoding="utf-8") for file in WORKFLOWS))
    assert matrices
    for matrix in matrices:
        assert set(named) <= {version.strip('" ') for version in matrix.split(",")}


def test_the_version_is_the_same_everywhere() -> None:
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.findall(r"^version: (.+)$", citation, re.MULTILINE) == [PROJECT["version"]] == [__version__]
    assert re.findall(r"^## (\S+)", changes, re.MULTILINE)[0] == __version__
