"""Files that were damaged, or made to do harm: a measurement or an error in our words, in a moment, and no file that was not named."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from sim.errors import ScenarioError, UsageError
from sim.measured import read_measured
from sim.measured.kinds import READERS

SAMPLES = sorted((Path(__file__).parent / "samples").iterdir())
ODD = [
    "null",
    "-1",
    "1e999",
    "[]",
    "{}",
    '"',
    "NaN",
    "inf",
    "9" * 40,
    "\x00",
    "é",
    ",,,",
    "\t",
    "<a>",
    "&b;",
    "0",
    "''",
    "1970-01-01",
    "%",
    "\\",
    "(" * 50,
]
LONGEST = 5.0  # s of CPU that one file may take


def outcome(file, kind=None):
    """Whether it was read; anything but an answer or an error of the user's fails the test."""
    begun = time.process_time()
    try:
        measured = read_measured(str(file), kind)
    except (ScenarioError, UsageError):
        return False
    finally:
        assert time.process_time() - begun < LONGEST
    assert str(measured)
    return True


def mutated(text, draw):
    """One to five small injuries."""
    for _ in range(draw.randint(1, 5)):
        lines = text.splitlines(keepends=True)
        if not lines:
            return text
        at = draw.randrange(len(lines))
        place = draw.randrange(len(lines[at]) + 1)
        match draw.randrange(7):
            case 0:
                del lines[at]
            case 1:
                lines.insert(at, lines[draw.randrange(len(lines))])
            case 2:
                lines[at] = lines[at][:place] + draw.choice(ODD) + lines[at][place:]
            case 3:
                lines[at] = lines[at][:place] + lines[at][place + draw.randint(1, 12) :]
            case 4:
                lines = lines[:at]
            case 5:
                cells = lines[at].split(",")
                cells[draw.randrange(len(cells))] = draw.choice(ODD)
                lines[at] = ",".join(cells)
            case 6:
                lines[at] = lines[at].swapcase()
        text = "".join(lines)
    return text


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.name)
def test_damaged_files_end_in_a_measurement_or_an_error_of_ours(sample, tmp_path):
    draw, text = random.Random(f"damage to {sample.name}"), sample.read_text()
    file = tmp_path / sample.name
    good = 0
    for _ in range(60):
        file.write_text(mutated(text, draw), encoding="utf-8", errors="surrogateescape")
        good += outcome(file)
    assert good > 0


@pytest.mark.long
@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.name)
def test_a_reader_that_is_insisted_on_bears_every_other_format(reader, tmp_path):
    draw = random.Random(f"insisting on {reader.name}")
    for sample in SAMPLES:
        file = tmp_path / sample.name
        for damage in range(10):
            file.write_text(
                mutated(sample.read_text(), draw) if damage else sample.read_text(),
                encoding="utf-8",
                errors="surrogateescape",
            )
            outcome(file, reader.name)


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.name)
def test_bytes_that_are_no_text_are_told(reader, tmp_path):
    draw = random.Random("bytes")
    for size in (0, 1, 10, 1000, 100_000):
        (tmp_path / "a").write_bytes(draw.randbytes(size).replace(b"\0", b" "))
        assert not outcome(tmp_path / "a", reader.name)
        assert not outcome(tmp_path / "a")


def test_no_file_is_opened_that_was_not_named(tmp_path, monkeypatch):
    secret = tmp_path / "secret"
    secret.write_text("SECRET")
    text = (Path(__file__).parent / "samples" / "jmeter.xml").read_text()
    (tmp_path / "a.jtl").write_text(
        text.replace(
            "<testResults",
            f'<?xml-stylesheet href="{secret}"?><testResults xmlns:xi="http://www.w3.org/2001/XInclude"',
            1,
        )
    )
    opened = []
    real = __import__("os").open
    monkeypatch.setattr("os.open", lambda path, *rest, **more: opened.append(str(path)) or real(path, *rest, **more))
    outcome(tmp_path / "a.jtl")
    assert [path for path in opened if "secret" in path] == []
    assert any("a.jtl" in path for path in opened)
