"""A scenario calibrated to a measurement: what was found, how sure that is, and what the data cannot tell."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sim.errors import UsageError
from sim.experiments.running.engines import chosen_engine
from sim.experiments.shipped import as_study
from sim.fitting.estimation import Estimate
from sim.fitting.moments import Moment, chosen, of_requests, of_table, values
from sim.fitting.parameters import Parameter, parameter_of, value_at, with_values, written
from sim.fitting.replaying import document_of
from sim.fitting.rewriting import rewritten
from sim.fitting.searching import Search, Untold
from sim.fitting.simulating import Model
from sim.fitting.stand_ins import marked_times, short_name
from sim.fitting.target import Measurement, Part, Target, target_of
from sim.spec.document import Data
from sim.spec.times import time_of
from sim.spec.uncertain import at_middles

if TYPE_CHECKING:
    from sim.experiments.running.ledger import Progress
    from sim.experiments.shipped import Source
    from sim.spec.study import Study

_REPLICATIONS = (10, 20)  # of every point, at least and at most
_SIMULATED = 2_000_000  # requests of one point, about
_POINTS = 60  # of a search, for the choice of the engine
_CLOSE = 3.0  # of chi squared: a remark that the model does not show the figures


@dataclass(frozen=True)
class Fitted:
    """A parameter that the data tells."""

    parameter: Parameter
    value: float
    low: float
    high: float

    def __str__(self) -> str:
        show = self.parameter.show
        return f"{show(self.value)} [{show(self.low)}, {show(self.high)}]"


@dataclass(frozen=True)
class Residual:
    """A figure before and after: relative errors of times, differences of shares."""

    moment: Moment
    measured: float
    before: float
    after: float
    chance: float  # what a single run varies by


@dataclass(frozen=True)
class Fit:
    """All of it."""

    study: Study
    variant: str
    fitted: tuple[Fitted, ...]
    untold: tuple[Untold, ...]
    exchangeable: tuple[tuple[str, str], ...]  # two times of which nobody can tell which is which
    residuals: tuple[Residual, ...]
    misfit: float  # chi squared per degree of freedom; far above 1 the model cannot show what was measured
    requests: int
    replications: int
    runs: int
    engine: str
    confidence: float
    sets: tuple[str, ...]  # PATH=VALUE that say the same as the text
    text: str | None  # the author's file with the fitted values; None where they do not stand in it
    said: tuple[str, ...]

    @property
    def shows(self) -> bool:
        """Whether the model shows the measured figures to within what chance can do."""
        return self.misfit <= _CLOSE


def fit(
    study: Source,
    measurement: Measurement,
    free: Sequence[str] = (),
    variant: str | None = None,
    *,
    replications: int | None = None,
    confidence: float = 0.95,
    engine: str = "auto",
    part: Part = Part(),  # noqa: B008 - frozen
    progress: Progress | None = None,
) -> Fit:
    """The free values of a scenario at which it shows what was measured.

    By default the times that are marked as to be supplied.

    `free` are `PATH` or `PATH=LOW..HIGH` (see `sim.fitting.parameters`). What the data cannot tell is left as it
    is and named. Raises UsageError where nothing is free, a path does not exist, or measurement and scenario have
    nothing in common.
    """
    loaded = as_study(study)
    target = target_of(loaded, measurement, variant, part)
    name, document = document_of(loaded, variant)
    document = at_middles(document)  # what is a range is searched for from its middle on, or stays there
    moments, measured = _figures_of(target)
    times = [math.exp(value) for moment, value in zip(moments, measured, strict=True) if moment.is_time]
    parameters = _free(loaded, document, free, max(times, default=1.0))
    if any(parameter.kind == "count" for parameter in parameters):
        moments, measured = _figures_of(target, crowds=True)
    if not moments:
        raise UsageError("found too few requests to tell a figure, expected some tens at least")
    count = replications or int(np.clip(_SIMULATED // max(1, target.count), *_REPLICATIONS))
    (scenario,) = target.study.variants.values()
    with chosen_engine(engine, [scenario], count * _POINTS, progress) as choice:
        choice.begin()
        model = Model(target, document, parameters, moments, choice, count)
        before = model.figures([parameter.now for parameter in parameters]).mean(axis=0)
        search = Search(model, measured, confidence)
        found = search.run()
        used = choice.engine
    return _answer(loaded, name, document, target, found, before, measured, search, used, confidence)


def _figures_of(target: Target, crowds: bool = False) -> tuple[list[Moment], NDArray[np.float64]]:
    """The figures of the measurement; `crowds`: by how many were there, too, where single requests are known."""
    if target.requests is None:
        assert target.table is not None
        return of_table(target.table)
    (scenario,) = target.study.variants.values()
    columns = of_requests(target.requests, scenario.warmup, scenario.duration)
    moments = chosen(columns, crowds)
    return moments, values(columns, moments)


def _free(study: Study, document: dict[str, Any], free: Sequence[str], longest: float) -> list[Parameter]:
    if free:
        found = [parameter_of(text, document, longest) for text in free]
    else:
        found = []
        for path in marked_times(study.text) if study.text else ():
            name = short_name(document, path)
            found.append(replace(parameter_of(".".join(map(str, path)), document, longest), name=name))
            time = time_of(value_at(document, path))
            if time is not None and time.scv == 0 and path[-1] in ("work", "wait"):
                found.append(
                    replace(parameter_of(f"{'.'.join(map(str, path))}.cv", document, longest), name=f"{name}.cv")
                )
    if not found:
        raise UsageError(
            "nothing is free: no time is marked TO BE SUPPLIED; say which: --free payments.charge.work=1ms..1s"
        )
    twice = [
        one
        for place, one in enumerate(found)
        if any((one.path, one.kind) == (other.path, other.kind) for other in found[:place])
    ]
    if twice:
        raise UsageError(f"--free {twice[0].name}: is free already")
    return found


def _answer(
    study: Study,
    name: str,
    document: dict[str, Any],
    target: Target,
    found: Estimate,
    before: Any,  # noqa: ANN401 - an array
    measured: Any,  # noqa: ANN401 - an array
    search: Search,
    engine: str,
    confidence: float,
) -> Fit:
    model = search.model
    fitted = [
        Fitted(search.parameters[place], *(float(part[index]) for part in (found.values, found.low, found.high)))
        for index, place in enumerate(search.told)
    ]
    fitted += [
        Fitted(search.parameters[place], search.point[place], *limits) for place, limits in search.limits.items()
    ]
    fitted.sort(key=lambda one: model.parameters.index(one.parameter))
    changes = written(document, [one.parameter for one in fitted], [one.value for one in fitted])
    changed = {path: value for path, value in changes.items() if value != value_at(document, path)}
    text = _text(study, name, document, changed, fitted, target)
    after = found.residuals + measured
    residuals = [
        Residual(moment, *_plain(moment, measured[place], before[place], after[place]), float(found.deviations[place]))
        for place, moment in enumerate(model.moments)
    ]
    sets = tuple(f"{'.'.join(map(str, path))}={_set_value(value)}" for path, value in changed.items())
    return Fit(
        study=study,
        variant=name,
        fitted=tuple(fitted),
        untold=tuple(search.untold),
        exchangeable=tuple((one.name, other.name) for one, other in search.exchangeable),
        residuals=tuple(residuals),
        misfit=found.misfit,
        requests=target.count,
        replications=model.replications,
        runs=model.runs,
        engine=engine,
        confidence=confidence,
        sets=sets,
        text=text,
        said=target.said,
    )


def _plain(moment: Moment, measured: float, before: float, after: float) -> tuple[float, float, float]:
    """The measured figure, and the errors before and after."""
    if moment.is_time:
        return math.exp(measured), math.expm1(before - measured), math.expm1(after - measured)
    return measured, before - measured, after - measured


def _set_value(value: Data) -> str:
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}: {_set_value(inner)}' for key, inner in value.items())}}}"
    return str(value)


def _text(
    study: Study,
    name: str,
    document: dict[str, Any],
    changed: dict[tuple[str | int, ...], Data],
    fitted: Sequence[Fitted],
    target: Target,
) -> str | None:
    """The author's file with the values, where they stand in it and say there what they are to say."""
    from sim.spec.loading import load_text

    remarks: dict[tuple[str | int, ...], str] = {}
    for one in fitted:
        words = f"{'cv ' if one.parameter.kind == 'spread' else ''}{one}"
        before = remarks.get(one.parameter.path)
        remarks[one.parameter.path] = (
            f"{before}, {words}" if before else f"fitted to {target.count:,} requests: {words}"
        )
    text = rewritten(study.text, changed, remarks) if study.text else None
    if text is None or study.sets:
        return None
    base = study.file.rpartition("/")[0] or "."
    again = load_text(text, study.file or "<fitted>", base, plugins=study.plugins)
    _, its = document_of(again, name)
    return text if at_middles(its) == with_values(document, changed) else None
