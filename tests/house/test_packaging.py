"""What is installed: every package is listed, the scenarios of the top level become `sim.scenarios`, and a wheel made from the sdist runs by itself."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

import sim
from sim import cli

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
SETUP = PROJECT["tool"]["setuptools"]


def test_no_package_is_forgotten():
    found = {".".join(path.parent.relative_to(ROOT).parts) for path in (ROOT / "sim").rglob("__init__.py")}
    assert set(SETUP["packages"]) == found | {"sim.scenarios"}
    assert SETUP["package-dir"]["sim.scenarios"] == "scenarios"


def test_every_pinned_version_is_a_version():
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#")]
    assert all(line.count("==") == 1 and "/" not in line for line in lines)


def test_the_newest_entry_of_the_changelog_is_this_version():
    entries = re.findall(
        r"^## (\d+\.\d+\.\d+) - (unreleased|\d{4}-\d\d-\d\d)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE
    )
    assert entries
    assert entries[0][0] == sim.__version__


CONTAINER = (ROOT / "Containerfile").read_text().replace("\\\n", " ").splitlines()
LET_THROUGH = [line[1:] for line in (ROOT / ".containerignore").read_text().splitlines() if line.startswith("!")]


def steps(word: str) -> list[str]:
    """What stands behind this word of the Containerfile, and the commands of a RUN one by one."""
    lines = [line.removeprefix(f"{word} ") for line in CONTAINER if line.startswith(f"{word} ")]
    return [part.strip() for line in lines for part in (line.split("&&") if word == "RUN" else [line])]


def test_what_a_container_is_made_from_is_there():
    """Every file that is copied is let through, and what the build reads is among it."""
    copied = [step.split()[0] for step in steps("COPY") if "--from" not in step]
    assert copied == [".", "constraints.txt"]
    assert all((ROOT / name).exists() for name in (*copied, *LET_THROUGH))
    assert "constraints.txt" in LET_THROUGH


def test_a_container_works_in_a_folder_that_its_user_may_write_to():
    (user,), (place,) = steps("USER"), steps("WORKDIR")
    made = [number for number, line in enumerate(CONTAINER) if f"--owner {user} {place}" in line]
    assert made
    assert made[0] < CONTAINER.index(f"USER {user}") < CONTAINER.index(f"WORKDIR {place}")
    assert any(step.startswith("useradd ") and step.endswith(f" {user}") for step in steps("RUN"))
    assert steps("ENTRYPOINT") == ['["sim"]']


@pytest.mark.long
def test_the_run_that_a_container_is_made_with_compiles_the_fast_engine(tmp_path, monkeypatch, capsys):
    (command,) = (step for step in steps("RUN") if step.startswith("sim "))
    monkeypatch.chdir(tmp_path)
    assert cli.answer(command.split()[1:]) == 0
    assert "answer: " in capsys.readouterr().out
    assert "--engine compiled" in command


def test_the_hooks_before_a_commit_are_those_of_the_lint():
    """The same tools as `make lint`, from the same environment."""
    hooks = re.findall(r"entry: \.venv/bin/([\w-]+)", (ROOT / ".pre-commit-config.yaml").read_text())
    lint = (ROOT / "Makefile").read_text().partition("\nlint:")[2].partition("\n\n")[0]
    assert set(re.findall(r"\$\(BIN\)/([\w-]+)", lint)) <= set(hooks) == {"ruff", "mypy", "lint-imports"}


FORMATTED = ("sim/report", "sim/cli", "sim/metrics", "sim/policies", "sim/stats", "tests/report", "tests/browser")


@pytest.mark.parametrize("folder", FORMATTED)
def test_sources_are_as_the_formatter_writes_them(folder):
    """`make format` writes them so. A folder is added here once it is."""
    done = subprocess.run(
        [sys.executable, "-m", "ruff", "format", "--check", folder],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """An sdist, and a wheel from it, built from a copy of what a container is built from, so that nothing is left in the
    checkout."""
    pytest.importorskip("build")
    folder = tmp_path_factory.mktemp("built")
    source = folder / "source"
    source.mkdir()
    for name in LET_THROUGH:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, source / name)
    subprocess.run([sys.executable, "-m", "build", "--outdir", folder, source], check=True, capture_output=True)
    (wheel,), (sdist,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
    return wheel, sdist


@pytest.mark.long
def test_a_wheel_holds_scenarios_templates_and_what_the_index_shows(built):
    wheel = zipfile.ZipFile(built[0])
    names = set(wheel.namelist())
    assert {"sim/scenarios/payment-outage.yaml", "sim/experiments/new_scenario.yaml", "sim/py.typed"} <= names
    assert {
        "sim/report/frame/page.css",
        "sim/report/frame/page.js",
        "sim/report/frame/templates/blocks/table.html",
        "sim/spec/example_files/shop.yaml",
        "sim/spec/example_files/requests.csv",
    } <= names
    assert not [name for name in names if name.startswith("tests/")]
    (metadata,) = (name for name in names if name.endswith(".dist-info/METADATA"))
    told = Parser().parsestr(wheel.read(metadata).decode())
    assert (told["Name"], told["Version"], told["License-Expression"]) == ("sim-microservices", sim.__version__, "MIT")
    assert told["Requires-Python"] == ">=3.11"
    assert "Typing :: Typed" in told.get_all("Classifier")
    assert "jinja2>=3.1" in told.get_all("Requires-Dist")


@pytest.mark.long
def test_an_sdist_holds_what_a_wheel_is_made_from(built):
    with tarfile.open(built[1]) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {
        "pyproject.toml",
        "README.md",
        "LICENSE",
        "sim/report/frame/templates/page.html",
        "scenarios/payment-outage.yaml",
    } <= names


@pytest.mark.long
def test_what_is_installed_from_the_wheel_runs_by_itself(built, tmp_path):
    """Away from the checkout: the package that answers is the one that was installed, and it finds its scenarios and templates."""
    place = tmp_path / "site"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", place, built[0]]
    subprocess.run(pip, check=True, capture_output=True)
    environment = {**os.environ, "PYTHONPATH": str(place)}

    def answer(*arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, *arguments], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert answer("-c", "import sim; print(sim.__file__)").startswith(str(place))
    assert answer("-m", "sim", "--version").strip() == f"sim {sim.__version__}"
    options = [
        "--replications",
        "2",
        "--set",
        "duration=20s",
        "--set",
        "warmup=1s",
        "--engine",
        "simpy",
        "--jobs",
        "1",
        "--quiet",
        "--json",
        "figures.json",
        "--out",
        "report",
    ]
    answer("-m", "sim", "run", "01-one-queue", *options)
    assert json.loads((tmp_path / "figures.json").read_text())["replications"] == 2
    assert '<p class="conclusion">' in (tmp_path / "report" / "index.html").read_text()
