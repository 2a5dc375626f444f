"""What `sim check` says of recordings: what was understood, and what lies outside of the run."""

import pytest

from sim import check, load

HEAD = "version: 1\nduration: DURATION\nservices: {a: {workers: 1, endpoints: {b: [{wait: WAIT}]}}}\ntraffic: {t: {sends: a.b, arrivals: {replay: REPLAY}}}\n"


def report(folder, rows, replay, duration="1m", wait="1ms"):
    (folder / "file.csv").write_text(rows)
    (folder / "s.yaml").write_text(HEAD.replace("DURATION", duration).replace("REPLAY", replay).replace("WAIT", wait))
    return check(load(folder / "s.yaml"))


def test_milliseconds_since_1970_are_understood_and_said(tmp_path):
    rows = "timeStamp,elapsed\n" + "".join(f"{1622490229000 + 500 * index},{100 + index}\n" for index in range(101))
    (line, durations) = report(
        tmp_path, rows, "file.csv", wait="{empirical: {file: file.csv, column: elapsed, unit: ms}}"
    ).recordings["base"]
    assert (
        line
        == "t: file.csv: 101 rows, times in ms from 2021-05-31 19:43:49 over 50s, mean 2/s, peak 2/s; all 101 requests fall into the run; nothing after 50.5s"
    )
    assert (
        durations
        == "services.a.endpoints.b.0.wait: file.csv, column elapsed: 101 rows, mean 150ms, from 100ms to 200ms"
    )


def test_rates_and_counts_are_told_apart(tmp_path):
    rows = "time,n\n2024-01-01 10:00:00,100\n2024-01-01 10:01:00,120\n2024-01-01 10:02:00,110\n"
    (line,) = report(tmp_path, rows, "{file: file.csv, rates: n}", "2m").recordings["base"]
    assert (
        "3 rows, column n of rates per second, times from 2024-01-01 10:00:00 over 3m, mean 110/s, peak 120/s" in line
    )
    assert line.endswith("13,200 of 19,800 requests fall into the run of 2m, the rest lies after its end")
    (line,) = report(tmp_path, rows, "{file: file.csv, counts: n}", "recording").recordings["base"]
    assert "column n of counts" in line
    assert "mean 1.83/s, peak 2/s; all 330 requests fall into the run" in line


@pytest.mark.parametrize(
    ("duration", "found"),
    [("1s", "2 of 101 recorded requests fall into the run"), ("5m", "its recording is over after 50.5s")],
)
def test_a_run_that_sees_little_of_its_recording_is_warned_of(tmp_path, duration, found):
    rows = "".join(f"{index / 2}\n" for index in range(101))
    assert any(found in warning.finding for warning in report(tmp_path, rows, "file.csv", duration).warnings)
    assert not any("record" in warning.finding for warning in report(tmp_path, rows, "file.csv", "recording").warnings)


def test_recordings_of_different_clocks_are_warned_of(tmp_path):
    (tmp_path / "one.csv").write_text("5\n6\n")
    (tmp_path / "two.csv").write_text("2024-01-01\n2024-01-02\n")
    traffic = (
        "traffic: {one: {sends: a.b, arrivals: {replay: one.csv}}, two: {sends: a.b, arrivals: {replay: two.csv}}}\n"
    )
    (tmp_path / "s.yaml").write_text(
        f"version: 1\nduration: 1m\nservices: {{a: {{workers: 1, endpoints: {{b: []}}}}}}\n{traffic}"
    )
    (found,) = [
        warning.finding for warning in check(load(tmp_path / "s.yaml")).warnings if warning.kind == "unlike_clocks"
    ]
    assert found == "recordings of different clocks: dates without a zone (two), seconds from a start (one)"
