"""A finished run on disk: `results.json` for everybody, and `run.npz`, from which the whole Comparison can be rebuilt.

Nothing is pickled: the archive holds plain arrays and one JSON text, so that opening a stranger's report runs nothing of his.
"""

from __future__ import annotations

import io
import json
import os
import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sim.errors import OutputError, PluginError, SimError, UsageError
from sim.experiments.document import as_json
from sim.experiments.method import restored
from sim.experiments.results import Comparison, Earlier, VariantResult, Verdict
from sim.experiments.several import combine
from sim.records.summary import SUMMARY_ARRAYS, Summary
from sim.records.tables import Book, Records, Series
from sim.spec.study import Study
from sim.stats.interval import Difference, Interval

RESULTS = "results.json"
ARCHIVE = "run.npz"
_FORMAT = 2
_TABLES = ("requests", "messages", "spans", "stages", "events", "ticks", "gauges")


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
        there = "no such directory" if not Path(directory).is_dir() else f"no {ARCHIVE} in it{_other_kind(Path(directory))}"
        raise UsageError(f"{directory}: not the report of a run: {there}")
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        return _rebuilt(json.loads(bytes(arrays["manifest"])), arrays, plugins)
    except SimError:
        raise
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise UsageError(f"{path}: damaged, or written by another version of sim ({type(error).__name__}: {error})") from error


def _other_kind(directory: Path) -> str:
    """What else the results in a directory may be of."""
    try:
        kind = json.loads((directory / RESULTS).read_text(encoding="utf-8")).get("kind", "")
    except (OSError, ValueError, AttributeError):
        return ""
    return f"; its results are of a {kind}, whose report is drawn by running the same command again" if kind else ""


def _archive(comparison: Comparison) -> bytes:
    arrays: dict[str, NDArray[Any]] = {}
    manifest = {
        "format": _FORMAT,
        "study": _study_manifest(comparison.study),
        "engine": comparison.engine,
        "seed": comparison.seed,
        "replications": comparison.replications,
        "fingerprint": comparison.fingerprint,
        "variants": [_variant_manifest(result, f"{place}/", arrays) for place, result in enumerate(comparison.variants.values())],
        "differences": {name: {key: asdict(difference) for key, difference in found.items()} for name, found in comparison.differences.items()},
        "earlier": asdict(comparison.earlier) if comparison.earlier is not None else None,
        "method": asdict(comparison.method),
    }
    arrays["manifest"] = np.frombuffer(json.dumps(manifest, default=_plain).encode(), dtype=np.uint8)
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


def _plain(value: Any) -> Any:  # noqa: ANN401 - what JSON does not know: numpy's own numbers
    return value.item()


def _study_manifest(study: Study) -> dict[str, Any]:
    return {"name": study.name, "text": study.text, "document": study.document, "file": study.file, "plugins": study.plugins, "question": study.question}


def _variant_manifest(result: VariantResult, prefix: str, arrays: dict[str, NDArray[Any]]) -> dict[str, Any]:
    records = result.records
    arrays.update({f"{prefix}{table}": getattr(records, table) for table in _TABLES})
    if records.summary is not None:
        arrays.update({f"{prefix}summary/{name}": getattr(records.summary, name) for name in SUMMARY_ARRAYS})
    return {
        "name": result.name,
        "metrics": {key: asdict(figure) for key, figure in result.metrics.items()},
        "verdicts": [asdict(verdict) for verdict in result.verdicts],
        "fingerprint": result.fingerprint,
        "per_replication": _frame_manifest(result.per_replication, f"{prefix}per_replication", arrays),
        "timeline": _frame_manifest(result.timeline, f"{prefix}timeline", arrays),
        "records": {
            "seed": records.seed,
            "replication": records.replication,
            "duration": records.duration,
            "warmup": records.warmup,
            "exemplary": records.exemplary,
            "names": records.names,
            "effect_names": records.effect_names,
            "oversold": records.oversold,
            "series": [asdict(series) for series in records.series],
            "books": [asdict(book) for book in records.books],
            "digests": records.summary.digests if records.summary is not None else None,
        },
    }


def _frame_manifest(frame: pd.DataFrame, name: str, arrays: dict[str, NDArray[Any]]) -> dict[str, Any]:
    """The numbers go to the archive; the words above and beside them into the manifest."""
    arrays[name] = frame.to_numpy(dtype=float)
    arrays[f"{name}/index"] = frame.index.to_numpy()
    return {"array": name, "columns": list(frame.columns), "column_names": list(frame.columns.names), "index_name": frame.index.name}


def _rebuilt(manifest: dict[str, Any], arrays: dict[str, NDArray[Any]], plugins: Sequence[str]) -> Comparison:
    if manifest.get("format") != _FORMAT:
        raise ValueError(f"format {manifest.get('format')!r}, expected {_FORMAT}")
    study = _study(manifest["study"], plugins)
    earlier = manifest["earlier"]
    return Comparison(
        study=study,
        engine=manifest["engine"],
        seed=manifest["seed"],
        replications=manifest["replications"],
        variants={saved["name"]: _variant(saved, study, arrays, f"{place}/") for place, saved in enumerate(manifest["variants"])},
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


def _variant(saved: dict[str, Any], study: Study, arrays: dict[str, NDArray[Any]], prefix: str) -> VariantResult:
    plain = saved["records"]
    return VariantResult(
        name=saved["name"],
        scenario=study.variants[saved["name"]].model_copy(update={"warmup": plain["warmup"]}),  # `auto` was found
        metrics={key: Interval(**figure) for key, figure in saved["metrics"].items()},
        per_replication=_frame(saved["per_replication"], arrays),
        verdicts=tuple(Verdict(**verdict) for verdict in saved["verdicts"]),
        records=Records(
            seed=plain["seed"],
            replication=plain["replication"],
            duration=plain["duration"],
            warmup=plain["warmup"],
            exemplary=bool(plain["exemplary"]),
            names=tuple(plain["names"]),
            effect_names=tuple(plain["effect_names"]),
            oversold=plain["oversold"],
            series=tuple(Series(**series) for series in plain["series"]),
            books=tuple(Book(**book) for book in plain["books"]),
            summary=_summary(plain["digests"], arrays, f"{prefix}summary/"),
            **_columns(arrays, prefix),
        ),
        timeline=_frame(saved["timeline"], arrays),
        fingerprint=saved["fingerprint"],
    )


def _columns(arrays: dict[str, NDArray[Any]], prefix: str) -> Any:  # noqa: ANN401 - the tables of Records by name
    return {table: arrays[f"{prefix}{table}"] for table in _TABLES}


def _summary(digests: list[str] | None, arrays: dict[str, NDArray[Any]], prefix: str) -> Summary | None:
    if digests is None:
        return None
    requests, messages = digests
    return Summary(digests=(requests, messages), **{name: arrays[f"{prefix}{name}"] for name in SUMMARY_ARRAYS})


def _frame(saved: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> pd.DataFrame:
    index = pd.Index(arrays[f"{saved['array']}/index"], name=saved["index_name"])
    labels = [tuple(label) if isinstance(label, list) else label for label in saved["columns"]]
    several = len(saved["column_names"]) > 1
    columns = pd.MultiIndex.from_tuples(labels, names=saved["column_names"]) if several else pd.Index(labels, name=saved["column_names"][0])
    return pd.DataFrame(arrays[saved["array"]], index=index, columns=columns)


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
