"""A chart as a page, a file or a notebook takes it: its drawing as SVG or PNG, and its figures for who points at it."""

from __future__ import annotations

import io
import json
import math
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text
from numpy.typing import NDArray

from sim.report.charts.canvas import HEAD, width
from sim.report.theme import Theme, rc
from sim.units import told_per

_CLASSES = {"of": "of-{}", "at": "at-time", "begins": "at-time begins"}
_CLASSED = re.compile(r'<g id="([^"]*?(of|at|begins)~(\d+)[^"]*)"')
_ID = re.compile(r'\b(id="|xlink:href="#|href="#|url\(#)([^")]+)')


@dataclass(frozen=True)
class Chart:
    """A drawing with the words that belong to it."""

    name: str  # of its file
    title: str
    reading: str  # how to read it
    alt: str  # what it shows, in figures, for those who cannot see it
    figure: Figure
    theme: Theme
    panels: Sequence[Panel] = ()
    time: bool = False  # whether the panels go over the time of the run
    by_variant: bool = False  # whether a colour of a variant is that variant

    def values(self) -> str:
        """The figures of all panels as JSON; '' where there are none."""
        panels = [its.document() for its in self.panels]
        return json.dumps({"time": self.time, "panels": panels}, separators=(",", ":")) if panels else ""

    def boxes(self, prefix: str) -> str:
        """Where the panels are in the SVG, and the groups that they are drawn in, as JSON."""
        every, (wide, high) = self.figure.axes, self.figure.get_size_inches() * 72
        found = []
        for panel in self.panels:
            box = panel.axes.get_position()
            edges = [box.x0 * wide, (1 - box.y1) * high, box.x1 * wide, (1 - box.y0) * high]
            group = panel.axes.get_gid() or f"axes_{every.index(panel.axes) + 1}"
            found.append({"box": [round(float(edge), 2) for edge in edges], "group": f"{prefix}-{group}"})
        return json.dumps(found, separators=(",", ":"))

    def svg(self, titled: bool = True, prefix: str = "") -> str:
        """As an SVG element with text as text; `titled=False` leaves the title to the page. The same bytes each time.

        Its ids begin with `prefix`, the name of the chart unless another one is given.
        """
        with _saving(self.theme):
            head = _title(self) if titled else None
            buffer = io.StringIO()
            self.figure.savefig(
                buffer,
                format="svg",
                transparent=not titled,
                metadata={"Date": None, "Creator": None, "Format": None, "Type": None},
            )
            if head is not None:
                head.remove()
        return _clean(buffer.getvalue(), prefix or self.name, titled)

    def png(self, dpi: int = 160) -> bytes:
        """As a picture to paste into a chat."""
        with _saving(self.theme):
            head = _title(self)
            buffer = io.BytesIO()
            self.figure.savefig(buffer, format="png", dpi=dpi, metadata={"Software": None})
            head.remove()
        return buffer.getvalue()

    def _repr_svg_(self) -> str:
        return self.svg()


@dataclass(frozen=True)
class Line:
    """A line of a panel in figures: what stands at each place of the horizontal axis."""

    name: str
    unit: str
    x: Sequence[float] | NDArray[np.float64]
    y: Sequence[float] | NDArray[np.float64]
    variant: int | None = None  # its place among those of the page

    def document(self, across: float = 1.0) -> dict[str, object]:
        """As the page reads it, places of the horizontal axis times `across`; evenly spaced ones are said by the first
        and the step.
        """
        told, unit = _told(self.unit)
        x, y = np.asarray(self.x, dtype=float) * across, [_short(value * told) for value in np.asarray(self.y, float)]
        steps = np.diff(x)
        even = len(x) > 2 and bool(np.allclose(steps, steps[0], rtol=1e-6, atol=0.0))
        where = (
            {"from": _short(x[0], 9), "step": _short(steps[0], 9)} if even else {"x": [_short(value, 6) for value in x]}
        )
        return {"name": self.name, "unit": unit, "variant": self.variant, **where, "y": y}


@dataclass(frozen=True)
class Panel:
    """One panel in figures, for those who point at it."""

    axes: Axes
    lines: Sequence[Line]
    name: str = ""
    axis: str = ""  # what stands along the horizontal axis, and its unit; where it is no time of the run
    unit: str = "s"

    def document(self) -> dict[str, object]:
        """As the page reads it."""
        told, unit = _told(self.unit)
        ends = {
            "range": [_short(end * told, 9) for end in self.axes.get_xlim()],
            "log": self.axes.get_xscale() == "log",
        }
        return {
            "name": self.name,
            "axis": self.axis,
            "unit": unit,
            **ends,
            "lines": [line.document(told) for line in self.lines],
        }


def _told(unit: str) -> tuple[float, str]:
    """What to multiply by, and the unit then: rates are told per the unit in which the scenario writes them."""
    if unit != "1/s":
        return 1.0, unit
    length, per = told_per()
    return length, f"1/{per}"


def _short(value: float, digits: int = 4) -> float | None:
    return float(f"{value:.{digits}g}") if math.isfinite(value) else None


@contextmanager
def _saving(theme: Theme) -> Iterator[None]:
    """The theme's settings, without warnings of letters that the font of the pictures lacks: text in an SVG is set by
    its reader.
    """
    with mpl.rc_context(rc(theme)), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"Glyph .* missing from font", category=UserWarning)
        yield


def _title(chart: Chart) -> Text:
    place = (0.16 / width(), 1 - 0.13 / chart.figure.get_figheight())
    return chart.figure.text(*place, chart.title, fontsize=12, fontweight="bold", va="top", color=chart.theme.ink)


def _clean(svg: str, name: str, titled: bool) -> str:
    """Only the element itself, ids made unique by the name of the chart, no fixed size, the head cut off where
    untitled.
    """
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>\s*", "", svg, flags=re.DOTALL)
    # the page has its own
    svg = re.sub(r"<style type=\"text/css\">.*?</style>", "", svg, flags=re.DOTALL) if not titled else svg
    svg = _ID.sub(lambda match: f"{match[1]}{name}-{match[2]}", svg)
    svg = _CLASSED.sub(lambda match: f'<g class="{_CLASSES[match[2]].format(match[3])}" id="{match[1]}"', svg)
    svg = re.sub(r"font: ((?:[a-z0-9]+ )*)([0-9.]+px) [^;\"]*", r"font: \1\2 'DejaVu Sans', Verdana, sans-serif", svg)
    if not titled:
        match = re.search(r'viewBox="0 0 ([0-9.]+) ([0-9.]+)"', svg)
        assert match is not None
        svg = svg.replace(match[0], f'viewBox="0 {HEAD * 72:g} {match[1]} {float(match[2]) - HEAD * 72:g}"', 1)
        svg = re.sub(r'(<svg [^>]*?) ?width="[0-9.]+pt"', r"\1", svg, count=1)
        svg = re.sub(r'(<svg [^>]*?) ?height="[0-9.]+pt"', r"\1", svg, count=1)
    return re.sub(r"\n\s*", "\n", svg).strip() + "\n"
