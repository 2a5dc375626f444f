"""The formats that can be imported, how each is told from its content, and what is said of the others.

A new format is a module with `recognises(value)` and `read(documents, draft)`, and a line in `KINDS`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sim.errors import Problem, ScenarioError, UsageError, did_you_mean
from sim.importing import compose, deathstarbench, envoy, interfaces, isotope, kong, kubernetes, spring, variables
from sim.importing.draft import Draft
from sim.importing.reading import Document
from sim.importing.traces.reading import FORMATS
from sim.measured.kinds import READERS
from sim.spec.document import Data
from sim.units import shown


@dataclass(frozen=True)
class Kind:
    """A format: its name, what people call it, how a document of it is recognised, and what reads all
    documents of it.
    """

    name: str
    title: str
    recognises: Callable[[Data], bool]
    read: Callable[[Sequence[Document], Draft], None]
    early: bool = False  # read before all others, which use it


KINDS = (  # in the order in which they are read: what names services before what refers to them
    Kind("kubernetes", "Kubernetes", kubernetes.recognises, kubernetes.read),
    Kind("compose", "Docker compose", compose.recognises, compose.read),
    Kind("isotope", "isotope", isotope.recognises, isotope.read),
    Kind("kong", "Kong", kong.recognises, kong.read),
    Kind("envoy", "Envoy", envoy.recognises, envoy.read),
    Kind("spring", "Spring", spring.recognises, spring.read),
    Kind("openapi", "OpenAPI", interfaces.recognises_openapi, interfaces.read_openapi),
    Kind("asyncapi", "AsyncAPI", interfaces.recognises_asyncapi, interfaces.read_asyncapi),
    Kind("deathstarbench", "DeathStarBench", deathstarbench.recognises, deathstarbench.read),
    Kind("variables", "KEY=VALUE", variables.recognises, variables.read, early=True),
)

_OTHERS: tuple[tuple[str, Callable[[dict[str, Data]], bool]], ...] = (
    ("a scenario already; sim check reads it", lambda top: "traffic" in top and "services" in top),
    (
        "a chart of Helm; render it first: helm template CHART | sim import -",
        lambda top: "apiVersion" in top and "name" in top and "kind" not in top,
    ),
    ("the configuration of Prometheus", lambda top: "scrape_configs" in top or "groups" in top),
    ("a workflow of GitHub", lambda top: "jobs" in top and ("on" in top or "true" in top)),
    (
        "the values of a Helm chart; render the chart first: helm template CHART | sim import -",
        lambda top: "replicaCount" in top or "image" in top,
    ),
)


def named(name: str) -> Kind:
    """The kind that a user insists on; a UsageError where there is none."""
    for kind in KINDS:
        if kind.name == name:
            return kind
    names = [kind.name for kind in KINDS] + [its.name for its in FORMATS] + [reader.name for reader in READERS]
    raise UsageError(f"--kind: unknown kind '{name}'{did_you_mean(name, names)}")


def kind_of(document: Document, wanted: Kind | None = None) -> Kind:
    """What a document is, told from its content, or what the user insists on; a ScenarioError says what it seems to be
    instead.
    """
    found = next((kind for kind in KINDS if kind.recognises(document.value)), None)
    if wanted is not None and (found is None or found is wanted or wanted.recognises(document.value)):
        return wanted
    if found is not None and wanted is None:
        return found
    seems = f"what seems to be {found.title}" if found is not None else _seems(document.value)
    expected = wanted.title if wanted is not None else f"one of: {listed()}"
    raise ScenarioError([Problem(f"found {seems}, expected {expected}", "", document.file, document.line)])


def listed() -> str:
    """What can be imported, in words."""
    kinds, forms, readers = [its.title for its in KINDS], [its.title for its in FORMATS], [its.title for its in READERS]
    return ", ".join([*kinds, *forms, *readers])


def _seems(value: Data) -> str:
    if not isinstance(value, dict):
        return shown(value)
    for what, test in _OTHERS:
        if test(value):
            return f"what seems to be {what}"
    keys = ", ".join(str(key)[:30] for key in list(value)[:5])
    return f"a map with {keys}{' ...' if len(value) > 5 else ''}"
