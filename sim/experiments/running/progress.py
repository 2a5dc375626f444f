"""Long work tells how far it is: a bar on a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import time
from typing import TextIO

from sim.units import show_duration

WIDTH = 30
_BAR_EVERY = 0.1  # s between two drawings
_LINE_EVERY = 10.0  # s between two lines


def _is_cell(stream: TextIO) -> bool:
    """Whether what is written appears below a cell of Jupyter, which draws a line anew as a terminal does."""
    return type(stream).__module__.partition(".")[0] == "ipykernel"


class Teller:
    """Shows the state of an experiment of `span` simulated seconds on `stream`; call it with (done, total,
    simulated).
    """

    def __init__(self, stream: TextIO, span: float, verb: str = "runs") -> None:
        self._stream, self._span, self._verb = stream, span, verb
        self._terminal = stream.isatty() or _is_cell(stream)
        self._begun = time.monotonic()
        self._last = self._begun if not self._terminal else 0.0
        self._drawn = 0
        self._over = False
        self._before = 0.0  # the share that was finished before, and says nothing of the pace
        self._share = 0.0

    def chose(self, engine: str) -> None:
        """Which engine runs from now on, and why. The pace so far says nothing of its own."""
        self._before, self._begun = self._share, time.monotonic()
        self.clear()
        self._stream.write(f"{engine}\n")
        self._stream.flush()

    def expects(self, words: str) -> None:
        """How long it will take."""
        self._stream.write(f"{words}\n")
        self._stream.flush()

    def resumed(self, done: int, total: int, simulated: float) -> None:
        """So much is known from an earlier, unfinished call."""
        self._before = min(1.0, simulated / self._span) if self._span > 0 else done / total
        self.clear()
        self._stream.write(f"{done} of {total} {self._verb} were finished earlier\n")
        self._stream.flush()

    def __call__(self, done: int, total: int, simulated: float) -> None:
        """Draw or write, if the last time is long enough ago."""
        now = time.monotonic()
        pause = _BAR_EVERY if self._terminal else _LINE_EVERY
        if self._over or (now - self._last < pause and done < total):
            return
        self._last, self._over = now, done == total
        self._share = share = min(1.0, simulated / self._span) if self._span > 0 else done / total
        if self._terminal:
            self._draw(self._bar(done, total, share, now - self._begun))
        else:
            self._line(done, total, share, now - self._begun)

    def clear(self) -> None:
        """Leave no bar behind."""
        if self._drawn:
            self._draw("")
            self._drawn = 0

    def _bar(self, done: int, total: int, share: float, elapsed: float) -> str:
        filled = int(share * WIDTH)
        return (
            f"[{'#' * filled}{'.' * (WIDTH - filled)}] {share:4.0%}  {done} of {total} "
            f"{self._verb}{self._left(share, elapsed)}"
        )

    def _draw(self, text: str) -> None:
        self._stream.write("\r" + text.ljust(self._drawn) + ("\r" if not text else ""))
        self._stream.flush()
        self._drawn = len(text)

    def _line(self, done: int, total: int, share: float, elapsed: float) -> None:
        if done == total and elapsed < _LINE_EVERY:
            return  # quick work needs no telling
        self._stream.write(f"{done} of {total} {self._verb}, {share:.0%} simulated{self._left(share, elapsed)}\n")
        self._stream.flush()

    def _left(self, share: float, elapsed: float) -> str:
        """The time that remains at the present pace, once there is one."""
        gained = share - self._before
        if gained < 0.02 * (1.0 - self._before) or share >= 1.0 or elapsed < 1.0:
            return ""
        return f", about {show_duration(max(1.0, round(elapsed * (1.0 - share) / gained)))} left"
