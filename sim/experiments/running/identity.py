"""What computes here: version, sources and libraries, so that results of one program are never taken for those of
another.
"""

from __future__ import annotations

import hashlib
import sys
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path


@lru_cache(maxsize=1)
def identity() -> str:
    """`sim 0.1.0, sources 3f2a..., Python 3.11, numpy 2.4.6, numba 0.68.1`: equal where the same scenario gives the
    same bits.
    """
    libraries = ", ".join(f"{name} {_version(name)}" for name in ("numpy", "numba", "simpy"))
    return (
        f"sim {_version('sim')}, sources {_sources()}, Python {sys.version_info.major}.{sys.version_info.minor}, "
        f"{libraries}"
    )


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "?"


def _sources() -> str:
    """Digest of every Python file of this package that has a part in a result; drawings have none."""
    root = Path(__file__).resolve().parents[1]
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        name = path.relative_to(root).as_posix()
        if not name.startswith(("report/", "cli.py")):
            digest.update(f"{name}\0".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
