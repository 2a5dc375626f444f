"""What is installed: every package is listed, and the scenarios of the top level become `sim.scenarios`."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SETUP = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]


def test_no_package_is_forgotten():
    found = {".".join(path.parent.relative_to(ROOT).parts) for path in (ROOT / "sim").rglob("__init__.py")}
    assert set(SETUP["packages"]) == found | {"sim.scenarios"}
    assert SETUP["package-dir"]["sim.scenarios"] == "scenarios"


def test_every_pinned_version_is_a_version():
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#")]
    assert all(line.count("==") == 1 and "/" not in line for line in lines)


@pytest.mark.long
def test_a_wheel_holds_the_scenarios(tmp_path):
    """Built from a copy, so that nothing is left in the checkout."""
    pytest.importorskip("build")
    source = tmp_path / "source"
    for name in ("sim", "scenarios"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source / name)
    subprocess.run([sys.executable, "-m", "build", "--wheel", "--outdir", tmp_path, source], check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert {"sim/scenarios/payment-outage.yaml", "sim/experiments/new_scenario.yaml", "sim/py.typed"} <= set(names)
