"""A stranger's file is a regular one, read up to a bound, without waiting, and inside one folder where that is asked."""

import os
import socket
import sys
import threading
from pathlib import Path

import pytest

from sim import files
from sim.files import UnreadableError, json_of, lies_inside, opened, read

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="the kernel of Linux makes up these files")


def complaint(path, inside=None):
    with pytest.raises(UnreadableError) as caught:
        read(path, 100, inside)
    return caught.value.message


def test_a_regular_file_is_read_up_to_a_byte_beyond_the_bound(tmp_path):
    (tmp_path / "a").write_bytes(b"12345")
    (tmp_path / "b").symlink_to("a")
    assert read(tmp_path / "b", 5) == b"12345"
    assert read(tmp_path / "a", 3) == b"1234"


def test_a_large_bound_takes_no_memory(tmp_path):
    (tmp_path / "a").write_bytes(b"1")
    assert read(tmp_path / "a", 2**62) == b"1"


def test_the_bound_is_of_what_is_read_and_not_of_what_the_file_says(tmp_path, monkeypatch):
    (tmp_path / "grows").write_bytes(b"1" * 10)
    before = os.fstat

    def small(descriptor):
        with (tmp_path / "grows").open("ab") as file:
            file.write(b"2" * 1000)
        return before(descriptor)

    monkeypatch.setattr(files.os, "fstat", small)
    assert len(read(tmp_path / "grows", 100)) == 101


def test_what_is_no_regular_file_is_told_by_its_kind_and_never_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "socket"))
    (tmp_path / "link").symlink_to("pipe")
    kinds = {"pipe": "a pipe", "link": "a pipe", "socket": "a socket", "/dev/zero": "a device", ".": "a directory"}
    for name, kind in kinds.items():
        assert complaint(tmp_path / name) == f"is {kind}, not a regular file"
    assert complaint(tmp_path / "none") == "no such file"
    (tmp_path / "loop").symlink_to("loop")
    for name in ("loop", "a\0b", "x" * 5000):
        assert complaint(tmp_path / name).startswith("cannot be read: ")


def test_a_file_that_becomes_a_pipe_after_it_was_looked_at_is_not_waited_for(tmp_path, monkeypatch):
    (tmp_path / "file").write_bytes(b"1")
    before = os.open

    def late(path, *rest, **more):
        (tmp_path / "file").unlink()
        os.mkfifo(tmp_path / "file")
        return before(path, *rest, **more)

    monkeypatch.setattr(files.os, "open", late)
    assert complaint(tmp_path / "file") == "is a pipe, not a regular file"


@LINUX
@pytest.mark.parametrize("path", ["/proc/self/environ", "/proc/kmsg", "/proc/version", "/sys/kernel/uevent_seqnum"])
def test_files_of_the_kernel_are_refused_although_they_look_regular(path):
    if not Path(path).exists():
        pytest.skip("not here")
    assert complaint(path).startswith("is a file of the kernel (")


@LINUX
def test_a_regular_file_behind_the_descriptor_of_a_process_is_one(tmp_path):
    (tmp_path / "a").write_bytes(b"1")
    with (tmp_path / "a").open("rb") as file:
        assert read(f"/proc/self/fd/{file.fileno()}", 5) == b"1"


# ---- inside a folder


@pytest.fixture
def house(tmp_path):
    """A room with a file and links, and a file outside of it."""
    room = tmp_path / "room"
    (room / "shelf").mkdir(parents=True)
    (room / "shelf" / "book").write_bytes(b"mine")
    (tmp_path / "secret").write_bytes(b"theirs")
    (tmp_path / "room-2").mkdir()
    (tmp_path / "room-2" / "book").write_bytes(b"theirs")
    for name, leads_to in {
        "inner": "shelf/book",
        "outer": "../secret",
        "up": "..",
        "absolute": str(room / "shelf"),
    }.items():
        (room / name).symlink_to(leads_to)
    return room


@pytest.mark.parametrize(
    "name", ["shelf/book", "inner", "shelf/../inner", "absolute/book", "../room/shelf/book", "up/room/inner"]
)
def test_what_leads_into_the_folder_is_read(house, name):
    assert read(house / name, 10, house) == b"mine"
    assert lies_inside(house / name, house)


@pytest.mark.parametrize("name", ["../secret", "outer", "up/secret", "/etc/passwd", "../room-2/book", "../none"])
def test_what_leads_out_of_it_is_not(house, name):
    assert complaint(house / name, house) == f"lies outside of {house}"
    assert not lies_inside(house / name, house)


def test_the_folder_itself_may_be_reached_by_a_link(house, tmp_path):
    (tmp_path / "door").symlink_to(house)
    assert read(house / "inner", 10, tmp_path / "door") == b"mine"
    assert read(tmp_path / "door" / "inner", 10, house) == b"mine"


@pytest.mark.parametrize(("part", "words"), [("shelf", "cannot be read: "), ("shelf/book", "is a link")])
def test_who_puts_a_link_on_the_way_after_the_name_was_resolved_gains_nothing(
    house, tmp_path, monkeypatch, part, words
):
    (tmp_path / "away").mkdir()
    (tmp_path / "away" / "book").write_bytes(b"theirs")
    before = files.os.path.realpath

    def exchange(path):
        found = before(path)
        if str(path).endswith("book") and not (house / part).is_symlink():
            (house / part).rename(tmp_path / "gone")
            (house / part).symlink_to(tmp_path / "away" if part == "shelf" else tmp_path / "secret")
        return found

    monkeypatch.setattr(files.os.path, "realpath", exchange)
    assert complaint(house / "shelf" / "book", house).startswith(words)


def test_nothing_stays_open(house):
    def count():
        return len(os.listdir("/proc/self/fd")) if sys.platform == "linux" else 0

    opened_before = count()
    for name in ("inner", "outer", "shelf", "none"):
        for inside in (None, house):
            try:
                with opened(house / name, inside):
                    pass
            except UnreadableError:
                pass
    assert count() == opened_before


# ---- JSON


def test_json_is_what_python_writes():
    assert json_of(b'{"a": [1, 2.5, null, true, "\\ud83d\\ude00"], "b": NaN}', 10_000)["a"] == [
        1,
        2.5,
        None,
        True,
        "\U0001f600",
    ]
    assert json_of(b"[Infinity]", 1000) == [float("inf")]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"[1e999]", "found 1e999, expected a finite number"),
        (b"[-1e999]", "expected a finite number"),
        (b"[" + b"9" * 400 + b".0]", "expected a finite number"),
        (b"[" + b"9" * 21 + b"]", "found a number of 21 digits, expected at most 20"),
        (b"[" * 100_000 + b"]" * 100_000, "nested too deeply"),
        (b'"\\ud800"', "surrogates not allowed"),
        (b'"\xff"', "can't decode byte 0xff"),
        (b"[" + b"[]," * 10_000_000 + b"0]", "JSON of more than about"),
        (b"", "Expecting value"),
    ],
    ids=[
        "infinite",
        "minus infinite",
        "long float",
        "long whole number",
        "nested",
        "half a pair",
        "not UTF-8",
        "large in memory",
        "empty",
    ],
)
def test_json_of_a_stranger_is_bounded_and_strict(content, words):
    with pytest.raises(ValueError, match=words):
        json_of(content, 64 * 2**20)


def test_constants_that_json_does_not_have_can_be_refused():
    with pytest.raises(ValueError, match="found NaN"):
        json_of(b"[NaN]", 1000, constants=False)


def test_a_reader_never_waits_for_a_pipe(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    ended = threading.Event()

    def look():
        complaint(tmp_path / "pipe")
        complaint(tmp_path / "pipe", tmp_path)
        ended.set()

    threading.Thread(target=look, daemon=True).start()
    assert ended.wait(10.0)
