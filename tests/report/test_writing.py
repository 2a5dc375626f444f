import errno
import hashlib
import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path, PurePosixPath

import pytest

from sim.errors import OutputError, UsageError
from sim.report import replacing, write_report, writing


@pytest.fixture
def quick(monkeypatch):
    """Small files instead of drawings: what is tested is the writing."""
    content = {PurePosixPath("index.html"): "<p>new</p>", PurePosixPath("charts/a.png"): b"png"}
    monkeypatch.setattr(writing, "_drawn", lambda *_: dict(content))
    return content


def everything(directory):
    return {str(path.relative_to(directory)) for path in directory.rglob("*")}


@pytest.mark.long
def test_a_report_on_disk_has_page_charts_table_and_what_was_given(comparison, tmp_path):
    index = write_report(
        comparison,
        tmp_path / "deep" / "report",
        {"results.json": "{}", "run.npz": b"\0"},
        not_modelled=[("call", "hedging")],
    )
    directory = index.parent
    assert index == (tmp_path / "deep" / "report" / "index.html")
    assert "hedging" in index.read_text(encoding="utf-8")
    names = {path.name for path in (directory / "charts").iterdir()}
    assert {"outcomes.svg", "outcomes.png", "differences.svg", "topology-1-sync.svg", "topology-3-async.svg"} <= names
    assert (directory / "charts" / "latency.png").read_bytes().startswith(b"\x89PNG")
    assert (directory / "results.json").read_text() == "{}"
    assert (directory / "run.npz").read_bytes() == b"\0"
    assert "response p95" in (directory / "table.txt").read_text(encoding="utf-8")
    assert everything(tmp_path / "deep") >= {"report"}
    assert not [name for name in os.listdir(tmp_path / "deep") if name.startswith(".")]


@pytest.mark.usefixtures("quick")
def test_an_earlier_report_is_replaced_whole(comparison, tmp_path):
    write_report(comparison, tmp_path / "r", {"old.json": "1"})
    write_report(comparison, tmp_path / "r", {"new.json": "2"})
    assert everything(tmp_path / "r") == {".sim-report.json", "index.html", "charts", "charts/a.png", "new.json"}
    assert os.listdir(tmp_path) == ["r"]


@pytest.mark.long
@pytest.mark.usefixtures("quick")
def test_files_that_others_put_there_are_kept(comparison, tmp_path):
    write_report(comparison, tmp_path / "r")
    (tmp_path / "r" / "notes.md").write_text("mine")
    (tmp_path / "r" / "charts" / "mine.png").write_text("mine")
    write_report(comparison, tmp_path / "r")
    assert (tmp_path / "r" / "notes.md").read_text() == "mine"
    assert (tmp_path / "r" / "charts" / "mine.png").read_text() == "mine"
    assert os.listdir(tmp_path) == ["r"]


@pytest.mark.usefixtures("quick")
def test_an_empty_directory_may_be_filled(comparison, tmp_path):
    (tmp_path / "r").mkdir()
    assert write_report(comparison, tmp_path / "r").is_file()


@pytest.mark.usefixtures("quick")
def test_a_directory_of_something_else_is_left_alone(comparison, tmp_path):
    (tmp_path / "precious.txt").write_text("data")
    with pytest.raises(UsageError, match="not a report of this version"):
        write_report(comparison, tmp_path)
    assert everything(tmp_path) == {"precious.txt"}


@pytest.mark.usefixtures("quick")
def test_a_marker_that_says_nothing_is_no_marker(comparison, tmp_path):
    (tmp_path / ".sim-report.json").write_text('["precious.txt"]')
    with pytest.raises(UsageError, match="not a report"):
        write_report(comparison, tmp_path)


@pytest.mark.usefixtures("quick")
def test_a_file_in_the_way_is_left_alone(comparison, tmp_path):
    (tmp_path / "r").write_text("data")
    with pytest.raises(UsageError, match="is a file"):
        write_report(comparison, tmp_path / "r")


@pytest.mark.usefixtures("quick")
def test_a_link_to_a_report_is_followed(comparison, tmp_path):
    write_report(comparison, tmp_path / "real")
    (tmp_path / "link").symlink_to("real")
    write_report(comparison, tmp_path / "link", {"new.json": "1"})
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real" / "new.json").exists()


@pytest.mark.parametrize("name", ["../evil", "/etc/evil", "a/../../evil", "", ".", ".sim-report.json", "a\\b", "a\0b"])
@pytest.mark.usefixtures("quick")
def test_nothing_is_written_outside_of_the_report(comparison, tmp_path, name):
    with pytest.raises(UsageError, match="inside the report"):
        write_report(comparison, tmp_path / "r", {name: "x"})
    assert os.listdir(tmp_path) == []


@pytest.mark.usefixtures("quick")
def test_a_place_that_cannot_be_written_is_an_output_error(comparison, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="could not be written"):
        write_report(comparison, tmp_path / "file" / "r")


def full_disk(after):
    """A `_put` that runs out of disk after so many files."""
    real, count = replacing._put, iter(range(1000))

    def put(path, content):
        if next(count) >= after:
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        real(path, content)

    return put


@pytest.mark.long
@pytest.mark.parametrize("after", range(4))
@pytest.mark.parametrize("earlier", [False, True])
@pytest.mark.usefixtures("quick")
def test_a_full_disk_leaves_the_earlier_report_or_nothing(comparison, tmp_path, monkeypatch, after, earlier):
    if earlier:
        write_report(comparison, tmp_path / "r", {"old.json": "1"})
    before = everything(tmp_path)
    monkeypatch.setattr(replacing, "_put", full_disk(after))
    with pytest.raises(OutputError, match="No space left on device"):
        write_report(comparison, tmp_path / "r", {"new.json": "2"})
    assert everything(tmp_path) == before


@pytest.mark.long
@pytest.mark.parametrize("case", [(False, 0), (True, 0), (True, 1)])
@pytest.mark.parametrize("error", [OSError(errno.EIO, "Input/output error"), KeyboardInterrupt()])
@pytest.mark.usefixtures("quick")
def test_a_move_that_fails_leaves_the_earlier_report_or_nothing(comparison, tmp_path, monkeypatch, case, error):
    earlier, failing = case
    if earlier:
        write_report(comparison, tmp_path / "r", {"old.json": "1"})
    before, real, count = everything(tmp_path), Path.rename, iter(range(1000))

    def rename(self, target):
        if next(count) == failing:
            raise error
        return real(self, target)

    monkeypatch.setattr(Path, "rename", rename)
    with pytest.raises(OutputError if isinstance(error, OSError) else KeyboardInterrupt):
        write_report(comparison, tmp_path / "r", {"new.json": "2"})
    assert everything(tmp_path) == before


def test_an_interruption_while_drawing_leaves_nothing(comparison, tmp_path, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(writing, "_drawn", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_report(comparison, tmp_path / "r")
    assert os.listdir(tmp_path) == []


@pytest.mark.usefixtures("quick")
def test_the_same_comparison_gives_the_same_files(comparison, tmp_path):
    for name in ("a", "b"):
        write_report(comparison, tmp_path / name, {"x.json": "1"})
    contents = [
        {path.name: path.read_bytes() for path in (tmp_path / name).rglob("*") if path.is_file()} for name in ("a", "b")
    ]
    assert contents[0] == contents[1]


def forged(directory, names):
    """A report whose marker names files that it did not write."""
    directory.mkdir(parents=True)
    (directory / ".sim-report.json").write_text(json.dumps({"sim report": 2, "files": names}))


def digest(content):
    return hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize(
    "name",
    ["{outside}", "../precious.txt", "charts/../../precious.txt", "folder/../../precious.txt", "./../precious.txt"],
)
@pytest.mark.usefixtures("quick")
def test_a_forged_marker_deletes_nothing_outside(comparison, tmp_path, name):
    precious = tmp_path / "precious.txt"
    precious.write_text("data")
    (tmp_path / "r" / "folder").mkdir(parents=True)
    (tmp_path / "r" / "folder" / "theirs").write_text("theirs")
    (tmp_path / "r" / ".sim-report.json").write_text(
        json.dumps({"sim report": 2, "files": {name.format(outside=precious): digest(b"data")}})
    )
    write_report(comparison, tmp_path / "r")
    assert precious.read_text() == "data"
    assert (tmp_path / "r" / "folder" / "theirs").exists()


@pytest.mark.parametrize("how", ["folder", "file"])
@pytest.mark.usefixtures("quick")
def test_a_link_inside_a_report_is_not_followed(comparison, tmp_path, how):
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "a.png").write_bytes(b"data")
    forged(tmp_path / "r", {"charts/a.png": digest(b"data"), "a.png": digest(b"data")})
    if how == "folder":
        (tmp_path / "r" / "charts").symlink_to(tmp_path / "home")
    else:
        (tmp_path / "r" / "charts").mkdir()
        (tmp_path / "r" / "charts" / "a.png").symlink_to(tmp_path / "home" / "a.png")
    with pytest.warns(UserWarning, match="kept"):
        write_report(comparison, tmp_path / "r")
    assert (tmp_path / "home" / "a.png").read_bytes() == b"data"
    assert (tmp_path / "r" / "charts" / "a.png").read_bytes() == b"png"
    assert not (tmp_path / "r" / "charts").is_symlink()
    assert os.listdir(tmp_path / "home") == ["a.png"]


@pytest.mark.usefixtures("quick")
def test_a_file_changed_since_is_kept_under_another_name(comparison, tmp_path):
    write_report(comparison, tmp_path / "r")
    (tmp_path / "r" / "index.html").write_text("my notes")
    with pytest.warns(
        UserWarning, match=r"index\.html was not as the earlier report left it; it is kept as index\.html\.kept-1"
    ):
        write_report(comparison, tmp_path / "r")
    assert (tmp_path / "r" / "index.html").read_text() == "<p>new</p>"
    assert (tmp_path / "r" / "index.html.kept-1").read_text() == "my notes"


@pytest.mark.parametrize(
    "marker",
    ["{}", '{"sim report": 1, "files": ["a"]}', '{"sim report": 2, "files": ["a"]}', "[" * 100_000, "x" * 5_000_000],
)
@pytest.mark.usefixtures("quick")
def test_a_marker_of_another_form_is_no_marker(comparison, tmp_path, marker):
    (tmp_path / "r").mkdir()
    (tmp_path / "r" / ".sim-report.json").write_text(marker)
    with pytest.raises(UsageError, match="not a report of this version"):
        write_report(comparison, tmp_path / "r")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs FIFOs")
@pytest.mark.usefixtures("quick")
def test_a_marker_that_is_a_pipe_keeps_nobody_waiting(comparison, tmp_path):
    (tmp_path / "r").mkdir()
    os.mkfifo(tmp_path / "r" / ".sim-report.json")
    with pytest.raises(UsageError, match="not a report of this version"):
        write_report(comparison, tmp_path / "r")


def killed_at(monkeypatch, moment):
    """The writing stops for good at its n-th move, as after kill -9: nothing is cleaned up by it."""
    code = textwrap.dedent("""
        import os, sys
        from pathlib import Path, PurePosixPath
        from sim.report import replacing
        real, count = Path.rename, iter(range(100))
        def rename(self, target):
            if next(count) == int(sys.argv[2]):
                os._exit(9)
            return real(self, target)
        Path.rename = rename
        put = replacing._put
        def last_words(path, content):
            put(path, content[: len(content) // 2] if int(sys.argv[2]) < 0 and path.name == "index.html" else content)
            if int(sys.argv[2]) < 0 and path.name == "index.html":
                os._exit(9)
        replacing._put = last_words
        replacing.replace_directory(Path(sys.argv[1]), {PurePosixPath("index.html"): b"later", PurePosixPath("new"): b"1"})
    """)
    return lambda directory: (
        subprocess.run([sys.executable, "-c", code, str(directory), str(moment)], check=False).returncode
    )


@pytest.mark.long
@pytest.mark.parametrize("moment", [-1, 0, 1, 2])
@pytest.mark.usefixtures("quick")
def test_what_a_killed_process_left_behind_is_put_right_by_the_next(comparison, tmp_path, monkeypatch, moment):
    write_report(comparison, tmp_path / "r")
    (tmp_path / "r" / "notes.md").write_text("mine")
    assert killed_at(monkeypatch, moment)(tmp_path / "r") == 9
    assert len(os.listdir(tmp_path)) > 1
    writing.refuse_foreign(tmp_path / "r")
    assert os.listdir(tmp_path) == ["r"]
    assert (tmp_path / "r" / "notes.md").read_text() == "mine"
    assert (tmp_path / "r" / "index.html").read_text() == ("later" if moment == 2 else "<p>new</p>")
    write_report(comparison, tmp_path / "r")
    assert everything(tmp_path / "r") == {".sim-report.json", "index.html", "charts", "charts/a.png", "notes.md"}


@pytest.mark.usefixtures("quick")
def test_what_others_named_alike_is_left_alone(comparison, tmp_path):
    (tmp_path / ".r.partial-mine").mkdir()
    (tmp_path / ".r.partial-mine" / "precious").write_text("data")
    (tmp_path / ".r.old-mine").symlink_to(tmp_path)
    write_report(comparison, tmp_path / "r")
    assert (tmp_path / ".r.partial-mine" / "precious").read_text() == "data"
    assert (tmp_path / ".r.old-mine").is_symlink()
