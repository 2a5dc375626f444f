"""Builds the site (`make docs`): the pages, the reports of the scenarios that are small, and MkDocs over all of it."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from sim.docs.site import ROOT, Pages, navigation, pages
from sim.errors import UsageError
from sim.experiments import shipped

SOURCE, SITE = ROOT / "reports" / "site-source", ROOT / "reports" / "site"
SMALL = 150_000  # attempts of a variant: its report is drawn while the site is built
REPLICATIONS = 2


def main() -> None:
    """Pages and reports into `reports/site`."""
    made = pages({name: f"../../of/{name}/index.html" for name in small()})
    write(made, SOURCE)
    built(made, SOURCE, SITE)
    for name in small():
        _report(name)
    sys.stdout.write(f"site: {os.path.relpath(SITE / 'index.html')}\n")


def built(made: Pages, source: Path, site: Path) -> None:
    """MkDocs over these pages, strictly: a link that leads nowhere ends it. UsageError where it is not installed."""
    try:
        from mkdocs.commands.build import build
        from mkdocs.config import load_config
    except ImportError:
        raise UsageError("docs: MkDocs is not installed: pip install -e '.[docs]'") from None
    source.with_suffix(".yml").write_text("site_name: sim\n", encoding="utf-8")
    config = load_config(
        str(source.with_suffix(".yml")),
        docs_dir=str(source),
        site_dir=str(site),
        nav=navigation(made),
        # the theme comes with MkDocs; without highlighting nothing is fetched from anywhere
        theme={"name": "readthedocs", "highlightjs": False, "locale": "en"},
        strict=True,
        validation={"anchors": "warn"},  # a link to a heading that is not there ends it, too
        plugins=["search"],
        markdown_extensions=["tables", "fenced_code", "toc"],
    )
    build(config)


def write(made: Pages, folder: Path) -> None:
    """The pages as files, in the place of what was there."""
    shutil.rmtree(folder, ignore_errors=True)
    for name, content in made.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)


def small() -> list[str]:
    """The scenarios whose runs are short."""
    from sim.docs.examples import needs_plugin
    from sim.experiments.on_paper.run_size import attempts_of

    names = [name for name in shipped.names() if not needs_plugin(name)]
    return [name for name in names if sum(map(attempts_of, shipped.load(name).variants.values())) < 4 * SMALL]


def _report(name: str) -> None:
    import sim

    comparison = sim.compare(name, replications=REPLICATIONS, jobs=1, engine="simpy")
    sim.write_report(comparison, SITE / "of" / name)


if __name__ == "__main__":
    main()
