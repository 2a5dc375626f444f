"""What computes here: version, sources and libraries, so that results of one program are never taken for those of
another.
"""

from __future__ import annotations

import hashlib
import sys
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[2]
_NO_PART = ("cli/", "builder/", "docs/", "assisting/", "importing/", "exporting/", "report/")
"""Rooms above the experiments: they say what is run, and show what came out."""


@lru_cache(maxsize=1)
def identity() -> str:
    """`sim 0.1.0, sources 3f2a..., Python 3.11, numpy 2.4.6, numba 0.68.1`: equal where the same scenario gives the
    same bits.
    """
    libraries = ", ".join(f"{name} {_version(name)}" for name in ("numpy", "numba", "simpy"))
    python = f"Python {sys.version_info.major}.{sys.version_info.minor}"
    return f"sim {sys.modules['sim'].__version__}, sources {_digest()}, {python}, {libraries}"


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "?"


def sources() -> list[str]:
    """Every Python file of this package that has a part in a result, as paths within it; drawings have none."""
    names = (path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py"))
    return sorted(name for name in names if not name.startswith(_NO_PART))


def _digest() -> str:
    digest = hashlib.sha256()
    for name in sources():
        digest.update(f"{name}\0".encode())
        digest.update((PACKAGE / name).read_bytes())
    return digest.hexdigest()[:12]
