"""Compiles the functions that both engines share, and keeps the machine code on disk under a digest of all their
sources.

numba's own cache does not see that a function called from another file has changed, and would go on using the old code.
Here every digest of the sources has a directory of its own, so a changed source can only miss, and where the sources
lie is all the same. Nothing about the cache is ever an error: where it cannot be read or written, functions are
compiled anew in each process, and `cache_note` says why.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import platform
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO, Any, TypeVar, overload

# Intel's vector library gives loops other last bits than single calls; it can only be switched off before numba is
# first imported.
os.environ.setdefault("NUMBA_DISABLE_INTEL_SVML", "1")

import llvmlite.binding as llvm
import numba
from numba.core import caching, sigutils
from numba.core.compiler import Compiler
from numba.core.registry import CPUDispatcher

from sim.chance.linked import LinkedCompiler, rebuilt
from sim.chance.ownership import stranger_at
from sim.chance.shared import make_known

F = TypeVar("F", bound=Callable[..., Any])
Untyped = Any  # what numba hands over without saying what it is
config: Untyped = numba.config

PACKAGE = Path(__file__).resolve().parent.parent
# the last two: constants and row types frozen into machine code
SOURCES = ("chance", "policies", "compiled", "records", "vocabulary.py")
KEPT = 16  # digests kept on disk; the least recently used go first
_LOOK = 0.1  # s between two looks at a lock
_WHOLE = "whole"  # the file that says that everything is there


@overload
def compiled(function: F) -> F: ...
@overload
def compiled(**options: Untyped) -> Callable[[F], F]: ...
def compiled(function: F | None = None, **options: Untyped) -> F | Callable[[F], F]:
    """Decorator in the place of `numba.njit`: compiled when first called, remembered on disk where that is safe.

    Nothing is made for callers in C, of which there are none.
    """
    if function is None:
        return lambda body: _compiled(body, options)
    return _compiled(function, options)


def compiled_to_be_linked(**options: Untyped) -> Callable[[F], F]:
    """Decorator like `compiled`, for functions that nobody calls but machine code that knows them by name."""
    return lambda body: _compiled(body, {"no_cpython_wrapper": True, "pipeline_class": LinkedCompiler, **options})


def with_address(dispatcher: Untyped) -> None:
    """This one is called by its address as well, and has one."""
    dispatcher._compiler.pipeline_class = Compiler


def entry_point(dispatcher: Untyped, signature: str) -> Untyped:
    """The machine code of one signature, `(float64, int64)`."""
    if not isinstance(dispatcher, CPUDispatcher):
        return dispatcher  # NUMBA_DISABLE_JIT
    arguments, _ = sigutils.normalize_signature(signature)  # type: ignore[no-untyped-call]  # numba has no types here
    return dispatcher.compile(arguments)


def digest_of(sources: Iterable[Path], flags: Iterable[object] = ()) -> str:
    """A name for the machine code made of these sources on this machine: any change in any of them gives another."""
    digest = hashlib.sha256(repr([str(flag) for flag in flags]).encode())
    for path in sorted(sources):
        digest.update(f"\0{path.parent.name}/{path.name}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def cache_note() -> str:
    """Why machine code is not kept on disk; empty where it is."""
    return _home.note


def cache_directory() -> Path | None:
    """Where machine code is kept; none where it cannot be."""
    return _home.directory


def is_whole() -> bool:
    """Whether somebody said that all machine code of these sources is on disk."""
    return _home.directory is not None and (_home.directory / _WHOLE).exists()


def say_whole() -> None:
    """All of it has been compiled; without effect where something could not be kept."""
    if _home.directory is not None and not _home.note:
        with contextlib.suppress(OSError):
            (_home.directory / _WHOLE).touch()


@contextlib.contextmanager
def one_at_a_time(part: str, patience: float = 0.0) -> Iterator[bool]:
    """Whether nobody else on this machine is at this part of the work, or will be within `patience` seconds: who has it
    may have been stopped.

    A process that dies leaves no lock. Where there are no locks (Windows), or no place for one, work may be done twice,
    which costs no more than time.
    """
    if _home.directory is None:
        yield True
        return
    with contextlib.ExitStack() as stack:
        alone = True
        with contextlib.suppress(ImportError, OSError):
            file = stack.enter_context((_home.directory / f"{part}.lock").open("a"))
            alone = _locked(file, time.monotonic() + patience)
        yield alone


def _locked(file: IO[str], until: float) -> bool:
    import fcntl

    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                return False
            time.sleep(_LOOK)
        else:
            return True


def _compiled(function: F, options: dict[str, object]) -> F:
    njit: Untyped = numba.njit
    dispatcher: Untyped = njit(**{"no_cfunc_wrapper": True, **options})(function)
    if isinstance(dispatcher, CPUDispatcher) and _home.directory is not None and _home.knows(function):
        _remember(dispatcher, _cache_in(_home.directory, function))
    body: F = dispatcher
    return body


def compiled_apart(function: F, name: str | None, **options: Untyped) -> F:
    """Compile a function that is no source of ours, and keep its machine code under a name that says all it is made of;
    without a name it is compiled anew in each process.
    """
    njit: Untyped = numba.njit
    dispatcher: Untyped = njit(**options)(function)
    if isinstance(dispatcher, CPUDispatcher) and _home.directory is not None and name is not None:
        with contextlib.suppress(OSError):
            place = _home.directory / name
            place.mkdir(mode=0o700, exist_ok=True)
            os.utime(place)
            _remember(dispatcher, _cache_in(place, function))
            _forget_apart(place)
    body: F = dispatcher
    return body


def _forget_apart(place: Path) -> None:
    """What was compiled apart and is used no more goes when there is too much of it."""
    prefix = place.name.rpartition("_")[0]
    others = [path for path in place.parent.glob(f"{prefix}_*") if path.is_dir() and path != place]
    for path in sorted(others, key=lambda path: path.stat().st_mtime, reverse=True)[KEPT - 1 :]:
        shutil.rmtree(path, ignore_errors=True)


def _remember(dispatcher: Untyped, cache: Untyped) -> None:
    dispatcher._cache = cache  # as numba's own enable_caching does


def _cache_in(directory: Path, function: Callable[..., Any]) -> Untyped:
    """numba reads its setting only while a cache is made, so it is set for that moment: a user's own functions keep
    theirs.
    """
    before = config.CACHE_DIR
    config.CACHE_DIR = str(directory)
    try:
        cache: Untyped = _Cache
        return cache(function)
    except Exception as error:
        _home.note = f"machine code of {function.__qualname__} is not kept: {error}"
        return caching.NullCache()
    finally:
        config.CACHE_DIR = before


class _Place(caching._CacheLocator):
    """A file for each function under the digest, which knows all sources by what they say: not by where they lie or how
    old they are.
    """

    def __init__(self, function: Callable[..., Any], path: str) -> None:
        self._path = str(Path(config.CACHE_DIR) / Path(path).parent.name)
        self._line = function.__code__.co_firstlineno

    def get_cache_path(self) -> str:
        return self._path

    def get_source_stamp(self) -> str:
        return Path(self._path).parent.name

    def get_disambiguator(self) -> str:
        return str(self._line)

    @classmethod
    def from_function(cls, py_func: Callable[..., Any], py_file: str) -> _Place:
        return cls(py_func, py_file)


class _Places(caching.CompileResultCacheImpl):
    _locator_classes = [_Place]  # noqa: RUF012 - as numba has it

    def rebuild(self, target_context: Untyped, payload: Untyped) -> Untyped:
        return rebuilt(target_context, payload)


class _Cache(caching.FunctionCache):
    """numba's cache, with two of its holes closed: any failure is a miss, and code of another signature is never taken.

    Two processes that save different signatures of one function at once can leave an index that points to the other's
    code.
    """

    _impl_class = _Places

    def load_overload(self, sig: Untyped, target_context: Untyped) -> Untyped:
        try:
            found = super().load_overload(sig, target_context)  # type: ignore[no-untyped-call]  # numba has no types here
        except Exception as error:
            _home.note = f"machine code in {self.cache_path} cannot be read: {error!r}"
            return None
        if found is not None and tuple(found.signature.args) != tuple(sig if isinstance(sig, tuple) else sig.args):
            return None
        return found

    def save_overload(self, sig: Untyped, data: Untyped) -> None:
        try:
            super().save_overload(sig, data)  # type: ignore[no-untyped-call]  # nor here
        except Exception as error:
            _home.note = f"machine code cannot be kept in {self.cache_path}: {error!r}"


class _Home:
    """The directory of this digest, and the files as they were when the digest was taken."""

    def __init__(self) -> None:
        self.note = ""
        self.directory: Path | None = None
        self.stamps: dict[str, tuple[int, int]] = {}
        try:
            files = _source_files(PACKAGE)
            self.stamps = {str(path): _stamp(path) for path in files}
            directory = _base() / f"sim-{digest_of(files, _flags())}"
            _make_writable(directory)
            # who can write there could run code as this user: numba unpickles what it reads
            if stranger := stranger_at(directory):
                self.note = f"in every process anew, for the place of its machine code is not safe: {stranger}"
                return
            self.directory = directory
        except (OSError, RuntimeError) as error:  # the latter where there is no home directory
            self.note = f"in every process anew, for its machine code cannot be kept: {_told(error)}"
            return
        _forget_old(directory)

    def knows(self, function: Callable[..., Any]) -> bool:
        """Whether the function comes from a file of the digest, unchanged since: an edit after the digest must not be
        kept under it.
        """
        path = function.__code__.co_filename
        with contextlib.suppress(OSError):
            return self.stamps.get(path) == _stamp(Path(path))
        return False


def _source_files(package: Path) -> list[Path]:
    found: list[Path] = []
    for name in SOURCES:
        place = package / name
        found += [place] if place.is_file() else place.rglob("*.py")
    if not found:
        raise FileNotFoundError(f"no source files in {package}")
    return found


def _stamp(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_mtime_ns, status.st_size


def _told(error: Exception) -> str:
    return f"{error.filename}: {error.strerror}" if isinstance(error, OSError) and error.filename else str(error)


def _base() -> Path:
    """NUMBA_CACHE_DIR where the user has set it, else the cache directory of the platform.

    RuntimeError: nobody knows where that is.
    """
    if asked := os.environ.get("NUMBA_CACHE_DIR"):
        return Path(asked)
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "sim" / "cache"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "sim"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sim"


def _flags() -> list[object]:
    """All that changes machine code besides its sources.

    Not every NUMBA_ variable: a number of threads must not cost a compilation.
    """
    names = (
        "OPT",
        "BOUNDSCHECK",
        "LOOP_VECTORIZE",
        "SLP_VECTORIZE",
        "ENABLE_AVX",
        "DEBUGINFO_DEFAULT",
        "CPU_NAME",
        "CPU_FEATURES",
        "USING_SVML",
    )
    machine = (platform.system(), platform.machine(), llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten())
    return [numba.__version__, sys.version, *(getattr(config, name, None) for name in names), *machine]


def _make_writable(directory: Path) -> None:
    directory.parent.mkdir(parents=True, exist_ok=True)
    directory.mkdir(mode=0o700, exist_ok=True)
    probe = directory / f".probe-{os.getpid()}"
    probe.touch()
    probe.unlink()
    os.utime(directory)  # used now


def _forget_old(directory: Path) -> None:
    """Only directories named as ours are named are removed; another process that still uses one compiles anew."""
    with contextlib.suppress(OSError):
        ours = [path for path in directory.parent.glob("sim-" + "[0-9a-f]" * 16) if path.is_dir() and path != directory]
        for path in sorted(ours, key=lambda path: path.stat().st_mtime, reverse=True)[KEPT - 1 :]:
            shutil.rmtree(path, ignore_errors=True)


_home = _Home()
make_known(compiled)
