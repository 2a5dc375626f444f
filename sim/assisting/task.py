"""One call of a tool, in a process of its own: a request as JSON on stdin, an answer or an error of ours as JSON on
stdout.

    {"tool": "run", "scenario": "shop.yaml", "settings": ["services.shop.workers=4"], ...}   ->   {"answer": {...}} or
                                                                                             {"error": "..."}

The bounds stand in the request, which the server writes. Nothing is written to disk but the journal of finished runs,
which the tools do without.
"""

from __future__ import annotations

import contextlib
import json
import math
import sys
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sim.assisting.bounds import LONGEST_ANSWER, REPLICATIONS, Bounds
from sim.errors import SimError, UsageError, did_you_mean, printable
from sim.files import json_of

if TYPE_CHECKING:
    from sim.experiments.replicating.results import Comparison
    from sim.spec.study import Study

Answer = dict[str, Any]
_WIDTH = 110  # columns of tables
_LARGEST = 16 * 2**20  # bytes of memory for a request
_INTERPRETER = 2_000_000_000  # bytes beside the run: numpy, numba's compiler and machine code


def main() -> int:
    """Read the request, do it, write the answer."""
    request = json_of(sys.stdin.buffer.read(), _LARGEST)
    bounds = Bounds(**{**request.pop("bounds"), "folder": Path(request["bounds_folder"])})
    del request["bounds_folder"]
    _limit_memory(bounds.memory)
    warnings.simplefilter("ignore")
    told = sys.stdout
    with contextlib.redirect_stdout(sys.stderr):  # what anything prints is no answer
        try:
            result: Answer = {"answer": TOOLS[request.pop("tool")](bounds, **request)}
        except SimError as error:
            result = {"error": printable(str(error))}
        except MemoryError:
            result = {
                "error": f"the run took more than {bounds.memory / 1e9:.3g} GB, expected less: a shorter duration, or "
                "record: summary"
            }
    json.dump(result, told)
    return 0


def check(bounds: Bounds, scenario: str, settings: Sequence[str]) -> Answer:
    """What `sim check` says."""
    from sim.experiments.on_paper.offered_load import check as check_study

    study = _load(bounds, scenario, settings)
    report = check_study(study)
    found = [{"place": its.place, "finding": its.finding, "why": its.why} for its in report.warnings[:50]]
    return {
        "scenario": study.name,
        "variants": list(study.variants),
        "question": study.question,
        "warnings": found,
        "text": _short(str(report)),
    }


def run(bounds: Bounds, scenario: str, settings: Sequence[str], variant: str | None, replications: int) -> Answer:
    """What `sim run` says."""
    from sim.experiments.replicating.comparison import run as run_variant

    study = _load(bounds, scenario, settings)
    _refuse(bounds, study, [variant] if variant is not None else list(study.variants)[:1], replications)
    return _told(run_variant(study, variant, replications, jobs=1, max_memory=bounds.memory))


def compare(
    bounds: Bounds, scenario: str, settings: Sequence[str], variants: Sequence[str] | None, replications: int
) -> Answer:
    """What `sim compare` says."""
    from sim.experiments.replicating.comparison import compare as compare_variants

    study = _load(bounds, scenario, settings)
    _refuse(bounds, study, variants, replications)
    return _told(compare_variants(study, variants, replications, jobs=1, max_memory=bounds.memory))


def capacity(
    bounds: Bounds, scenario: str, settings: Sequence[str], variants: Sequence[str] | None, replications: int
) -> Answer:
    """What `sim capacity` says."""
    from sim.experiments.searching.capacity import LOOKS, find_capacity
    from sim.report.scaling import render_answer

    study = _load(bounds, scenario, settings)
    _refuse(bounds, study, variants, replications, LOOKS)
    found = find_capacity(study, variants, replications, jobs=1, max_memory=bounds.memory)
    loads = {
        its.variant: {
            "load": _known(its.load.value),
            "rate_per_second": _known(its.rate.value),
            "breaks_first": its.breaks_first or None,
        }
        for its in found.found
    }
    return {"scenario": study.name, "passed": found.passed, "capacities": loads, "text": _short(render_answer(found))}


def explain(
    bounds: Bounds, scenario: str, settings: Sequence[str], variants: Sequence[str] | None, replications: int
) -> Answer:
    """What `sim explain` says."""
    from sim.experiments.replicating.explaining import explain as explain_study
    from sim.report.explanation import render_explanation

    study = _load(bounds, scenario, settings)
    _refuse(bounds, study, variants, replications)
    found = explain_study(study, variants, replications, jobs=1, max_memory=bounds.memory)
    return {"scenario": study.name, "text": _short(render_explanation(found))}


def schema(bounds: Bounds, part: str | None) -> Answer:
    """The language: its top without a part, else the definition of that name with an example."""
    from sim.spec.examples import examples, shop
    from sim.spec.plugins import load_plugins
    from sim.spec.schema import whole_schema

    load_plugins(bounds.plugins)
    whole = whole_schema()
    parts = {name: found for name, found in whole["$defs"].items() if not name.endswith(".patch")}
    if part is None:
        top = {name: its for name, its in whole["properties"].items() if name != "variants"}
        return {"properties": top, "required": whole["required"], "parts": sorted(parts)}
    if part not in parts:
        raise UsageError(
            f"unknown part '{part[:100]}'{did_you_mean(part, parts) or '; without a part the tool lists them'}"
        )
    # what it says on top of a small scenario
    example = {"example": examples()[part], "example_is_on_top_of": shop()} if part in examples() else {}
    return {"part": part, "definition": parts[part], **example}


TOOLS: dict[str, Callable[..., Answer]] = {
    "check": check,
    "run": run,
    "compare": compare,
    "capacity": capacity,
    "explain": explain,
    "schema": schema,
}


# ---- what all of them need


def _load(bounds: Bounds, scenario: str, settings: Sequence[str]) -> Study:
    """The study in a file of the folder, or a shipped one."""
    from sim.experiments.shipped import load, names

    path = Path(scenario)
    inside = scenario if scenario in names() and not (bounds.folder / path).exists() else str(bounds.folder / path)
    return load(inside, settings, plugins=bounds.plugins, confine=bounds.folder)


def _refuse(bounds: Bounds, study: Study, variants: Sequence[str] | None, replications: int, runs: int = 1) -> None:
    """A UsageError before anything runs, where it would be more than a call may take; unknown variants are told by the
    verb itself.
    """
    from sim.experiments.on_paper.run_size import attempts_of

    if not 1 <= replications <= REPLICATIONS:
        raise UsageError(f"replications: found {replications}, expected 1 to {REPLICATIONS}")
    chosen = [study.variants[name] for name in (variants or study.variants) if name in study.variants]
    attempts = runs * replications * sum(map(attempts_of, chosen))
    if attempts > bounds.attempts:
        hint = "fewer replications or variants, or a shorter duration (settings: duration=2m)"
        raise UsageError(
            f"found about {attempts:,.0f} attempts on services in all runs, expected at most {bounds.attempts:,.0f}: "
            f"{hint}"
        )


def _told(comparison: Comparison) -> Answer:
    """The table as text, and in fields what is looked for first."""
    from sim.report.table import render_expectations, render_table

    judged = [
        {
            "variant": name,
            "expected": verdict.text,
            "passed": verdict.passed,
            **({"reason": verdict.reason} if verdict.reason else {}),
        }
        for name, result in comparison.variants.items()
        for verdict in result.verdicts
    ]
    told = {
        "scenario": comparison.study.name,
        "seed": comparison.seed,
        "engine": comparison.engine,
        "replications": comparison.replications,
    }
    text = f"{render_table(comparison, _WIDTH)}{render_expectations(comparison)}"
    return {
        **told,
        "fingerprint": comparison.fingerprint,
        "passed": comparison.passed,
        "expectations": judged[:100],
        "text": _short(text),
    }


def _known(number: float) -> float | None:
    """Without what JSON does not have."""
    return number if math.isfinite(number) else None


def _short(text: str) -> str:
    """As much of a text as an answer may have."""
    text = printable(text)
    return (
        text
        if len(text) <= LONGEST_ANSWER
        else f"{text[:LONGEST_ANSWER]}\n... and {len(text) - LONGEST_ANSWER:,} characters more"
    )


def _limit_memory(most: float) -> None:
    """The estimate on paper comes first; this ends what it did not foresee."""
    try:
        import resource
    except ImportError:  # Windows has no such limits
        return
    resource.setrlimit(resource.RLIMIT_DATA, (int(most) + _INTERPRETER,) * 2)


if __name__ == "__main__":
    sys.exit(main())
