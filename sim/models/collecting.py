"""Python's collector of garbage rests while a world is made and runs: it breaks its cycles itself, and a collector
would only walk what is alive.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def nothing_collected() -> Iterator[None]:
    """No collection in here; afterwards as before.

    A collection of millions of users takes seconds, and Ctrl-C is not heard meanwhile.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()
