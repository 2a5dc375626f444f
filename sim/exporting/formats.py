"""The formats that can be exported: the name of each, what it is, and what it has to be written from.

A new format is a module with a function that writes a Subject as text or bytes, and a line in FORMATS.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Literal, NamedTuple

from sim.errors import UsageError, did_you_mean
from sim.exporting.subject import Subject

Needs = Literal["scenario", "run", "spans", "verdicts"]
"""What a format is written from: the scenario alone; a run; a run with the spans of exemplars; a run of all variants
whose expectations are judged.
"""


class Format(NamedTuple):
    """One format; its module is imported when it is asked for."""

    name: str
    title: str
    needs: Needs
    place: str  # "module:function"
    every: bool = False  # whether it holds all variants of a run

    def write(self, subject: Subject) -> str | bytes:
        """The subject in this format."""
        module, _, function = self.place.partition(":")
        written: Callable[[Subject], str | bytes] = getattr(
            import_module(f"sim.exporting.{module}"), function or "write"
        )
        return written(subject)


FORMATS = (
    Format("otlp", "traces of the exemplars as OTLP JSON (OpenTelemetry)", "spans", "otlp"),
    Format("jaeger", "traces of the exemplars as Jaeger JSON", "spans", "jaeger"),
    Format("perfetto", "traces of the exemplars for Perfetto and Chrome", "spans", "perfetto"),
    Format("openmetrics", "the timeline as OpenMetrics, for promtool", "run", "openmetrics", every=True),
    Format("grafana", "a dashboard of Grafana for the timeline", "scenario", "grafana"),
    Format("junit", "expectations as JUnit XML", "verdicts", "junit", every=True),
    Format("github", "expectations and figures as a job summary of GitHub", "verdicts", "github", every=True),
    Format("csv", "requests or messages as CSV", "run", "tables:csv", every=True),
    Format("parquet", "requests or messages as parquet", "run", "tables:parquet", every=True),
    Format("k6", "the clients as a script for k6", "scenario", "k6"),
    Format("kubernetes", "Kubernetes manifests of the services", "scenario", "kubernetes"),
    Format("kong", "the gateway as Kong's declarative configuration", "scenario", "kong"),
    Format("resilience4j", "policies of calls as settings of resilience4j", "scenario", "resilience4j"),
)


def named(name: str) -> Format:
    """The format of this name; a UsageError where there is none."""
    for found in FORMATS:
        if found.name == name:
            return found
    names = [found.name for found in FORMATS]
    raise UsageError(f"--to: unknown format '{name}'{did_you_mean(name, names) or '; known: ' + ', '.join(names)}")
