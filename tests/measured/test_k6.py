"""What the documentation of k6 says of its outputs, as columns."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sim.errors import ScenarioError
from sim.measured import read_measured
from sim.vocabulary import Outcome

SAMPLES = Path(__file__).parent / "samples"


def test_a_request_is_a_row_of_its_duration_and_began_that_long_before_its_time():
    """14:34:45.625742514 less 459.865 ms, and 45.5 less 100 ms: the second one came 234.122486 ms later."""
    measured = read_measured(str(SAMPLES / "k6.json"))
    requests = measured.requests
    assert measured.kind == "k6 JSON"
    assert requests.duration == pytest.approx([0.459865, 0.1, 60.0005], abs=1e-12)
    assert requests.arrival == pytest.approx([0.0, 0.234122486, 0.333622486], abs=1e-9)
    assert measured.began == 1715258085165877514
    assert [requests.routes[index] for index in requests.route] == ["GET /orders/{id}", "pay", "pay"]
    assert requests.outcome.tolist() == [Outcome.OK, Outcome.RATE_LIMITED, Outcome.TIMEOUT]
    assert requests.status.tolist() == [200, 429, 0]


def test_csv_is_read_by_its_header_and_its_seconds_are_said_to_be_coarse(tmp_path):
    file = tmp_path / "k6.csv"
    header = "metric_name,timestamp,metric_value,check,error,error_code,method,name,status,url"
    rows = ["vus,1645006050,1.0,,,,,,,", "http_req_duration,1645006051,250.5,,,,GET,http://t/a,200,http://t/a"]
    file.write_text("\n".join([header, *rows]) + "\n")
    measured = read_measured(str(file))
    assert measured.requests.duration.tolist() == [0.2505]
    assert measured.began == 1645006051 * 10**9 - 250_500_000
    assert any("exactly" in words for words in measured.missing)


def test_a_row_takes_27_bytes():
    requests = read_measured(str(SAMPLES / "k6.json")).requests
    columns = (requests.arrival, requests.duration, requests.outcome, requests.status, requests.route, requests.user)
    assert sum(column.dtype.itemsize for column in columns) == 27


def test_few_bad_lines_are_passed_over_and_told_and_a_file_of_them_is_refused(tmp_path):
    good = (SAMPLES / "k6.json").read_text().splitlines()
    file = tmp_path / "cut.json"
    file.write_text("\n".join([*good, good[-1][:-30]]))
    measured = read_measured(str(file))
    assert len(measured.requests) == 3
    assert (measured.passed_over.count, measured.passed_over.line) == (1, len(good) + 1)
    file.write_text("\n".join([good[0], *[good[3].replace("459.865", '"soon"')] * 50]))
    with pytest.raises(ScenarioError, match=r"cut.json:2.*expected|cut.json:2.*found a point without") as caught:
        read_measured(str(file))
    assert len(caught.value.problems) == 1


def test_what_is_no_measurement_is_told_with_what_could_be(tmp_path):
    file = tmp_path / "notes.txt"
    file.write_text("hello\n")
    with pytest.raises(ScenarioError, match=r"begins with 'hello'.*expected one of: k6 JSON"):
        read_measured(str(file))


def test_columns_stay_in_step_when_rows_are_put_in_order():
    requests = read_measured(str(SAMPLES / "k6.json")).requests
    backwards = requests.at(np.array([2, 0]))
    assert backwards.status.tolist() == [0, 200]
    assert backwards.duration.tolist() == [60.0005, 0.459865]
