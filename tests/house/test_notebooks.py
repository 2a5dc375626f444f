"""The notebooks run from top to bottom, are stored with what they showed, and stay small."""

from __future__ import annotations

import os
import re

import nbformat
import pytest
from heads import ROOT

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
every_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def test_there_are_notebooks_in_an_order():
    assert [path.name[:3] for path in NOTEBOOKS] == [f"{number:02}-" for number in range(1, len(NOTEBOOKS) + 1)]
    assert NOTEBOOKS


@every_notebook
def test_it_is_stored_with_its_outputs_and_small(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert path.stat().st_size < 300_000
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert not any(
        output.output_type == "error" or output.get("name") == "stderr" for cell in code for output in cell.outputs
    )


@pytest.mark.long
@every_notebook
def test_it_runs_and_shows_the_same(path, tmp_path):
    """Text outputs are the same to the letter: the same seed, the same run."""
    client = pytest.importorskip("nbclient")
    stored = nbformat.read(path, as_version=4)
    notebook = nbformat.read(path, as_version=4)
    client.NotebookClient(
        notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}
    ).execute()
    if os.environ.get("UPDATE_NOTEBOOKS"):
        write(notebook, path)
        return
    assert [said(cell) for cell in notebook.cells] == [said(cell) for cell in stored.cells]


def write(notebook, path) -> None:
    """Store it with its outputs, without what changes from run to run."""
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
    notebook.metadata["language_info"] = {"name": "python"}
    nbformat.write(notebook, path)


def said(cell) -> str:
    """What a cell printed or returned as text."""
    texts = [output.get("text") or output.get("data", {}).get("text/plain", "") for output in cell.get("outputs", [])]
    return re.sub(r"0x[0-9a-f]+", "", "".join(texts))
