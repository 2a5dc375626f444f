"""Every golden case of queueing theory has its test, or a reason why it has none."""

from pathlib import Path

import pytest

from .systems import golden_names

LEFT_OUT = {
    "theory.json": {},
    "ciw_qt_tests.json": {
        "ciw_baulking_det_2nodes": "a queue is bounded for all who come, not for those from outside alone",
    },
    "line_jmt_tests.json": {
        "oqn_fourqueues": "steps have no branch by chance, and calls no way back",
    },
}


@pytest.mark.parametrize("file", LEFT_OUT)
def test_every_case_has_a_test_or_a_reason(file):
    texts = [path.read_text() for path in Path(__file__).parent.glob("test_*.py") if path.name != Path(__file__).name]
    names = golden_names(file)
    assert set(LEFT_OUT[file]) <= names
    missing = {name for name in names - set(LEFT_OUT[file]) if not any(f'"{name}"' in text for text in texts)}
    assert not missing
