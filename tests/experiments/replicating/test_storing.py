"""A run on disk: the JSON that scripts read, and the archive from which a comparison is rebuilt without running anything."""

from __future__ import annotations

import json
import math
import zipfile

import numpy as np
import pandas as pd
import pytest

from sim.errors import PluginError, UsageError
from sim.experiments.replicating.comparison import compare
from sim.experiments.replicating.document import as_document, as_json
from sim.experiments.replicating.earlier_run import against_earlier, is_earlier_run
from sim.experiments.replicating.storing import ARCHIVE, RESULTS, open_run
from sim.spec import load_text
from tests.experiments import fakes
from tests.experiments.fakes import save


@pytest.fixture(scope="module")
def comparison():
    return compare(fakes.shop(), replications=5, jobs=1, perform=fakes.quick)


@pytest.fixture(scope="module")
def real():
    return compare(fakes.shop(), replications=3, jobs=1)


def test_the_document_has_the_promised_shape(comparison):
    document = as_document(comparison)
    assert list(document) == [
        "schema",
        "kind",
        "sim",
        "scenario",
        "seed",
        "engine",
        "replications",
        "fingerprint",
        "passed",
        "answer",
        "problems",
        "bases",
        "variants",
        "differences",
    ]
    assert (
        document["schema"],
        document["scenario"],
        document["seed"],
        document["engine"],
        document["replications"],
    ) == (3, "kitchen", 7, "simpy", 5)
    assert document["variants"]["one"]["metrics"]["offered"] == {
        **{"value": 120.0, "low": 120.0, "high": 120.0},
        "spread": {"sd": 0.0, "min": 120.0, "max": 120.0, "n": 5},
        "unit": "1/s",
        "of": "arrivals",
    }
    assert set(document["bases"]) == {"arrivals", "departures", "time", "run"}
    assert document["variants"]["one"]["window"] == {"begin": 2.0, "end": 20.0}
    assert document["variants"]["one"]["expectations"] == [
        {"text": "availability(kitchen.cook) >= 50%", "value": 0.99, "passed": True}
    ]
    assert list(document["differences"]["two"]["response_p99"]) == [
        "value",
        "low",
        "high",
        "significant",
        "finding",
        "detectable",
    ]


def test_infinite_and_missing_figures_are_null_and_a_lower_bound_says_so(comparison):
    metrics = as_document(comparison)["variants"]["two"]["metrics"]
    nothing = {"sd": None, "min": None, "max": None, "n": 5}
    assert metrics["recovery_time(outage)"] == {
        "value": None,
        "low": None,
        "high": None,
        "censored": True,
        "spread": nothing,
        "unit": "s",
        "of": "run",
    }
    assert metrics["completion_p99"]["censored"] is True
    assert metrics["detection_time(outage)"]["value"] is None
    assert "censored" not in metrics["detection_time(outage)"]


def test_the_same_results_are_the_same_text(comparison):
    assert as_json(comparison) == as_json(compare(fakes.shop(), replications=5, jobs=1, perform=fakes.quick))
    assert "NaN" not in as_json(comparison)


def test_spans_and_stages_come_back_with_whose_they_are(tmp_path):
    text = "{version: 1, duration: 9s, services: {a: {workers: 1, endpoints: {b: [{work: 10ms}]}}}, traffic: {t: {sends: a.b, arrivals: {poisson: 5/s}}}}"
    for spans in ("all", "exemplars"):
        before = compare(load_text(text, sets=[f"record.spans={spans}"]), replications=1, jobs=1)
        save(before, tmp_path)
        old, new = (found.variants["base"].records for found in (before, open_run(tmp_path)))
        assert new.exemplary is (spans == "exemplars")
        assert old.spans.size
        assert (new.spans.tobytes(), new.stages.tobytes()) == (old.spans.tobytes(), old.stages.tobytes())


def test_a_saved_run_comes_back_whole(real, tmp_path):
    save(real, tmp_path / "report")
    again = open_run(tmp_path / "report")
    assert as_json(again) == as_json(real)
    assert json.loads((tmp_path / "report" / RESULTS).read_text()) == as_document(real)
    before, after = real.variants["two"], again.variants["two"]
    assert after.scenario == before.scenario
    assert after.verdicts == before.verdicts
    pd.testing.assert_frame_equal(after.per_replication, before.per_replication)
    pd.testing.assert_frame_equal(after.timeline, before.timeline)
    assert after.records.fingerprint() == before.records.fingerprint()
    assert after.records.books == before.records.books
    assert np.array_equal(after.records.gauge("kitchen", "busy"), before.records.gauge("kitchen", "busy"))
    assert (again.study.text, again.study.question, again.study.document) == (
        real.study.text,
        real.study.question,
        real.study.document,
    )
    assert (again.method, again.engine) == (real.method, real.engine)


def test_a_run_of_several_files_comes_back_too(tmp_path):
    both = compare([fakes.shop(), fakes.shop(file="bistro.yaml")], replications=2, jobs=1)
    save(both, tmp_path)
    assert as_json(open_run(tmp_path)) == as_json(both)


AUTO, REGULAR = ("warmup: 2s", "warmup: auto"), ("{poisson: 20/s}", "{deterministic: 20/s}")
FIXED = ("{exponential: 40ms}", "40ms")


@pytest.mark.parametrize(
    ("changes", "options"),
    [
        ((), {"replications": 1}),
        ((), {"replications": 6, "interval": "bootstrap", "confidence": 0.9}),
        ((), {"replications": 15, "best": "p99(response)", "indifference": "1ms"}),
        ((), {"replications": 12, "precision": 0.2}),
        ((REGULAR, FIXED), {"replications": 3}),  # exact
        ((AUTO, ("duration: 20s", "duration: 60s")), {"replications": 2}),
        ((("seed: 7", "record: summary"),), {"replications": 2}),
    ],
)
def test_every_method_comes_back_and_agrees_with_itself(tmp_path, changes, options):
    text = fakes.SHOP
    for old, new in changes:
        text = text.replace(old, new)
    before = compare(fakes.shop(text), jobs=1, **options)
    save(before, tmp_path)
    assert as_json(open_run(tmp_path)) == as_json(before)


def test_a_strange_directory_is_refused_with_the_reason(tmp_path):
    with pytest.raises(UsageError, match="no such directory"):
        open_run(tmp_path / "nowhere")
    with pytest.raises(UsageError, match=f"no {ARCHIVE} in it"):
        open_run(tmp_path)


@pytest.mark.parametrize("content", [b"", b"not an archive", b"PK\x03\x04 cut off"])
def test_a_damaged_archive_is_refused(tmp_path, content):
    (tmp_path / ARCHIVE).write_bytes(content)
    with pytest.raises(UsageError, match="damaged"):
        open_run(tmp_path)


def test_an_archive_that_was_cut_short_is_refused(comparison, tmp_path):
    save(comparison, tmp_path)
    whole = (tmp_path / ARCHIVE).read_bytes()
    (tmp_path / ARCHIVE).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UsageError, match="damaged"):
        open_run(tmp_path)


def test_an_archive_whose_table_was_changed_is_refused(comparison, tmp_path):
    """The zip itself is whole, and so is the table; but it is not the one that was written."""
    save(comparison, tmp_path)
    with zipfile.ZipFile(tmp_path / ARCHIVE) as whole:
        members = {name: whole.read(name) for name in whole.namelist()}
    members["0/ticks.arrow"] = members["0/events.arrow"]
    with zipfile.ZipFile(tmp_path / ARCHIVE, "w") as changed:
        for name, content in members.items():
            changed.writestr(name, content)
    with pytest.raises(UsageError, match="damaged"):
        open_run(tmp_path)


def test_an_archive_of_another_format_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / ARCHIVE, "w") as other:
        other.writestr("header.json", '{"format": 1}')
    with pytest.raises(UsageError, match="found format 1, expected 5"):
        open_run(tmp_path)


def test_an_archive_with_a_pickle_in_it_runs_nothing(tmp_path):
    with (tmp_path / ARCHIVE).open("wb") as file:
        np.savez(file, header=np.array([object()], dtype=object))
    with pytest.raises(UsageError, match="damaged"):
        open_run(tmp_path)


def test_plugins_of_a_stored_run_must_be_allowed_again(comparison, tmp_path):
    from dataclasses import replace

    save(replace(comparison, study=replace(comparison.study, plugins=("/tmp/mine.py",))), tmp_path)
    with pytest.raises(PluginError, match=r"--plugin /tmp/mine\.py"):
        open_run(tmp_path)


def test_the_report_of_an_earlier_version_says_so(tmp_path):
    (tmp_path / "run.npz").write_bytes(b"")
    with pytest.raises(UsageError, match=r"an earlier version of sim, which kept run\.npz; run the same command again"):
        open_run(tmp_path)


def test_an_earlier_run_is_a_baseline_without_pairs(comparison, tmp_path):
    earlier = tmp_path / "yesterday.json"
    earlier.write_text(as_json(comparison))
    assert is_earlier_run(earlier)
    found = against_earlier(comparison, earlier)
    assert found.earlier is not None
    assert found.earlier.against == {"one": "one", "two": "two"}
    same = found.earlier.differences["two"]["response_p99"]
    paired = comparison.differences["two"]["response_p99"]
    assert same.value == 0
    assert not same.significant
    assert same.half_width > 100 * paired.half_width
    assert as_document(found)["earlier"]["paired"] is False


def test_welch_is_the_textbooks():
    """Two samples of five, unequal variances: t and degrees of freedom as scipy has them."""
    from scipy import stats

    from sim.experiments.replicating.earlier_run import _welch
    from sim.stats.mean import mean_interval

    now, before = [1.0, 2.0, 3.0, 4.0, 5.5], [2.0, 2.1, 2.2, 2.6, 2.0, 2.4]
    found = _welch("of a plug-in", mean_interval(now), mean_interval(before), 60.0, 0.95).difference
    expected = stats.ttest_ind(now, before, equal_var=False)
    assert found.p_value == pytest.approx(expected.pvalue)
    assert (found.low, found.high) == pytest.approx(expected.confidence_interval(0.95))


def test_a_variant_that_the_earlier_run_did_not_have_is_set_against_its_first(comparison, tmp_path):
    document = as_document(comparison)
    del document["variants"]["two"]
    (tmp_path / "old.json").write_text(json.dumps(document))
    found = against_earlier(comparison, tmp_path / "old.json")
    assert found.earlier.against["two"] == "one"
    assert math.isclose(found.earlier.differences["two"]["response_p99"].value, -0.01)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda document: document["variants"].update(one=[]),
            "variants.one.metrics: found an empty list, expected a map",
        ),
        (
            lambda document: document["variants"]["one"].update(metrics=5),
            "variants.one.metrics: found 5, expected a map",
        ),
        (lambda document: figure(document).pop("spread"), "found no 'spread'"),
        (lambda document: figure(document).update(spread=None), "spread: found nothing, expected a map"),
        (lambda document: figure(document).update(value="12"), "value: found '12', expected a number"),
        (lambda document: figure(document).update(value=True), "value: found true, expected a number"),
        (lambda document: figure(document).update(low=1e200), "low: found 1e+200, expected a number of at most 1e+100"),
        (lambda document: figure(document).pop("high"), "found no 'high'"),
        (lambda document: figure(document)["spread"].update(n=2.5), "spread.n: found 2.5, expected a whole number"),
        (lambda document: figure(document)["spread"].update(sd=-1), "found a number below 0"),
        (lambda document: figure(document).update(censored="no"), "censored: found 'no', expected true or false"),
        (
            lambda document: document["variants"].update({"\x1b[2J": document["variants"].pop("one")}),
            "expected a name that can be printed",
        ),
    ],
)
def test_an_earlier_run_that_is_damaged_is_told_with_its_place(comparison, tmp_path, change, words):
    document = as_document(comparison)
    change(document)
    (tmp_path / "old.json").write_text(json.dumps(document))
    assert is_earlier_run(tmp_path / "old.json")
    with pytest.raises(UsageError, match=r"old\.json: damaged, or not what --json wrote: ") as caught:
        against_earlier(comparison, tmp_path / "old.json")
    assert words in str(caught.value)


def figure(document):
    return document["variants"]["one"]["metrics"]["response_p99"]


def test_json_that_is_none_is_no_earlier_run(tmp_path):
    for content in (
        b"[" * 100_000,
        b'{"schema": 2, "fingerprint": "", "x": 1e999}',
        b"[" + b"[]," * 9_000_000 + b"0]",
        b"\xff",
    ):
        (tmp_path / "other.json").write_bytes(content)
        assert not is_earlier_run(tmp_path / "other.json")


def test_an_earlier_run_is_confined_too(comparison, tmp_path):
    (tmp_path / "room").mkdir()
    (tmp_path / "room" / "old.json").symlink_to("../old.json")
    (tmp_path / "old.json").write_text(as_json(comparison))
    assert is_earlier_run(tmp_path / "room" / "old.json")
    assert not is_earlier_run(tmp_path / "room" / "old.json", tmp_path / "room")
    with pytest.raises(UsageError, match="lies outside of"):
        against_earlier(comparison, tmp_path / "room" / "old.json", tmp_path / "room")


@pytest.mark.parametrize("content", ["[]", "{", '{"schema": 2, "fingerprint": ""}', '{"schema": 1, "fingerprint": ""}'])
def test_json_of_something_else_is_no_baseline(comparison, tmp_path, content):
    path = tmp_path / "other.json"
    path.write_text(content)
    with pytest.raises(UsageError, match=r"other\.json"):
        against_earlier(comparison, path)


def test_an_earlier_run_whose_rates_mean_something_else_is_told(comparison, tmp_path):
    path = tmp_path / "old.json"
    path.write_text(json.dumps({**as_document(comparison), "schema": 1}))
    with pytest.raises(
        UsageError, match="found schema 1, expected 3: its rates count by arrival, these by departure; run it again"
    ):
        against_earlier(comparison, path)
