"""Recorded files are read at load, relative to the scenario, and embedded."""

import pytest

from sim.errors import ScenarioError
from sim.spec import load, load_document

HEAD = "version: 1\nduration: 1m\nservices: {a: {workers: 1, endpoints: {b: [{work: WORK}]}}}\ntraffic: {t: {sends: a.b, arrivals: ARRIVALS}}\n"


def study(folder, content, arrivals="{poisson: 1/s}", work="1ms", name="file.csv"):
    (folder / name).write_text(content)
    (folder / "s.yaml").write_text(HEAD.replace("WORK", work).replace("ARRIVALS", arrivals))
    loaded = load(folder / "s.yaml")
    assert load_document(loaded.document).variants == loaded.variants
    return loaded.variants["base"]


def arrivals(folder, content, text="{replay: file.csv}"):
    return study(folder, content, arrivals=text).traffic["t"].arrivals


def test_timestamps_keep_100_nanoseconds(tmp_path):
    rows = "TIMESTAMP,Tokens\n2023-11-16 18:17:03.9799600,4808\n2023-11-16 18:17:04.0319600,3180\n2023-11-16 18:17:04.0319601,110"
    assert arrivals(tmp_path, rows).data == (0.0, 0.052, 0.0520001)


@pytest.mark.parametrize(
    ("rows", "data"),
    [
        ("t\n5\n6.5\n9\n", (0.0, 1.5, 4.0)),
        ("1700158623.9799600\n1700158624.0319601\n", (0.0, 0.0520001)),
        ("t\n9\n5\n", (0.0, 4.0)),
        ("t\n2024-01-01T00:00:00Z\n2024-01-01T01:00:00.5+01:00\n2024-01-01T00:00:01+00:00", (0.0, 0.5, 1.0)),
        ("t;x\n2023-12-31 23:59;1\n2024-01-01;2\n", (0.0, 60.0)),
        ("\ufefft\r\n1\r\n2\r\n", (0.0, 1.0)),
        ("# a comment\n\n1\n\n2\n", (0.0, 1.0)),
        ('"t","x"\n"1","a,b"\n"3","c"\n', (0.0, 2.0)),
    ],
)
def test_times_are_seconds_or_iso_in_files_of_many_habits(tmp_path, rows, data):
    assert arrivals(tmp_path, rows).data == data


def test_a_rate_series_takes_its_interval_from_its_times_and_fills_gaps(tmp_path):
    rows = "period,count\n1998-05-11 00:00:00,820\n1998-05-11 00:01:00,614\n1998-05-11 00:03:00,5\n1998-05-11 00:04:00,6"
    replay = arrivals(tmp_path, rows, "{replay: {file: file.csv, rates: count}}")
    assert replay.data == (820.0, 614.0, 0.0, 5.0, 6.0)
    assert replay.every == 60.0


def test_a_rate_series_with_an_interval_needs_no_times(tmp_path):
    replay = arrivals(tmp_path, "0.5,306.0;\n1.5,369.0;\n2.5,621.0;\n", "{replay: {file: file.csv, rates: 2, every: 15m, times: 0.1}}")
    assert (replay.data, replay.every, replay.times) == ((306.0, 369.0, 621.0), 900.0, 0.1)


def test_a_limbo_file_tells_its_steps(tmp_path):
    replay = arrivals(tmp_path, "0.5,306.0;\n1.5,369.0;\n", "{replay: {file: file.csv, rates: 2}}")
    assert (replay.data, replay.every) == ((306.0, 369.0), 1.0)


@pytest.mark.parametrize(
    ("word", "text"), [("empirical", "file.csv"), ("replay", "{file: file.csv, column: ms, unit: ms}"), ("empirical", "{file: file.csv, column: text}")]
)
def test_durations_come_from_a_column(tmp_path, word, text):
    scenario = study(tmp_path, "s,ms,text\n0.001,1,1ms\n0.003,3,3000us\n", work=f"{{{word}: {text}}}")
    assert scenario.services["a"].endpoints["b"][0].time.data == (0.001, 0.003)


@pytest.mark.parametrize(
    ("rows", "text", "words"),
    [
        ("time\n1\nx\n", "{replay: file.csv}", "file.csv:3: traffic.t.arrivals.replay: found 'x', expected seconds or a time such as"),
        ("time\n2024-02-30 00:00:00\n", "{replay: file.csv}", "file.csv:2: "),
        ("time\n1\n", "{replay: {file: file.csv, timestamps: tim}}", "has no column 'tim'; did you mean 'time'?"),
        (
            "time,n\n1,2\n2\n",
            "{replay: {file: file.csv, rates: n, every: 1s}}",
            "file.csv:3: traffic.t.arrivals.replay.file: found 1 columns, expected at least 2",
        ),
        ("time,n\n1,-2\n", "{replay: {file: file.csv, rates: n, every: 1s}}", "file.csv:2: traffic.t.arrivals.replay.file: found '-2', expected a count"),
        ("n\n5\n", "{replay: {file: file.csv, rates: n}}", "or give `every`"),
        ("time,n\n1,5\n", "{replay: {file: file.csv, rates: n}}", "has too few rows to tell their interval"),
        ("time,n\n0,5\n1,5\n2,5\n1e12,1\n", "{replay: {file: file.csv, rates: n}}", "give `every`"),
        ("time\n", "{replay: file.csv}", "holds no rows"),
        ("", "{replay: file.csv}", "is empty"),
        ("1\n", "{replay: fil.csv}", "no such file; did you mean 'file.csv'?"),
        ("1\n", "{replay: .}", "is not a regular file"),
        ("1\n", '{replay: "a\\0b"}', "found the control character U+0000"),
        ("1\n", "{replay: }", "the field 'file' is missing"),
        ("1\n", "{replay: {file: 5}}", "found 5, expected text"),
    ],
)
def test_what_is_wrong_with_a_recording_names_its_line(tmp_path, rows, text, words):
    with pytest.raises(ScenarioError) as caught:
        arrivals(tmp_path, rows, text)
    assert words in str(caught.value)


@pytest.mark.parametrize("cell", ["-1", "x", "nan", "inf", "1e99", "-1ms"])
def test_a_duration_in_a_file_is_a_duration(tmp_path, cell):
    with pytest.raises(ScenarioError, match=r"file\.csv:3: "):
        study(tmp_path, f"ms\n1\n{cell}\n", work="{empirical: file.csv}")


def test_a_file_named_by_a_setting_is_read_instead(tmp_path):
    scenario = study(tmp_path, "1\n2\n", arrivals="{replay: file.csv}")
    (tmp_path / "other.csv").write_text("1\n4\n")
    other = load(tmp_path / "s.yaml", sets=["traffic.t.arrivals.replay=other.csv"])
    assert scenario.traffic["t"].arrivals.data == (0.0, 1.0)
    assert other.variants["base"].traffic["t"].arrivals.data == (0.0, 3.0)


def test_a_document_that_embeds_no_data_is_refused():
    text = {"version": 1, "duration": "1m", "services": {"a": {"workers": 1, "endpoints": {"b": []}}}}
    with pytest.raises(ScenarioError, match="names a file, which this document does not embed"):
        load_document({**text, "traffic": {"t": {"sends": "a.b", "arrivals": {"replay": "file.csv"}}}})
