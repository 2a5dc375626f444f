"""Logs of HdrHistogram (.hlog): a histogram for each interval, as base64 of a compressed payload.

The layout, from the classes of HdrHistogram (`AbstractHistogram.encodeIntoCompressedByteBuffer`, `ZigZagEncoding`,
CC0): a cookie and the length of what zlib compressed; in it a cookie, the length of the counts, a normalising offset,
the significant digits, the lowest and highest trackable value, a ratio; then the counts. In V2 these are ZigZag
LEB128 words of at most nine bytes, a negative one standing for so many counts of 0; in V0 and V1 each is a number of
2, 4 or 8 bytes, as the cookie says. A log does not say the unit of its values: a column holds the largest of each
interval, mostly in milliseconds, and their ratio tells it.
"""

from __future__ import annotations

import base64
import binascii
import math
import struct
import zlib
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from sim.measured.measurement import Distribution, Measured, Series
from sim.measured.moment import UnreadableRowError
from sim.measured.source import Source
from sim.spec.moments import decimal

_V0, _V1, _V2 = 0x1C849308, 0x1C849301, 0x1C849303
_COMPRESSED = {0x1C849309: _V0, 0x1C849302: _V1, 0x1C849304: _V2}
_LARGEST = 16 * 2**20  # bytes of one payload, uncompressed
_MOST_SLOTS = 2**22  # counts of one histogram
_MOST = 1_000_000  # intervals
_HEADER = struct.Struct(">iiiiqqd")
_HEADER_V0 = struct.Struct(">iiqqq")

Counts = NDArray[np.int64]


def recognises_log(source: Source) -> bool:
    """The words of its head."""
    return any(
        "Interval_Compressed_Histogram" in line or "Histogram log format version" in line
        for line in source.lines_of_head
    )


def read_log(source: Source) -> Measured:
    """All intervals together, for each tag; and the rate of each interval."""
    merged: dict[str, dict[int, int]] = {}
    times: list[tuple[float, float, int]] = []
    ratios = []
    for number, line in source.lines():
        if not line.strip() or line.startswith(("#", '"')):
            continue
        try:
            tag, start, length, largest, payload = _fields(line.strip())
            values, counts = _decoded(payload)
        except UnreadableRowError as error:
            raise source.wrong(str(error), number) from None
        _merge(merged.setdefault(tag, {}), values, counts)
        times.append((start, length, int(counts.sum())))
        if values.size and largest > 0:
            ratios.append(float(values.max()) / largest)
        if len(times) > _MOST:
            raise source.wrong(f"found more than {_MOST:,} intervals, expected at most that many", number)
    if not times:
        raise source.wrong("found no interval, expected a line for each", 1)
    unit, said = _unit(ratios)
    span = sum(length for _, length, _ in times)
    distributions = tuple(_distribution(tag, found, unit, span) for tag, found in merged.items() if found)
    return Measured(
        kind="HdrHistogram log",
        file=source.file,
        distributions=distributions,
        series=(_rates(times),),
        understood=(said, "recorded times are to as many digits as the histogram keeps"),
        missing=("single requests", "how requests ended"),
    )


def _fields(line: str) -> tuple[str, float, float, float, bytes]:
    """Tag, start and length of the interval, its largest value, the payload."""
    tag, rest = "", line
    if line.startswith("Tag="):
        tag, _, rest = line[4:].partition(",")
    cells = rest.split(",")
    numbers = [decimal(cell.strip()) for cell in cells[:3]]
    if len(cells) != 4 or any(number is None for number in numbers):
        raise UnreadableRowError(
            "found a line that is no interval, expected start, length, largest value and histogram"
        )
    start, length, largest = (float(number) for number in numbers if number is not None)
    try:
        return tag[:100], start, length, largest, base64.b64decode(cells[3].strip(), validate=True)
    except (binascii.Error, ValueError):
        raise UnreadableRowError("found a histogram that is no base64") from None


def _decoded(payload: bytes) -> tuple[NDArray[np.float64], Counts]:
    """The values that occur, and how often each does."""
    if len(payload) < 8:
        raise UnreadableRowError("found a histogram of fewer than eight bytes")
    cookie, length = struct.unpack_from(">ii", payload)
    if cookie & ~0xF0 not in _COMPRESSED or not 0 <= length <= len(payload) - 8:
        raise UnreadableRowError("found a histogram that is not compressed as V0, V1 or V2")
    inflater = zlib.decompressobj()
    try:
        content = inflater.decompress(payload[8 : 8 + length], _LARGEST)
    except zlib.error:
        raise UnreadableRowError("found a histogram that zlib cannot decompress") from None
    if inflater.unconsumed_tail:
        raise UnreadableRowError(f"found a histogram of more than {_LARGEST // 2**20} MiB")
    return _histogram(content)


def _histogram(content: bytes) -> tuple[NDArray[np.float64], Counts]:
    try:
        (cookie,) = struct.unpack_from(">i", content)
        version, word = cookie & ~0xF0, (cookie & 0xF0) >> 4
        if version == _V0:
            _, digits, lowest, _, _ = _HEADER_V0.unpack_from(content)
            body, size = content[_HEADER_V0.size :], len(content) - _HEADER_V0.size
        else:
            _, size, offset, digits, lowest, _, _ = _HEADER.unpack_from(content)
            body = content[_HEADER.size : _HEADER.size + size]
            if offset:
                raise UnreadableRowError("found a histogram with a normalising offset, which none of a log has")
    except struct.error:
        raise UnreadableRowError("found a histogram that is cut") from None
    if not 0 <= digits <= 5 or not 1 <= lowest < 2**40 or version not in (_V0, _V1, _V2):
        raise UnreadableRowError("found a histogram whose head makes no sense")
    counts = np.fromiter(_words(body), np.int64) if version == _V2 else _plain(body, word)
    if counts.size > _MOST_SLOTS or np.any(counts < 0):
        raise UnreadableRowError("found a histogram whose counts make no sense")
    places = np.flatnonzero(counts)
    return _values(places, digits, lowest), counts[places]


def _words(body: bytes) -> Iterator[int]:
    """The counts out of ZigZag LEB128 words."""
    place, slots = 0, 0
    while place < len(body):
        value = shift = 0
        for length in range(9):
            if place >= len(body):
                raise UnreadableRowError("found a histogram that is cut")
            byte = body[place]
            place += 1
            value |= (byte if length == 8 else byte & 0x7F) << shift
            shift += 7
            if length == 8 or byte < 0x80:
                break
        number = (value >> 1) ^ -(value & 1)
        slots += max(1, -number)
        if slots > _MOST_SLOTS or number >= 2**62:
            raise UnreadableRowError("found a histogram of too many counts")
        if number < 0:
            yield from (0 for _ in range(-number))
        else:
            yield number


def _plain(body: bytes, word: int) -> Counts:
    """The counts as numbers of so many bytes each."""
    if word not in (2, 4, 8):
        raise UnreadableRowError(f"found counts of {word} bytes, expected 2, 4 or 8")
    return np.frombuffer(body[: len(body) // word * word], f">i{word}").astype(np.int64)


def _values(places: NDArray[np.int64], digits: int, lowest: int) -> NDArray[np.float64]:
    """The middle of the values that share each slot, as HdrHistogram's `medianEquivalentValue` has it."""
    magnitude = int(math.log2(lowest))
    half_bits = max(1, math.ceil(math.log2(2 * 10**digits))) - 1
    half = 1 << half_bits
    bucket = (places >> half_bits) - 1
    inner = (places & (half - 1)) + half
    inner = np.where(bucket < 0, inner - half, inner)
    bucket = np.maximum(bucket, 0)
    width = np.exp2(bucket + magnitude)
    return np.asarray(inner * width + np.floor(width / 2))


def _merge(into: dict[int, int], values: NDArray[np.float64], counts: Counts) -> None:
    for value, count in zip(values.tolist(), counts.tolist(), strict=True):
        into[int(value)] = into.get(int(value), 0) + count


def _unit(ratios: list[float]) -> tuple[float, str]:
    """Seconds in one recorded value, by the ratio of recorded values to the column of the largest, in milliseconds."""
    ratio = float(np.median(ratios)) if ratios else 1e6
    power = max(0, min(6, round(math.log10(max(ratio, 1e-9)) / 3) * 3))
    names = {0: "milliseconds", 3: "microseconds", 6: "nanoseconds"}
    if power == 0:
        return 1e-6, "recorded values are microseconds, which the log does not say"
    return 10.0 ** -(
        power + 3
    ), f"recorded values are {names[power]}: the largest of an interval stands there in milliseconds, too"


def _distribution(tag: str, found: dict[int, int], unit: float, span: float) -> Distribution:
    values = np.array(sorted(found), dtype=np.float64)
    counts = np.array([found[int(value)] for value in values], dtype=np.float64)
    total = float(counts.sum())
    times = values * unit
    mean = float((times * counts).sum() / total)
    return Distribution(
        tag, int(total), times, np.cumsum(counts) / total, span, mean, float(times[0]), float(times[-1])
    )


def _rates(times: list[tuple[float, float, int]]) -> Series:
    starts, lengths, counts = (np.array(column, dtype=np.float64) for column in zip(*times, strict=True))
    with np.errstate(divide="ignore", invalid="ignore"):
        rates = np.where(lengths > 0, counts / lengths, np.nan)
    return Series("recorded", starts - starts.min(), rates, "1/s")
