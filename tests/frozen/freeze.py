"""Make the file of fingerprints anew: `python -m tests.frozen.freeze --why "what was changed on purpose" --date 2026-11-29`.

Every system runs on both engines. Where they differ nothing is written: one of them is wrong. A table says what happens in the systems.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor

from sim import compiled, models
from tests.compiled.same import differences
from tests.frozen import library, seen
from tests.frozen.kept import Kept, read, write
from tests.frozen.systems import SYSTEMS, Print, System, print_of, random_system, shipped_systems

PIECE = 50  # systems that a process takes at once


def main() -> int:
    """Run everything, say what has changed, and write the file if the engines agree."""
    asked = _asked()
    before = read()
    after = Kept(why=[*before.why, f"{asked.date} {asked.why}"], library=library.answers())
    counts: dict[str, int] = {}
    differing: list[str] = []
    for name, found, words, differ in _results(asked.systems, asked.processes):
        after.prints[name] = found
        for word in sorted(words):
            counts[word] = counts.get(word, 0) + 1
            after.saw.setdefault(word, name)
        if differ:
            differing.append(name)
            print(f"the engines differ on {name}: {'; '.join(differ)}", flush=True)
    print("\n".join(_table(counts, after.saw)))
    print("\n".join(_changes(before, after)))
    if differing:
        print(f"not written: the engines differ on {len(differing)} systems: {', '.join(differing[:20])}")
        return 1
    after.saw = {word: after.saw[word] for word in sorted(after.saw)}
    write(after)
    return 0


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.frozen.freeze", description=__doc__)
    parser.add_argument("--why", required=True, help="which change makes other fingerprints right; kept in the file")
    parser.add_argument("--date", required=True, help="of the change, such as 2026-11-29; kept in the file")
    parser.add_argument("--systems", type=int, default=SYSTEMS, help=f"how many random systems; default: {SYSTEMS}")
    parser.add_argument("--processes", type=int, default=2)
    return parser.parse_args()


Result = tuple[str, Print, set[str], list[str]]


def _results(systems: int, processes: int) -> Iterator[Result]:
    compiled.prepare()
    pieces = [range(first, min(first + PIECE, systems)) for first in range(0, systems, PIECE)]
    with ProcessPoolExecutor(processes) as pool:
        for piece in pool.map(_random, pieces):
            yield from piece
            print(f"\r{piece[-1][0]} of {systems}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    yield from map(both, shipped_systems())


def _random(seeds: range) -> list[Result]:
    return [both(random_system(seed)) for seed in seeds]


def both(system: System) -> Result:
    """Run a system on both engines: its digests, what happened in it, and where the engines part."""
    records = compiled.simulate(system.scenario)
    differ = differences(models.simulate(system.scenario), records)
    return system.name, print_of(system, records), seen.words(system.scenario, records), differ


def _table(counts: dict[str, int], saw: dict[str, str]) -> Iterator[str]:
    yield f"{'what happened':48} {'systems':>8}   first in"
    for word in sorted({*counts, *seen.VOCABULARY}):
        yield f"{word:48} {counts.get(word, 0):8}   {saw.get(word, 'never')}"


def _changes(before: Kept, after: Kept) -> Iterator[str]:
    """How the new file differs from the one there was."""
    both_have = [name for name in after.prints if name in before.prints]
    written = [name for name in both_have if before.prints[name].document != after.prints[name].document]
    same = [name for name in both_have if name not in set(written)]
    yield f"{len(after.prints)} systems; {len(both_have)} were there before; of {len(written)} the document is another one; of the rest are other"
    for what in ("fingerprint", "series", "spans"):
        other = [name for name in same if getattr(before.prints[name], what) != getattr(after.prints[name], what)]
        yield f"    {what:12} {len(other):6}   {', '.join(other[:8])}"


if __name__ == "__main__":
    sys.exit(main())
