"""The tutorial notebook runs, cell by cell, and shows what it has been saved with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

nbformat: Any = pytest.importorskip("nbformat")
nbclient: Any = pytest.importorskip("nbclient")
pytest.importorskip("ipykernel")

SAVED = Path(__file__).parents[2] / "docs" / "tutorial.ipynb"


def shown(notebook: Any) -> dict[str, list[Any]]:
    """What the cells print, by their ids; of those whose output is times and pictures, of which kind it is."""
    return {
        cell.id: [output.output_type if "timed" in cell.metadata.get("tags", ()) else output.get("text", "") for output in cell.outputs]
        for cell in notebook.cells
        if cell.cell_type == "code"
    }


def test_the_tutorial_shows_what_it_was_saved_with(tmp_path: Path) -> None:
    saved = nbformat.read(SAVED, as_version=4)
    ran = nbformat.from_dict(saved)
    nbclient.NotebookClient(ran, timeout=120, resources={"metadata": {"path": str(tmp_path)}}).execute()
    assert shown(ran) == shown(saved)
    assert sum(bool(outputs) for outputs in shown(saved).values()) > 8
