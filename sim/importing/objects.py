"""An object of the Kubernetes API."""

from __future__ import annotations

from dataclasses import dataclass

from sim.importing.parts import Part
from sim.spec.document import Place


@dataclass(frozen=True)
class Object:
    """Its kind, its name, and what it says."""

    kind: str
    api: str
    name: str
    namespace: str
    part: Part

    @property
    def at(self) -> Place:
        """Where it begins: the line of its kind."""
        return self.part["kind"].at

    @property
    def spec(self) -> Part:
        """What is wanted of it."""
        return self.part["spec"]

    @property
    def pod(self) -> Part:
        """The pod that a workload makes copies of, or is itself."""
        return self.part if self.kind == "Pod" else self.spec["template"]

    @property
    def labels(self) -> dict[str, str]:
        """Those of its pods, by which Services select them."""
        return {name: part.text() for name, part in self.pod["metadata"]["labels"].entries()}

    @property
    def is_owned(self) -> bool:
        """Whether another object made it, which is read in its place."""
        owners = self.part["metadata"]["ownerReferences"].value
        return isinstance(owners, list) and bool(owners)

    @property
    def annotations(self) -> Part:
        """Settings of whoever reads them."""
        return self.part["metadata"]["annotations"]
