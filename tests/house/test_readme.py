"""The front page is true: its commands run and print what it says, its example and its Python run, its list of figures is the catalogue."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from heads import ROOT

import sim
from sim.vocabulary import METRICS, Metric

README = ROOT / "README.md"
UPDATE = bool(os.environ.get("UPDATE_README"))
TEXT = README.read_text(encoding="utf-8")
PAGES = [README, ROOT / "CONTRIBUTING.md", ROOT / "ARCHITECTURE.md", ROOT / "CHANGELOG.md", ROOT / "SECURITY.md"]


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)


def commands() -> list[tuple[str, list[str]]]:
    """Each command of the console blocks with the lines of output that are shown below it."""
    found: list[tuple[str, list[str]]] = []
    for line in "".join(blocks("console")).splitlines():
        if line.startswith("$ "):
            found.append((line[2:], []))
        elif line != "...":
            found[-1][1].append(line)
    return found


def cells(line: str) -> list[str]:
    """The parts of a line of a table: between wide gaps."""
    return re.split(r"(?<=\S)\s{2,}", line)


def part_of(printed: str, line: str) -> str:
    """As much of a printed line as is shown, its columns where they stand."""
    gaps = [gap.start() for gap in re.finditer(r"(?<=\S)\s{2,}", printed)]
    return printed[: [*gaps, len(printed)][min(len(cells(line)) - 1, len(gaps))]]


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """A checkout as its user sees it, in which files may be written."""
    folder = tmp_path_factory.mktemp("readme")
    (folder / "scenarios").symlink_to(ROOT / "scenarios")
    return folder


@pytest.mark.long
def test_every_command_runs_and_prints_what_is_shown(place):
    """One after the other, in one folder: a command may need what an earlier one wrote."""
    bin_folder = place / "bin"
    bin_folder.mkdir()
    (bin_folder / "sim").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m sim "$@"\n')
    (bin_folder / "sim").chmod(0o755)
    environment = {**os.environ, "PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}"}
    text = TEXT
    asked = [(command, shown) for command, shown in commands() if not command.startswith("make ")]
    assert len(asked) >= 8
    for command, shown in asked:
        done = subprocess.run(
            command, shell=True, cwd=place, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        lines = [line.rstrip() for line in done.stdout.splitlines()]
        for line in shown:
            printed = next((candidate for candidate in lines if cells(candidate)[0] == cells(line)[0]), "")
            found = part_of(printed, line)  # a table may go on to the right
            assert cells(found) == cells(line) or (UPDATE and printed), (
                f"{command} does not print: {line}\nbut: {printed or done.stdout}"
            )
            text = text.replace(f"\n{line}\n", f"\n{found}\n")
    if UPDATE:
        README.write_text(text, encoding="utf-8")


@pytest.mark.long
@pytest.mark.parametrize("code", blocks("python"))
def test_the_python_runs(code, tmp_path):
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True, capture_output=True, timeout=300)


def test_a_line_is_written_anew_with_its_columns_where_they_stand():
    assert part_of("  p99    3.1 s    2 ms", "  p99  3.2 s") == "  p99    3.1 s"
    assert part_of("a b", "a b   c") == "a b"


def test_the_example_is_ten_lines_and_runs():
    example = blocks("yaml")[0]
    assert len(example.splitlines()) == 10
    comparison = sim.compare(sim.load_text(example), replications=1, jobs=1)
    assert comparison.passed


def test_the_recorded_example_replays_a_log(tmp_path):
    """Its requests, with the routes, users and durations of their rows, in the order of arrival."""
    (tmp_path / "access.csv").write_text(
        "time,method,path,account,took\n1622490231000,GET,shop.cart,ann,30\n1622490229000,POST,shop.cart,bob,20\n"
    )
    study = sim.load_text(f"version: 1\n{blocks('yaml')[1]}", base=tmp_path)
    requests = sim.run(study, replications=1, jobs=1, engine="simpy").variants["base"].requests
    assert requests["arrival"].tolist() == [0.0, 2.0]
    assert requests["response"].tolist() == pytest.approx([0.02, 0.03])
    assert requests["user"].tolist() == [0, 1]


@pytest.mark.long
def test_every_option_that_is_mentioned_exists():
    verbs = (
        "import",
        "fit",
        "validate",
        "export",
        "mcp",
        "new",
        "check",
        "run",
        "compare",
        "sweep",
        "capacity",
        "explain",
        "stability",
        "schema",
    )
    asked = [[sys.executable, "-m", "sim", *verb, "--help"] for verb in ([], *([verb] for verb in verbs))]
    helps = "".join(subprocess.run(command, capture_output=True, text=True, check=True).stdout for command in asked)
    for page in PAGES[:2]:
        for option in set(re.findall(r"`(--[a-z-]+)", page.read_text(encoding="utf-8"))):
            assert option in helps, f"{page.name} mentions {option}"


def test_every_command_is_mentioned():
    done = subprocess.run([sys.executable, "-m", "sim", "--help"], capture_output=True, text=True, check=True)
    verbs = re.findall(r"^  ([a-z]+) ", done.stdout.partition("Commands:")[2], re.MULTILINE)
    assert len(verbs) >= 7
    assert [verb for verb in verbs if not re.search(rf"(`|\$ )sim {verb}\b", TEXT)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page):
    for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
        assert (ROOT / target).exists(), f"{page.name} links to {target}"


def test_the_files_to_read_first_are_seven_and_exist():
    listed = re.findall(
        r"^\d\. `([^`]+)`",
        (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").partition("## How to add")[0],
        re.MULTILINE,
    )
    assert len(listed) == 7
    assert [name for name in listed if not (ROOT / name).is_file()] == []


def test_the_picture_was_drawn_by_the_tool_and_is_small():
    (picture,) = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", TEXT)
    drawn = (ROOT / picture).read_bytes()
    assert drawn.startswith(b"\x89PNG")
    assert len(drawn) < 300_000


# ---- the list of figures


def rows() -> list[str]:
    """One row per metric; the statistics of a clock share one."""
    lines = ["| figure | unit | what it is | of |", "|---|---|---|---|"]
    for metric in METRICS.values():
        clock, _, statistic = metric.name.rpartition("_")
        if statistic == "mean" and clock in ("response", "response_all", "completion"):
            statistics = ", ".join(
                f"`{name.removeprefix(clock + '_')}`" for name in METRICS if re.fullmatch(rf"{clock}_p\d+", name)
            )
            lines.append(
                f"| `{clock}_mean{_brackets(metric)}`; also {statistics} | s | {metric.meaning} | {metric.of} |"
            )
        elif not re.fullmatch(r"(response|response_all|completion)_p\d+", metric.name):
            lines.append(f"| `{metric.name}{_brackets(metric)}` | {metric.unit} | {metric.meaning} | {metric.of} |")
    return lines


def _brackets(metric: Metric) -> str:
    return f"({', '.join(metric.labels).upper()})" if metric.labels else ""


def test_every_figure_of_the_catalogue_is_explained():
    begin, end = "<!-- metrics: begin -->\n", "<!-- metrics: end -->"
    before, _, rest = README.read_text(encoding="utf-8").partition(begin)
    written, _, after = rest.partition(end)
    wanted = "\n".join(rows()) + "\n"
    if UPDATE:
        README.write_text(f"{before}{begin}{wanted}{end}{after}", encoding="utf-8")
        return
    assert written == wanted, "write it anew: UPDATE_README=1 python -m pytest tests/house/test_readme.py"
