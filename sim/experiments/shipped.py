"""The scenarios that come with sim: where they lie, what they ask, and how a name given by the user becomes a file."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from sim import files
from sim.errors import UsageError, did_you_mean
from sim.spec.study import Study

Source = Study | str | Path | Mapping[str, Any]
"""What `check`, `run` and `compare` take: a study, a path, the name of a shipped scenario, or a map of what would stand
in a file.
"""

SUFFIXES = (".yaml", ".yml", ".json")


def load(
    source: str | Path | Mapping[str, Any],
    sets: Sequence[str] = (),
    seed: int | None = None,
    plugins: Sequence[str | Path] = (),
    confine: str | Path | None = None,
) -> Study:
    """The study in a file, in a shipped scenario, or in a map of what would stand in a file. `sets` are PATH=VALUE,
    `seed` replaces that of the file, `plugins` may run.

    With `confine` the file and all that it names must lie in that folder, once all links are followed; a shipped
    scenario, in its own. A map names files relative to the current folder; with `confine` it may name none.
    """
    from sim.spec import load as load_file
    from sim.spec.loading import confines, load_document

    if isinstance(source, Mapping):
        return load_document(dict(source), plugins, sets, seed, "." if confine is None else None)
    path, folder_of_all = find(source), confines(confine)
    is_shipped = path != Path(source)
    return load_file(path, sets, seed, plugins, folder() if is_shipped and folder_of_all is not None else folder_of_all)


def as_study(source: Source) -> Study:
    """The study itself, or the one that a path or a shipped name stands for."""
    return source if isinstance(source, Study) else load(source)


def folder() -> Path:
    """The scenarios beside a checkout, or else those that were installed as the package `sim.scenarios`."""
    root = Path(__file__).resolve().parents[2]
    if (root / "pyproject.toml").is_file() and (root / "scenarios").is_dir():
        return root / "scenarios"
    return Path(str(resources.files("sim.scenarios")))


def names() -> list[str]:
    """What `sim list` shows, in alphabetical order."""
    return sorted(path.stem for path in folder().glob("*.yaml"))


def question(name: str) -> str:
    """What a shipped scenario asks: the beginning of the comment that heads it."""
    from sim.spec.reading import question_of

    return question_of((folder() / f"{name}.yaml").read_text(encoding="utf-8"))


def find(source: str | Path) -> Path:
    """The file that `source` stands for: a path, or the name of a shipped scenario. A path that exists wins."""
    path, is_folder = Path(source), os.path.isdir(source)  # as those of a Path, but for names that no file can have
    if os.path.exists(source) and not is_folder:
        return path
    name = str(source)
    shipped = folder() / f"{name}.yaml"
    if name in names():
        return shipped
    if is_folder:
        raise UsageError(
            f"{source}: is a directory, expected a scenario file or the name of a shipped one (see: sim list)"
        )
    if path.suffix in SUFFIXES or path.parent != Path():
        raise UsageError(f"{name[:200]}: no such file{_nearest(path)}")
    hint = _nearest(path.with_name(f"{path.name}.yaml")) or did_you_mean(name, names())
    raise UsageError(f"{name[:200]}: no such file, and no shipped scenario of that name{hint} (see: sim list)")


def _nearest(path: Path) -> str:
    """A file beside it that has nearly this name."""
    hint = did_you_mean(path.name, [name for name in files.beside(path) if name.endswith(SUFFIXES)])
    return hint if "mean" in hint else ""


def new_text(name: str) -> str:
    """A small commented scenario of this name, to start from."""
    template = resources.files("sim.experiments").joinpath("new_scenario.yaml").read_text(encoding="utf-8")
    return template.replace("NAME", name)


def copy_of(shipped: str, name: str) -> str:
    """The text of a shipped scenario under another name; a UsageError where it is none, or one that names files beside
    it.
    """
    if shipped not in names():
        raise UsageError(
            f"--from: no shipped scenario '{shipped[:100]}'{did_you_mean(shipped, names())} (see: sim list)"
        )
    text = (folder() / f"{shipped}.yaml").read_text(encoding="utf-8")
    if needed := re.search(r"^plugins: *\[(.+?)\]", text, re.MULTILINE):
        raise UsageError(
            f"--from: {shipped} needs {needed[1]} beside it, which a copy would not find; expected one that stands "
            "alone"
        )
    text = re.sub(r"\A# yaml-language-server:.*\n", "", text)  # of a schema beside it
    return re.sub(r"^name: .*$", f"name: {name}", text, count=1, flags=re.MULTILINE)
