"""What it takes to import traces: `python -m tests.bench.trace_import [FORMAT[,FORMAT ...]] [MB ...]`.

Writes the spans of a small shop into files of the given sizes (10 and 100 MB), an OTLP object per line, Jaeger's and Zipkin's JSON and CSV, and imports
each in a process of its own. Prints MB of the file and thousands of spans per second of CPU, how far the largest resident set is above that of an import
of nearly nothing, that growth as a part of the file's size, and the cost of a MB against that in the first size.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from sim.importing import import_files
from tests.bench.measuring import peak_bytes, process, table
from tests.importing.traces import shop

FORMATS = {
    "otlp-lines": ("", "", ""),
    "jaeger": ('{"data": [', ",", "]}"),
    "zipkin": ("[", ",", "]"),
    "csv": ("", "", ""),
}
BLOCK = 500  # requests that are written at once


def blocks() -> Iterator[list[shop.Span]]:
    """The same requests again and again, each time as new traces and later."""
    number = 0
    while True:
        spans = shop.recorded(BLOCK)
        for span in spans:
            span.trace = f"{number:016x}{span.trace[16:]}"
            span.start += number * BLOCK / shop.RATE
            span.end += number * BLOCK / shop.RATE
        number += 1
        yield spans


def write(path: Path, name: str, size: int) -> int:
    """A file of about this many bytes; how many spans it has."""
    head, between, tail = FORMATS[name]
    count = written = 0
    with path.open("w") as file:
        file.write(head)
        for number, spans in enumerate(blocks()):
            text = shop.WRITERS[name](spans)
            if name == "jaeger":
                text = text[len('{"data": [') : text.rindex("]")]
            elif name == "zipkin":
                text = text[1:-1]
            elif name == "csv" and number:
                text = text.split("\n", 1)[1]
            written += file.write((between if number else "") + text)
            count += len(spans)
            if written >= size:
                break
        file.write(tail)
    return count


def measured(path: str) -> tuple[float, int]:
    """Of this process: seconds of CPU that the import takes, and the peak of its memory."""
    began = time.process_time()
    import_files([path])
    return time.process_time() - began, peak_bytes()


def apart(path: Path) -> tuple[float, float]:
    """The same, measured in a process of its own."""
    code = f"from tests.bench.trace_import import measured; print(*measured({str(path)!r}))"
    seconds, peak = process("-c", code).output.split()
    return float(seconds), float(peak)


def rows(name: str, sizes: list[float]) -> Iterator[list[str]]:
    """A line of the table for each size."""
    with tempfile.TemporaryDirectory() as folder:
        path, first = Path(folder, "traces"), 0.0
        write(path, name, 1)
        brief, least = apart(path)
        for size in sizes:
            spans = write(path, name, int(size * 1e6))
            large = path.stat().st_size
            seconds, peak = apart(path)
            seconds -= brief
            first = first or seconds / large
            figures = [large / 1e6 / seconds, spans / 1e3 / seconds, (peak - least) / 2**20]
            ratios = [(peak - least) / large, seconds / large / first]
            yield [
                name,
                f"{large / 1e6:.0f}",
                *(f"{value:.0f}" for value in figures),
                *(f"{value:.2f}" for value in ratios),
            ]


def main() -> None:
    """Print the table."""
    words = sys.argv[1:]
    names = words.pop(0).split(",") if words and words[0][0].isalpha() else list(FORMATS)
    sizes = [float(word) for word in words] or [10.0, 100.0]
    lines = (line for name in names for line in rows(name, sizes))
    table(["format", "MB", "MB/s", "1000 spans/s", "MiB more", "of the file", "cost of a MB"], lines)


if __name__ == "__main__":
    main()
