"""Chance has names: every draw is a pure function of (seed, replication, stream name, entity, attempt), without hidden
state.

With mix the SplitMix64 finaliser and G = 0x9E3779B97F4A7C15, modulo 2**64:

    key  = mix(mix(mix(seed + G) + G * replication) + G * stream)      once per stream
    bits = mix(mix(key + G * entity) + key + G * (attempt + 1))
    u    = ((bits >> 12) + 0.5) * 2**-52                               exact, never 0 or 1

`stream` is the first eight bytes, little-endian, of the BLAKE2b digest of the stream's name. The key stands in the
outer mix too, so that two streams whose inner values meet do not run on together. Not for secrets.

What is modulo 2**64 is written twice, for whole numbers of Python, which have no end, and for those of a machine.
Whoever calls machine code from Python hands it keys as `np.uint64`: numba takes a Python int for a signed one, and
refuses the upper half of them.
"""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.chance.shared import shared

Word = Any  # a whole number, taken modulo 2**64: of Python, or of a machine

_MASK = (1 << 64) - 1
_GOLDEN, _FIRST, _SECOND = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
G, M1, M2 = np.uint64(_GOLDEN), np.uint64(_FIRST), np.uint64(_SECOND)
S30, S27, S31, S12, ONE = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(12), np.uint64(1)
CELL = 2.220446049250313e-16  # 2**-52

RUNNING_BITS = 40  # an entity is (digest of its source << 40) + its running number
RUNNING_MASK = (1 << RUNNING_BITS) - 1


def stream_key(seed: int, replication: int, name: str) -> int:
    """The key of a stream: a whole number below 2**64."""
    key: int = mix(mix(mix(seed + _GOLDEN) + _GOLDEN * replication) + _GOLDEN * stream_number(name))
    return key


def derived_key(key: int, name: str) -> int:
    """The key of a stream within a stream: the parts of a mixture, the stays of a modulated source."""
    derived: int = mix(key + _GOLDEN * stream_number(name))
    return derived


def stream_number(name: str) -> int:
    """The same in every process and on every machine, as `hash` is not."""
    return int.from_bytes(hashlib.blake2b(name.encode()).digest()[:8], "little")


def uniforms(key: int, entities: NDArray[np.int64], attempt: int) -> NDArray[np.float64]:
    """One uniform for each entity."""
    # arrays wrap in silence, single numbers with a warning
    own, again = np.uint64(key), np.full(1, attempt + 1, np.uint64)
    random = _mix64(_mix64(own + G * entities.astype(np.uint64)) + (own + G * again))
    found: NDArray[np.float64] = ((random >> S12).astype(np.float64) + 0.5) * CELL
    return found


def _bits64(key: Word, entity: Word, attempt: Word) -> Word:
    own = np.uint64(key)
    return mix(mix(own + G * np.uint64(entity)) + own + G * (np.uint64(attempt) + ONE))


@shared(machine=_bits64)
def bits(key: Word, entity: Word, attempt: Word) -> Word:
    """64 random bits."""
    z = (key + _GOLDEN * entity) & _MASK  # `mix`, written out twice: this is what a draw costs
    z = ((z ^ (z >> 30)) * _FIRST) & _MASK
    z = ((z ^ (z >> 27)) * _SECOND) & _MASK
    z = ((z ^ (z >> 31)) + key + _GOLDEN * (attempt + 1)) & _MASK
    z = ((z ^ (z >> 30)) * _FIRST) & _MASK
    z = ((z ^ (z >> 27)) * _SECOND) & _MASK
    return z ^ (z >> 31)


@shared
def uniform(key: Word, entity: Word, attempt: Word) -> float:
    """A number strictly between 0 and 1."""
    return unit(bits(key, entity, attempt))


def _lot64(entity: Word) -> Word:
    return np.int64(mix(np.uint64(entity) + G) >> ONE)


@shared(machine=_lot64)
def lot(entity: Word) -> Word:
    """A whole number below 2**63 that an entity has in every run: those with the least lots are a uniform sample, and
    the same one everywhere.
    """
    return mix(entity + _GOLDEN) >> 1


def _spread64(space: Word, key: Word) -> Word:
    return np.int64(mix(np.uint64(key) + G * np.uint64(space)) >> ONE)


@shared(machine=_spread64)
def spread(space: Word, key: Word) -> Word:
    """Where a key of some space stands in a table of hashes: a whole number below 2**63."""
    return mix(key + _GOLDEN * space) >> 1


def _unit64(random: np.uint64) -> float:
    return (np.float64(random >> S12) + 0.5) * CELL


@shared(machine=_unit64)
def unit(random: Word) -> float:
    """64 bits as a number strictly between 0 and 1: the middle of one of 2**52 equal cells."""
    return ((random >> 12) + 0.5) * CELL  # type: ignore[no-any-return]  # Word says nothing


def _mix64(z: Any) -> Any:  # noqa: ANN401 - one number of 64 bits, or an array of them
    z = (z ^ (z >> S30)) * M1
    z = (z ^ (z >> S27)) * M2
    return z ^ (z >> S31)


@shared(machine=_mix64)
def mix(z: Word) -> Word:
    """The SplitMix64 finaliser (Stafford's thirteenth variant)."""
    z &= _MASK
    z = ((z ^ (z >> 30)) * _FIRST) & _MASK
    z = ((z ^ (z >> 27)) * _SECOND) & _MASK
    return z ^ (z >> 31)
