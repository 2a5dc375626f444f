"""The house as a building: imports point downwards, each library lives on its floors, everything public says what it is."""

from __future__ import annotations

import ast
import functools
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from heads import ROOT

SOURCES = sorted((ROOT / "sim").rglob("*.py"))
FLOORS = {  # library -> where it may be imported
    "simpy": ("models",),
    "pydantic": ("spec",),
    "pydantic_core": ("spec",),
    "ruamel": ("spec", "importing", "exporting"),
    "numba": ("policies", "chance", "compiled"),
    "click": ("cli",),
    "matplotlib": ("report",),
}
LAZY = ("matplotlib", "scipy")  # imported where they are used, so that `sim --help` answers at once
LANGUAGES = (".py", ".yaml", ".yml", ".md", ".toml", ".ipynb", ".json", ".txt", "Makefile", "run")
OURS = [
    path
    for name in ("sim", "scenarios", "notebooks", "tests", ".ci")
    for path in (ROOT / name).rglob("*")
    if path.is_file()
]
OURS += [path for path in ROOT.iterdir() if path.is_file()]
TEXTS = [
    path
    for path in OURS
    if path.name.endswith(LANGUAGES) and "__pycache__" not in path.parts and path != Path(__file__)
]


def test_imports_point_downwards():
    code = "import sys; sys.argv = ['lint-imports', '--no-cache']; from importlinter.cli import lint_imports_command; lint_imports_command()"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 broken" in done.stdout


def test_the_models_import_one_another_in_no_circle():
    """Imports for types alone are counted too: a file can be read once those above it in this order have been."""
    modules = {name_of(path): path for path in SOURCES if name_of(path).startswith("sim.models")}
    waiting = {name: imported(path, modules) - {name} for name, path in modules.items()}
    while free := [name for name, needed in waiting.items() if not needed & waiting.keys()]:
        for name in free:
            del waiting[name]
    assert sorted(waiting) == []


def test_a_circle_would_be_found(tmp_path):
    path = tmp_path / "b.py"
    path.write_text("if TYPE_CHECKING:\n    from sim.models.a import A\nfrom sim.models import c\n")
    assert imported(path, {"sim.models.a": path, "sim.models.c": path}) == {"sim.models.a", "sim.models.c"}


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imported(path: Path, modules: Mapping[str, Path]) -> set[str]:
    """Which of these modules are imported there, wherever in the file."""
    nodes = [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.ImportFrom)]
    named = {
        name for node in nodes for alias in node.names for name in (f"{node.module}.{alias.name}", f"{node.module}")
    }
    return named & modules.keys()


@functools.cache
def imports(path: Path) -> tuple[tuple[str, bool], ...]:
    """(library, whether it stands at the top of the file) of every import that runs."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    top, found = set(map(id, tree.body)), []
    for node in ast.walk(tree):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
        found += [(name.partition(".")[0], id(node) in top) for name in names]
    return tuple(found)


@pytest.mark.parametrize("library", FLOORS)
def test_a_library_is_known_on_its_floors_alone(library):
    users = [path.relative_to(ROOT / "sim") for path in SOURCES if library in dict(imports(path))]
    strangers = [str(path) for path in users if path.parts[0] not in FLOORS[library]]
    assert strangers == []


@pytest.mark.parametrize("library", LAZY)
def test_a_heavy_library_is_imported_where_it_is_used(library):
    allowed = ("report/charts", "report/theme.py")  # themselves imported only when something is drawn
    early = [path for path in SOURCES if (library, True) in set(imports(path))]
    assert [str(path) for path in early if not path.relative_to(ROOT / "sim").as_posix().startswith(allowed)] == []


@pytest.mark.parametrize(
    "path", [*SOURCES, ROOT / "scenarios" / "cache.py"], ids=lambda path: path.relative_to(ROOT).as_posix()
)
def test_everything_public_says_what_it_is(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert not tree.body or path.stem == "__main__" or ast.get_docstring(tree), "the module has no docstring"
    assert list(silent(tree)) == []


def silent(tree: ast.Module | ast.ClassDef) -> Iterator[str]:
    """Public classes, functions and methods without a docstring."""
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_"):
            if ast.get_docstring(node) is None and not any(
                "overload" in ast.dump(item) for item in getattr(node, "decorator_list", [])
            ):
                yield node.name
            if isinstance(node, ast.ClassDef):
                yield from silent(node)


def test_no_file_names_a_registry_or_somebodys_machine():
    hosts = r"pypi\.org|pythonhosted|npmjs|crates\.io|anaconda\.org|index-url"
    places = r"(?<![\w.])/(?:work|home|root|Users)/\w"
    found = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path in TEXTS
        for match in re.finditer(f"{hosts}|{places}", path.read_text(encoding="utf-8", errors="replace"))
    ]
    assert found == []
