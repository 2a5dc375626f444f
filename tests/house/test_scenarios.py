"""The shipped scenarios: each asks a question, names the schema, is checked, and runs."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from functools import cache

import jsonschema
import pytest
from heads import ROOT, SCENARIOS, plugins_of

from sim import load as sim_load
from sim.experiments.on_paper.load_factor import open_rate
from sim.spec.document import plain
from sim.spec.reading import question_of, read_yaml

SCHEMA = ROOT / "scenarios" / "scenario.schema.json"
SHORTER = {  # so that each still meets what it is about; all others: two minutes
    "01-one-queue": ("duration=4m",),
    "black-friday": ("duration=40s", "warmup=5s", "traffic.shoppers.arrivals.profile.0.for=10s"),
    "black-friday-at-scale": ("duration=6s", "warmup=1s", "traffic.shoppers.arrivals.profile.0.for=3s"),
    "payment-outage": ("duration=100s", "warmup=10s", "faults.0.at=30s", "faults.0.for=20s"),
    "slow-payments": ("duration=100s", "warmup=10s", "faults.0.at=30s", "faults.0.for=20s"),
    "03-timeouts": (),
    "04-retries": (),
    "05-breaker": (),
}


def sim(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The command line, in a process of its own: what a plug-in registers must not stay in this one."""
    return subprocess.run(
        [sys.executable, "-m", "sim", *arguments], capture_output=True, text=True, check=False, cwd=ROOT
    )


every_scenario = pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)


@every_scenario
def test_the_head_names_the_schema_and_asks_a_question(path):
    text = path.read_text(encoding="utf-8")
    assert text.startswith(f"# yaml-language-server: $schema={SCHEMA.name}\n")
    assert question_of(text).endswith("?")
    assert f"\nname: {path.stem}\n" in text
    assert len(text.splitlines()) < (50 if path.stem[0].isdigit() else 160)
    assert max(map(len, text.splitlines())) <= 160


@every_scenario
def test_it_is_checked_without_errors_and_its_warnings_are_mentioned(path):
    done = sim("check", str(path), *(f"--plugin={plugin}" for plugin in plugins_of(path)))
    assert done.returncode == 0, done.stderr
    head = path.read_text(encoding="utf-8").partition("\nversion:")[0]
    assert "warning:" not in done.stdout or re.search(r"warn|meant|no limit|without\s+(#\s+)?limit", head)


@pytest.mark.long
@every_scenario
def test_a_short_run_of_every_variant_balances_its_books(path):
    """Books that do not balance raise; expectations may fail in so short a run."""
    asked = {"sets": SHORTER.get(path.stem, ("duration=2m",)), "plugins": plugins_of(path)}
    code = f"import sim; study = sim.load({path.as_posix()!r}, **{asked!r}); print(sim.compare(study, replications=1, jobs=1).summary.shape)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_large_shop_is_the_small_one_thirty_three_times():
    small, large = (sim_load(name).variants["sync"] for name in ("black-friday", "black-friday-at-scale"))
    assert open_rate(large) == pytest.approx(33 * open_rate(small))
    assert large.gateway.replicas == 33 * small.gateway.replicas
    for name, service in small.services.items():
        grown = {"replicas": 33 * service.replicas}
        if service.stock is not None:
            grown["stock"] = service.stock.model_copy(update={"items": 33 * service.stock.items})
        assert large.services[name] == service.model_copy(update=grown)
    assert large.record.keep == "summary"


# ---- the schema


@cache
def printed_schema() -> str:
    return sim("schema").stdout


def test_the_schema_beside_the_scenarios_is_the_one_of_today():
    assert SCHEMA.read_text(encoding="utf-8") == printed_schema(), (
        "write it anew: sim schema > scenarios/scenario.schema.json"
    )


@every_scenario
def test_the_schema_accepts_every_scenario(path):
    """All but the words of plug-ins, which an editor does not know."""
    validator = jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))
    errors = list(validator.iter_errors(plain(read_yaml(path.read_text(encoding="utf-8")))))
    assert all("cached_call" in str(error.instance) for error in errors)
    assert bool(errors) == bool(plugins_of(path))


# ---- the plug-in

PLUGIN = ROOT / "scenarios" / "cache.py"
WITH_PLUGIN = f"from sim.spec.plugins import load_plugins; from sim.spec import json_schema; load_plugins(['{PLUGIN.as_posix()}']); "


def test_the_plugin_is_refused_until_it_is_allowed_and_the_way_to_allow_it_is_told():
    done = sim("check", "09-cache-plugin")
    assert done.returncode == 2
    assert f"uses the plug-in 'cache.py', which is code; allow it with --plugin {PLUGIN}" in done.stderr


def test_a_slip_in_a_step_of_a_plugin_is_told_as_any_other():
    path = "variants.small.services.shop.endpoints.price"
    done = sim(
        "check",
        "09-cache-plugin",
        "--plugin",
        str(PLUGIN),
        "--set",
        f"{path}=[{{cached_call: catalogue.prise, tll: 60s}}]",
    )
    assert done.returncode == 2
    assert "did you mean 'ttl'?" in done.stderr
    assert "catalogue.price" in done.stderr


@pytest.mark.long
def test_the_words_of_a_plugin_are_in_the_schema():
    code = WITH_PLUGIN + "import json; print(json.dumps(json_schema()))"
    schema = json.loads(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)
    path = ROOT / "scenarios" / "09-cache-plugin.yaml"
    assert (
        list(jsonschema.Draft202012Validator(schema).iter_errors(plain(read_yaml(path.read_text(encoding="utf-8")))))
        == []
    )
    assert "cached_call" not in printed_schema()


@pytest.mark.long
def test_the_hit_ratio_follows_from_what_is_popular():
    """More room, more hits; and whoever asks for everything alike is helped less."""
    one = hits("large"), hits("small"), hits("large", "traffic.visitors.items.popularity=uniform")
    assert one[0] > one[1] > one[2] > 0.0


def hits(variant: str, *sets: str) -> float:
    code = (
        "import sim, sys; "
        f"study = sim.load('09-cache-plugin', sets=['duration=2m', *{list(sets)!r}], plugins=['{PLUGIN.as_posix()}']); "
        f"gauges = sim.simulate(study.variants['{variant}']).gauge_frame().iloc[-1]; "
        "print(gauges['shop.cache_hits'] / (gauges['shop.cache_hits'] + gauges['shop.cache_misses']))"
    )
    return float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)
