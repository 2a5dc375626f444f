"""A file is read by `sim/files.py`, which bounds it and waits for nothing; who reads by himself is named here, and why he may."""

from __future__ import annotations

import ast

import pytest
from heads import ROOT

READS = {
    "open",
    "fdopen",
    "read_text",
    "read_bytes",
    "load",
    "loads",
    "ZipFile",
    "open_file",
    "memory_map",
    "fromfile",
    "memmap",
    "loadtxt",
    "genfromtxt",
}
ALLOWED = {  # file -> what it reads, or why it is no reading
    "files.py": "the one that reads",
    "chance/compiler.py": "sources of this package",
    "cli/destination.py": "writes JSON",
    "cli/streams.py": "opens the null device in the place of streams that are closed",
    "docs/examples.py": "scenarios of this package",
    "docs/site.py": "pages, scenarios and notebooks of this checkout",
    "experiments/running/archive.py": "a zip in memory, of bounded length",
    "experiments/replicating/explaining.py": "keys of figures that this process made",
    "experiments/running/identity.py": "sources of this package",
    "experiments/running/journal.py": "writes the segment of this process",
    "experiments/running/jobs.py": "the document of a job, which this program made",
    "experiments/running/compiling.py": "opens the null device, to write to",
    "experiments/running/packing.py": "a job, which this program made",
    "experiments/running/memory_guard.py": "the memory of this process that the kernel tells",
    "experiments/running/resources.py": "the limit of memory that the kernel tells",
    "experiments/replicating/arms.py": "a copy of a document",
    "experiments/shipped.py": "scenarios of this package",
    "importing/reading.py": "has a function of this name, which reads a text",
    "report/frame/rendering.py": "style and script of this package",
    "report/own_files.py": "relative to the descriptor of a report, without links",
    "report/replacing.py": "writes the files of a report",
    "report/silence.py": "sources of this package",
    "spec/examples.py": "examples of this package",
}
SOURCES = sorted((ROOT / "sim").rglob("*.py"))


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_nobody_else_opens_a_file(path):
    name = path.relative_to(ROOT / "sim").as_posix()
    if name not in ALLOWED:
        assert sorted(reads(path)) == []


def test_the_list_is_not_stale():
    assert [name for name in ALLOWED if not any(reads(ROOT / "sim" / name))] == []


def reads(path):
    """Calls by which a file is opened or a text of somebody else's taken apart, with their lines."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            called = getattr(node.func, "attr", "") or getattr(node.func, "id", "")
            ours = called in ("load", "loads") and not ast.unparse(node.func).startswith(
                ("np.", "json.", "pickle.", "yaml.")
            )
            if called in READS and not ours:
                yield f"{node.lineno}: {called}"
