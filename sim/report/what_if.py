"""Sliders over settings, for a notebook: a chart and the figures of a scenario as written against the same with other
values. Needs ipywidgets (`pip install 'sim-microservices[notebook]'`).
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sim.errors import UsageError
from sim.experiments.replicating.plots import ChartAxes
from sim.experiments.searching.what_if import WhatIf, nearest, values_of
from sim.report.notebook import html_of

if TYPE_CHECKING:
    from sim.experiments.replicating.results import Comparison
    from sim.experiments.shipped import Source

ROUNDS = (1, 2, 4, 8, 16, 32)
"""Replications: the picture is drawn after the first, and its intervals narrow while one waits."""


def what_if(
    study: Source,
    over: Sequence[str] | str,
    variant: str | None = None,
    *,
    chart: str = "latency",
    replications: int = ROUNDS[-1],
    engine: str = "auto",
) -> Any:  # noqa: ANN401 - a widget
    """Sliders over these settings (`services.payments.workers=1..16`), redrawn whenever one is moved.

    Both sides meet the same requests and the same luck, so what changes in the picture comes of the setting. The first
    replication is drawn at once, then 2, 4, 8 ... up to `replications`. `chart` is a method of `comparison.plot`.
    UsageError where ipywidgets is missing, or a setting or the chart does not exist.
    """
    return Sliders(WhatIf(study, over, variant, engine), chart, replications).box


class Sliders:
    """The widget, and the thread that refines what it shows."""

    def __init__(self, model: WhatIf, chart: str, replications: int) -> None:
        self._model, self._chart = model, chart
        self._rounds = [count for count in ROUNDS if count < replications] + [replications]
        self._turn, self._lock = 0, threading.Lock()
        self._limits: dict[int, tuple[float, float]] = {}
        widgets = _widgets()
        self.sliders = [
            widgets.SelectionSlider(
                options=(values := values_of(axis)),
                value=nearest(values, self._written(axis.paths[0])),
                description=axis.label,
                continuous_update=False,
                style={"description_width": "initial"},
                layout={"width": "90%"},
            )
            for axis in model.axes
        ]
        self.picture, self.figures = widgets.Image(format="png"), widgets.HTML()
        self.state = widgets.Label()
        self.box = widgets.VBox([*self.sliders, self.state, self.picture, self.figures])
        for slider in self.sliders:
            slider.observe(self.moved, names="value")
        self.moved()

    @property
    def values(self) -> dict[str, str]:
        """What the sliders stand at, by axis."""
        return {axis.name: slider.value for axis, slider in zip(self._model.axes, self.sliders, strict=True)}

    def moved(self, _: object = None) -> threading.Thread:
        """Begin anew with what the sliders stand at; what is under way ends after its replication."""
        self._turn += 1
        worker = threading.Thread(target=self._refine, args=(self._turn, self.values), daemon=True)
        worker.start()
        return worker

    def _refine(self, turn: int, values: dict[str, str]) -> None:
        for count in self._rounds:
            with self._lock:  # one at a time: matplotlib draws for one thread
                if turn != self._turn:
                    return
                try:
                    self._show(self._model.compare(values, count), count)
                except UsageError as error:  # a value that the scenario refuses, or a chart with nothing in it
                    self.state.value = str(error)
                    return

    def _show(self, comparison: Comparison, count: int) -> None:
        axes: ChartAxes = getattr(comparison.plot, self._chart)()
        for place, one in enumerate(axes):
            low, high = one.get_ylim()
            before = self._limits.get(place, (low, high))
            self._limits[place] = min(low, before[0]), max(high, before[1])
            one.set_ylim(*self._limits[place])  # so that the picture does not jump
        self.picture.value = axes._repr_png_()
        self.figures.value = html_of(comparison)
        more = ", and more to come" if count < self._rounds[-1] else ""
        self.state.value = f"{count} replication{'s' if count > 1 else ''}{more}"

    def _written(self, path: str) -> object:
        """What the scenario says at a path, where it is said as one value."""
        found: object = self._model.compared_study({}).document
        for name in path.split("."):
            found = found.get(name) if isinstance(found, dict) else None
        return found


def _widgets() -> Any:  # noqa: ANN401 - a module that may be missing
    try:
        import ipywidgets
    except ImportError:
        raise UsageError(
            "what_if: ipywidgets is not installed, which draws the sliders: pip install 'sim-microservices[notebook]'"
        ) from None
    return ipywidgets
