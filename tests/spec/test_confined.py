"""What a scenario names lies where it may, and what stands in a file of somebody else is not told."""

import os

import pytest

from sim.errors import ScenarioError, UsageError
from sim.spec import load, load_text

HEAD = "version: 1\nduration: 1m\nservices: {a: {workers: 1, endpoints: {b: [{work: WORK}]}}}\ntraffic: {t: {sends: a.b, arrivals: ARRIVALS}}\n"


def scenario(folder, arrivals="{poisson: 1/s}", work="1ms", **more):
    folder.mkdir(exist_ok=True)
    (folder / "s.yaml").write_text(HEAD.replace("WORK", work).replace("ARRIVALS", arrivals))
    return load(folder / "s.yaml", **more)


def complaint(folder, arrivals="{poisson: 1/s}", **more):
    with pytest.raises(ScenarioError) as caught:
        scenario(folder, arrivals, **more)
    return str(caught.value)


# ---- only inside a folder


def test_recordings_must_lie_in_the_folder(tmp_path):
    (tmp_path / "outside.csv").write_text("1\n2\n")
    inner = tmp_path / "room" / "inner"
    inner.mkdir(parents=True)
    (tmp_path / "room" / "own.csv").write_text("1\n2\n")
    (inner / "link.csv").symlink_to("../../outside.csv")
    (inner / "back.csv").symlink_to("../own.csv")
    for name in ("../own.csv", "back.csv", str(tmp_path / "room" / "own.csv")):
        assert scenario(inner, f"{{replay: {name}}}", confine=tmp_path / "room")
    for name in ("../../outside.csv", "link.csv", "/etc/passwd", "/proc/self/environ", "../../none.csv", "/dev/zero"):
        said = complaint(inner, f"{{replay: {name}}}", confine=tmp_path / "room")
        assert said.endswith(f"traffic.t.arrivals.replay: {inner / name}: lies outside of {tmp_path / 'room'}")


def test_so_must_the_scenario_and_columns_of_durations(tmp_path):
    (tmp_path / "took.csv").write_text("took\n5ms\n")
    scenario(tmp_path / "room", work="{empirical: {file: ../took.csv, column: took}}")
    with pytest.raises(ScenarioError, match="lies outside of"):
        load(tmp_path / "room" / "s.yaml", confine=tmp_path / "room")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "link.yaml").symlink_to("../room/s.yaml")
    for path in (tmp_path / "room" / "s.yaml", tmp_path / "other" / "link.yaml", tmp_path / "none.yaml"):
        with pytest.raises(UsageError, match="lies outside of"):
            load(path, confine=tmp_path / "other")


def test_so_must_a_text_and_what_a_setting_names(tmp_path):
    (tmp_path / "outside.csv").write_text("1\n2\n")
    (tmp_path / "room").mkdir()
    text = HEAD.replace("WORK", "1ms").replace("ARRIVALS", "{replay: ../outside.csv}")
    assert load_text(text, base=tmp_path / "room")
    with pytest.raises(ScenarioError, match="lies outside of"):
        load_text(text, base=tmp_path / "room", confine=tmp_path / "room")
    with pytest.raises(ScenarioError, match="lies outside of"):
        scenario(
            tmp_path / "room",
            "{replay: s.csv}",
            confine=tmp_path / "room",
            sets=["traffic.t.arrivals.replay.file=../outside.csv"],
        )


def test_so_must_plugins_even_where_they_are_allowed(tmp_path):
    (tmp_path / "mine.py").write_text("")
    (tmp_path / "room").mkdir()
    (tmp_path / "room" / "s.yaml").write_text(
        HEAD.replace("WORK", "1ms").replace("ARRIVALS", "{poisson: 1/s}") + "plugins: [../mine.py]\n"
    )
    assert load(tmp_path / "room" / "s.yaml", plugins=[tmp_path / "mine.py"])
    with pytest.raises(ScenarioError, match=r"uses the plug-in '\.\./mine\.py', which lies outside of"):
        load(tmp_path / "room" / "s.yaml", plugins=[tmp_path / "mine.py"], confine=tmp_path / "room")


def test_a_folder_that_is_none_is_told(tmp_path):
    with pytest.raises(UsageError, match="nowhere: no such directory"):
        load(tmp_path / "s.yaml", confine=tmp_path / "nowhere")


# ---- what stands in it

SECRET = "hunter2"


@pytest.mark.parametrize(
    ("content", "arrivals"),
    [
        (f"root:{SECRET}:19000:0\nbin:{SECRET}:1:\n", "{replay: FILE}"),
        (f"{SECRET},time\n{SECRET},5\n", "{replay: FILE}"),
        (f"{SECRET},time\n{SECRET},2024-01-01 00:00:00\n", "{replay: FILE}"),
        (f"{SECRET},time\n5,2024-01-01 00:00:00\n7,2024-01-01 00:00:09\n", "{replay: FILE}"),
        (f"{SECRET}\n1622490229\n5\n", "{replay: FILE}"),
        (f"t\n5\n{SECRET}\n", "{replay: FILE}"),
        (f"t,n\n5,1\n6,{SECRET}\n", "{replay: {file: FILE, rates: n}}"),
        (f"t,n,{SECRET}\n5,1,a\n5,2,b\n", "{replay: {file: FILE, rates: n}}"),
        (f"t,{SECRET}\n5,1\n", "{replay: {file: FILE, rates: hunter}}"),
        (f"t,n\n5,{SECRET}\n", "{replay: {file: FILE, where: {n: hunter}}}"),
        (f"t,r\n5,{SECRET}\n", "{replay: {file: FILE, route: r}}"),
        (f"t,r\n5,{SECRET}\n6,a.b\n", "{replay: {file: FILE, route: r}}"),
        (f't,r\n5,"{SECRET}\n', "{replay: {file: FILE, rates: r}}"),
        (f"t\n{SECRET}\n", "{replay: {file: FILE, timestamps: x}}"),
    ],
)
def test_of_a_file_outside_of_the_scenarios_folder_only_place_and_kind_are_told(tmp_path, content, arrivals):
    (tmp_path / "outside.csv").write_text(content)
    (tmp_path / "room").mkdir()
    (tmp_path / "room" / "link.csv").symlink_to("../outside.csv")
    for name in ("../outside.csv", str(tmp_path / "outside.csv"), "link.csv"):
        said = complaint(tmp_path / "room", arrivals.replace("FILE", name))
        assert SECRET not in said
        assert "link.csv" in said or "outside.csv" in said


def test_place_and_kind_are_what_helps(tmp_path):
    (tmp_path / "outside.csv").write_text(f"t,n\n5,1\n{SECRET},x\n")
    said = complaint(tmp_path / "room", "{replay: {file: ../outside.csv, timestamps: t}}")
    assert (
        "outside.csv:3: traffic.t.arrivals.replay.file: column 't': found text, expected seconds or a time such as 2023"
        in said
    )
    (tmp_path / "outside.csv").write_text("t,n\n5,1\n2024-01-01,x\n")
    assert "outside.csv:3" in complaint(tmp_path / "room", "{replay: ../outside.csv}")
    assert "column '1': found a date" in complaint(tmp_path / "room", "{replay: ../outside.csv}")
    (tmp_path / "outside.csv").write_text("t,n\n5,\n")
    assert "column 'n': found an empty cell" in complaint(
        tmp_path / "room", "{replay: {file: ../outside.csv, rates: n}}"
    )
    (tmp_path / "outside.csv").write_text("t,n\n5,-2\n")
    assert "column 'n': found a number, expected a rate" in complaint(
        tmp_path / "room", "{replay: {file: ../outside.csv, rates: n}}"
    )


def test_names_beside_a_file_that_is_not_there_are_told_in_the_scenarios_folder_only(tmp_path):
    (tmp_path / "monday.csv").write_text("1\n")
    (tmp_path / "room").mkdir()
    (tmp_path / "room" / "monday.csv").write_text("1\n")
    assert "did you mean 'monday.csv'" in complaint(tmp_path / "room", "{replay: mondey.csv}")
    assert complaint(tmp_path / "room", "{replay: ../mondey.csv}").endswith("mondey.csv: no such file")


def test_a_file_outside_that_is_right_is_read(tmp_path):
    (tmp_path / "outside.csv").write_text("t,r\n5,a.b\n6,a.b\n")
    read = scenario(tmp_path / "room", "{replay: {file: ../outside.csv, route: r}}")
    assert read.variants["base"].traffic["t"].arrivals.data.values == (0.0, 1.0)


# ---- what is no file


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("pipe", "a pipe, not a regular file"),
        ("/dev/zero", "a device"),
        ("/proc/self/environ", "a file of the kernel (proc)"),
        ("..", "a directory"),
    ],
)
def test_devices_pipes_and_files_of_the_kernel_are_no_recordings(tmp_path, name, kind):
    (tmp_path / "room").mkdir()
    os.mkfifo(tmp_path / "room" / "pipe")
    if not os.path.exists(tmp_path / "room" / name):
        pytest.skip("not here")
    assert f": is {kind}" in complaint(tmp_path / "room", f"{{replay: {name}}}")


def test_one_file_under_many_names_is_read_once_and_all_together_are_bounded(tmp_path, monkeypatch):
    (tmp_path / "a.csv").write_text("1\n2\n3\n")
    (tmp_path / "b.csv").write_text("1\n2\n3\n")
    monkeypatch.setattr("sim.spec.recordings.LARGEST_TOGETHER", 10)
    traffic = ", ".join(f"t{count}: {{sends: a.b, arrivals: {{replay: {'./' * count}a.csv}}}}" for count in range(5))
    text = HEAD.partition("traffic:")[0].replace("WORK", "1ms")
    assert load_text(f"{text}traffic: {{{traffic}}}\n", base=tmp_path)
    with pytest.raises(ScenarioError, match="makes more than 0 MiB of recordings, together with the others"):
        load_text(f"{text}traffic: {{{traffic}, u: {{sends: a.b, arrivals: {{replay: b.csv}}}}}}\n", base=tmp_path)
