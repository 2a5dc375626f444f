"""A finished run on disk: `results.json` for everybody, and `run.zip`, from which the whole Comparison can be rebuilt.

Nothing is pickled: the archive holds tables of numbers and one JSON text, so that opening a stranger's report runs nothing of his.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from sim.errors import OutputError, PluginError, SimError, UsageError
from sim.experiments.apart import Tables, columns_apart, columns_together, records_apart, records_together
from sim.experiments.archive import TROUBLE, pack, unpack
from sim.experiments.document import as_json
from sim.experiments.method import restored
from sim.experiments.results import Comparison, Earlier, VariantResult, Verdict
from sim.experiments.several import combine
from sim.spec.study import Study
from sim.stats.interval import Difference, Interval

RESULTS = "results.json"
ARCHIVE = "run.zip"
_FORMER = "run.npz"


def files_of(comparison: Comparison) -> dict[str, bytes]:
    """What a report directory must hold besides the report itself: name -> content."""
    return {RESULTS: as_json(comparison).encode(), ARCHIVE: _archive(comparison)}


def save(comparison: Comparison, directory: str | Path) -> None:
    """Write those files into a directory, which is made if need be."""
    for name, content in files_of(comparison).items():
        _write(Path(directory) / name, content)


def open_run(directory: str | Path, plugins: Sequence[str] = ()) -> Comparison:
    """The Comparison that `save` wrote. Plug-ins run only when they are allowed again."""
    path = Path(directory) / ARCHIVE
    if not path.is_file():
        if (Path(directory) / _FORMER).is_file():
            raise UsageError(f"{directory}: the report of an earlier version of sim, which kept {_FORMER}; run the same command again")
        there = "no such directory" if not Path(directory).is_dir() else f"no {ARCHIVE} in it{_other_kind(Path(directory))}"
        raise UsageError(f"{directory}: not the report of a run: {there}")
    try:
        return _rebuilt(*unpack(path.read_bytes()), plugins)
    except SimError:
        raise
    except TROUBLE as error:
        raise UsageError(f"{path}: damaged, or written by another version of sim ({type(error).__name__}: {error})") from error


def _other_kind(directory: Path) -> str:
    """What else the results in a directory may be of."""
    try:
        kind = json.loads((directory / RESULTS).read_text(encoding="utf-8")).get("kind", "")
    except (OSError, ValueError, AttributeError):
        return ""
    return f"; its results are of a {kind}, whose report is drawn by running the same command again" if kind else ""


def _archive(comparison: Comparison) -> bytes:
    tables: Tables = {}
    content = {
        "study": _study_manifest(comparison.study),
        "engine": comparison.engine,
        "seed": comparison.seed,
        "replications": comparison.replications,
        "fingerprint": comparison.fingerprint,
        "variants": [_variant_manifest(result, f"{place}/", tables) for place, result in enumerate(comparison.variants.values())],
        "differences": {name: {key: asdict(difference) for key, difference in found.items()} for name, found in comparison.differences.items()},
        "earlier": asdict(comparison.earlier) if comparison.earlier is not None else None,
        "method": asdict(comparison.method),
    }
    return pack(content, tables)


def _study_manifest(study: Study) -> dict[str, Any]:
    return {"name": study.name, "text": study.text, "document": study.document, "file": study.file, "plugins": study.plugins, "question": study.question}


def _variant_manifest(result: VariantResult, prefix: str, tables: Tables) -> dict[str, Any]:
    return {
        "name": result.name,
        "metrics": {key: asdict(figure) for key, figure in result.metrics.items()},
        "verdicts": [asdict(verdict) for verdict in result.verdicts],
        "fingerprint": result.fingerprint,
        "engines": result.engines,
        "figures": columns_apart(result.figures, f"{prefix}figures", tables),
        "over_time": columns_apart(result.over_time, f"{prefix}over_time", tables),
        "records": records_apart(result.records, prefix, tables),
    }


def _rebuilt(manifest: dict[str, Any], tables: Tables, plugins: Sequence[str]) -> Comparison:
    study = _study(manifest["study"], plugins)
    earlier = manifest["earlier"]
    return Comparison(
        study=study,
        engine=manifest["engine"],
        seed=manifest["seed"],
        replications=manifest["replications"],
        variants={saved["name"]: _variant(saved, study, tables, f"{place}/") for place, saved in enumerate(manifest["variants"])},
        differences=_differences(manifest["differences"]),
        fingerprint=manifest["fingerprint"],
        earlier=None if earlier is None else Earlier(earlier["source"], earlier["against"], _differences(earlier["differences"])),
        method=restored(manifest.get("method")),
    )


def _study(saved: dict[str, Any], plugins: Sequence[str]) -> Study:
    from sim.spec import load_document

    if saved["plugins"] and not plugins:
        raise PluginError(f"this run used plug-ins: allow them again with {' '.join(f'--plugin {plugin}' for plugin in saved['plugins'])}")
    parts = saved["document"].get("studies")
    if parts is None:
        study = load_document(saved["document"], plugins=tuple(plugins))
    else:
        study = combine([replace(load_document(part["document"], plugins=tuple(plugins)), file=part["file"], name=part["stem"]) for part in parts])
    return replace(study, **{**saved, "plugins": tuple(saved["plugins"])})


def _variant(saved: dict[str, Any], study: Study, tables: Tables, prefix: str) -> VariantResult:
    records = records_together(saved["records"], prefix, tables)
    return VariantResult(
        name=saved["name"],
        scenario=study.variants[saved["name"]].model_copy(update={"warmup": records.warmup}),  # `auto` was found
        metrics={key: Interval(**figure) for key, figure in saved["metrics"].items()},
        figures=columns_together(saved["figures"], f"{prefix}figures", tables),
        verdicts=tuple(Verdict(**verdict) for verdict in saved["verdicts"]),
        records=records,
        over_time=columns_together(saved["over_time"], f"{prefix}over_time", tables),
        fingerprint=saved["fingerprint"],
        engines=tuple(saved.get("engines", ())),
    )


def _differences(saved: dict[str, dict[str, dict[str, Any]]]) -> dict[str, dict[str, Difference]]:
    return {name: {key: Difference(**difference) for key, difference in found.items()} for name, found in saved.items()}


def _write(path: Path, content: bytes) -> None:
    """Through a temporary file beside it, so that nothing half-written is left under the final name."""
    temporary = ""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
            temporary = file.name
            file.write(content)
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
    except OSError as error:
        if temporary:
            Path(temporary).unlink(missing_ok=True)
        raise OutputError(f"{path}: could not be written: {error.strerror or error}") from error


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
