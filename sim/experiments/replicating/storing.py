"""A finished run on disk: `results.json` for everybody, and `run.zip`, from which the whole Comparison can be rebuilt.

Nothing is pickled: the archive holds tables of numbers and one JSON text, so that opening a stranger's report runs
nothing of his.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal

from sim import files
from sim.errors import PluginError, SimError, UsageError
from sim.experiments.replicating.arms import combine
from sim.experiments.replicating.consistency import refuse_disagreement
from sim.experiments.replicating.document import as_json
from sim.experiments.replicating.method import Method
from sim.experiments.replicating.results import Comparison, Earlier, VariantResult, Verdict
from sim.experiments.running.archive import TROUBLE, pack, unpack
from sim.experiments.running.decoding import DamagedError, decoded, named
from sim.experiments.running.flattening import (
    SavedColumns,
    SavedRecords,
    Tables,
    flattened_columns,
    flattened_records,
    restored_columns,
    restored_records,
)
from sim.spec.study import Study
from sim.stats.interval import Difference, Interval
from sim.units import shown

RESULTS = "results.json"
ARCHIVE = "run.zip"
_FORMER = "run.npz"
_LARGEST_JSON = 64 * 2**20  # bytes of results.json
LARGEST = 4 * 2**30
"""Bytes of memory that an archive may take, unless more is allowed: some sixty million rows."""


@dataclass(frozen=True)
class _SavedStudy:
    """A study without its variants, which its document gives again."""

    name: str
    text: str
    document: dict[str, Any]
    file: str
    plugins: tuple[str, ...]
    question: str
    sets: tuple[str, ...]


@dataclass(frozen=True)
class _SavedPart:
    """One of several files in one comparison."""

    stem: str
    file: str
    plugins: tuple[str, ...]
    variants: tuple[str, ...]
    document: dict[str, Any]


@dataclass(frozen=True)
class _SavedVariant:
    """What of a variant is no table."""

    name: str
    metrics: dict[str, Interval]
    verdicts: tuple[Verdict, ...]
    fingerprint: str
    engines: tuple[Literal["simpy", "compiled"], ...]  # one for each replication
    exemplar: str  # fingerprint of the records
    figures: SavedColumns
    over_time: SavedColumns
    records: SavedRecords


@dataclass(frozen=True)
class _Saved:
    """What of a comparison is no table."""

    study: _SavedStudy
    engine: Literal["simpy", "compiled", "simpy and compiled"]
    seed: int
    replications: int
    fingerprint: str
    variants: tuple[_SavedVariant, ...]
    differences: dict[str, dict[str, Difference]]
    earlier: Earlier | None
    method: Method


def files_of(comparison: Comparison, rows: bool = True, answer: str | None = None) -> dict[str, bytes]:
    """What a report directory holds besides the report itself: name -> content.

    Without `rows` the report cannot be drawn again, and is small. `answer` is the one in words, for the JSON.
    """
    results = {RESULTS: as_json(comparison, answer).encode()}
    return {**results, ARCHIVE: _archive(comparison)} if rows else results


def open_run(directory: str | Path, plugins: Sequence[str] = (), largest: float = LARGEST) -> Comparison:
    """The Comparison whose files these are, in about `largest` bytes of memory at most. Plug-ins run only when they are
    allowed again.

    Nothing of it is believed: tables, words and figures have the form that a run of this version gives them, belong to
    the scenario, and agree with one another; or a UsageError says what is damaged.
    """
    path = Path(directory) / ARCHIVE
    try:
        content = files.read(path, int(largest))
    except files.UnreadableError as error:
        raise UsageError(_no_archive(Path(directory)) if error.missing else f"{path}: {error.message}") from None
    try:
        if len(content) > largest:
            raise DamagedError(f"larger than {largest / 2**20:,.0f} MiB; --largest allows more")
        words, tables = unpack(content, int(largest))
        saved: _Saved = decoded(_Saved, words, "content")
        comparison = _rebuilt(saved, tables, plugins)
        refuse_disagreement(comparison, largest)
        _refuse_other_records(saved, comparison)
    except PluginError:
        raise
    except (*TROUBLE, SimError) as error:
        raise UsageError(_damaged(path, error)) from error
    return comparison


def _damaged(path: Path, error: Exception) -> str:
    said = str(error) if isinstance(error, (DamagedError, SimError)) else f"{type(error).__name__}: {error}"
    return (
        f"{path}: damaged, or written by another version of sim; run the same command again "
        f"({(said.splitlines() or [''])[0][:300]})"
    )


def _no_archive(directory: Path) -> str:
    """Why there is nothing to draw."""
    if (directory / _FORMER).is_file():
        return f"{directory}: the report of an earlier version of sim, which kept {_FORMER}; run the same command again"
    there = (
        "no such directory"
        if not directory.is_dir()
        else f"no {ARCHIVE} in it{_other_kind(directory) or ' (was it written with --no-rows?)'}"
    )
    return f"{directory}: not the report of a run: {there}"


def _other_kind(directory: Path) -> str:
    """What else the results in a directory may be of."""
    try:
        kind = files.json_of(files.read(directory / RESULTS, _LARGEST_JSON), 8 * _LARGEST_JSON)["kind"]
    except (files.UnreadableError, ValueError, TypeError, KeyError):
        return ""
    known = isinstance(kind, str) and re.fullmatch("[a-z ]{1,40}", kind)
    return f"; its results are of a {kind}, whose report is drawn by running the same command again" if known else ""


def _archive(comparison: Comparison) -> bytes:
    tables: Tables = {}
    content = {
        "study": _study_manifest(comparison.study),
        "engine": comparison.engine,
        "seed": comparison.seed,
        "replications": comparison.replications,
        "fingerprint": comparison.fingerprint,
        "variants": [
            _variant_manifest(result, f"{place}/", tables) for place, result in enumerate(comparison.variants.values())
        ],
        "differences": {
            name: {key: asdict(difference) for key, difference in found.items()}
            for name, found in comparison.differences.items()
        },
        "earlier": asdict(comparison.earlier) if comparison.earlier is not None else None,
        "method": asdict(comparison.method),
    }
    return pack(content, tables)


def _study_manifest(study: Study) -> dict[str, Any]:
    return {name: getattr(study, name) for name in ("name", "text", "document", "file", "plugins", "question", "sets")}


def _variant_manifest(result: VariantResult, prefix: str, tables: Tables) -> dict[str, Any]:
    return {
        "name": result.name,
        "metrics": {key: asdict(figure) for key, figure in result.metrics.items()},
        "verdicts": [asdict(verdict) for verdict in result.verdicts],
        "fingerprint": result.fingerprint,
        "engines": result.engines,
        "exemplar": result.records.fingerprint(),
        "figures": flattened_columns(result.figures, f"{prefix}figures", tables),
        "over_time": flattened_columns(result.over_time, f"{prefix}over_time", tables),
        "records": flattened_records(result.records, prefix, tables),
    }


def _rebuilt(saved: _Saved, tables: Tables, plugins: Sequence[str]) -> Comparison:
    study = _study(saved.study, plugins)
    variants = {its.name: _variant(its, study, tables, f"{place}/") for place, its in enumerate(saved.variants)}
    if len(variants) != len(saved.variants) or not variants:
        raise DamagedError("variants: found one twice, or none")
    return Comparison(
        study=study,
        engine=saved.engine,
        seed=saved.seed,
        replications=saved.replications,
        variants=variants,
        differences=saved.differences,
        fingerprint=saved.fingerprint,
        earlier=saved.earlier,
        method=saved.method,
    )


def _refuse_other_records(saved: _Saved, comparison: Comparison) -> None:
    """Rows that no figure speaks of, and that are others all the same."""
    for its in saved.variants:
        if comparison.variants[its.name].records.fingerprint() != its.exemplar:
            raise DamagedError(f"{its.name}: records: found others than their fingerprint is of")


def _study(saved: _SavedStudy, plugins: Sequence[str]) -> Study:
    from sim.spec import load_document

    if saved.plugins and not plugins:
        raise PluginError(
            "this run used plug-ins: allow them again with "
            f"{' '.join(f'--plugin {plugin}' for plugin in saved.plugins)}"
        )
    parts = saved.document.get("studies")
    if parts is None:
        study = load_document(saved.document, plugins=tuple(plugins))
    else:
        several: list[_SavedPart] = decoded(list[_SavedPart], parts, "study.document.studies")
        study = combine(
            [
                replace(load_document(part.document, plugins=tuple(plugins)), file=part.file, name=part.stem)
                for part in several
            ]
        )
    named([saved.name], "study.name")
    return replace(study, **{field.name: getattr(saved, field.name) for field in fields(saved)})


def _variant(saved: _SavedVariant, study: Study, tables: Tables, prefix: str) -> VariantResult:
    if saved.name not in study.variants:
        raise DamagedError(f"variants: found {shown(saved.name)}, expected {' or '.join(study.variants)[:200]}")
    records = restored_records(saved.records, prefix, tables)
    return VariantResult(
        name=saved.name,
        scenario=study.variants[saved.name].model_copy(update={"warmup": records.warmup}),  # `auto` was found
        metrics=saved.metrics,
        figures=restored_columns(saved.figures, f"{prefix}figures", tables),
        verdicts=saved.verdicts,
        records=records,
        over_time=restored_columns(saved.over_time, f"{prefix}over_time", tables),
        fingerprint=saved.fingerprint,
        engines=saved.engines,
    )
