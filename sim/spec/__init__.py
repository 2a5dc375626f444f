"""WHAT IS SAID: the scenario as frozen data. No time, no chance; YAML in, errors with file and line out."""

from sim.spec.base import Spec, register, unregister, word_of, words
from sim.spec.expectation import Expectation, expectations, metric_key
from sim.spec.loading import load, load_document, load_text
from sim.spec.plugins import load_plugins
from sim.spec.scenario import Scenario
from sim.spec.schema import json_schema
from sim.spec.study import Study

__all__ = [
    "Expectation",
    "Scenario",
    "Spec",
    "Study",
    "expectations",
    "json_schema",
    "load",
    "load_document",
    "load_plugins",
    "load_text",
    "metric_key",
    "register",
    "unregister",
    "word_of",
    "words",
]
