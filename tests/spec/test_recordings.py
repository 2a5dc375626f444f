"""Recorded files are read at load, relative to the scenario, and embedded."""

import pytest

from sim.errors import ScenarioError
from sim.spec import load, load_document
from sim.spec.base import Spec
from sim.spec.measured import Recorded

HEAD = "version: 1\nduration: 1m\nservices: {a: {workers: 1, endpoints: {b: [{work: WORK}]}}}\ntraffic: {t: {sends: a.b, arrivals: ARRIVALS}}\n"


def study(folder, content, arrivals="{poisson: 1/s}", work="1ms", name="file.csv", head=HEAD):
    (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    (folder / "s.yaml").write_text(head.replace("WORK", work).replace("ARRIVALS", arrivals))
    loaded = load(folder / "s.yaml")
    assert load_document(loaded.document).variants == loaded.variants
    return loaded.variants["base"]


def arrivals(folder, content, text="{replay: file.csv}"):
    return study(folder, content, arrivals=text).traffic["t"].arrivals


def times(folder, content, text="{replay: file.csv}"):
    return arrivals(folder, content, text).data.values


def complaint(folder, content, text="{replay: file.csv}", **more):
    with pytest.raises(ScenarioError) as caught:
        study(folder, content, arrivals=text, **more)
    return str(caught.value)


# ---- times


def test_timestamps_keep_100_nanoseconds(tmp_path):
    rows = "TIMESTAMP,Tokens\n2023-11-16 18:17:03.9799600,4808\n2023-11-16 18:17:04.0319600,3180\n2023-11-16 18:17:04.0319601,110"
    assert times(tmp_path, rows) == (0.0, 0.052, 0.0520001)


@pytest.mark.parametrize(
    ("rows", "data"),
    [
        ("t\n5\n6.5\n9\n", (0.0, 1.5, 4.0)),
        ("1700158623.9799600\n1700158624.0319601\n", (0.0, 0.0520001)),
        ("t\n9\n5\n", (0.0, 4.0)),
        ("t\n2024-01-01T00:00:00Z\n2024-01-01T01:00:00.5+01:00\n2024-01-01T00:00:01+00:00", (0.0, 0.5, 1.0)),
        ("t\n2024-01-01 00:00:00 UTC\n2024-01-01T05:30:02+0530\n2024-01-01T01:00:03+01", (0.0, 2.0, 3.0)),
        ("t;x\n2023-12-31 23:59;1\n2024-01-01;2\n", (0.0, 60.0)),
        ("t;x;y\n1;a,b,c;\n3;a;\n", (0.0, 2.0)),
        ("t\tx\n1\ta,b\n3\tc;d\n", (0.0, 2.0)),
        ("\ufefft\r\n1\r\n2\r\n", (0.0, 1.0)),
        ("# a comment\n\n1\n\n2\n", (0.0, 1.0)),
        ('"t","x"\n"1","a,b"\n"3","c"\n', (0.0, 2.0)),
        ('t,x\n1,"two\nlines, ""quoted"""\n3,c\n', (0.0, 2.0)),
    ],
)
def test_times_are_seconds_or_iso_in_files_of_many_habits(tmp_path, rows, data):
    assert times(tmp_path, rows) == data


@pytest.mark.parametrize(("unit", "zeros"), [("s", ""), ("ms", "000"), ("us", "000000"), ("ns", "000000000")])
def test_the_unit_of_a_time_since_1970_is_told_from_its_size(tmp_path, unit, zeros):
    replay = arrivals(tmp_path, f"timeStamp,elapsed\n1622490229{zeros},1649\n1622490231{zeros},1314\n")
    assert (replay.data.values, replay.data.unit, replay.data.clock) == ((0.0, 2.0), unit, "utc")


@pytest.mark.parametrize(
    ("unit", "seconds"), [("s", 1500.0), ("ms", 1.5), ("us", 0.0015), ("ns", 1.5e-6), ("m", 90000.0)]
)
def test_the_unit_of_times_can_be_said(tmp_path, unit, seconds):
    assert times(tmp_path, "t\n500\n2000\n", f"{{replay: {{file: file.csv, unit: {unit}}}}}") == (0.0, seconds)


def test_all_recordings_of_a_scenario_share_one_zero(tmp_path):
    (tmp_path / "one.csv").write_text("t\n2024-01-01 00:00:00\n2024-01-01 00:00:01\n")
    (tmp_path / "two.csv").write_text("t\n2024-01-01 00:01:40\n2024-01-01 00:01:41\n")
    (tmp_path / "three.csv").write_text("t,rps\n1704067250000,7\n1704067260000,8\n")  # 00:00:50, in ms
    (tmp_path / "four.csv").write_text("1\n2\n")
    traffic = "{one: {sends: a.b, arrivals: {replay: one.csv}}, two: {sends: a.b, arrivals: {replay: two.csv}}, three: {sends: a.b, arrivals:"
    traffic += " {replay: {file: three.csv, rates: rps}}}, four: {sends: a.b, arrivals: {replay: four.csv}}}"
    text = f"version: 1\nduration: 3m\nservices: {{a: {{workers: 1, endpoints: {{b: []}}}}}}\ntraffic: {traffic}\n"
    variants = "variants: {all: {}, late: {traffic: {one: null, three: null}}}\n"
    (tmp_path / "s.yaml").write_text(text + variants)
    loaded = load(tmp_path / "s.yaml")
    assert load_document(loaded.document).variants == loaded.variants
    begins = {
        name: {source: of.arrivals.data.after for source, of in scenario.traffic.items()}
        for name, scenario in loaded.variants.items()
    }
    assert begins["all"] == {"one": 0.0, "two": 100.0, "three": 50.0, "four": 0.0}
    assert begins["late"] == {"two": 0.0, "four": 0.0}
    other = load_document(loaded.document, sets=["traffic.one.arrivals.replay=four.csv"], base=tmp_path).variants["all"]
    assert other.traffic["two"].arrivals.data.after == 50.0


# ---- series


def test_rates_hold_until_the_next_row_and_the_last_for_the_usual_gap(tmp_path):
    rows = (
        "time,rps\n2024-01-01 10:02:00,110\n2024-01-01 10:00:00,100\n2024-01-01 10:01:00,120\n2024-01-01 10:05:00,10\n"
    )
    data = arrivals(tmp_path, rows, "{replay: {file: file.csv, rates: rps}}").data
    assert (data.values, data.lengths) == ((100.0, 120.0, 110.0, 10.0), (60.0, 60.0, 180.0, 60.0))


def test_counts_of_a_regular_series_are_0_where_rows_are_left_out(tmp_path):
    rows = (
        "period,count\n1998-05-11 00:00:00,820\n1998-05-11 00:01:00,614\n1998-05-11 00:03:00,5\n1998-05-11 00:04:00,6"
    )
    data = arrivals(tmp_path, rows, "{replay: {file: file.csv, counts: count}}").data
    assert (data.values, data.lengths) == ((820.0, 614.0, 0.0, 5.0, 6.0), (60.0,) * 5)


def test_counts_at_odd_times_are_those_until_the_next_row(tmp_path):
    data = arrivals(tmp_path, "t,n\n0,10\n7,20\n40,30\n41,40\n", "{replay: {file: file.csv, counts: n}}").data
    assert (data.values, data.lengths) == ((10.0, 20.0, 30.0, 40.0), (7.0, 33.0, 1.0, 7.0))


def test_a_series_with_an_interval_needs_no_times(tmp_path):
    replay = arrivals(
        tmp_path,
        "0.5,306.0;\n1.5,369.0;\n2.5,621.0;\n",
        "{replay: {file: file.csv, counts: 2, every: 15m, times: 0.1}}",
    )
    assert (replay.data.values, replay.lengths, replay.times) == ((306.0, 369.0, 621.0), (900.0,) * 3, 0.1)


def test_rows_of_one_time_are_several_series_of_which_where_picks_some(tmp_path):
    rows = "t,Name,rps\n1,/a,6\n1,/b,4\n1,Aggregated,10\n2,/a,6\n2,/b,4\n2,Aggregated,10\n"
    told = complaint(tmp_path, rows, "{replay: {file: file.csv, rates: rps}}")
    assert (
        "file.csv:3: traffic.t.arrivals.replay.file: column 't': found 1 in line 2, too, which differ in Name; expected one row for each time"
        in told
    )
    assert "`where: {Name: ...}`" in told
    for where in ("{Name: Aggregated}", "{Name: [/a, /b]}"):
        assert times(tmp_path, rows, f"{{replay: {{file: file.csv, rates: rps, where: {where}}}}}") == (10.0, 10.0)


def test_where_compares_what_is_written(tmp_path):
    rows = "t,status,ok\n1,200,True\n2,500,False\n4,200,True\n"
    for where in ("{status: 200}", "{ok: true}", "{status: 200, ok: true}"):
        assert times(tmp_path, rows, f"{{replay: {{file: file.csv, where: {where}}}}}") == (0.0, 3.0)
    told = complaint(tmp_path, rows, "{replay: {file: file.csv, where: {status: 404}}}")
    assert "has no row where status: '404'" in told
    assert "in 'status' stand: 200, 500" in told


# ---- a row is a request


def test_the_rows_of_a_request_stay_together(tmp_path):
    rows = "t,d,path,user\n10,5,a.b,carl\n0,1,a.b,ann\n20,2,a.b,carl\n"
    text = "{replay: {file: file.csv, timestamps: t, route: path, user: user}}"
    scenario = study(
        tmp_path, rows, text, work="{replay: {file: file.csv, column: d}}", head=HEAD.replace("sends: a.b, ", "")
    )
    data = scenario.traffic["t"].arrivals.data
    assert (data.values, data.user, data.users, data.routes, data.route) == (
        (0.0, 10.0, 20.0),
        (0, 1, 1),
        2,
        ("a.b",),
        (0, 0, 0),
    )
    assert scenario.services["a"].endpoints["b"].do[0].time.data == (1.0, 5.0, 2.0)
    assert scenario.traffic["t"].mix == {"a.b": 1.0}


def test_durations_are_of_the_rows_that_the_arrivals_pick(tmp_path):
    rows = "t,d,kind\n10,5,x\n0,1,x\n20,2,y\n"
    scenario = study(
        tmp_path, rows, "{replay: {file: file.csv, where: {kind: x}}}", work="{replay: {file: file.csv, column: d}}"
    )
    assert scenario.services["a"].endpoints["b"].do[0].time.data == (1.0, 5.0)
    head = HEAD.replace(
        "traffic: {", "traffic: {other: {sends: a.b, arrivals: {replay: {file: file.csv, where: {kind: y}}}}, "
    )
    told = complaint(
        tmp_path,
        rows,
        "{replay: {file: file.csv, where: {kind: x}}}",
        work="{replay: {file: file.csv, column: d}}",
        head=head,
    )
    assert "arrivals replay different rows of this file" in told


def test_a_recorded_route_must_exist(tmp_path):
    rows = "t,path\n1,a.b\n2,a.c\n3,a.d\n"
    told = complaint(tmp_path, rows, "{replay: {file: file.csv, route: path}}")
    assert (
        "traffic.t.arrivals.replay.route: unknown endpoint 'a.c'; did you mean 'a.b'? (and 1 more in column 'path')"
        in told
    )


def test_traffic_sends_something_or_its_rows_say_what(tmp_path):
    told = complaint(tmp_path, "1\n", head=HEAD.replace("sends: a.b, ", ""))
    assert "traffic.t: the field 'sends' is missing" in told


# ---- how long the run is


@pytest.mark.parametrize(
    ("rows", "text", "seconds"),
    [
        ("t\n0\n10\n20\n", "{replay: file.csv}", 30.0),
        ("t\n0\n10\n20\n", "{replay: {file: file.csv, speed: 2}}", 15.0),
        ("t,n\n0,1\n10,1\n20,1\n", "{replay: {file: file.csv, counts: n}}", 30.0),
    ],
)
def test_a_run_can_be_as_long_as_its_recording(tmp_path, rows, text, seconds):
    assert study(tmp_path, rows, text, head=HEAD.replace("1m", "recording")).duration == seconds


def test_a_run_by_the_recording_needs_one(tmp_path):
    told = complaint(tmp_path, "1\n", "{poisson: 1/s}", head=HEAD.replace("1m", "recording"))
    assert "duration: found recording, expected a duration such as 10m: no traffic replays a recording" in told


def test_variants_with_recordings_of_unlike_length_run_as_long_as_the_longest(tmp_path):
    (tmp_path / "long.csv").write_text("0\n50\n100\n")
    (tmp_path / "file.csv").write_text("0\n1\n")
    text = HEAD.replace("1m", "recording").replace("WORK", "1ms").replace("ARRIVALS", "{replay: file.csv}")
    (tmp_path / "s.yaml").write_text(
        text + "variants: {short: {}, long: {traffic: {t: {arrivals: {replay: long.csv}}}}}\n"
    )
    assert {name: of.duration for name, of in load(tmp_path / "s.yaml").variants.items()} == {
        "short": 150.0,
        "long": 150.0,
    }
    faster = load(tmp_path / "s.yaml", sets=["variants.long.traffic.t.arrivals.replay.speed=2"])
    assert {name: of.duration for name, of in faster.variants.items()} == {"short": 150.0, "long": 75.0}


# ---- durations


@pytest.mark.parametrize(
    ("word", "text"),
    [
        ("empirical", "file.csv"),
        ("replay", "{file: file.csv, column: ms, unit: ms}"),
        ("empirical", "{file: file.csv, column: text}"),
    ],
)
def test_durations_come_from_a_column(tmp_path, word, text):
    scenario = study(tmp_path, "s,ms,text\n0.001,1,1ms\n0.003,3,3000us\n", work=f"{{{word}: {text}}}")
    assert scenario.services["a"].endpoints["b"].do[0].time.data == (0.001, 0.003)


def test_durations_are_of_the_rows_that_where_picks(tmp_path):
    rows = "metric,value\nvus,1\nduration,150\nblocked,3\nduration,175\n"
    work = "{empirical: {file: file.csv, column: value, unit: ms, where: {metric: duration}}}"
    assert study(tmp_path, rows, work=work).services["a"].endpoints["b"].do[0].time.mean == pytest.approx(0.1625)


@pytest.mark.parametrize("cell", ["-1", "x", "nan", "inf", "1e99", "-1ms", "", "N/A"])
def test_a_duration_in_a_file_is_a_duration(tmp_path, cell):
    told = complaint(tmp_path, f"ms,x\n1,1\n{cell},1\n", "{poisson: 1/s}", work="{empirical: file.csv}")
    assert "file.csv:3: " in told
    assert "column 'ms': found " in told


# ---- what is told


@pytest.mark.parametrize(
    ("rows", "text", "words"),
    [
        (
            "time\n1\nx\n",
            "{replay: file.csv}",
            "file.csv:3: traffic.t.arrivals.replay: column 'time': found 'x', expected seconds or a time such as",
        ),
        ("time\n2024-02-30 00:00:00\n", "{replay: file.csv}", "file.csv:2: "),
        ("time\n1\n", "{replay: {file: file.csv, timestamps: tim}}", "has no column 'tim'; did you mean 'time'?"),
        (
            "a|b|c|d\n1|5|5|5\n",
            "{replay: {file: file.csv, timestamps: c}}",
            "has no column 'c'; the rows are not parted by commas, semicolons or tabs",
        ),
        (
            "time,n\n1,2\n2\n",
            "{replay: {file: file.csv, counts: n, every: 1s}}",
            "file.csv:3: traffic.t.arrivals.replay.file: found 1 columns, expected at least 2",
        ),
        (
            "time,n\n1,-2\n",
            "{replay: {file: file.csv, counts: n, every: 1s}}",
            "file.csv:2: traffic.t.arrivals.replay.file: column 'n': found '-2', expected a number of requests",
        ),
        (
            "time;n\n1;2,5\n2;3\n",
            "{replay: {file: file.csv, rates: n}}",
            "column 'n': found '2,5', expected a rate per second of 0 or more, with a decimal point",
        ),
        ("n\n5\n", "{replay: {file: file.csv, rates: n}}", "or give `every`"),
        ("time,n\n1,5\n", "{replay: {file: file.csv, rates: n}}", "has too few rows to tell their interval"),
        ("time,n\n1,5\n2,nan\n", "{replay: {file: file.csv, rates: n}}", "file.csv:3: "),
        (
            "time,n\n1,5\n2,\n",
            "{replay: {file: file.csv, rates: n}}",
            "column 'n': found an empty cell, expected a rate per second",
        ),
        ("time\n", "{replay: file.csv}", "holds no rows"),
        ("", "{replay: file.csv}", "is empty"),
        ("1\n", "{replay: fil.csv}", "no such file; did you mean 'file.csv'?"),
        ("1\n", "{replay: .}", "is a directory, not a regular file"),
        ("1\n", '{replay: "a\\0b"}', "found the control character U+0000"),
        ("1\n", "{replay: }", "the field 'file' is missing"),
        ("1\n", "{replay: {file: 5}}", "found 5, expected text"),
        ("1\n", "{replay: {file: file.csv, rates: a, counts: b}}", "found rates and counts, expected one of them"),
        ("1\n", "{replay: {file: file.csv, rates: a, user: b}}", "found user beside rates, where a row is no request"),
        ("1\n", "{replay: {file: file.csv, unit: days}}", "unit: found 'days', expected s, ms, us, ns, m or h"),
        (
            "1\n",
            "{replay: {file: file.csv, where: {a: {b: 1}}}}",
            "where: found a map of 1, expected a value of the column, or a list of them",
        ),
        ("1\n", "{replay: {file: file.csv, where: {a: []}}}", "where.a: found an empty list, expected at least 1"),
        ("1\n", "{replay: {file: file.csv, where: {b: 1}}}", "has no column 'b'"),
        ("t,t\n1,2\n", "{replay: {file: file.csv, timestamps: t}}", "has 2 columns 't', expected names that differ"),
        # times that cannot be
        (
            "t\n1622490229\n5\n",
            "{replay: file.csv}",
            "file.csv:3: traffic.t.arrivals.replay: column 't': found '5', expected a time of the same kind",
        ),
        (
            "t\n1622490229000\n1622490230\n",
            "{replay: file.csv}",
            "expected a time of the same kind as the first, 1622490229000 ms; in s it would be 2021-05-31",
        ),
        (
            "t\n5e10\n",
            "{replay: file.csv}",
            "expected seconds from a start or a time since 1970 in s, ms, us or ns, between 1990 and 2100",
        ),
        ("t\n1622490229000\n", "{replay: {file: file.csv, unit: s}}", "in ms it would be 2021-05-31 19:43:49"),
        ("t\n1\n-1\n", "{replay: file.csv}", "found '-1', expected a time of 0 s or more"),
        ("t\n1889-01-01\n", "{replay: file.csv}", "expected a time between 1990 and 2100"),
        (
            "t\n2024-01-01\n2024-01-02T00:00Z\n",
            "{replay: file.csv}",
            "expected a time without a zone, like the first: 2024-01-01",
        ),
        ("t\n2024-01-01\n17\n", "{replay: file.csv}", "expected a date like those before"),
        ("t\n0\n100000000\n300000000\n", "{replay: file.csv}", "has 3 rows in 9.5 years, fewer than one an hour"),
        ("name,at\nx,1622490229\n", "{replay: file.csv}", "name the column of the times in `timestamps`: at"),
        (
            "value,starttime\n3.2,2023-09-01 05:52:55\n3.1,2023-09-01 05:59:55\n",
            "{replay: file.csv}",
            "its first column 'value' holds numbers while starttime",
        ),
        # files of other kinds
        ('{"a": [1, 2]}\n', "{replay: file.csv}", "is JSON"),
        ("<html>\n", "{replay: file.csv}", "is XML or HTML"),
        (b"PAR1\x15\x04", "{replay: file.csv}", "is a parquet file"),
        (b"\x1f\x8b\x08\x00", "{replay: file.csv}", "is a gzip file"),
        ("1\n2\n".encode("utf-16"), "{replay: file.csv}", "is text in UTF-16"),
        (b"1\n\x00\x00\n", "{replay: file.csv}", "is binary"),
        (b"t\n1\n\xe9\n", "{replay: file.csv}", "is not text in UTF-8"),
        (
            '#[Histogram log format version 1.2]\n"StartTimestamp","Interval_Length"\n0.127,1.007\n',
            "{replay: file.csv}",
            "is an HdrHistogram log: each row is the histogram of an interval, not a request",
        ),
    ],
)
def test_what_is_wrong_with_a_recording_names_its_line(tmp_path, rows, text, words):
    assert words in complaint(tmp_path, rows, text)


def test_a_file_named_by_a_setting_is_read_instead(tmp_path):
    scenario = study(tmp_path, "1\n2\n", arrivals="{replay: file.csv}")
    (tmp_path / "other.csv").write_text("1\n4\n")
    other = load(tmp_path / "s.yaml", sets=["traffic.t.arrivals.replay=other.csv"])
    assert scenario.traffic["t"].arrivals.data.values == (0.0, 1.0)
    assert other.variants["base"].traffic["t"].arrivals.data.values == (0.0, 3.0)


def test_a_setting_of_what_is_read_reads_again(tmp_path):
    study(tmp_path, "t,x\n1,a\n2,b\n4,b\n", arrivals="{replay: file.csv}")
    document = load(tmp_path / "s.yaml").document
    picked = load_document(document, sets=["traffic.t.arrivals.replay.where={x: b}"], base=tmp_path)
    assert picked.variants["base"].traffic["t"].arrivals.data.values == (0.0, 2.0)


def test_a_document_that_embeds_no_data_is_refused():
    text = {"version": 1, "duration": "1m", "services": {"a": {"workers": 1, "endpoints": {"b": []}}}}
    with pytest.raises(ScenarioError, match="names a file, which this document does not embed"):
        load_document({**text, "traffic": {"t": {"sends": "a.b", "arrivals": {"replay": "file.csv"}}}})


def test_a_name_without_end_is_told_by_its_beginning_and_its_end(tmp_path):
    with pytest.raises(ScenarioError) as caught:
        times(tmp_path, f"{'a' * 30_000},{'b' * 250}\n1,2\n", "{replay: {file: file.csv, timestamps: 'time'}}")
    said = str(caught.value)
    assert len(said) < 1000
    assert f"known: {'a' * 60}...{'a' * 60}" in said or f"{'a' * 60}..." in said


EVERYWHERE = """
version: 1
duration: 20s
traffic: {t: {sends: r, arrivals: {closed: {users: 2, think: {empirical: file.csv}}}}}
gateway:
  workers: 2
  work: {empirical: file.csv}
  authentication: {oauth: {introspect: a.id, lookup: {empirical: file.csv}}}
  routes: {r: {to: a.x, translate: {to: grpc, work: {empirical: file.csv}, response_work: {empirical: file.csv}}}}
network: {default: {latency: {empirical: file.csv}}, links: [{between: [gateway, a], latency: {empirical: file.csv}}]}
brokers: {k: {kind: log, replication: {empirical: file.csv}, topics: {e: {partitions: 2}}}}
faults: [{at: 1s, for: 2s, network: {between: [gateway, a], latency: {empirical: file.csv}}}]
services:
  a:
    workers: 2
    stock: {items: 10}
    consumes: {e: {group: g, do: [{work: {empirical: file.csv}}]}}
    endpoints:
      id: {do: [{work: {empirical: file.csv}}]}
      x:
      - take: {stock: {check_to_write: {empirical: file.csv}}}
      - work: {mixture: [{weight: 90%, empirical: {file: file.csv}}, {weight: 10%, mixture: [{empirical: file.csv}, 2ms]}]}
      - parallel: [{wait: {empirical: file.csv}}, [{wait: {empirical: file.csv}}, {parallel: [{wait: {empirical: file.csv}}]}]]
      - publish: e
        fallback: [{wait: {empirical: file.csv}}]
"""


def recorded_in(value):
    """Every recorded distribution in a spec."""
    if isinstance(value, Recorded):
        yield value
    parts = (
        value.values()
        if isinstance(value, dict)
        else value
        if isinstance(value, (tuple, list))
        else dict(value).values()
        if isinstance(value, Spec)
        else ()
    )
    for part in parts:
        yield from recorded_in(part)


@pytest.mark.parametrize("text", [EVERYWHERE, EVERYWHERE + "variants: {base: {}}\n"], ids=["alone", "variant"])
def test_a_column_is_read_wherever_a_time_may_stand(tmp_path, text):
    found = list(recorded_in(study(tmp_path, "ms\n1\n3\n", head=text)))
    assert len(found) == EVERYWHERE.count("empirical")
    assert all(recorded.data == (1.0, 3.0) for recorded in found)
