"""A step of a plug-in with a flow runs on either engine; the test kit says where the two part."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import sim
from sim import testing
from sim.chance.compiler import cache_directory
from sim.compiled import simulate, why_not
from sim.compiled.plugins import cut as cutting
from sim.compiled.plugins import tables
from sim.errors import EnginesDiffer, PluginError
from sim.experiments import shipped
from sim.models.flows import flow_of
from sim.spec.plugins import load_plugins
from tests.compiled.same import differences

pytestmark = pytest.mark.xdist_group("compiled")

ROOT = Path(__file__).parents[2]
LUCKY = ROOT / "tests" / "compiled" / "lucky.py"
MOST = 3
CACHE = shipped.folder() / "cache.py"

SHOP = """
services:
  shop:
    workers: 2
    replicas: 2
    endpoints:
      buy: [{lucky: {share: 0.3, do: [{work: 20ms}, {lucky: {do: [{call: desk.ask}]}}, {perform: shop.look}]}}]
      look: [{wait: {exponential: 5ms}}, {lucky: {share: 0.6, do: [{parallel: [[{work: 1ms}], [{call: desk.ask}]]}]}}]
      glance: [{perform: shop.look}]
  desk: {workers: 1, endpoints: {ask: [{work: {exponential: 10ms}}, {fail: 0.1}]}}
traffic:
  buyers: {sends: shop.buy, arrivals: {poisson: 10/s}}
  lookers: {sends: shop.glance, arrivals: {poisson: 5/s}, timeout: 50ms}
faults: [{at: 3s, crash: {of: shop, restart_after: 1s}}]
duration: 10s
"""

WITH_CACHE = """
services:
  shop:
    workers: 3
    replicas: 1
    endpoints: {buy: [{cached_call: prices.get, ttl: TTL, entries: 1}]}
  prices: {workers: 3, endpoints: {get: [{work: 100ms}]}}
faults: [{at: 3s, crash: {of: shop, restart_after: 1s}}]
"""


def in_plain_python(code):
    """In a process in which the compiled engine checks every row."""
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_parts_within_parts_performed_at_two_sites_crashed_and_abandoned_are_the_same_on_both_engines():
    """Three steps, one of them within another and one behind a `perform`; branches, timeouts and a crash on the way."""
    played = testing.play_on_both(SHOP, plugins=[LUCKY])
    assert set(played.outcomes()) >= {"ok", "refused", "error", "timeout"}


@pytest.mark.long
def test_every_row_that_they_touch_is_one_that_is_there():
    code = f"from sim import testing; print(len(testing.play_on_both({SHOP!r}, plugins=[{str(LUCKY)!r}]).requests))"
    assert int(in_plain_python(code)) > 100


@pytest.mark.parametrize(
    ("ttl", "arrivals", "responses"),
    [
        ("10s", [0.0, 1.0, 5.0, 6.0], [0.1, 0.0, 0.1, 0.0]),  # the crash has emptied it
        ("1s", [0.0, 1.05, 1.15], [0.1, 0.0, 0.1]),  # good until 1.1 s
    ],
)
def test_what_the_shipped_cache_remembers(ttl, arrivals, responses):
    played = testing.play_on_both(WITH_CACHE.replace("TTL", ttl), arrivals, sends="shop.buy", plugins=[CACHE])
    assert played.responses() == responses


def test_the_shipped_scenario_is_the_same_on_both_engines():
    study = sim.load("09-cache-plugin", plugins=[CACHE], sets=["duration=20s", "warmup=1s"])
    for scenario in study.variants.values():
        assert why_not(scenario) == ""
        assert differences(sim.models.simulate(scenario), simulate(scenario)) == []


def test_where_behaviour_and_flow_part_is_told():
    text = LUCKY.read_text().replace("frame.tries < step.most", "frame.tries < step.most - 1")
    with pytest.raises(EnginesDiffer) as found:
        testing.play_on_both(SHOP.replace("lucky", "luckless"), plugins=[written(text, "luckless")])
    assert str(found.value).startswith("on SimPy: 0.")
    assert "; on the compiled engine: 0." in str(found.value)


@pytest.fixture(autouse=True)
def folder(tmp_path):
    """Where the plug-ins of these tests lie."""
    written.folder = tmp_path


def written(text, word):
    """The plug-in of these tests, changed, and with a word of its own."""
    path = written.folder / f"{word}.py"
    path.write_text(text.replace('"lucky"', f'"{word}"'))
    return path


@pytest.mark.parametrize(
    ("word", "said", "instead", "why"),
    [
        ("listing", "frame.tries = 0", "frame.tries = [0]", "lucky, line 126: no List in a flow"),
        ("listed", "    tries: int\n", "    tries: list[int]\n", "Tried.tries: found list[int], expected one of int,"),
        ("unknown", "return OK\n    own", "return later\n    own", "lucky, line 132: later is not known"),
    ],
)
def test_what_is_no_flow_is_refused_with_its_line(word, said, instead, why):
    text = LUCKY.read_text()
    assert said in text
    plugin = written(text.replace(said, instead), word)
    with pytest.raises(PluginError) as found:
        testing.play_on_both(SHOP.replace("lucky", word), plugins=[plugin])
    assert why in str(found.value)


def test_a_field_that_no_row_has_is_refused():
    plugin = written(LUCKY.read_text().replace('"most": step', '"mots": step'), "wry")
    with pytest.raises(PluginError, match=r"LuckRow\.begin: found \['mots'\], expected \['chance', 'most', "):
        testing.play_on_both(SHOP.replace("lucky", "wry"), plugins=[plugin])


def load_module(path):
    return next(name for name, module in sys.modules.items() if getattr(module, "__file__", "") == str(path))


def test_machine_code_of_a_plug_in_is_kept_by_all_that_it_is_made_of():
    """Its text, what was cut, and the numbers that its policies take from elsewhere."""
    testing.play_on_both(SHOP, plugins=[LUCKY])
    home = sys.modules[load_module(LUCKY)]
    first = cutting.cut(flow_of(home.Luck)).function
    assert tables.address_of(first) == tables.address_of(first)
    assert first.__module__.startswith("sim_flow_")
    directory = cache_directory()
    assert directory is not None
    assert list((directory / first.__module__).rglob("*.nbc"))
    changed = written(LUCKY.read_text() + "\nMORE = 1\n", "altered")
    load_plugins([changed])
    other = cutting.cut(flow_of(sys.modules[load_module(changed)].Luck)).function
    assert other.__module__ != first.__module__


def test_a_policy_that_is_made_of_somebody_elses_functions_is_not_kept():
    """Their text is no part of the digest."""

    def known(limit):
        return limit < MOST

    def unknown(limit):
        return pytest.approx(limit)

    assert cutting._frozen(known) == [("MOST", 3)]
    assert cutting._frozen(unknown) is None
