"""Which partition a message goes to: Kafka's murmur2 of the key, or its sticky partitioner where there is no key.

Keyed: partition = (murmur2(key) & 0x7fffffff) % partitions, the key being the decimal digits of a number. Unkeyed: stay
on one partition for a batch, then take one at random (KIP-794, BuiltInPartitioner), with the batch counted in records.
Left out: the weights of adaptive partitioning, and the switch at the end of a batch that was sent before it was full.
Source: apache/kafka Utils.murmur2; semantics.md 6.1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sim.policies.base import dtype_of, policy

SEED = 0x9747B28C
MULTIPLIER = 0x5BD1E995  # below 2**31: times a 32-bit number it stays below 2**63
MASK = 0xFFFFFFFF


@policy
def partition_of(key: int, partitions: int) -> int:
    """The partition of a message whose key is the number `key` (0 <= key < 2**63), written in decimal."""
    return (murmur2_of_number(key) & 0x7FFFFFFF) % partitions


@policy
def murmur2(data: Sequence[int]) -> int:
    """Kafka's hash of bytes, a signed 32-bit number."""
    hashed = SEED ^ len(data)
    word = 0
    for i in range(len(data)):
        word |= (data[i] & 0xFF) << (8 * (i % 4))
        if i % 4 == 3:
            hashed = mixed(hashed, word)
            word = 0
    return finished(hashed, word, len(data) % 4)


@policy
def murmur2_of_number(key: int) -> int:
    """The same of the decimal digits of a number (0 <= key < 2**63), without making a string."""
    length = 1
    place = 1
    while key // place >= 10:
        place *= 10
        length += 1
    hashed = SEED ^ length
    word = 0
    for i in range(length):
        word |= (48 + key // place % 10) << (8 * (i % 4))
        place //= 10
        if i % 4 == 3:
            hashed = mixed(hashed, word)
            word = 0
    return finished(hashed, word, length % 4)


@policy
def mixed(hashed: int, word: int) -> int:
    """Take four bytes in, the first one lowest."""
    word = (word * MULTIPLIER) & MASK
    word ^= word >> 24
    word = (word * MULTIPLIER) & MASK
    return ((hashed * MULTIPLIER) & MASK) ^ word


@policy
def finished(hashed: int, word: int, left: int) -> int:
    """Take in the last `left` < 4 bytes and stir."""
    if left > 0:
        hashed = ((hashed ^ word) * MULTIPLIER) & MASK
    hashed ^= hashed >> 13
    hashed = (hashed * MULTIPLIER) & MASK
    hashed ^= hashed >> 15
    if hashed >= 0x80000000:
        hashed -= 0x100000000
    return hashed


@dataclass(slots=True)
class StickyRow:
    """One producer's place in one topic."""

    partitions: int = 1
    partition: int = 0
    left: int = 0  # records that still go to `partition`
    batch: int = 1  # records in a batch


STICKY = dtype_of(StickyRow)


def new_sticky(partitions: int, batch: int) -> StickyRow:
    """A producer that has sent nothing. `batch`: records that fill batch.size (16 KiB by default in Kafka)."""
    return StickyRow(partitions=partitions, batch=batch)


@policy
def sticky(row: StickyRow, u: float) -> int:
    """The partition of the next message without a key; `u` is read when a batch begins (row.left == 0)."""
    if row.left == 0:
        row.partition = int(u * row.partitions)
        row.left = row.batch
    row.left -= 1
    return row.partition
