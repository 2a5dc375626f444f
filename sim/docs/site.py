"""The pages of the site as Markdown: what is written by hand, and what is made of README, language, scenarios and
notebooks. Nothing is fetched, and nothing is run but where reports are asked for.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

from sim.docs.examples import scenarios_that_say
from sim.experiments import shipped
from sim.experiments.envelope import head_schema
from sim.report.silence import collect_not_modelled
from sim.report.topology import draw_topology
from sim.spec.base import Kind, words
from sim.spec.reference import reference

ROOT = Path(__file__).resolve().parents[2]
PAGES = Path(__file__).parent / "pages"
_ALONG = ("ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md")
_LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)\s#]+)(#[^)\s]*)?\)")
_MOST = 4  # scenarios that are named for a word

Pages = dict[str, str | bytes]


def pages(reports: Mapping[str, str] | None = None) -> Pages:
    """Name -> content of every file of the site; `reports` are the addresses of those of scenarios, by name."""
    made: Pages = {"index.md": _readme()}
    made |= {name: _text(ROOT / name) for name in _ALONG}
    made |= {path.name: _text(path) for path in sorted(PAGES.glob("*.md"))}
    made["reference.md"], made["documents.md"] = _reference(), _documents()
    made["scenarios.md"] = _scenarios()
    made |= {f"scenarios/{name}.md": _scenario(name, (reports or {}).get(name)) for name in shipped.names()}
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        made |= _notebook(path)
    picture = ROOT / "reports" / "payment-outage.png"
    made["reports/payment-outage.png"] = picture.read_bytes()
    return made


def navigation(made: Pages) -> list[dict[str, Any]]:
    """The contents, in the order in which a newcomer reads."""
    recipes = [name for name in made if name.startswith("recipe-")]
    coming = [name for name in made if name.startswith("from-")]
    notebooks = [name for name in made if name.startswith("notebooks/") and name.endswith(".md")]
    return [
        {"Begin": "index.md"},
        {"The four takeaways": "takeaways.md"},
        {"Recipes": recipes},
        {"Coming from": coming},
        {"Scenarios": ["scenarios.md", *(name for name in made if name.startswith("scenarios/"))]},
        {"Notebooks": notebooks},
        {"Reference": ["reference.md", "documents.md", "glossary.md", "speed.md"]},
        {"How it is made": list(_ALONG)},
    ]


def dead_links(made: Pages) -> list[str]:
    """`page: address` of every link between pages that leads nowhere."""
    dead = []
    for name, content in made.items():
        for found in _LINK.finditer(content) if isinstance(content, str) else ():
            target = (Path(name).parent / found[1]).as_posix()
            parts: list[str] = []
            for part in target.split("/"):
                parts = parts[:-1] if part == ".." else [*parts, part] if part != "." else parts
            if "/".join(parts) not in made and not found[1].startswith("REPORT"):
                dead.append(f"{name}: {found[1]}")
    return dead


def _text(path: Path) -> str:
    return _relinked(path.read_text(encoding="utf-8"))


def _readme() -> str:
    return _text(ROOT / "README.md")


def _relinked(text: str) -> str:
    """Links to files of the repository as links to pages: a notebook or a scenario is one, other files are named."""

    def to_page(found: re.Match[str]) -> str:
        target, anchor = found[1].removeprefix("../../../").removeprefix("sim/docs/pages/"), found[2] or ""
        if target.endswith(".ipynb"):
            return f"]({target.removesuffix('.ipynb')}.md)"
        if target.startswith("scenarios/") and target.endswith(".yaml"):
            return f"]({target.removesuffix('.yaml')}.md)"
        if target.endswith((".md", ".png")):
            return f"]({target}{anchor})"
        return "](index.md)"

    return _LINK.sub(to_page, text)


def _reference() -> str:
    """The generated reference, each word with the scenarios that say it, and what no component models."""
    known = {word for kind in get_args(Kind) for word in words(kind)}
    said = scenarios_that_say(known)
    parts = []
    for part in re.split(r"(?m)^(?=##? )", reference()):
        word = part.splitlines()[0].removeprefix("## `").removesuffix("`") if part.startswith("## `") else ""
        links = ", ".join(f"[{name}](scenarios/{name}.md)" for name in said.get(word, ())[:_MOST])
        parts += [part, f"Scenarios that say it: {links}.\n\n" if links else ""]
    silence = [f"* **{component}**: {text}" for component, text in collect_not_modelled()]
    return "\n".join(["".join(parts), "# What is not modelled", "", *silence, ""])


def _documents() -> str:
    """What `--json` writes: the head that all documents have."""
    properties = head_schema()["properties"]
    rows = [f"| `{name}` | {its['description'].replace('|', '/')} |" for name, its in properties.items()]
    about = (
        "# What `--json` writes\n\nEvery verb writes the same head; what it found follows in the same map. Where the "
        "scenario or the call is wrong, the head alone is written, with `problems`. `sim schema "
        "--documents` prints its JSON Schema.\n\n"
    )
    return about + "\n".join(["| field | meaning |", "|---|---|", *rows, ""])


def _scenarios() -> str:
    rows = [f"| [{name}](scenarios/{name}.md) | {shipped.question(name)} |" for name in shipped.names()]
    head = "# Scenarios\n\nEach asks a question; those with a number are short and meant to be read in order.\n\n"
    return head + "\n".join(["| scenario | question |", "|---|---|", *rows, ""])


def _scenario(name: str, report: str | None) -> str:
    """Its question, its picture, its file and how to run it."""
    text = (shipped.folder() / f"{name}.yaml").read_text(encoding="utf-8")
    plugin = "" if not re.search(r"^plugins:", text, re.MULTILINE) else " --plugin scenarios/cache.py"
    parts = [f"# {name}", shipped.question(name)]
    if not plugin:
        first, scenario = next(iter(shipped.load(name).variants.items()))
        parts += [draw_topology(scenario, name, first, adaptive=False).strip()]
    parts += [f"```sh\nsim compare {name}{plugin}\n```"]
    parts += [f'<a href="{report}">Its report</a>, of two replications.'] if report else []
    return "\n\n".join([*parts, f"```yaml\n{text.strip()}\n```", ""])


def _notebook(path: Path) -> Pages:
    """A notebook as a page, with what it shows."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    made: Pages = {}
    parts = []
    for number, cell in enumerate(cells):
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            parts.append(source)
            continue
        parts.append(f"```python\n{source}\n```")
        for place, output in enumerate(cell.get("outputs", ())):
            picture = output.get("data", {}).get("image/png")
            if picture is not None:
                name = f"notebooks/{path.stem}-{number}-{place}.png"
                made[name] = base64.b64decode("".join(picture))
                parts.append(f"![What cell {number} shows]({Path(name).name})")
            else:
                parts += _shown(output)
    made[f"notebooks/{path.stem}.md"] = _relinked("\n\n".join([*parts, ""]).replace("](../", "]("))
    return made


def _shown(output: Mapping[str, Any]) -> Iterator[str]:
    text = output.get("text") or output.get("data", {}).get("text/plain")
    if text and output.get("name") != "stderr":
        yield f"```text\n{''.join(text).rstrip()}\n```"
