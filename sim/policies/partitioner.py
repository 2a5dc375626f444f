"""Which partition a message goes to: Kafka's murmur2 of the key, or its sticky partitioner where there is no key.

Keyed: partition = (murmur2(key) & 0x7fffffff) % partitions, the key being the decimal digits of a number. Unkeyed: stay
on one partition for a batch, then take one at random (KIP-794, BuiltInPartitioner), with the batch counted in records.
A producer of which batches are said counts bytes instead, and prefers partitions that wait for less (`BuiltIn`). Or
each partition in turn (`in_turn`, RoundRobinPartitioner).
Left out: `partitioner.availability.timeout.ms`, and that partitions are not told apart by what waits for them until
each has had a batch. Source: apache/kafka Utils.murmur2, BuiltInPartitioner,
RoundRobinPartitioner; semantics.md 6.1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sim.policies.base import dtype_of, policy

SEED = 0x9747B28C
MULTIPLIER = 0x5BD1E995  # below 2**31: times a 32-bit number it stays below 2**63
MASK = 0xFFFFFFFF
ZERO, ZEROS = 0x30, 0x30303030  # the byte of the digit, and four of them
MOST_DIGITS = 19  # of a number below 2**63


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
    bound = 10
    while length < MOST_DIGITS and key >= bound:
        bound *= 10
        length += 1
    left = length % 4
    last = 0
    for _ in range(left):
        last = last << 8 | ZERO + key % 10
        key //= 10
    place = 1
    for _ in range(length // 4 - 1):
        place *= 10000
    hashed = SEED ^ length
    for _ in range(length // 4):
        four = key // place  # the only division by a variable, which takes as long as all the rest
        key -= four * place
        place //= 10000
        hashed = mixed(hashed, four_digits(four))
    return finished(hashed, last, left)


@policy
def four_digits(number: int) -> int:
    """The digits of a number below 10,000 as four bytes, the first one lowest. Without a division, and two at once:
    x * 5243 >> 19 is x // 100 below 10,000, and x * 103 >> 10 is x // 10 below 100.
    """
    hundreds = number * 5243 >> 19
    pairs = hundreds | (number - 100 * hundreds) << 16
    tens = pairs * 103 >> 10 & 0x000F000F
    return tens | (pairs - 10 * tens) << 8 | ZEROS


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


def partition_of_text(key: str, partitions: int) -> int:
    """The partition of a message whose key is a text (UTF-8)."""
    return int((murmur2(key.encode()) & 0x7FFFFFFF) % partitions)


@policy
def in_turn(number: int, partitions: int) -> int:
    """The partition of message 0, 1, ... of a producer that takes all in turn (RoundRobinPartitioner)."""
    return number % partitions


@dataclass(slots=True)
class BuiltInRow:
    """Where a producer sends what has no key (BuiltInPartitioner, KIP-794): it stays on a partition until it has
    produced a batch for it, and then until no batch is open there: until the last is full, or on its way.
    """

    partitions: int = 1
    partition: int = -1  # -1: nothing was sent yet
    produced: float = 0.0  # bytes to `partition`
    batch_size: float = 16384.0  # bytes


BUILT_IN = dtype_of(BuiltInRow)


def new_built_in(partitions: int, batch_size: float) -> BuiltInRow:
    """A producer that has sent nothing; `batch_size` in bytes."""
    return BuiltInRow(partitions=partitions, batch_size=batch_size)


@policy
def peek(row: BuiltInRow, queued: Sequence[int], u: float) -> int:
    """The partition of the next record; `queued` as in `next_partition`, `u` is read before anything was sent."""
    if row.partition < 0:
        row.partition = next_partition(queued, row.partitions, random_number(u))
    return row.partition


@policy
def sent(row: BuiltInRow, size: float, may_switch: bool, queued: Sequence[int], u: float) -> None:
    """A record of so many bytes was put into a batch. `may_switch`: its partition has no batch that is not full;
    twice the size of a batch is the most. Before the next record is put, the same is asked with 0 bytes: a switch that
    an open batch had put off is made up for when that was sent (RecordAccumulator.partitionChanged).
    """
    row.produced += size
    if (row.produced >= row.batch_size and may_switch) or row.produced >= 2.0 * row.batch_size:
        row.partition = next_partition(queued, row.partitions, random_number(u))
        row.produced = 0.0


@policy
def random_number(u: float) -> int:
    """A draw as the client makes one: 0 to 2**31 - 1."""
    return int(u * 2147483648.0)


@policy
def next_partition(queued: Sequence[int], partitions: int, random: int) -> int:
    """Which partition comes next where so many batches wait for each: the fewer wait, the more often; all alike, any
    (BuiltInPartitioner.nextPartition and updatePartitionLoadStats).
    """
    least, most = queued[0], queued[0]
    for partition in range(partitions):
        least, most = min(least, queued[partition]), max(most, queued[partition])
    if least == most:
        return random % partitions
    total = 0
    for partition in range(partitions):
        total += most + 1 - queued[partition]
    left = random % total
    partition = 0
    while left >= most + 1 - queued[partition]:
        left -= most + 1 - queued[partition]
        partition += 1
    return partition
