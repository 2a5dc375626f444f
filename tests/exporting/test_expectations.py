"""Expectations for CI servers: JUnit XML by the rules of its schema, and a job summary of GitHub whose verdict comes first."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest

from sim.exporting import github, junit
from tests.exporting.runs import CALLS, exported

ATTRIBUTES = {  # of the schema that Jenkins' xUnit plug-in checks by (junit-10.xsd): element -> those it must have
    "testsuites": {"name", "tests", "failures", "errors"},
    "testsuite": {"name", "tests", "failures", "errors", "skipped", "time"},
    "testcase": {"name", "classname", "time"},
    "failure": {"message", "type"},
    "property": {"name", "value"},
}
CHILDREN = {
    "testsuites": {"testsuite"},
    "testsuite": {"properties", "testcase"},
    "properties": {"property"},
    "testcase": {"failure", "system-out"},
}
TWO = (
    CALLS
    + "variants: {base: {}, quick: {services: {stock: {endpoints: {take: [{work: 1us}]}}, shop: {endpoints: {buy: [{work: 1ms}, {call: stock.take}]}}}}}\n"
)


@pytest.fixture(scope="module")
def both():
    return exported(TWO, traced=False, every=True)


def test_junit_has_the_elements_and_attributes_of_its_schema(both):
    root = ET.fromstring(junit.write(both))
    for element in root.iter():
        assert ATTRIBUTES.get(element.tag, set()) <= set(element.attrib), element.tag
        assert {child.tag for child in element} <= CHILDREN.get(element.tag, set()), element.tag


def test_junit_fails_what_failed_and_says_what_was_found(both):
    """170 ms is below 200 ms, not below 100 ms; the quick variant takes 1 + 20 ms."""
    root = ET.fromstring(junit.write(both))
    assert (root.get("tests"), root.get("failures")) == ("6", "1")
    assert [(suite.get("name"), suite.get("failures")) for suite in root] == [("base", "1"), ("quick", "0")]
    (failure,) = root.iter("failure")
    assert failure.get("message") == "found 170 ms"
    failed = [case.get("name") for case in root.iter("testcase") if case.find("failure") is not None]
    assert failed == ["p99(response) < 100ms"]


def test_junit_is_xml_whatever_names_say(both):
    root = ET.fromstring(junit.write(replace(both, name="<&'\uffff\x1b>")))
    assert root.get("name") == "<&'?\\u001b>"


def test_github_says_first_what_failed(both):
    lines = github.write(both).splitlines()
    assert lines[0] == "### ❌ corner\\-shop: 1 of 6 expectations failed"
    table = [line for line in lines if line.startswith(("| ✅", "| ❌"))]
    assert len(table) == 6
    assert table[0] == "| ❌ | base | p99\\(response\\) \\< 100ms | found 170 ms |"


def test_github_says_that_all_is_well_or_that_nothing_was_expected():
    quick = exported(TWO, "quick", traced=False)
    assert github.write(quick).startswith("### ✅ corner\\-shop: 3 expectations hold")
    nothing = exported(CALLS.partition("expect:")[0], traced=False, every=True)
    assert github.write(nothing).startswith("### ▫️ corner\\-shop: no expectations")


def test_a_name_in_a_summary_is_no_markup():
    text = TWO.replace("name: corner-shop", "name: '<img src=x> [a](b) | @you `c`'")
    first = github.write(exported(text, traced=False, every=True)).splitlines()[0]
    assert "\\<img src=x\\> \\[a\\]\\(b\\) \\| \\@you \\`c\\`" in first


def test_every_row_of_a_summary_has_as_many_cells_as_its_head(both):
    blocks = [block.splitlines() for block in github.write(both).split("\n\n") if block.startswith("|")]
    assert len(blocks) == 2
    for block in blocks:
        assert len({line.replace("\\|", "").count("|") for line in block}) == 1
