"""Expectations as JUnit XML, the dialect that Jenkins, GitLab and most CI servers read: a suite for each variant, a
case for each expectation.

An expectation that failed is a `failure`; one of which nothing is known fails too. A variant that expects nothing is a
suite without cases.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET  # written here, never read

from sim.errors import printable
from sim.experiments.replicating.results import VariantResult, Verdict
from sim.exporting.subject import Subject
from sim.report.table import found_in

_NOT_XML = re.compile("[\ufffe\uffff]")  # with what `printable` takes out: all that XML 1.0 has no place for


def write(subject: Subject) -> str:
    """The whole document."""
    results = subject.results
    total = {"name": _text(subject.name), **_counts([verdict for result in results for verdict in result.verdicts])}
    suites = ET.Element("testsuites", total)
    for result in results:
        _suite(suites, result, subject)
    ET.indent(suites)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(suites, encoding="unicode")}\n'


def _suite(suites: ET.Element, result: VariantResult, subject: Subject) -> None:
    run = subject.run
    suite = ET.SubElement(suites, "testsuite", {"name": _text(result.name), **_counts(list(result.verdicts))})
    properties = ET.SubElement(suite, "properties")
    told = {"seed": run.seed, "engine": run.engine, "replications": run.replications, "fingerprint": result.fingerprint}
    for name, value in told.items():
        ET.SubElement(properties, "property", {"name": name, "value": _text(str(value))})
    for verdict in result.verdicts:
        found = _text(found_in(verdict.text, verdict.value, verdict.reason))
        names = {"classname": _text(f"{subject.name}.{result.name}"), "name": _text(verdict.text), "time": "0"}
        case = ET.SubElement(suite, "testcase", names)
        if not verdict.passed:
            failure = ET.SubElement(case, "failure", {"message": found, "type": "expectation"})
            failure.text = f"{result.name}: {_text(verdict.text)}: {found}"
        else:
            ET.SubElement(case, "system-out").text = found


def _counts(verdicts: list[Verdict]) -> dict[str, str]:
    failures = sum(not verdict.passed for verdict in verdicts)
    return {"tests": str(len(verdicts)), "failures": str(failures), "errors": "0", "skipped": "0", "time": "0"}


def _text(words: str) -> str:
    return _NOT_XML.sub("?", printable(words, one_line=True))
