"""What it takes to import measurements: `python -m tests.bench.measured_import [FORMAT[,FORMAT ...]] [MB ...]`.

Writes requests into files of the given sizes (10 and 100 MB), as an access log of nginx, JSON lines of k6 and CSV, and imports each in a process of its own.
Prints MB of the file and thousands of requests per second of CPU, how far the largest resident set is above that of an import of next to nothing, that growth
for each request, and the cost of a MB against that in the first size.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from tests.bench.measuring import table
from tests.bench.trace_import import apart

RATE = 200.0  # requests per second
BLOCK = 10_000  # requests that are written at once
BEGAN = datetime(2024, 3, 5, 12, tzinfo=UTC)
ROUTES = ("/orders", "/cart", "/goods", "/search")


def nginx(at: float, took: float, number: int) -> str:
    """The combined format with `$request_time`."""
    when = (BEGAN + timedelta(seconds=at + took)).strftime("%d/%b/%Y:%H:%M:%S +0000")
    path = f"{ROUTES[number % 4]}/{number}"
    return f'10.0.{number % 200}.{number % 250} - - [{when}] "GET {path} HTTP/1.1" 200 512 "-" "curl/8.5" {took:.3f}\n'


def k6(at: float, took: float, number: int) -> str:
    """A point of `http_req_duration`, as `k6 run --out json` writes it."""
    when = (BEGAN + timedelta(seconds=at + took)).isoformat(timespec="microseconds")
    tags = f'{{"name":"{ROUTES[number % 4]}","method":"GET","status":"200","expected_response":"true"}}'
    data = f'{{"time":"{when}","value":{took * 1e3:.4f},"tags":{tags}}}'
    return f'{{"metric":"http_req_duration","type":"Point","data":{data}}}\n'


def requests(at: float, took: float, number: int) -> str:
    """A row of our own CSV."""
    return f"{at:.6f},{took * 1e3:.3f},{ROUTES[number % 4]},ok\n"


FORMATS: dict[str, tuple[str, Callable[[float, float, int], str]]] = {
    "nginx": ("", nginx),
    "k6": ("", k6),
    "csv": ("arrival,duration_ms,route,outcome\n", requests),
}


def write(path: Path, name: str, size: int) -> int:
    """A file of about this many bytes; how many requests it has."""
    head, line = FORMATS[name]
    rng, at, count = np.random.default_rng(1), 0.0, 0
    with path.open("w") as file:
        written = file.write(head)
        while not count or written < size:
            gaps, took = rng.exponential(1 / RATE, BLOCK), rng.gamma(4, 0.005, BLOCK)
            times = at + np.cumsum(gaps)
            at = float(times[-1])
            rows = zip(times.tolist(), took.tolist(), range(count, count + BLOCK), strict=True)
            written += file.write("".join(line(*row) for row in rows))
            count += BLOCK
    return count


def rows(name: str, sizes: list[float]) -> Iterator[list[str]]:
    """A line of the table for each size."""
    with tempfile.TemporaryDirectory() as folder:
        path, first = Path(folder, "measured"), 0.0
        write(path, name, 1)
        brief, least = apart(path)
        for size in sizes:
            count = write(path, name, int(size * 1e6))
            large = path.stat().st_size
            seconds, peak = apart(path)
            seconds -= brief
            first = first or seconds / large
            speed = [f"{large / 1e6 / seconds:.3g}", f"{count / 1e3 / seconds:.3g}"]
            memory = [f"{(peak - least) / 2**20:.3g}", f"{(peak - least) / count:.3g}"]
            yield [name, f"{large / 1e6:.4g}", *speed, *memory, f"{seconds / large / first:.2f}"]


def main() -> None:
    """Print the table."""
    words = sys.argv[1:]
    names = words.pop(0).split(",") if words and words[0][0].isalpha() else list(FORMATS)
    sizes = [float(word) for word in words] or [10.0, 100.0]
    lines = (line for name in names for line in rows(name, sizes))
    table(["format", "MB", "MB/s", "1000 requests/s", "MiB more", "bytes a request", "cost of a MB"], lines)


if __name__ == "__main__":
    main()
