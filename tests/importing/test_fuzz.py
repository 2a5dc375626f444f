"""Files that were damaged, or made to do harm: an answer or an error in one of our words, in a moment, and no file that was not named."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from sim.errors import RunError, ScenarioError, SimError
from sim.importing import import_files
from sim.spec import load_text

HERE = Path(__file__).parent
SAMPLES = sorted((HERE / "samples").iterdir()) + sorted((HERE.parent / "measured" / "samples").iterdir())
ODD = [
    "null",
    "-1",
    "1e999",
    "[]",
    "{}",
    "'{{ .Values.x }}'",
    "${X",
    "*a",
    "&a x",
    "!!python/object:os.system x",
    "9" * 40,
    "\x00",
    "é",
    "- - -",
    ": :",
    "true",
    "0",
    "''",
]
LONGEST = 5.0  # s of CPU that one file may take


def outcome(files, kind=None):
    """Whether it was imported; anything but an answer or an error of the user's fails the test."""
    begun = time.process_time()
    try:
        imported = import_files([str(file) for file in files], kind)
    except RunError:
        raise
    except SimError:
        return False
    finally:
        assert time.process_time() - begun < LONGEST
    load_text(imported.text)
    return True


def mutated(text: str, draw: random.Random) -> str:
    """One to five small injuries."""
    for _ in range(draw.randint(1, 5)):
        lines = text.splitlines(keepends=True)
        if not lines:
            return text
        at = draw.randrange(len(lines))
        match draw.randrange(8):
            case 0:
                del lines[at]
            case 1:
                lines.insert(at, lines[draw.randrange(len(lines))])
            case 2:
                head, colon, _ = lines[at].partition(":")
                lines[at] = f"{head}{colon} {draw.choice(ODD)}\n"
            case 3:
                place = draw.randrange(len(lines[at]) + 1)
                lines[at] = lines[at][:place] + draw.choice(ODD) + lines[at][place:]
            case 4:
                lines[at] = " " * draw.randrange(6) + lines[at].lstrip(" ")
            case 5:
                lines = lines[:at]
            case 6:
                lines[at] = lines[at].swapcase()
            case 7:
                other = draw.randrange(len(lines))
                lines[at], lines[other] = lines[other], lines[at]
        text = "".join(lines)
    return text


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.name)
def test_every_sample_becomes_a_scenario(sample):
    assert outcome([sample])


@pytest.mark.long
@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.name)
def test_damaged_files_end_in_an_answer_or_an_error_of_ours(sample, tmp_path):
    draw, text = random.Random(f"damage to {sample.name}"), sample.read_text()
    file = tmp_path / sample.name
    good = 0
    begun = time.monotonic()
    tries = 0
    while time.monotonic() - begun < 25 / len(SAMPLES):
        tries += 1
        file.write_text(mutated(text, draw), encoding="utf-8", errors="surrogateescape")
        good += outcome([file])
    assert good > 0
    assert tries > good


def test_bytes_that_are_no_text_are_told(tmp_path):
    draw = random.Random("bytes")
    for size in (0, 1, 10, 1000, 100_000):
        (tmp_path / "a.yaml").write_bytes(draw.randbytes(size))
        assert not outcome([tmp_path / "a.yaml"])


def test_aliases_that_repeat_aliases_are_not_expanded(tmp_path):
    levels = "\n".join(f"l{level}: &l{level} [{', '.join([f'*l{level - 1}'] * 10)}]" for level in range(1, 12))
    (tmp_path / "a.yaml").write_text(f"l0: &l0 [x]\n{levels}\nservices: *l11\n")
    with pytest.raises(ScenarioError, match=r"values .aliases repeat what they stand for"):
        import_files([str(tmp_path / "a.yaml")])


def test_maps_that_merge_maps_are_not_expanded(tmp_path):
    first = "m0: &m0 {" + ", ".join(f"k{key}: x" for key in range(300)) + "}\n"
    levels = "\n".join(
        f"m{level}: &m{level} {{<<: [{', '.join([f'*m{level - 1}'] * 30)}], n{level}: x}}" for level in range(1, 30)
    )
    (tmp_path / "a.yaml").write_text(f"{first}{levels}\nservices: {{web: *m29}}\n")
    assert not outcome([tmp_path / "a.yaml"])


def test_a_long_text_that_aliases_repeat_costs_no_more_than_it_is(tmp_path):
    service = (
        "{image: *big, environment: {A_URL: *big, B: *big}, command: *big, ports: [*big], deploy: {replicas: *big}}"
    )
    services = "\n".join(f"  s{number}: {service}" for number in range(300))
    (tmp_path / "a.yaml").write_text(f"x: &big '{'http://$${A}' * 30_000}'\nservices:\n{services}\n")
    assert outcome([tmp_path / "a.yaml"])


@pytest.mark.parametrize(
    "text",
    ["[" * 10_000, "{a: " * 10_000, "- " * 10_000, "a:\n" + "".join(" " * depth + "a:\n" for depth in range(1, 300))],
    ids=["lists", "maps", "dashes", "lines"],
)
def test_depth_is_bounded(tmp_path, text):
    (tmp_path / "a.yaml").write_text(text)
    assert not outcome([tmp_path / "a.yaml"])


def test_no_file_is_opened_that_was_not_named(tmp_path, monkeypatch):
    """Nor does a file that names others get them read: the values stay what they are, words."""
    (tmp_path / "secret").write_text("SECRET=1")
    (tmp_path / "a.yaml").write_text(
        "include: [secret]\nservices: {web: {env_file: secret, extends: {file: secret, service: x}, environment: {A: !include secret, B: 'file://secret'}}}\n"
    )
    opened = []
    real = __import__("os").open
    monkeypatch.setattr("os.open", lambda path, *rest, **more: opened.append(str(path)) or real(path, *rest, **more))
    imported = import_files([str(tmp_path / "a.yaml")])
    assert [path for path in opened if "secret" in path] == []
    assert any("a.yaml" in path for path in opened)
    assert "SECRET" not in imported.text
