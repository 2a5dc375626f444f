"""Nothing that the engines make of thousands of systems changes unless somebody wants it to; the file says why it did."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from sim import compiled, models
from sim.records.tables import Records
from sim.spec import load_document
from sim.spec.scenario import Scenario
from tests.frozen import library, seen
from tests.frozen.kept import FILE, Kept, read
from tests.frozen.systems import SYSTEMS, Print, System, print_of, random_system, shipped_systems

pytestmark = pytest.mark.xdist_group("compiled")  # so that one process compiles, not each

QUICK = 300  # random systems of `make test`
ANEW = 'python -m tests.frozen.freeze --why "..." --date ...'
NEVER = {
    "attempt in_flight": "attempts that have not ended are counted as open, and only spans say so of each",
    "message expired": "a log keeps what it has, as long as no retention is said",
    **dict.fromkeys(
        ("event publishers_blocked", "event publishers_released", "event consumer_timed_out"),
        "of queue brokers, whose words came later",
    ),
    **dict.fromkeys(("event node_draining", "event node_stopped"), "of node pools, whose words came later"),
    "event replica_paused": "of pauses, whose word came later",
    **dict.fromkeys(
        ("stage lock", *(f"{what} {end}" for what in ("attempt", "outcome") for end in ("lock_timeout", "deadlock"))),
        "of locks, whose words came later",
    ),
}
"""What no frozen system shows, and why."""
KINDS = {
    "document": "described otherwise, or not in the file: the generator or a shipped file was changed",
    "fingerprint": "have other requests, messages or events: the engine was changed",
    "series": "have other time series, books or summaries",
    "spans": "have other spans or stages",
}
"""What is kept of a system, and what it means where it differs."""

NOTHING = Print("", "", "", "")  # of a system that is not in the file
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
        found, expected = print_of(system, engine(system.scenario)), kept.prints.get(system.name, NOTHING)
        if found != expected:
            other.append((system, found, expected))
    assert not other, "\n".join(told(other))
    if skipped:
        words = f"{', '.join(foreign)} of this machine's library have other last bits than where {FILE.name} was made"
        pytest.skip(f"{words}: {skipped} systems that need them were not compared, all others are as kept")


def told(other: list[tuple[System, Print, Print]]) -> list[str]:
    """What differs where, the first of it as a file to run."""
    lines = [f"{len(other)} systems are not as {FILE} has them:"]
    for what, meaning in KINDS.items():
        names = [system.name for system, found, expected in other if getattr(found, what) != getattr(expected, what)]
        if names:
            lines.append(f"  {len(names)} {meaning}: {', '.join(names[:12])}{' ...' if len(names) > 12 else ''}")
    system = other[0][0]
    path = Path(tempfile.mkdtemp(prefix="frozen-")) / f"{system.name.replace(':', '-')}.json"
    path.write_text(json.dumps(system.document, indent=1))
    lines.append(f"  the first, {system.name}, was written to {path}")
    lines.append(
        "  the mathematical library answers as where the file was made, so it is the code that differs, or the compiler that numba brings"
    )
    lines.append(f"  where that is what was wanted: {ANEW}")
    return lines


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
    systems = list(shipped_systems())
    assert_as_kept(kept, compiled.simulate, systems)
    assert [system.name for system in systems] == list(kept.prints)[SYSTEMS:]


def test_every_outcome_end_event_and_stage_happens_in_some_system(kept):
    absent = {word for word in seen.VOCABULARY if word not in kept.saw}
    assert sorted(absent - set(NEVER)) == []
    assert sorted(set(NEVER) - absent) == [], "it happens now: strike it from the list"


@pytest.mark.long
def test_what_the_file_says_happens_does_happen(kept):
    shown = {name for word, name in kept.saw.items() if word in seen.VOCABULARY}
    shipped = [system for system in shipped_systems() if system.name in shown]
    assert len(shipped) < 12, "what happens in random systems is told of them"
    systems = [*random_ones(sorted(int(name) for name in shown if name.isdigit())), *shipped]
    happens = {system.name: seen.words(system.scenario, compiled.simulate(system.scenario)) for system in systems}
    assert [word for word, name in kept.saw.items() if word in seen.VOCABULARY and word not in happens[name]] == []


def test_the_file_says_why(kept):
    assert kept.why
    assert len(kept.prints) > SYSTEMS
    assert list(kept.prints)[:SYSTEMS] == [str(seed) for seed in range(SYSTEMS)]


def test_a_change_is_told_with_its_kind_and_a_file_to_run(kept):
    """Two systems whose fingerprints are not those of the file, one of which is another document too."""
    systems = [random_system(seed) for seed in (0, 1, 2)]
    doctored = Kept(library=library.answers(), prints=dict(kept.prints))
    doctored.prints["1"] = replace(kept.prints["1"], fingerprint="0" * 12)
    doctored.prints["2"] = replace(kept.prints["2"], fingerprint="0" * 12, document="0" * 8)
    with pytest.raises(AssertionError) as failure:
        assert_as_kept(doctored, compiled.simulate, systems)
    text = str(failure.value)
    assert "2 systems are not as" in text
    assert "1 described otherwise, or not in the file: the generator or a shipped file was changed: 2" in text
    assert "2 have other requests, messages or events: the engine was changed: 1, 2" in text
    path = Path(text.partition("the first, 1, was written to ")[2].splitlines()[0])
    assert load_document(json.loads(path.read_text())).variants == load_document(systems[1].document).variants


def test_where_the_library_rounds_otherwise_what_needs_none_is_compared_all_the_same(kept):
    """The file as if it had been made by another library: the first seeds hold systems of both kinds, and a fault in one that needs no logarithm shows."""
    systems = [random_system(seed) for seed in range(12)]
    exact = [system for system in systems if not library.needs_library(system.scenario)]
    assert 0 < len(exact) < len(systems)
    foreign = Kept(library={**kept.library, "log": "elsewhere"}, prints=dict(kept.prints))
    with pytest.raises(pytest.skip.Exception, match=f"log of this machine.*{len(systems) - len(exact)} systems"):
        assert_as_kept(foreign, compiled.simulate, systems)
    foreign.prints[exact[0].name] = replace(kept.prints[exact[0].name], fingerprint="0" * 12)
    with pytest.raises(AssertionError, match="1 systems are not as"):
        assert_as_kept(foreign, compiled.simulate, systems)
