"""A fuzzer that mutates scenarios and recordings: `python -m tests.attacks.fuzz 100000 --seed 7`.

Whatever is not an error of ours, takes more than ten seconds of CPU to be read and checked, or wants more than a GiB of memory is a finding.
Inputs that give the same finding count as one; the first of each is kept in a folder, with the words of what happened. The same numbers
make the same inputs: `--only 4711` tries one again, here and with its traceback.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import resource
import select
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from sim.compiled import machine_code
from sim.experiments.on_paper import kept_demand
from tests.attacks.trial import attempt, made

MEMORY = 2**30  # bytes beyond what the process has before the first input
SILENCE = 60.0  # s; a process of which nothing is heard for so long hangs where no signal of ours is heard
ROUND = 200  # inputs of one process
NODES = 16  # of the quadrature over kept demands, which otherwise takes most of the time and does the same at each node


@dataclass
class Findings:
    """What came of all inputs: a count of each verdict, and of each kind of finding the numbers of its inputs."""

    verdicts: Counter[str] = field(default_factory=Counter)
    kinds: dict[str, list[int]] = field(default_factory=dict)
    words: dict[str, str] = field(default_factory=dict)

    def add(self, number: int, verdict: str, words: str = "") -> None:
        """One more input; `words` are those of a finding."""
        self.verdicts["finding" if words else verdict] += 1
        if words:
            self.kinds.setdefault(verdict, []).append(number)
            self.words.setdefault(verdict, words)


def fuzz(count: int, seed: int, folder: Path | None = None, first: int = 0, engine: str = "") -> Findings:
    """Try `count` inputs from number `first` on, all on one engine if it is named; those of findings are kept in `folder`."""
    if engine != "simpy":
        machine_code.prepare()  # once, not in each process
    made(seed, first)
    findings, number = Findings(), first
    while number < first + count:
        last = min(number + ROUND, first + count)
        for tried, verdict, words in _in_a_process(seed, number, last, engine):
            new = bool(words) and verdict not in findings.kinds
            findings.add(tried, verdict, words)
            number = tried + 1
            if new and folder is not None:
                _keep(folder, seed, tried, verdict, words)
    return findings


def _in_a_process(seed: int, begin: int, end: int, engine: str) -> Iterator[tuple[int, str, str]]:
    """The verdicts of a row of inputs. The process may die or fall silent over one of them: then that is its verdict, and the rest remains."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        _try_all(seed, begin, end, engine, writer)
    os.close(writer)
    number, heard = begin, b""
    try:
        while number < end:
            ready, _, _ = select.select([reader], [], [], SILENCE)
            piece = os.read(reader, 2**16) if ready else b""
            if not piece:
                what = "hang" if not ready else "death"
                yield number, what, f"{what} of the process"
                return
            heard += piece
            *whole, heard = heard.split(b"\n")
            for line in whole:
                yield number, *json.loads(line)
                number += 1
    finally:
        os.close(reader)
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def _try_all(seed: int, begin: int, end: int, engine: str, writer: int) -> None:
    """What the child does, and nothing else of the parent's: it ends here."""
    try:
        kept_demand.NODES = NODES
        limit = _virtual() + MEMORY
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        with tempfile.TemporaryDirectory() as folder:
            for number in range(begin, end):
                os.write(writer, json.dumps(judged(seed, number, Path(folder), engine)).encode() + b"\n")
    finally:
        os._exit(0)


def judged(seed: int, number: int, folder: Path, engine: str = "") -> tuple[str, str]:
    """The verdict on one input; of a finding its kind, and the traceback."""
    try:
        given = made(seed, number)
        return attempt(replace(given, engine=engine or given.engine), folder), ""
    except BaseException as error:
        if isinstance(error, (KeyboardInterrupt, SystemExit)):
            raise
        return _kind(error), "".join(traceback.format_exception(error))[-8000:]


def _kind(error: BaseException) -> str:
    """Its type and the last lines of ours: one fault of the program is one finding."""
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if "/sim/" in frame.filename or "/attacks/" in frame.filename
    ]
    where = " < ".join(f"{Path(frame.filename).name}:{frame.name}" for frame in reversed(frames[-2:]))
    return f"{type(error).__name__} in {where}"


def _virtual() -> int:
    """Bytes of address space that this process has."""
    return int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")


def _keep(folder: Path, seed: int, number: int, verdict: str, words: str) -> None:
    place = folder / f"{seed}-{number}"
    place.mkdir(parents=True, exist_ok=True)
    for name, content in made(seed, number).files.items():
        (place / name).write_bytes(content)
    (place / "finding.txt").write_text(
        f"{verdict}\nengine {made(seed, number).engine}\n\n{words}\n", encoding="utf-8", errors="replace"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; 1 where there are findings."""
    options = argparse.ArgumentParser(
        prog="python -m tests.attacks.fuzz", description="Mutate scenarios and recordings."
    )
    options.add_argument("count", type=int, nargs="?", default=300)
    options.add_argument("--seed", type=int, default=7)
    options.add_argument("--first", type=int, default=0, help="number of the first input")
    options.add_argument("--only", type=int, help="one input, in this process, with its traceback")
    options.add_argument(
        "--keep", type=Path, default=Path("reports/fuzz"), help="folder of the inputs that gave findings"
    )
    options.add_argument(
        "--engine",
        choices=("simpy", "compiled", "both"),
        default="",
        help="for all inputs; one by chance for each by default",
    )
    asked = options.parse_args(arguments)
    if asked.only is not None:
        with tempfile.TemporaryDirectory() as folder:
            print(*judged(asked.seed, asked.only, Path(folder), asked.engine), sep="\n")
        return 0
    begun = time.monotonic()
    findings = fuzz(asked.count, asked.seed, asked.keep, asked.first, asked.engine)
    print(
        f"{asked.count} inputs in {time.monotonic() - begun:.0f} s: {', '.join(f'{count} {verdict}' for verdict, count in findings.verdicts.most_common())}"
    )
    for kind, numbers in sorted(findings.kinds.items(), key=lambda item: -len(item[1])):
        print(f"{len(numbers):6} {kind}: {', '.join(map(str, numbers[:5]))}")
    return 1 if findings.kinds else 0


if __name__ == "__main__":
    sys.exit(main())
