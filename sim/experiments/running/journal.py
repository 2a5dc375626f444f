"""The journal of finished jobs: what a killed or interrupted experiment had done is found by the next one and not run
again.

A job is known by a digest of all that decides its result: document, settings, variant, seed, replication, plug-ins,
what was asked of it, and the program itself. Every process appends to a file of its own (a *segment*), each entry with
its length and checksum, so that a kill in the middle of a word costs that entry alone, and two experiments never write
to one file. Segments are deleted when the experiment that wrote them has been answered; those that nobody came back for
go after a month, or when all together exceed a limit.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import struct
import time
import uuid
import zlib
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import IO, NamedTuple, Self

from sim import files
from sim.experiments.running.archive import TROUBLE
from sim.experiments.running.identity import identity
from sim.experiments.running.jobs import Job, JobResult
from sim.experiments.running.packing import pack_result, size_of, unpack_result
from sim.spec.plugins import text_of

LIMIT = 2 * 2**30  # bytes of all segments together
LARGEST = 256 * 2**20  # bytes of one result; a longer one is not kept, and is run again
MOST = 1_000_000  # entries that are remembered; what is beyond them is run again
OLDEST = 30 * 86400.0  # s
_WORDS = 64 * 2**20  # bytes that a result has besides its tables: names, and how the file is made
_SUFFIX = ".journal"
_MAGIC = b"sim journal 2\n"
_HEAD = struct.Struct(">32sII")  # key, length, checksum
SOON = 2.0  # s; the patience of a command: a kill before costs no more than that
_SYNC = 1.0  # s between two waits for the disk: a kill costs nothing, a power cut the last second


def cache_folder() -> Path:
    """Where journals lie unless told otherwise: $SIM_CACHE, or `sim` in the user's cache directory."""
    if os.environ.get("SIM_CACHE"):
        return Path(os.environ["SIM_CACHE"])
    base = os.environ.get("LOCALAPPDATA") if os.name == "nt" else os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "sim"


class _Entry(NamedTuple):
    segment: Path
    offset: int
    length: int
    checksum: int


class Journal:
    """Finished jobs of this and of earlier, unfinished experiments.

    Use it as a context; `done` says that they are needed no more.
    """

    def __init__(self, folder: str | Path | None = None, patience: float = 0.0) -> None:
        """`patience`: seconds for which results are held back, and the last one until more are asked for: an answer
        needs no journal.
        """
        self.trouble = ""  # why nothing more is kept, if so
        try:
            self.folder = Path(folder) if folder is not None else cache_folder() / "journal"
        except RuntimeError as error:  # there is no home directory
            self.folder, self.trouble = Path(os.devnull), str(error)
        self.found = 0
        self.kept = 0
        self._entries: dict[str, _Entry] = {}
        self._asked: set[str] = set()
        self._own: Path | None = None
        self._file: IO[bytes] | None = None
        self._written = 0
        self._synced = 0.0
        self._plugins: dict[str, str] = {}
        self._waiting: list[tuple[Job, JobResult, str]] = []
        self._since, self._patience = time.monotonic(), patience
        if not self.trouble:
            self._open()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def find(self, job: Job, question: str = "") -> JobResult | None:
        """The answer of this very job to this question (`question_of`), if it is here and whole."""
        key = self.key(job, question)
        self._asked.add(key)
        entry = self._entries.get(key)
        if entry is None:
            return None
        try:
            with files.opened(entry.segment) as file:
                file.seek(entry.offset)
                payload = file.read(entry.length)
            if len(payload) != entry.length or zlib.crc32(payload) != entry.checksum:
                return None
            result = unpack_result(payload, LARGEST + _WORDS)
        except (*TROUBLE, files.UnreadableError):  # damaged is as good as absent
            return None
        self.found += 1
        return result

    def keep(self, job: Job, result: JobResult, question: str = "", *, last: bool = False) -> None:
        """Write a result down, if not at once. What cannot be kept costs nothing but running it again.

        The `last` one of those that were asked for together waits for more, or for an end without an answer: to write
        down the rows of a long run takes longer than to answer with them. With a patience, that is; without one
        everything is written at once.
        """
        self._asked.add(self.key(job, question))
        if self.trouble or size_of(result) > LARGEST:
            return
        self.kept += 1
        self._waiting.append((job, result, question))
        if time.monotonic() - self._since >= self._patience:
            self._write_down(but=1 if last and self._patience else 0)

    def _write_down(self, but: int = 0) -> None:
        """All that waits, but so many of the latest."""
        until = len(self._waiting) - but
        ready, self._waiting = self._waiting[:until], self._waiting[until:]
        for job, result, question in ready:
            if not self.trouble:
                self._append(self.key(job, question), pack_result(result))

    def _append(self, key: str, payload: bytes) -> None:
        try:
            file = self._segment()
            file.write(_HEAD.pack(key.encode(), len(payload), zlib.crc32(payload)) + payload)
            self._written += len(payload)
            if time.monotonic() - self._synced > _SYNC:
                os.fsync(file.fileno())
                self._synced = time.monotonic()
        except OSError as error:
            self.trouble = f"{self.folder}: {error.strerror or error}"
        if self._written > LIMIT:
            self.trouble = f"{self.folder}: more than {LIMIT / 2**30:.3g} GiB"

    def done(self) -> None:
        """The experiment is answered: forget its jobs.

        Segments of others that hold nothing else go too, unless they are being written.
        """
        self._waiting = []
        self.close()
        own = self._own
        with contextlib.suppress(OSError):
            if own is not None:
                own.unlink(missing_ok=True)
            for segment in {entry.segment for entry in self._entries.values()}:
                keys = {key for key, entry in self._entries.items() if entry.segment == segment}
                if keys <= self._asked and not _in_use(segment):
                    segment.unlink(missing_ok=True)

    def close(self) -> None:
        """Keep what there is for the next time."""
        self._write_down()
        if self._file is not None:
            self._file.close()
            self._file = None

    def key(self, job: Job, question: str = "") -> str:
        """Digest of all that decides the result of a job."""
        plugins = [self._plugin(plugin) for plugin in job.plugins]
        parts = (
            identity(),
            question,
            _digest(job.document),
            job.variant,
            job.engine,
            *(str(part) for part in (job.seed, job.replication)),
        )
        kept = (str(job.keep_records), str(job.keep_timeline), str(job.confidence))
        return _digest("\0".join((*parts, *kept, *plugins, "", *job.sets)))

    def _plugin(self, path: str) -> str:
        if path not in self._plugins:
            self._plugins[path] = _digest(text_of(path))
        return self._plugins[path]

    def _open(self) -> None:
        """Make room, then see what is there."""
        try:
            for segment in _kept_segments(self.folder):
                for key, entry in _entries_of(segment):
                    if len(self._entries) < MOST:
                        self._entries[key] = entry
        except OSError as error:
            self.trouble = f"{self.folder}: {error.strerror or error}"

    def _segment(self) -> IO[bytes]:
        if self._file is None:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._own = self.folder / f"{int(time.time()):010d}-{os.getpid()}-{uuid.uuid4().hex[:8]}{_SUFFIX}"
            self._file = self._own.open("xb", buffering=0)
            _claim(self._file)
            self._file.write(_MAGIC)
        return self._file


def _kept_segments(folder: Path) -> list[Path]:
    """The segments, the oldest first, after those that are too old or too many have gone."""
    # a link, a pipe or a folder of this name is none of ours
    states = ((path.lstat(), path) for path in folder.glob(f"*{_SUFFIX}"))
    plain = ((status.st_mtime, status.st_size, path) for status, path in states if stat.S_ISREG(status.st_mode))
    found = sorted(plain, key=lambda row: row[0])
    total, kept = sum(size for _, size, _ in found), []
    for changed, size, path in found:
        if (changed < time.time() - OLDEST or total > LIMIT) and not _in_use(path):
            with contextlib.suppress(OSError):
                path.unlink()
            total -= size
        else:
            kept.append(path)
    return kept


def _entries_of(segment: Path) -> Iterator[tuple[str, _Entry]]:
    """What a segment holds, as far as it is whole."""
    with contextlib.suppress(OSError, files.UnreadableError), files.opened(segment) as file:
        end = os.fstat(file.fileno()).st_size
        if file.read(len(_MAGIC)) != _MAGIC:
            return
        offset = len(_MAGIC)
        while offset + _HEAD.size <= end:
            file.seek(offset)
            key, length, checksum = _HEAD.unpack(file.read(_HEAD.size))
            offset += _HEAD.size
            if offset + length > end:
                return
            if length <= LARGEST + _WORDS:
                yield key.decode("ascii", "replace"), _Entry(segment, offset, length, checksum)
            offset += length


def _claim(file: IO[bytes]) -> None:
    """Mark a segment as being written; the mark goes with the process."""
    with contextlib.suppress(ImportError, OSError):
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _in_use(segment: Path) -> bool:
    try:
        import fcntl
    except ImportError:  # no such marks on Windows, where a file that is open cannot be deleted anyway
        return False
    try:
        with files.opened(segment) as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (OSError, files.UnreadableError):
        return True
    return False


@lru_cache(maxsize=32)
def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:32]
