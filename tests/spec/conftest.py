"""The scenario of the language's own description, and a small one to vary."""

from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parent / "example.yaml"
SMALL = """\
version: 1
duration: 10m
traffic:
  shoppers: {sends: orders.create, arrivals: {poisson: 100/s}}
services:
  orders:
    workers: 16
    endpoints:
      create: [{work: 5ms}, {effect: order-created}]
"""


@pytest.fixture
def example() -> str:
    return EXAMPLE.read_text()


@pytest.fixture
def small() -> str:
    return SMALL
