"""A file that is written whole or not at all, and that replaces another only where that was asked for."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from sim.errors import OutputError, UsageError


def write_new(path: Path, text: str, force: bool = False) -> None:
    """Write the text there: by way of a temporary file beside it, so that nobody meets half of it.

    A UsageError where a file is in the way.
    """
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name[:100]}.", delete=False) as file:
            temporary = Path(file.name)
            try:
                file.write(text.encode())
                file.flush()
                os.chmod(temporary, 0o666 & ~_umask())
                os.replace(temporary, path) if force else _link(temporary, path)
            finally:
                temporary.unlink(missing_ok=True)
    except FileExistsError:
        raise exists_already(path) from None
    except OSError as error:
        raise OutputError(f"{path}: could not be written: {error.strerror or error}") from None


def _link(temporary: Path, path: Path) -> None:
    """Unlike a rename this refuses where there is something; where the file system knows no links, the name is taken
    first and then replaced.
    """
    try:
        os.link(temporary, path)
    except FileExistsError:
        raise
    except OSError:
        path.touch(exist_ok=False)
        os.replace(temporary, path)


def exists_already(path: Path) -> UsageError:
    """What is said of a file that is in the way."""
    return UsageError(f"{path}: exists already; nothing was changed")


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
