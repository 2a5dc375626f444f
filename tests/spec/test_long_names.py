"""What is said about one thing stays readable, however long the names of a file are."""

import pytest

import sim
from sim.errors import ScenarioError

SHOP = """version: 1
duration: 10s
traffic: {{users: {{sends: {asked}, arrivals: {{poisson: 1/s}}}}}}
services: {{shop: {{workers: 1, endpoints: {{{known}}}}}}}
"""


@pytest.mark.parametrize(
    ("asked", "known"),
    [
        pytest.param(f"shop.{'pay ' * 900}now", "buy: [{work: 1ms}]", id="a name that is asked for, with spaces"),
        pytest.param(f"shop.{'x' * 4000}", "buy: [{work: 1ms}]", id="without"),
        pytest.param("shop.else", ", ".join(f"{'or ' * 66}{n}: []" for n in range(10)), id="names to choose from"),
    ],
)
def test_what_is_said_of_long_names_tells_their_beginning_and_their_end(asked, known):
    with pytest.raises(ScenarioError) as caught:
        sim.load_text(SHOP.format(asked=asked, known=known))
    for said in map(str, caught.value.problems):
        assert "unknown endpoint" in said or "name of" in said
        assert len(said) < 1500
