"""The site: no link leads nowhere, every example of its pages runs, every word and every field has a sentence."""

import re
import subprocess
import sys
from typing import get_args

import pytest

import sim
from sim.docs.site import PAGES, dead_links, navigation, pages
from sim.spec.base import Kind, words
from sim.spec.schema import _classes
from sim.spec.sentences import sentences_of

HAND = sorted(PAGES.glob("*.md"))
EXAMPLES = [
    pytest.param(block, id=f"{path.stem}-{number}")
    for path in HAND
    for number, block in enumerate(re.findall(r"^```yaml\n(.*?)^```", path.read_text(), re.MULTILINE | re.DOTALL))
]
PROGRAMS = [
    pytest.param(block, id=path.stem)
    for path in HAND
    for block in re.findall(r"^```python\n(.*?)^```", path.read_text(), re.MULTILINE | re.DOTALL)
]


@pytest.fixture(scope="module")
def made():
    return pages()


@pytest.mark.long
@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_of_a_recipe_runs_with_what_it_expects(example):
    study = sim.load_text(example)
    sim.check(study)
    found = sim.run(study, replications=1, jobs=1, engine="simpy")
    assert len(found.requests) > 0
    assert found.passed, str(found)


@pytest.mark.long
@pytest.mark.parametrize("program", PROGRAMS)
def test_every_program_of_a_page_runs(program, tmp_path):
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True, capture_output=True, timeout=300)


def test_no_link_leads_nowhere(made):
    assert dead_links(made) == []
    assert dead_links({"a.md": "[b](b.md) [c](../c.md)", "b.md": ""}) == ["a.md: ../c.md"]


def test_every_page_is_in_the_contents(made):
    def listed(part):
        if isinstance(part, str):
            yield part
        for item in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
            yield from listed(item)

    assert set(listed(navigation(made))) == {name for name in made if name.endswith(".md")}


def test_the_reference_has_an_example_of_every_word_and_what_is_not_modelled(made):
    found = {word: cls for kind in get_args(Kind) for word, cls in words(kind).items()}
    known = {word for word, cls in found.items() if cls.__module__.startswith("sim.")}  # others: of a plug-in that ran
    sections = re.split(r"^##? ", made["reference.md"], flags=re.MULTILINE)
    headed = [section for section in sections if "\n| field |" in section or section.startswith("`")]
    assert known <= {section.split("`")[1] for section in headed if section.startswith("`")}
    headed = [section for section in headed if section.splitlines()[0].strip("`") not in found.keys() - known]
    assert [section.splitlines()[0] for section in headed if "Example:\n\n```yaml\n" not in section] == []
    assert "Scenarios that say it: [kafka-or-rabbitmq](scenarios/kafka-or-rabbitmq.md)" in made["reference.md"]
    assert "# What is not modelled" in made["reference.md"]


def test_the_types_in_the_reference_lead_to_their_headings(made):
    """By the names that Markdown's toc gives to headings: of two that are called alike the first one has it."""
    heads = [line.lstrip("# ") for line in made["reference.md"].splitlines() if line.startswith("#")]
    first = {head.strip("`").lower().replace(" ", "-"): head for head in reversed(heads)}
    links = set(re.findall(r"\]\(#([^)]+)\)", made["reference.md"]))
    assert links - set(first) == set()
    assert [first[link] for link in links if first[link].startswith("`")] == []


def test_no_field_of_the_language_is_without_a_sentence():
    silent = [
        f"{cls.__name__}.{name}"
        for cls in _classes()
        if cls.__module__.startswith("sim.")
        for name in cls.model_fields
        if name not in sentences_of(cls)
    ]
    assert silent == []


def test_the_site_is_built_without_a_warning(made, tmp_path):
    """With every link to a page and to a heading of it. MkDocs belongs to the tools of developers."""
    from sim.docs.build import built, write

    write(made, tmp_path / "source")
    built(made, tmp_path / "source", tmp_path / "site")
    index = (tmp_path / "site" / "index.html").read_text(encoding="utf-8")
    assert "simulates microservices" in index
    fetched = re.findall(r'(?:src|href)="(https?://[^"]+)"[^>]*(?:stylesheet|script)', index)
    assert fetched == []


def test_a_link_to_a_heading_that_is_not_there_ends_the_build(made, tmp_path):
    from mkdocs.exceptions import Abort

    from sim.docs.build import built, write

    bare = {name: "# A page\n" for name in made if name.endswith(".md")} | {"index.md": "[there](takeaways.md#not)\n"}
    write(bare, tmp_path / "source")
    with pytest.raises(Abort, match="1 warnings in strict mode"):
        built(bare, tmp_path / "source", tmp_path / "site")


def said_in(cell):
    """The words before a colon in the code of a cell that is YAML: those of commands and of other tools are not."""
    codes = re.findall(r"`([^`]+)`", cell)
    return {word for code in codes if ": " in code for word in re.findall(r"(?<![.\w])([a-z_]+): ", code)}


NAMES_OF_EXAMPLES = {"gold", "free"}  # whoever writes a scenario gives these


@pytest.mark.parametrize("page", sorted(PAGES.glob("from-*.md")), ids=lambda page: page.stem)
def test_every_word_in_the_right_column_of_a_table_is_one_of_the_language(page):
    rows = re.findall(r"^\|(.+)\|(.+)\|$", page.read_text(), re.MULTILINE)[2:]
    known = {word for kind in get_args(Kind) for word in words(kind)}
    known |= {field.alias or name for cls in _classes() for name, field in cls.model_fields.items()}
    known |= {"weight"}  # of a mixture, whose parts are maps
    assert len(rows) >= 5
    assert {word for _, cell in rows for word in said_in(cell)} - known - NAMES_OF_EXAMPLES == set()
