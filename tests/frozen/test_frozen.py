"""Nothing that the engines make of thousands of systems changes unless somebody wants it to; the file says why it did."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from sim import compiled, models
from sim.records.tables import Records
from sim.spec.scenario import Scenario
from tests.frozen import library, seen
from tests.frozen.kept import FILE, Kept, read
from tests.frozen.systems import SYSTEMS, Print, System, print_of, random_system, shipped_systems

pytestmark = pytest.mark.xdist_group("compiled")  # so that one process compiles, not each

QUICK = 300  # random systems of `make test`
ANEW = 'python -m tests.frozen.freeze --why "..." --date ...'
NEVER = {
    "attempt in_flight": "attempts that have not ended are counted as open, and only spans say so of each",
    **dict.fromkeys(("message expired", "message dropped", "message lost"), "a log keeps what it has; other kinds of brokers will say so"),
}
"""What no frozen system shows, and why."""

Engine = Callable[[Scenario], Records]


@pytest.fixture(scope="module")
def kept() -> Kept:
    return read()


def assert_as_kept(kept: Kept, engine: Engine, systems: Iterable[System]) -> None:
    """The digests of the file; otherwise which systems are other, how, and what to do about it."""
    foreign = sorted(name for name, digest in library.answers().items() if digest != kept.library[name])
    other: list[tuple[System, Print, Print]] = []
    skipped = 0
    for system in systems:
        if foreign and library.needs_library(system.scenario):
            skipped += 1
            continue
        found, expected = print_of(system, engine(system.scenario)), kept.prints[system.name]
        if found != expected:
            other.append((system, found, expected))
    assert not other, told(other)
    if skipped:
        words = f"{', '.join(foreign)} of this machine's library have other last bits than where {FILE.name} was made"
        pytest.skip(f"{words}: {skipped} systems that need them were not compared, all others are as kept")


def told(other: list[tuple[System, Print, Print]]) -> str:
    """What differs where, the first of it as a file to run."""
    lines = [f"{len(other)} systems are not as {FILE} has them:"]
    for what, meaning in (
        ("document", "described otherwise: the generator or a shipped file was changed"),
        ("fingerprint", "other requests, messages or events: the engine was changed"),
        ("series", "other time series, books or summaries"),
        ("spans", "other spans or stages"),
    ):
        names = [system.name for system, found, expected in other if getattr(found, what) != getattr(expected, what)]
        if names:
            lines.append(f"  {len(names)} {meaning}: {', '.join(names[:12])}{' ...' if len(names) > 12 else ''}")
    system = other[0][0]
    path = Path(tempfile.mkdtemp(prefix="frozen-")) / f"{system.name.replace(':', '-')}.json"
    path.write_text(json.dumps(system.document, indent=1))
    lines.append(f"  the first, {system.name}, was written to {path}")
    lines.append(f"  where that is what was wanted: {ANEW}")
    return "\n".join(lines)


def random_ones(seeds: Iterable[int]) -> Iterable[System]:
    return (random_system(seed) for seed in seeds)


def test_some_random_systems(kept):
    assert_as_kept(kept, compiled.simulate, random_ones(range(QUICK)))


@pytest.mark.long
@pytest.mark.parametrize("first", range(QUICK, SYSTEMS, 300))
def test_all_random_systems(kept, first):
    assert_as_kept(kept, compiled.simulate, random_ones(range(first, min(first + 300, SYSTEMS))))


@pytest.mark.long
def test_a_tenth_of_them_on_the_other_engine(kept):
    assert_as_kept(kept, models.simulate, random_ones(range(5, SYSTEMS, 10)))


@pytest.mark.long
def test_every_shipped_variant(kept):
    assert_as_kept(kept, compiled.simulate, shipped_systems())


def test_every_outcome_end_event_and_stage_happens_in_some_system(kept):
    absent = {word for word in seen.VOCABULARY if word not in kept.saw}
    assert sorted(absent - set(NEVER)) == []
    assert sorted(set(NEVER) - absent) == [], "it happens now: strike it from the list"


def test_what_the_file_says_happens_does_happen(kept):
    shown = {int(name) for word, name in kept.saw.items() if word in seen.VOCABULARY}
    happens = {seed: seen.words(system.scenario, compiled.simulate(system.scenario)) for seed in sorted(shown) for system in [random_system(seed)]}
    assert [word for word, name in kept.saw.items() if word in seen.VOCABULARY and word not in happens[int(name)]] == []


def test_the_file_says_why(kept):
    assert kept.why
    assert len(kept.prints) > SYSTEMS
    assert list(kept.prints)[:SYSTEMS] == [str(seed) for seed in range(SYSTEMS)]
