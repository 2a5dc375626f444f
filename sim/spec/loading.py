"""From a file, a text or a canonical document to a Study: read, patch, set, embed recorded files, validate, check
references.

All problems of all variants are told at once. A problem that several variants share is told once.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from sim import files
from sim.errors import Problem, ScenarioError, UsageError, did_you_mean, nearest
from sim.spec.document import Data, Location, Map, Place, Seq, as_map, nested, plain, problem_at, value_of
from sim.spec.expectation import expectation_problems
from sim.spec.named import named_things
from sim.spec.patching import difference_of_variant, merge_variant, vain_removals
from sim.spec.plugins import load_plugins, refused
from sim.spec.problems import MOST_PROBLEMS, complaints_of, problem_of
from sim.spec.reading import DEEPEST, LARGEST, decode, question_of, read_yaml
from sim.spec.recordings import Recordings
from sim.spec.references import reference_problems
from sim.spec.repair import believable, repair
from sim.spec.scenario import Scenario
from sim.spec.setting import apply, settings
from sim.spec.shape import shape_of
from sim.spec.study import Study
from sim.spec.uncertain import Range, at_middles, fixed, problems_in, ranges_in
from sim.units import shown

ONLY_VARIANT = "base"  # the name of the one variant of a scenario that has no `variants`
# a comparison of unlike runs would mean nothing
SAME_FOR_ALL = ("version", "seed", "duration", "warmup", "plugins", "variants")
MOST_ROUNDS = 5  # of repair: a misspelt word hides what is wrong below it
_SHAPE = shape_of(Scenario)


def load(
    source: str | Path,
    sets: Sequence[str] = (),
    seed: int | None = None,
    plugins: Sequence[str | Path] = (),
    confine: str | Path | None = None,
) -> Study:
    """The study in a scenario file. `sets` are PATH=VALUE (see sim.spec.setting), `seed` replaces that of the file,
    `plugins` may run.

    With `confine` it and all files that it names must lie in that folder, once all links are followed.
    """
    path, folder = Path(source), confines(confine)
    text = decode(_bytes(path, folder), str(source))
    return load_text(text, str(source), path.parent, sets=sets, seed=seed, plugins=plugins, confine=folder)


def confines(folder: str | Path | None) -> Path | None:
    """The folder that files must lie in; a UsageError where there is none of that name."""
    if folder is not None and not os.path.isdir(folder):
        raise UsageError(f"confine: {str(folder)[:200]}: no such directory")
    return Path(folder) if folder is not None else None


def load_text(
    text: str,
    file: str = "<text>",
    base: str | Path = ".",
    *,
    sets: Sequence[str] = (),
    seed: int | None = None,
    plugins: Sequence[str | Path] = (),
    confine: str | Path | None = None,
) -> Study:
    """The study in a text; recorded files and plug-ins are looked for relative to `base`, and messages name `file`.

    `confine` as with `load`.
    """
    source = _Source(file, Path(base), text, confines(confine))
    allowed = load_plugins(plugins)
    return _study(read_yaml(text, file), source, sets, seed, allowed)


def load_document(
    document: dict[str, Data],
    plugins: Sequence[str | Path] = (),
    sets: Sequence[str] = (),
    seed: int | None = None,
    base: str | Path | None = None,
) -> Study:
    """The study of a canonical document (`Study.document`), which needs no files; the plug-ins it names must be among
    `plugins`.
    """
    allowed = load_plugins(plugins)
    return _study(
        _placed(document, 0), _Source("<document>", Path(base) if base is not None else None, ""), sets, seed, allowed
    )


@dataclass(frozen=True)
class _Source:
    """Where a document came from."""

    file: str
    base: Path | None  # of the files it names; None: it may name none that is not embedded
    text: str
    confine: Path | None = None  # where all files that it names must lie


@dataclass
class _Draft:
    """The document while it is made into a study."""

    top: Map
    variants: dict[str, Map]  # merged
    problems: list[Problem] = field(default_factory=list)


def _study(document: Data, source: _Source, sets: Sequence[str], seed: int | None, allowed: tuple[str, ...]) -> Study:
    if not isinstance(document, dict) or not document:
        found = "an empty file" if document is None or document == {} else shown(document)
        raise ScenarioError(
            [Problem(f"found {found}, expected a scenario: a map that begins with version: 1", "", source.file, 1)]
        )
    _refuse_plugins(document, source, allowed)
    draft = _patched(as_map(document), source)
    _set(draft, sets, seed)
    _embed(draft, source)
    scenarios = _validated(draft, source)
    if draft.problems:
        raise ScenarioError(_in_order(draft.problems))
    patches = {name: plain(difference_of_variant(draft.top, merged, _SHAPE)) for name, merged in draft.variants.items()}
    canonical = {**plain(draft.top), **({"variants": patches} if document.get("variants") else {})}
    first = next(iter(scenarios.values()))
    name = first.name if "name" in draft.top or source.file.startswith("<") else Path(source.file).stem
    return Study(name, source.text, canonical, scenarios, source.file, allowed, question_of(source.text), tuple(sets))


def _refuse_plugins(document: dict[str, Data], source: _Source, allowed: tuple[str, ...]) -> None:
    """Told before all else: without the plug-in nobody knows which of the words are right."""
    wanted = document.get("plugins")
    names = [name for name in wanted if isinstance(name, str)] if isinstance(wanted, list) else []
    problems = [
        problem_at(document, ("plugins", index), message, file=source.file)
        for index, message in refused(names, allowed, source.base, source.confine)
    ]
    if problems:
        raise ScenarioError(problems)


def _patched(document: Map, source: _Source) -> _Draft:
    """The top and each variant merged on it."""
    top, patches = as_map(document), document.get("variants")
    top.pop("variants", None)
    if patches is None or patches == {}:
        return _Draft(top, {ONLY_VARIANT: top})
    draft = _Draft(top, {})
    if not isinstance(patches, dict):
        draft.problems.append(
            problem_at(
                document,
                ("variants",),
                f"found {shown(patches)}, expected a map of names and patches",
                file=source.file,
            )
        )
        return _Draft(top, {ONLY_VARIANT: top}, draft.problems)
    for name, patch in patches.items():
        draft.variants[name] = _variant(document, name, {} if patch is None else patch, draft.problems, source)
    return draft


def _variant(document: Map, name: str, patch: Data, problems: list[Problem], source: _Source) -> Map:
    top = as_map(document)
    top.pop("variants", None)
    if not isinstance(patch, dict):
        message = f"found {shown(patch)}, expected a patch: a map of what differs in this variant"
        problems.append(problem_at(document, ("variants", name), message, file=source.file))
        return top
    for key in SAME_FOR_ALL:
        if key in patch:
            message = f"'{key}' may not differ between variants; it belongs to the top"
            problems.append(problem_at(document, ("variants", name, key), message, of_key=True, file=source.file))
    allowed = as_map(nested(patch, ("variants", name)))
    for key in SAME_FOR_ALL:
        allowed.pop(key, None)
    for at, message in vain_removals(top, allowed, _SHAPE):
        problems.append(problem_at(document, ("variants", name, *at), message, of_key=True, file=source.file))
    return merge_variant(top, allowed, _SHAPE)


def _set(draft: _Draft, sets: Sequence[str], seed: int | None) -> None:
    """Apply the settings to the top and to every variant that has what they change, and to at least one of them."""
    for setting in settings(tuple(sets), tuple(draft.variants)):
        if setting.variant and setting.path.split("=", 1)[0].split(".", 1)[0] in SAME_FOR_ALL:
            raise UsageError(f"--set {setting.text}: this may not differ between variants")
        failures: list[UsageError] = []
        names = [setting.variant] if setting.variant else list(draft.variants)
        for name in names:
            try:
                draft.variants[name] = apply(setting, draft.variants[name], _SHAPE)
            except UsageError as error:
                failures.append(error)
        if len(failures) == len(names):
            raise failures[0]
        if not setting.variant:
            draft.top = _set_on_top(draft.top, setting)
    if seed is not None:
        for document in (draft.top, *draft.variants.values()):
            document.put("seed", seed, Place("--seed"), Place("--seed"))


def _set_on_top(top: Map, setting: Data) -> Map:
    try:
        return apply(setting, top, _SHAPE)
    except UsageError:
        return top  # only some of the variants have it


def _embed(draft: _Draft, source: _Source) -> None:
    """What recorded files hold, put into the top and into every variant."""
    recordings = Recordings(source.base, source.confine)
    draft.top, draft.problems[len(draft.problems) :] = recordings.embedded(draft.top, _SHAPE)
    for name, document in draft.variants.items():
        draft.variants[name], problems = recordings.embedded(document, _SHAPE)
        draft.problems += problems


def _validated(draft: _Draft, source: _Source) -> dict[str, Scenario]:
    """The scenario of each variant; its problems go to the draft, once where several variants have them."""
    found: dict[str, list[Problem]] = {}
    scenarios: dict[str, Scenario] = {}
    for name, document in draft.variants.items():
        found[name], scenario = _checked(document, source)
        if scenario is not None:
            scenarios[name] = scenario
    draft.problems += _told_once(found)
    recordings = {name: scenario.recording for name, scenario in scenarios.items() if scenario.by_recording}
    longest = max(recordings.values(), default=0.0)
    for name, recording in recordings.items():
        scenario = scenarios[name]
        if 0.0 < recording < longest:  # variants run as long as the longest recording of them all
            scenarios[name] = scenario.model_copy(update={"duration": scenario.duration * longest / recording})
    if not any(found.values()) and len(draft.variants) > 1:
        draft.problems += _only_in_top(draft, source)
        draft.problems += _slips(draft, scenarios, source)
    return scenarios


def _checked(document: Map, source: _Source) -> tuple[list[Problem], Scenario | None]:
    """What is wrong with one variant.

    A form that is wrong is repaired in a copy, so that its names can be looked up all the same.
    """
    problems = [problem_at(document, at, message, file=source.file) for at, message in problems_in(document)]
    if problems:
        return problems, None
    ranges, said = ranges_in(document), document
    if ranges:
        document = at_middles(said)
    repaired: set[Location] = set()
    for _ in range(MOST_ROUNDS):
        try:
            scenario = Scenario.model_validate(document)
        except ValidationError as error:
            complaints = complaints_of(error, document, _SHAPE)
            problems += [problem_of(complaint, document, _SHAPE, source.file) for complaint in complaints]
            better = repair(document, complaints, Scenario, _SHAPE) if len(complaints) < MOST_PROBLEMS else None
            if better is None:
                break
            document, changed = better
            repaired |= changed
        else:
            findings = [*reference_problems(scenario), *expectation_problems(scenario)]
            told = [
                finding for finding in findings if not problems or believable(finding.at, finding.message, repaired)
            ]
            problems += [
                problem_at(document, finding.at, finding.message, finding.of_key, source.file) for finding in told
            ]
            if ranges and not problems:
                problems += _wrong_ends(said, source)
            return problems, scenario
    return problems, None


def _wrong_ends(document: Map, source: _Source) -> list[Problem]:
    """What is wrong with a scenario in which every range has its low end, or its high one."""
    ends: tuple[Callable[[Range], Data], ...] = (lambda its: its.low, lambda its: its.high)
    for end in ends:
        here = fixed(document, end)
        try:
            scenario = Scenario.model_validate(here)
        except ValidationError as error:
            return [
                problem_of(complaint, here, _SHAPE, source.file) for complaint in complaints_of(error, here, _SHAPE)
            ]
        findings = reference_problems(scenario)
        if found := [problem_at(here, its.at, its.message, its.of_key, source.file) for its in findings]:
            return found
    return []


def _only_in_top(draft: _Draft, source: _Source) -> list[Problem]:
    """What is wrong in the top although every variant replaces it. That something is missing there is no problem."""
    top = at_middles(draft.top)
    try:
        Scenario.model_validate(top)
    except ValidationError as error:
        complaints = complaints_of(error, top, _SHAPE)
        return [
            problem_of(complaint, top, _SHAPE, source.file) for complaint in complaints if complaint.type != "missing"
        ]
    return []


def _slips(draft: _Draft, scenarios: dict[str, Scenario], source: _Source) -> list[Problem]:
    """What a variant adds although nothing refers to it, under a name much like one that was there: nobody adds such a
    thing on purpose.
    """
    problems = []
    for variant, scenario in scenarios.items():
        for thing in named_things(scenario):
            siblings = value_of(draft.top, thing.at[:-1])
            if thing.used or not isinstance(siblings, dict) or thing.name in siblings:
                continue
            meant = nearest(thing.name, siblings)
            if meant is not None:
                message = f"adds the {thing.what} '{thing.name}', which nothing refers to; did you mean '{meant}'?"
                problems.append(problem_at(draft.variants[variant], thing.at, message, of_key=True, file=source.file))
    return problems


def _told_once(found: dict[str, list[Problem]]) -> list[Problem]:
    """A problem that only some variants have names them, unless its place does."""
    told: list[Problem] = []
    for problem in dict.fromkeys(problem for problems in found.values() for problem in problems):
        names = [name for name, problems in found.items() if problem in problems]
        named = len(names) == len(found) or problem.path.startswith("variants.")
        message = (
            problem.message if named else f"{problem.message} (in variant {', '.join(repr(name) for name in names)})"
        )
        told.append(Problem(message, problem.path, problem.file, problem.line, problem.column))
    return told


def _in_order(problems: list[Problem]) -> list[Problem]:
    """In the order of the file; what came from the command line first."""
    return sorted(dict.fromkeys(problems), key=lambda problem: (problem.line, problem.column))


def _bytes(path: Path, confine: Path | None) -> bytes:
    """The bytes of a regular file, at most one more than is allowed, or a UsageError that names the nearest file."""
    try:
        return files.read(path, LARGEST, confine)
    except files.UnreadableError as error:
        hint = _nearest_file(path) if error.missing else ""
        raise UsageError(f"{str(path)[:200]}: {error.message}{hint}") from None


def _nearest_file(path: Path) -> str:
    hint = did_you_mean(path.name, [name for name in files.beside(path) if name.endswith((".yaml", ".yml", ".json"))])
    return hint if "mean" in hint else ""


def _placed(value: Data, depth: int) -> Data:
    """A copy as Map and Seq, of nothing but what JSON has."""
    if depth > DEEPEST:
        raise UsageError(f"found maps or lists nested more than {DEEPEST} deep")
    if isinstance(value, dict):
        if any(not isinstance(key, str) for key in value):
            raise UsageError("found a key that is not text, expected a JSON document")
        return Map({_text(key): _placed(item, depth + 1) for key, item in value.items()})
    if isinstance(value, (list, tuple)):
        return Seq([_placed(item, depth + 1) for item in value])
    if value is not None and not isinstance(value, (str, int, float, bool)):
        raise UsageError(f"found {type(value).__name__}, expected a JSON document")
    return _text(value) if isinstance(value, str) else value


def _text(value: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError:
        raise UsageError("found half of a surrogate pair, expected text") from None
    return value
