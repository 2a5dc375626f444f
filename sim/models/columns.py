"""Tables that grow row by row."""

from __future__ import annotations

from struct import Struct

import numpy as np
from numpy.typing import NDArray

_STRUCT = {"f8": "d", "i8": "q", "u8": "Q", "i4": "i", "i2": "h", "i1": "b", "u1": "B", "b1": "?"}


class Table:
    """Rows of one dtype, packed as they come into one growing buffer."""

    def __init__(self, dtype: np.dtype[np.void]):
        self.dtype = dtype
        codes = (_STRUCT[dtype[name].str[1:]] for name in dtype.names or ())
        self.pack = Struct("<" + "".join(codes)).pack
        self.buffer = bytearray()

    def append(self, *row: float) -> None:
        """Add one row, its values in the order of the dtype."""
        self.buffer += self.pack(*row)

    def rows(self) -> NDArray[np.void]:
        """All rows, shape (n,); a view of the buffer."""
        return np.frombuffer(self.buffer, self.dtype)
