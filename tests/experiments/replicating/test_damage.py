"""Whatever is done to the archive of a run, it is the run as it was, or it is said to be damaged in one line: never a traceback, never a strange drawing."""

from __future__ import annotations

import hashlib
import io
import json
import os
import random
import struct
import tracemalloc
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from sim import cli
from sim.errors import UsageError
from sim.experiments.replicating.comparison import compare
from sim.experiments.replicating.document import as_json
from sim.experiments.replicating.storing import ARCHIVE, open_run
from sim.experiments.running.archive import HEADER
from sim.experiments.running.arrow import arrow
from sim.report.table import render_expectations, render_table
from sim.spec import load_text
from sim.vocabulary import Outcome, Stage
from tests.experiments import fakes
from tests.experiments.fakes import save
from tests.experiments.replicating.damage import Taken, damaged_table, damaged_words, members_of, zipped

EVENTS = """\
version: 1
duration: 20s
warmup: 1s
traffic: {guests: {sends: desk.order, arrivals: {poisson: 10/s}, timeout: 1s, completes_with: [cooked]}}
services:
  desk: {workers: 2, endpoints: {order: [{work: 5ms}, {publish: orders}]}}
  kitchen: {workers: 2, consumes: {orders: {group: cooks, do: [{work: 20ms}, {effect: cooked}]}}}
brokers: {kafka: {kind: log, topics: {orders: {partitions: 2}}}}
faults: [{at: 5s, for: 3s, outage: kitchen}]
"""
KINDS = {
    "kitchen": lambda: compare(fakes.shop(), replications=2, jobs=1),
    "alone": lambda: compare(fakes.shop(), replications=1, jobs=1),
    "summary": lambda: compare(load_text(fakes.SHOP, sets=["record=summary"]), replications=2, jobs=1),
    "events": lambda: compare(load_text(EVENTS, sets=["record.spans=all"]), replications=2, jobs=1),
}


@pytest.fixture(scope="module")
def archives(tmp_path_factory):
    """Of several kinds: archive and JSON."""
    found = {}
    for kind, make in KINDS.items():
        folder = tmp_path_factory.mktemp(kind)
        comparison = make()
        save(comparison, folder)
        found[kind] = ((folder / ARCHIVE).read_bytes(), as_json(comparison))
    return found


@pytest.fixture
def kitchen(archives):
    return archives["kitchen"][0]


def complaint(folder: Path, data: bytes, **options) -> str:
    """What is said of it; empty where it is opened and can be shown."""
    (folder / ARCHIVE).write_bytes(data)
    try:
        comparison = open_run(folder, **options)
    except UsageError as error:
        said = str(error)
        assert said.startswith(
            f"{folder / ARCHIVE}: damaged, or written by another version of sim; run the same command again ("
        ), said
        assert "\n" not in said
        return said
    render_table(comparison)
    render_expectations(comparison)
    return ""


# ---- the container


def test_an_archive_that_is_cut_off_anywhere_is_damaged(kitchen, tmp_path):
    for length in np.linspace(0, len(kitchen) - 1, 25).astype(int):
        assert complaint(tmp_path, kitchen[:length])


def test_a_byte_that_is_another_is_found_or_means_nothing(archives, tmp_path):
    data, before = archives["kitchen"]
    dice, found = random.Random(1), 0
    for _ in range(30):
        place = dice.randrange(len(data))
        changed = bytes([*data[:place], data[place] ^ (1 << dice.randrange(8)), *data[place + 1 :]])
        if complaint(tmp_path, changed):
            found += 1
        else:
            assert as_json(open_run(tmp_path)) == before
    assert found > 20


def with_member(data, name, content):
    return zipped([*members_of(data), (name, content)])


def twice(data, name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return zipped([*members_of(data), (name, dict(members_of(data))[name])])


def exchanged(data):
    members = dict(members_of(data))
    members["0/ticks.arrow"], members["1/ticks.arrow"] = members["0/events.arrow"], members["0/ticks.arrow"]
    return zipped(members.items())


CONTAINERS = {
    "a file more": (
        lambda data: with_member(data, "more.txt", b"x"),
        "'more.txt': is missing in it, there twice, or of no table",
    ),
    "a name that leads out": (
        lambda data: with_member(data, "../../x.arrow", b"x"),
        "is missing in it, there twice, or of no table",
    ),
    "an absolute name": (
        lambda data: with_member(data, "/etc/passwd", b"x"),
        "is missing in it, there twice, or of no table",
    ),
    "a file less": (
        lambda data: zipped([its for its in members_of(data) if its[0] != "0/ticks.arrow"]),
        "'0/ticks.arrow': is missing in it",
    ),
    "no header": (lambda data: zipped([its for its in members_of(data) if its[0] != HEADER]), f"found no {HEADER}"),
    "a file twice": (lambda data: twice(data, "0/ticks.arrow"), "'0/ticks.arrow': is missing in it, there twice"),
    "the header twice": (lambda data: twice(data, HEADER), "there twice"),
    "packed again": (
        lambda data: zipped(members_of(data), zipfile.ZIP_DEFLATED),
        "found a compressed or encrypted file",
    ),
    "a bomb": (
        lambda data: zipped([(HEADER, b" " * 2**27)], zipfile.ZIP_DEFLATED),
        "found a compressed or encrypted file",
    ),
    "many files": (lambda data: data + b"PK\x01\x02" * 100_001, "found more than 100,000 files in it"),
    "nearly too many files": (
        lambda data: zipped([*members_of(data), *((f"{n}", b"") for n in range(20_000))]),
        "is missing in it",
    ),
    "two files exchanged": (exchanged, "is not what it was when it was written"),
}


@pytest.mark.parametrize("kind", CONTAINERS)
def test_what_is_no_archive_of_ours_is_damaged(kitchen, tmp_path, kind):
    damage, words = CONTAINERS[kind]
    assert words in complaint(tmp_path, damage(kitchen))


HEADERS = {
    "another type": (b"[1]", "found format nothing, expected 5"),
    "text": (b'"run"', "found format nothing"),
    "no JSON": (b"{", "Expecting"),
    "nested": (b"[" * 200_000, "nested too deeply"),
    "infinite": (b'{"format": 5, "content": {"a": 1e999}, "tables": {}}', "found 1e999, expected a finite number"),
    "huge": (b'{"format": 5, "content": {"a": ' + b"9" * 5000 + b'}, "tables": {}}', "found a number of 5000 digits"),
    "half a pair": (b'{"format": 5, "content": {"a": "\\ud800"}, "tables": {}}', "surrogates not allowed"),
    "not UTF-8": (b'{"format": 5, "\xff": 1}', "can't decode"),
    "another format": (b'{"format": 3}', "found format 3, expected 5"),
    "tables of another type": (
        b'{"format": 5, "content": {}, "tables": []}',
        "tables: found an empty list, expected a map",
    ),
    "no tables": (b'{"format": 5, "content": {}}', "tables: found nothing, expected a map"),
}


@pytest.mark.parametrize("kind", HEADERS)
def test_a_header_that_is_none_is_damaged(tmp_path, kind):
    content, words = HEADERS[kind]
    assert words in complaint(tmp_path, zipped([(HEADER, content)]))


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"dtype": "|O"}, "expected numbers of one or two dimensions"),
        ({"dtype": "<i4,<i4"}, "expected numbers of one or two dimensions"),
        ({"dtype": "<M8[s]"}, "expected numbers of one or two dimensions"),
        ({"dtype": [["a", "|O"]]}, "expected numbers of one or two dimensions"),
        ({"dtype": [["a", "<i4"], ["a", "<i4"]]}, "expected numbers of one or two dimensions"),
        ({"dtype": []}, "expected numbers of one or two dimensions"),
        ({"dtype": 5}, "expected numbers of one or two dimensions"),
        ({"shape": []}, "expected numbers of one or two dimensions"),
        ({"shape": [-1]}, "expected numbers of one or two dimensions"),
        ({"shape": [1, 2, 3]}, "expected numbers of one or two dimensions"),
        ({"shape": [2**47]}, "found tables of"),
        ({"shape": [2**40, 0]}, "0/ticks: "),
        ({"shape": [2**20, 2**40]}, "found tables of"),
        ({"shape": "x"}, "shape: found 'x', expected a list"),
        ({"sha256": 5}, "sha256: found 5, expected text"),
        ({"dtype": "<f4"}, "0/ticks: found columns value (double), expected value (float)"),
        ({"shape": [22]}, "0/ticks: found 21 rows, expected 22"),
    ],
)
def test_a_table_of_another_form_than_the_header_says_is_damaged(kitchen, tmp_path, said, words):
    taken = Taken.of(kitchen)
    taken.header["tables"]["0/ticks"] |= said
    members = dict(members_of(taken.packed()))
    header = json.loads(members[HEADER])
    header["tables"]["0/ticks"] |= said
    members[HEADER] = json.dumps(header).encode()
    assert words in complaint(tmp_path, zipped(members.items()))


def test_what_is_larger_than_allowed_is_refused_before_it_is_unpacked(kitchen, tmp_path):
    assert "--largest allows more" in complaint(tmp_path, kitchen, largest=1000)
    assert "found tables of" in complaint(tmp_path, kitchen, largest=len(kitchen)) or "JSON of more" in complaint(
        tmp_path, kitchen, largest=len(kitchen)
    )


def test_a_scenario_that_fills_the_memory_is_not_built_for_comparison(kitchen, tmp_path):
    """Ten million closed users would take 18 GB, whatever the archive itself does."""
    taken = Taken.of(kitchen)
    closed = {"closed": {"users": 10_000_000, "think": "1s"}}
    set_words(("study", "document", "traffic", "guests", "arrivals"), closed)(taken)
    assert "its scenario takes about 18GB of memory, expected at most 4.29GB; --largest allows more" in complaint(
        tmp_path, taken.packed()
    )


@pytest.mark.parametrize("claimed", [None, 2**40, 2**62, -5])
def test_a_column_that_unpacks_to_more_than_its_rows_takes_no_memory(kitchen, tmp_path, claimed):
    """A thousand times as many numbers, under a header that says how few there are; or a column that only claims to be so large."""
    taken = Taken.of(kitchen)
    rows = taken.tables["0/ticks"].size
    bomb = bytes(arrow(np.zeros(rows if claimed else 2**24), "zstd"))
    if claimed:
        bomb = bomb.replace(struct.pack("<q", 8 * rows), struct.pack("<q", claimed))
    members = dict(members_of(kitchen)) | {"0/ticks.arrow": bomb}
    header = json.loads(members[HEADER])
    header["tables"]["0/ticks"]["sha256"] = hashlib.sha256(bomb).hexdigest()
    members[HEADER] = json.dumps(header).encode()
    before = pa.default_memory_pool().max_memory()
    tracemalloc.start()
    said = complaint(tmp_path, zipped(members.items()))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert "0/ticks: found" in said
    assert peak < 30 * 2**20
    assert pa.default_memory_pool().max_memory() - before < 2**24


# ---- words and tables


@pytest.mark.parametrize("kind", KINDS)
def test_an_archive_whose_words_are_others_is_as_it_was_or_damaged(archives, tmp_path, kind):
    attack(archives[kind][0], tmp_path, damaged_words, seed=7, count=12)


@pytest.mark.long
@pytest.mark.parametrize("kind", KINDS)
def test_an_archive_whose_tables_are_others_is_as_it_was_or_damaged(archives, tmp_path, kind):
    attack(archives[kind][0], tmp_path, damaged_table, seed=8, count=12)


@pytest.mark.long
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("damage", [damaged_words, damaged_table])
def test_neither_is_any_of_hundreds_more(archives, tmp_path, kind, damage):
    attack(archives[kind][0], tmp_path, damage, seed=9, count=200)


def attack(data, folder, damage, seed, count):
    taken, dice, found = Taken.of(data), random.Random(seed), 0
    for _ in range(count):
        what, changed = damage(taken, dice)
        try:
            found += bool(complaint(folder, changed))
        except Exception as error:
            raise AssertionError(what) from error
    assert found > count / 3


def set_words(at, value):
    def change(taken):
        holder = taken.header["content"]
        for key in at[:-1]:
            holder = holder[key]
        holder[at[-1]] = value

    return change


def set_cell(table, column, value, row=0):
    def change(taken):
        (taken.tables[table][column] if column else taken.tables[table])[row] = value

    return change


FIGURE = ("variants", 0, "metrics", "response_p99")
CASES = {
    "a request before the start": (
        set_cell("0/requests", "arrival", -1.0),
        "0/requests.arrival: found something else, expected times between 0 and 20 s",
    ),
    "a request at no time": (set_cell("0/requests", "arrival", np.nan), "0/requests.arrival: found something else"),
    "an answer before the question": (set_cell("0/requests", "end", 0.0, -1), "0/requests.end: found something else"),
    "an outcome that there is not": (
        set_cell("0/requests", "outcome", len(Outcome)),
        f"0/requests.outcome: found something else, expected numbers from 0 to {len(Outcome) - 1}",
    ),
    "an outcome below 0": (set_cell("0/requests", "outcome", -1), "0/requests.outcome"),
    "another outcome": (
        set_cell("0/requests", "outcome", 9),
        "requests of guests: found something else than its scenario has",
    ),
    "a name that there is not": (
        set_cell("0/requests", "route", 30_000),
        "0/requests.route: found something else, expected numbers from 0 to",
    ),
    "a route of nobody": (set_cell("0/requests", "source", -1), "0/requests.source"),
    "effects without a name": (set_cell("0/requests", "effects", 2**63), "0/requests.effects"),
    "another time of answer": (set_cell("0/requests", "end", 19.9), "as its records have it"),
    "another user": (set_cell("0/requests", "user", 5), "one: records: found others than their fingerprint is of"),
    "a lower bound of a count": (
        set_words(("variants", 0, "metrics", "goodput", "censored"), True),
        "goodput: censored: found something else",
    ),
    "no lower bound": (
        set_words(("variants", 0, "metrics", "goodput", "censored"), 1),
        "censored: found 1, expected true or false",
    ),
    "a figure beyond all numbers": (set_cell("0/figures", "", 1e300, 1), "expected from 0 to"),
    "a line beyond all numbers": (set_cell("0/over_time", "", 1e300), "over_time offered: found something else"),
    "ticks out of order": (
        set_cell("0/ticks", "", 5.0),
        "0/ticks: found something else, expected times in ascending order",
    ),
    "other ticks": (set_cell("0/ticks", "", 0.5), "ticks: found something else than its scenario has"),
    "a gauge that is infinite": (set_cell("0/gauges", "", np.inf), "0/gauges"),
    "a figure of the first replication": (set_cell("0/figures", "", 0.123), "as its records have it"),
    "a figure beyond its limits": (set_cell("0/figures", "", -5.0, 1), "expected from 0 to"),
    "a figure of another replication": (set_cell("0/figures", "", 0.123, 1), "found something else, expected"),
    "replications of other numbers": (set_cell("0/figures/index", "", 3), "expected replications in their order"),
    "another timeline": (set_cell("0/over_time/index", "", 0.5), "over_time"),
    "another mean": (set_words((*FIGURE, "value"), 0.1), "response_p99: value: found something else"),
    "another limit": (set_words((*FIGURE, "low"), -9.0), "response_p99: low: found something else"),
    "words for a mean": (
        set_words((*FIGURE, "value"), "0.1"),
        "content.variants[0].metrics.response_p99.value: found '0.1', expected a number",
    ),
    "a metric that there is not": (
        set_words(("variants", 0, "metrics", "beauty"), {}),
        "metrics.beauty: found no 'value'",
    ),
    "no metrics": (set_words(("variants", 0, "metrics"), {}), "one: metrics"),
    "another verdict": (set_words(("variants", 0, "verdicts", 0, "passed"), False), "one: verdicts"),
    "another difference": (
        set_words(("differences", "two", "response_p99", "significant"), "yes"),
        "significant: found 'yes', expected true or false",
    ),
    "differences of nobody": (set_words(("differences",), {"three": {}}), "differences: found something else"),
    "replications in words": (
        set_words(("replications",), "ten"),
        "content.replications: found 'ten', expected a whole number",
    ),
    "more replications": (set_words(("replications",), 3), "replications: found something else, expected 2"),
    "another seed": (set_words(("seed",), 8), "seed: found something else, expected 8"),
    "another engine": (
        set_words(("engine",), "steam"),
        "content.engine: found 'steam', expected 'simpy' or 'compiled'",
    ),
    "another fingerprint": (
        set_words(("fingerprint",), "0" * 32),
        "fingerprint: found something else, expected that of the variants",
    ),
    "a variant that there is not": (
        set_words(("variants", 0, "name"), "three"),
        "variants: found 'three', expected one or two",
    ),
    "a variant twice": (set_words(("variants", 0, "name"), "two"), "variants: found one twice, or none"),
    "no variants": (set_words(("variants",), []), "variants: found one twice, or none"),
    "a document of another type": (
        set_words(("study", "document"), []),
        "content.study.document: found an empty list, expected a map",
    ),
    "a document that is none": (set_words(("study", "document"), {"version": 1}), "is missing"),
    "another duration": (
        set_words(("study", "document", "duration"), "30s"),
        "duration: found something else than its scenario has",
    ),
    "another service": (
        lambda taken: taken.header["content"]["study"]["document"]["services"].update(
            cellar={"workers": 1, "endpoints": {}}
        ),
        "names: found something",
    ),
    "names that cannot be printed": (set_words(("study", "name"), "\x1b[2J"), "expected a name that can be printed"),
    "a name less": (set_words(("variants", 0, "records", "names"), ["guests"]), "found something else"),
    "a series less": (
        lambda taken: taken.header["content"]["variants"][0]["records"]["series"].pop(),
        "0/gauges: found something else",
    ),
    "another series": (
        set_words(("variants", 0, "records", "series", 0, "component"), "cellar"),
        "series: found something else than its scenario has",
    ),
    "a kind of series that there is not": (
        set_words(("variants", 0, "records", "series", 0, "kind"), "sum"),
        "found 'sum', expected 'mean' or 'level' or 'total'",
    ),
    "a book that does not balance": (
        set_words(("variants", 0, "records", "books", 0, "offered"), 3),
        "expected a book that balances",
    ),
    "a warm-up beyond the end": (set_words(("variants", 0, "records", "warmup"), 50.0), "duration and warm-up"),
    "an endless run": (set_words(("variants", 0, "records", "duration"), float("inf")), "duration and warm-up"),
    "a confidence of nothing": (set_words(("method", "confidence"), 7.0), "method: found something else"),
    "an interval of nothing": (set_words(("method", "interval"), "tea leaves"), "method: found something else"),
    "so many alike as there are not": (
        set_words(("method", "alike"), -1),
        "method.alike: found something else, expected 0 or 2",
    ),
    "a method of another type": (set_words(("method",), None), "content.method: found nothing, expected a map"),
    "no tables of records": (set_words(("variants", 0, "records", "tables"), []), "0/tables: found"),
}


@pytest.mark.parametrize("case", CASES)
def test_what_cannot_be_is_damaged_and_said_with_its_place(kitchen, tmp_path, case):
    change, words = CASES[case]
    taken = Taken.of(kitchen)
    change(taken)
    assert words in complaint(tmp_path, taken.packed())


@pytest.mark.parametrize("field", ["low", "high", "deviation", "least"])
def test_so_are_intervals_within_one_run(archives, tmp_path, field):
    taken = Taken.of(archives["alone"][0])
    set_words(("variants", 0, "metrics", "utilisation(kitchen)", field), 0.123)(taken)
    assert f"one: utilisation(kitchen): {field}: found something else" in complaint(tmp_path, taken.packed())


SUMMARIES = {
    "lines out of order": (
        set_cell("0/summary/moments", "", 30.0),
        "summary.moments: found something else, expected finite numbers in ascending order",
    ),
    "other lines": (set_cell("0/summary/edges", "", 1e-9, 0), "summary.edges: found something else"),
    "a cell beyond them": (set_cell("0/summary/answers", "interval", 10**6), "summary.answers.interval"),
    "a bucket beyond them": (set_cell("0/summary/answers", "bucket", -1), "summary.answers.bucket"),
    "a count below 0": (set_cell("0/summary/answers", "count", -1), "summary.answers.count"),
    "another count": (set_cell("0/summary/answers", "count", 77), "requests of guests: found something else"),
    "an outcome that there is not": (set_cell("0/summary/ledger", "outcome", 99), "summary.ledger.outcome"),
    "a sum that is none": (set_cell("0/summary/settling", "total", np.nan), "summary.settling"),
}


@pytest.mark.parametrize("case", SUMMARIES)
def test_so_is_a_summary(archives, tmp_path, case):
    change, words = SUMMARIES[case]
    taken = Taken.of(archives["summary"][0])
    change(taken)
    assert words in complaint(tmp_path, taken.packed())


FLOWS = {
    "a message of no topic": (set_cell("0/messages", "topic", -1), "0/messages.topic"),
    "a message that ended in no way": (set_cell("0/messages", "how", 7), "0/messages.how"),
    "another end": (set_cell("0/messages", "how", 5), "messages of orders: found something else"),
    "a span of nowhere": (set_cell("0/spans", "endpoint", 999), "0/spans.endpoint"),
    "a stage of no kind": (set_cell("0/stages", "kind", len(Stage)), "0/stages.kind"),
    "a stage that takes for ever": (set_cell("0/stages", "seconds", np.inf), "0/stages.seconds"),
    "an event of no kind": (set_cell("0/events", "kind", 120), "0/events.kind"),
    "an event out of order": (set_cell("0/events", "time", 19.0), "0/events.time"),
    "an event of nobody": (set_cell("0/events", "subject", -1), "0/events.subject"),
}


@pytest.mark.parametrize("case", FLOWS)
def test_so_are_messages_spans_and_events(archives, tmp_path, case):
    change, words = FLOWS[case]
    taken = Taken.of(archives["events"][0])
    change(taken)
    assert words in complaint(tmp_path, taken.packed())


def test_a_truth_is_0_or_1(kitchen, tmp_path):
    taken = Taken.of(kitchen)
    taken.tables["0/requests"].view(np.uint8).reshape(-1, taken.tables["0/requests"].dtype.itemsize)[0, -1] = 7
    assert "expects: found 7, expected 0 or 1" in complaint(tmp_path, taken.packed())


# ---- on the command line


def test_the_command_says_so_in_one_line(kitchen, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("friday").mkdir()
    taken = Taken.of(kitchen)
    taken.tables["0/requests"]["outcome"][0] = 99
    Path("friday", ARCHIVE).write_bytes(taken.packed())
    assert cli.answer(["report", "friday"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(
        f"error: friday/{ARCHIVE}: damaged, or written by another version of sim; run the same command again (0/requests.outcome"
    )
    assert err.count("\n") == 1
    assert sorted(path.name for path in Path("friday").iterdir()) == [ARCHIVE]


@pytest.mark.parametrize("name", ["/dev/zero", "/proc/self/environ", "pipe"])
def test_an_archive_that_is_no_file_is_refused_and_not_waited_for(tmp_path, name):
    os.mkfifo(tmp_path / "pipe")
    if not (tmp_path / name).exists():
        pytest.skip("not here")
    (tmp_path / "report").mkdir()
    (tmp_path / "report" / ARCHIVE).symlink_to(tmp_path / name)
    with pytest.raises(UsageError, match=r"is a .*, not a regular file"):
        open_run(tmp_path / "report")


def test_a_pickle_in_it_is_run_by_nobody(tmp_path):
    whole = io.BytesIO()
    np.savez(whole, header=np.array([object()], dtype=object))
    assert complaint(tmp_path, whole.getvalue())
