"""Plug-ins: Python files that register words of their own.

They are code, so only those that the user names are ever run.
"""

from __future__ import annotations

import hashlib
import importlib.util
import linecache
import os
import sys
import traceback
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import ModuleType

from sim import files
from sim.errors import PluginError, did_you_mean
from sim.spec.base import forget_words_of

LARGEST = 4 * 2**20  # bytes of a plug-in
_loaded: dict[str, str] = {}  # module name -> digest of the file as it was when it ran
_ran: dict[str, str] = {}  # path -> the text that ran
_supplied: dict[str, str] = {}  # path -> the text that came from another process, and is run in the place of a file


def load_plugins(paths: Sequence[str | Path]) -> tuple[str, ...]:
    """Run each file once and return the absolute paths. A file that has changed since is run again, its former words
    forgotten.

    The module's name is derived from the path, so that a worker process that loads the same file has the same classes.
    """
    return tuple(_load(Path(path)) for path in paths)


def texts_that_ran() -> dict[str, str]:
    """Path -> text of every plug-in that this process runs: what other processes must run too, whatever becomes of the
    files.
    """
    return dict(_ran)


def text_of(path: str) -> str:
    """The text of a plug-in as it ran here, or as its file is where it has not run. PluginError: there is none."""
    return _ran[path] if path in _ran else _source(Path(path)).decode("utf-8", "surrogateescape")


def supply_texts(texts: Mapping[str, str]) -> None:
    """From now on `load_plugins` runs these texts for these paths, and reads no file: nobody can put another text in
    between.
    """
    _supplied.update(texts)


def refused(
    wanted: Iterable[str], allowed: Sequence[str], base: Path | None, confine: Path | None = None
) -> list[tuple[int, str]]:
    """The plug-ins a scenario names that are not allowed: index and message. Without a `base` (a canonical document)
    names are compared.

    With `confine` those that lie outside of that folder are among them, allowed or not.
    """
    if base is None:
        permitted = {Path(path).name for path in allowed}
        return [(index, _refusal(name, name)) for index, name in enumerate(wanted) if Path(name).name not in permitted]
    found = ((index, _refusal_of(base / name, name, allowed, confine)) for index, name in enumerate(wanted))
    return [(index, message) for index, message in found if message]


def _refusal_of(path: Path, name: str, allowed: Sequence[str], confine: Path | None) -> str:
    if confine is not None and not files.lies_inside(path, confine):
        return f"uses the plug-in '{name}', which lies outside of {confine}"
    resolved = {os.path.realpath(path) for path in allowed}
    return _refusal(name, str(path)) if "\0" in name or os.path.realpath(path) not in resolved else ""


def _refusal(name: str, path: str) -> str:
    return f"uses the plug-in '{name}', which is code; allow it with --plugin {path}"


def _load(path: Path) -> str:
    source = _source(path)
    absolute = path if str(path) in _supplied else Path(os.path.realpath(path))
    name = f"sim_plugin_{absolute.stem}_{hashlib.sha256(str(absolute).encode()).hexdigest()[:12]}"
    digest = hashlib.sha256(source).hexdigest()
    if _loaded.get(name) != digest or name not in sys.modules:
        _forget(name)
        _run(name, absolute, source)
        _loaded[name] = digest
        _ran[str(absolute)] = source.decode("utf-8", "surrogateescape")
    return str(absolute)


def _source(path: Path) -> bytes:
    if str(path) in _supplied:
        return _supplied[str(path)].encode("utf-8", "surrogateescape")
    try:
        source = files.read(path, LARGEST)
    except files.UnreadableError as error:
        raise PluginError(f"plug-in {path}: {error.message}{_nearest(path) if error.missing else ''}") from None
    if len(source) > LARGEST:
        raise PluginError(f"plug-in {path}: is larger than {LARGEST // 2**20} MiB")
    return source


def _nearest(path: Path) -> str:
    return did_you_mean(path.name, [name for name in files.beside(path) if name.endswith(".py")])


def _run(name: str, path: Path, source: bytes) -> None:
    specification = importlib.util.spec_from_loader(name, loader=None, origin=str(path))
    if specification is None:
        raise PluginError(f"plug-in {path}: cannot be imported")
    module: ModuleType = importlib.util.module_from_spec(specification)
    module.__file__ = str(path)
    sys.modules[name] = module  # before it runs, since pydantic looks annotations up there
    text = source.decode("utf-8", "surrogateescape")  # what tracebacks and flows show, whatever becomes of the file
    linecache.cache[str(path)] = (len(source), None, text.splitlines(keepends=True), str(path))
    try:
        exec(compile(source, str(path), "exec"), module.__dict__)
    except (Exception, SystemExit) as error:
        _forget(name)
        raise PluginError(f"{path}{_line_in(error, path)}: {type(error).__name__}: {error}") from error


def _forget(name: str) -> None:
    sys.modules.pop(name, None)
    _loaded.pop(name, None)
    forget_words_of(name)


def _line_in(error: BaseException, path: Path) -> str:
    """`:12`, the deepest line of the plug-in itself that had a part in the error."""
    if isinstance(error, SyntaxError) and error.filename == str(path) and error.lineno:
        return f":{error.lineno}"
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    return f":{lines[-1]}" if lines else ""
