"""Chance has names: every draw is a pure function of (seed, replication, stream name, entity, attempt), without hidden state.

With mix the SplitMix64 finaliser and G = 0x9E3779B97F4A7C15, modulo 2**64:

    key  = mix(mix(mix(seed + G) + G * replication) + G * stream)      once per stream
    bits = mix(mix(key + G * entity) + key + G * (attempt + 1))
    u    = ((bits >> 12) + 0.5) * 2**-52                               exact, never 0 or 1

`stream` is the first eight bytes, little-endian, of the BLAKE2b digest of the stream's name. The key stands in the outer mix too, so that
two streams whose inner values meet do not run on together. Not for secrets.

From Python, draw through `sampler` and `uniform_sampler`. Whoever calls the compiled functions straight hands them keys as `np.uint64`:
numba takes a Python int for a signed one, and refuses the upper half of them.
"""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.chance.compiler import compiled

Word = int | np.integer[Any]  # taken modulo 2**64

_MASK = (1 << 64) - 1
_GOLDEN, _FIRST, _SECOND = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
G, M1, M2 = np.uint64(_GOLDEN), np.uint64(_FIRST), np.uint64(_SECOND)
S30, S27, S31, S12, ONE = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(12), np.uint64(1)

RUNNING_BITS = 40  # an entity is (digest of its source << 40) + its running number
RUNNING_MASK = (1 << RUNNING_BITS) - 1


def stream_key(seed: int, replication: int, name: str) -> int:
    """The key of a stream: a whole number below 2**64."""
    return _mix(_mix(_mix(seed + _GOLDEN) + _GOLDEN * replication) + _GOLDEN * stream_number(name))


def derived_key(key: int, name: str) -> int:
    """The key of a stream within a stream: the parts of a mixture, the stays of a modulated source."""
    return _mix(key + _GOLDEN * stream_number(name))


def stream_number(name: str) -> int:
    """The same in every process and on every machine, as `hash` is not."""
    return int.from_bytes(hashlib.blake2b(name.encode()).digest()[:8], "little")


@compiled
def bits(key: Word, entity: Word, attempt: Word) -> np.uint64:
    """64 random bits."""
    own = np.uint64(key)
    return mix(mix(own + G * np.uint64(entity)) + own + G * (np.uint64(attempt) + ONE))


@compiled
def uniform(key: Word, entity: Word, attempt: Word) -> float:
    """A number strictly between 0 and 1."""
    return unit(bits(key, entity, attempt))


@compiled
def uniforms(key: Word, entities: NDArray[np.int64], attempt: Word) -> NDArray[np.float64]:
    """One uniform for each entity."""
    out = np.empty(entities.size)
    for index in range(entities.size):
        out[index] = uniform(key, entities[index], attempt)
    return out


@compiled
def lot(entity: Word) -> int:
    """A whole number below 2**63 that an entity has in every run: those with the least lots are a uniform sample, and the same one everywhere."""
    return np.int64(mix(np.uint64(entity) + G) >> ONE)  # type: ignore[return-value]  # a whole number to numba


@compiled
def unit(random: np.uint64) -> float:
    """64 bits as a number strictly between 0 and 1: the middle of one of 2**52 equal cells."""
    return (np.float64(random >> S12) + 0.5) * 2.220446049250313e-16


@compiled
def mix(z: np.uint64) -> np.uint64:
    """The SplitMix64 finaliser (Stafford's thirteenth variant)."""
    z = (z ^ (z >> S30)) * M1
    z = (z ^ (z >> S27)) * M2
    return z ^ (z >> S31)


def _mix(z: int) -> int:
    z &= _MASK
    z = ((z ^ (z >> 30)) * _FIRST) & _MASK
    z = ((z ^ (z >> 27)) * _SECOND) & _MASK
    return z ^ (z >> 31)
