"""Several files in one comparison: a study of studies, and the arms - what is simulated under which name - of any
study.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import Any

from sim.errors import UsageError, did_you_mean
from sim.spec.scenario import Scenario
from sim.spec.study import Study


@dataclass(frozen=True)
class Arm:
    """One thing to simulate: a variant of a document, under the name it has in the comparison."""

    name: str
    variant: str
    scenario: Scenario
    document: dict[str, Any]
    plugins: tuple[str, ...]
    file: str
    given: tuple[str, ...] = ()  # the settings that the document holds


def arms_of(study: Study) -> dict[str, Arm]:
    """Name in the comparison -> what to simulate."""
    parts = study.document.get("studies")
    if parts is None:
        return {
            name: Arm(name, name, scenario, study.document, study.plugins, study.file, study.sets)
            for name, scenario in study.variants.items()
        }
    arms = [
        Arm(
            f"{part['stem']}:{variant}",
            variant,
            study.variants[f"{part['stem']}:{variant}"],
            part["document"],
            tuple(part["plugins"]),
            part["file"],
            study.sets,
        )
        for part in parts
        for variant in part["variants"]
    ]
    return {arm.name: arm for arm in arms}


def named(arms: dict[str, Arm], names: Sequence[str] | None) -> list[Arm]:
    """The arms of these names, each once, or all of them."""
    if names is None:
        return list(arms.values())
    if isinstance(names, str):
        raise UsageError(f"variants: found the text '{names}', expected a list of names, such as ['{names}']")
    unknown = [name for name in names if name not in arms]
    if unknown:
        raise UsageError("\n".join(f"unknown variant '{name}'{did_you_mean(name, arms)}" for name in unknown))
    if not names:
        raise UsageError("no variant is named")
    return [arms[name] for name in dict.fromkeys(names)]


def combine(studies: Sequence[Study]) -> Study:
    """One study whose variants are named `<file-stem>:<variant>`; a single study is left as it is."""
    if not studies:
        raise UsageError("nothing to compare: expected at least one scenario")
    if len(studies) == 1:
        return studies[0]
    stems = [PurePath(study.file).stem if study.file else study.name for study in studies]
    twice = [stem for stem, count in Counter(stems).items() if count > 1]
    if twice:
        raise UsageError(
            f"two files are called '{twice[0]}', so their variants could not be told apart; expected names that differ"
        )
    parts = [
        {
            "stem": stem,
            "file": study.file,
            "plugins": list(study.plugins),
            "variants": list(study.variants),
            "document": study.document,
        }
        for stem, study in zip(stems, studies, strict=True)
    ]
    first = studies[0]
    variants = {
        f"{stem}:{name}": scenario
        for stem, study in zip(stems, studies, strict=True)
        for name, scenario in study.variants.items()
    }
    return replace(
        first,
        name="-vs-".join(stems),
        text="\n".join(f"# ---- {stem}\n{study.text}" for stem, study in zip(stems, studies, strict=True)),
        document={"studies": json.loads(json.dumps(parts))},
        variants={
            name: scenario.model_copy(update={"seed": next(iter(first.variants.values())).seed})
            for name, scenario in variants.items()
        },
        plugins=tuple(dict.fromkeys(plugin for study in studies for plugin in study.plugins)),
        question=" ".join(study.question for study in studies if study.question),
    )
